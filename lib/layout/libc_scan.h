/*
 * The variables of glibc's malloc that no symbol tells, found by what stands in them. What is found
 * proves the types as well: a layout of another release finds nothing.
 *
 * main_arena has 127 bins that are empty or closed lists, its ring of arenas leads back to it, and
 * its top chunk ends with a page. mp_ stands before it, and names the start of what brk gave.
 */
#ifndef PHT_LIB_LAYOUT_LIBC_SCAN_H
#define PHT_LIB_LAYOUT_LIBC_SCAN_H

#include <string.h>

#include "layout/module_data.h"

/*
 * Fill in layout->main_arena and layout->params, as linked, or check those that are known. False if
 * there is none that fits the layout's types, or more than one, or if malloc is at work just now.
 */
bool pht_libc_scan(const struct pht_module_data *data, uint64_t bias,
                   struct pht_libc_layout *layout);

/* True if malloc could have given `addr`, or its bins hold it. */
bool pht_libc_is_chunk_addr(pht_addr addr);

/* True if the C library may have got the memory at `addr` from the kernel. */
bool pht_libc_is_anonymous(const struct pht_module_data *data, pht_addr addr);

/* True if a heap_info stands before `addr` that names it as its arena. */
bool pht_libc_is_thread_arena(const struct pht_module_data *data,
                              const struct pht_libc_layout *layout, pht_addr addr);

static inline uint64_t pht_libc_word(const void *bytes, uint64_t offset)
{
    uint64_t value;

    memcpy(&value, (const char *)bytes + offset, sizeof(value));
    return value;
}

#endif
