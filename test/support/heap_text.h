/* The text of a report, and what must hold of it. */
#ifndef PHT_TEST_SUPPORT_HEAP_TEXT_H
#define PHT_TEST_SUPPORT_HEAP_TEXT_H

#include "pyheaptop/view.h"
#include "support/heap_report.h"

/* The caller's to free. */
char *heap_text_write(const struct pht_report *report, bool full);
char *heap_text_write_types(const struct pht_report *report, bool full, enum pht_type_order sort,
                            uint64_t rows);

/* No line is longer than 80 characters. */
void heap_text_check_width(const char *text);

#endif
