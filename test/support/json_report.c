#include "support/json_report.h"

#include <stdlib.h>

struct pht_report *report;
char *written;
json_t *root;

void json_report_setup(void)
{
    report = heap_report_create();
    written = NULL;
    root = NULL;
}

void json_report_teardown(void)
{
    json_decref(root);
    free(written);
    pht_report_destroy(report);
}

void write_report(void)
{
    root = heap_json_write(report, &written);
}
