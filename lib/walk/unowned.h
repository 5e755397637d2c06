/*
 * Chunks of malloc that no Python object owns: by size, and what some of each size begin with, so
 * that a person can guess whose they are.
 */
#ifndef PHT_LIB_WALK_UNOWNED_H
#define PHT_LIB_WALK_UNOWNED_H

#include "walk/glibc_tally.h"

/* So much of a sample is looked at. */
#define PHT_SAMPLE_BYTES 64

struct pht_unowned_row {
    struct pht_tally owned; /* chunks of this size that an object is, or owns */
    uint64_t seen;
    struct {
        pht_addr address;
        uint32_t bytes;
        unsigned char head[PHT_SAMPLE_BYTES];
    } samples[PHT_CHUNK_SAMPLES];
    size_t sample_count;
};

struct pht_unowned {
    struct pht_unowned_row rows[PHT_SIZE_ROWS];
    uint64_t random;
};

/* A chunk that seems to have no owner; it may be shown again, or turn out to have one. */
void pht_unowned_show(struct pht_unowned *unowned, pht_addr memory, uint64_t chunk_bytes,
                      const unsigned char *head, size_t head_bytes);

/* A chunk has one. */
void pht_unowned_except(struct pht_unowned *unowned, pht_addr memory, uint64_t chunk_bytes);

/*
 * What is left of all chunks in use, most bytes first; release with free(). Text of samples is
 * left out without `previews`. NULL when memory is short.
 */
struct pht_unowned_size *pht_unowned_list(const struct pht_unowned *unowned,
                                          const struct pht_maps *maps,
                                          const struct pht_glibc *glibc, bool previews,
                                          size_t *count);

#endif
