/* A report as a walk would leave it, made by hand, for tests to alter. */
#ifndef PHT_TEST_SUPPORT_HEAP_REPORT_H
#define PHT_TEST_SUPPORT_HEAP_REPORT_H

#include "pyheaptop/model.h"

/*
 * CPython 3.11.7 with three arenas of one state, glibc 2.36 as heap_glibc.h has it, objects as
 * in heap_objects.h, mappings and relatives as in heap_ledger.h, all parts known, complete, no
 * warning. Whatever it holds is from malloc(), so that parts can be replaced, and
 * pht_report_destroy() frees it.
 */
struct pht_report *heap_report_create(void);

/* Replace a string of the report. */
void heap_report_set(char **field, const char *text);

/* Replace the command line; `bytes` holds its NULs. */
void heap_report_set_command(struct pht_report *report, const char *bytes, size_t size);

/* A second state, of interpreters 1 and later, with a share of the totals. */
void heap_report_add_state(struct pht_report *report);

/* Forget a part. What is known of the runtime stays. Without pymalloc there are no objects. */
void heap_report_drop_pymalloc(struct pht_report *report);
void heap_report_drop_objects(struct pht_report *report);
void heap_report_drop_glibc(struct pht_report *report);

#endif
