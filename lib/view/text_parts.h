/* The larger parts of the text report, each in a file of its own. */
#ifndef PHT_LIB_VIEW_TEXT_PARTS_H
#define PHT_LIB_VIEW_TEXT_PARTS_H

#include <stdio.h>

#include "pyheaptop/view.h"

/* `full`: every row; else the ones that matter, and the option that shows the rest. */
void pht_text_write_kernel(const struct pht_report *report, FILE *file);
void pht_text_write_pymalloc(const struct pht_pymalloc *pymalloc, bool full, FILE *file);
void pht_text_write_gc(const struct pht_gc *gc, FILE *file);
void pht_text_write_freelists(const struct pht_freelists *lists, FILE *file);
void pht_text_write_glibc(const struct pht_report *report, bool full, FILE *file);
void pht_text_write_types(const struct pht_objects *objects, const struct pht_text_options *options,
                          FILE *file);
void pht_text_write_largest(const struct pht_objects *objects, FILE *file);
void pht_text_write_unowned(const struct pht_report *report, bool full, FILE *file);

/* "collections.OrderedDict", "dict" of a builtin, fit to print; the caller frees it. */
char *pht_text_type_name(const char *module, const char *name, pht_addr address);

/* The lists of what grew: `from` and later ones of enum pht_figure_kind. False: nothing has. */
bool pht_text_write_growth(const struct pht_diff *diff, int from, FILE *file);

/* The categories, and where what is in none of them lies. `change` may be NULL. */
void pht_text_write_ledger(const struct pht_report *report, const struct pht_diff *change,
                           FILE *file);
void pht_text_write_unattributed(const struct pht_report *report, bool full, FILE *file);
void pht_text_write_maps(const struct pht_report *report, bool full, FILE *file);

/* In short one line, and nothing of a process without relatives. */
void pht_text_write_family(const struct pht_report *report, bool full, FILE *file);

/* `full`: with the figures that they rest on. Nothing if they were not asked for. */
void pht_text_write_findings(const struct pht_report *report, bool full, FILE *file);

/*
 * What the letters of these categories stand for, by their ids. `categories` is a set:
 * 1 << category.
 */
void pht_text_write_letters(unsigned categories, FILE *file);

#endif
