/* A census of objects made by hand. */
#ifndef PHT_TEST_SUPPORT_HEAP_OBJECTS_H
#define PHT_TEST_SUPPORT_HEAP_OBJECTS_H

#include "pyheaptop/model.h"

/*
 * Eight types, largest first, of builtins and modules; 1,204 blocks without a type, and no damage.
 * pht_objects_destroy() frees it.
 */
struct pht_objects *heap_objects_create(void);

/* Give a type other names; both are copied. */
void heap_objects_rename(struct pht_type_sum *type, const char *module, const char *name);

#endif
