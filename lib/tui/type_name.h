/* How types are called on the screens: as in the text report, "dict" and "shop.models.Order". */
#ifndef PHT_LIB_TUI_TYPE_NAME_H
#define PHT_LIB_TUI_TYPE_NAME_H

#include <stddef.h>

#include "pyheaptop/model.h"

/* Names are cut at so many bytes, not within a character, and may hold any. */
#define PHT_TYPE_NAME_BYTES 1100

/* Returns `text`. */
const char *pht_type_name(const struct pht_type_sum *type, char *text, size_t size);

/* "builtins" for those without a module. */
const char *pht_type_module(const struct pht_type_sum *type);

/* Builtins come first. */
int pht_type_compare_names(const struct pht_type_sum *left, const struct pht_type_sum *right);

#endif
