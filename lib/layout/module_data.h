/*
 * What stands in the variables of an image, for scans that find those which no symbol tells:
 * .data and .bss as they are in the target now, and words anywhere else.
 *
 * Only what is resident is read, and no shared mapping, so that looking changes nothing. All of it
 * may be a lie, and may change while it is read.
 */
#ifndef PHT_LIB_LAYOUT_MODULE_DATA_H
#define PHT_LIB_LAYOUT_MODULE_DATA_H

#include "layout/elf_image.h"

/* A writable segment of the image; `resident` has a bit for each page, others are zeros here. */
struct pht_module_segment {
    pht_addr start;
    size_t size;
    unsigned char *bytes;
    uint64_t *resident;
};

#define PHT_MODULE_SEGMENTS 4

struct pht_module_data {
    struct pht_target *target;
    const struct pht_maps *maps;
    struct pht_module_segment segments[PHT_MODULE_SEGMENTS];
    size_t count;
};

/* False when memory is short. What cannot be read counts as not resident. */
bool pht_module_data_read(struct pht_target *target, const struct pht_maps *maps,
                          struct pht_elf_image *image, struct pht_module_data *ret);

/* A segment more, in whole pages; `data` begins with its target and maps, and nothing else. */
bool pht_module_data_add(struct pht_module_data *data, pht_addr start, uint64_t size);
void pht_module_data_deinit(struct pht_module_data *data);

/* Bytes at an address of the process within the segments; NULL where not all are resident. */
const unsigned char *pht_module_data_at(const struct pht_module_data *data, pht_addr addr,
                                        size_t size);

/* The same anywhere in private memory of the target, by reading it. */
bool pht_module_data_peek(const struct pht_module_data *data, pht_addr addr, void *buffer,
                          size_t size);
bool pht_module_data_peek_u64(const struct pht_module_data *data, pht_addr addr, uint64_t *ret);
bool pht_module_data_peek_u32(const struct pht_module_data *data, pht_addr addr, uint32_t *ret);

#endif
