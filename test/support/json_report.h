/* A report and its JSON, for tests that look into what is written: made anew for each test. */
#ifndef PHT_TEST_SUPPORT_JSON_REPORT_H
#define PHT_TEST_SUPPORT_JSON_REPORT_H

#include "support/heap_json.h"

extern struct pht_report *report; /* the test's to alter */
extern char *written;             /* NULL until write_report() */
extern json_t *root;              /* the same, read back */

void json_report_setup(void);
void json_report_teardown(void);

/* Once a test. */
void write_report(void);

#endif
