/*
 * How malloc looks in the releases of glibc that differ: what struct pht_libc_layout says of each,
 * and what no offset tells. From malloc/malloc.c and arena.c; the offsets are those of Debian's
 * and Ubuntu's builds for x86-64.
 */
#ifndef PHT_TEST_SUPPORT_MALLOC_LAYOUT_H
#define PHT_TEST_SUPPORT_MALLOC_LAYOUT_H

#include "pyheaptop/layout.h"

enum malloc_version {
    MALLOC_2_17,
    MALLOC_2_27,
    MALLOC_2_31,
    MALLOC_2_36,
    MALLOC_2_41,
    MALLOC_2_42,
    MALLOC_2_43,
    MALLOC_VERSIONS,
};

enum malloc_key {
    MALLOC_KEY_NONE,
    MALLOC_KEY_TCACHE, /* a chunk in a tcache is marked with the tcache's address */
    MALLOC_KEY_RANDOM, /* with the variable tcache_key */
};

struct malloc_traits {
    const char *text;
    uint64_t tls_offset;   /* l_tls_offset of libc */
    uint32_t tcache_bins;  /* 0: no tcache */
    uint32_t tcache_count; /* chunks a bin */
    uint32_t counter_bytes;
    enum malloc_key key;
    bool has_fastbins;
    bool mangles_links;     /* of fastbins and tcaches */
    bool counts_free_slots; /* of a tcache's bin, not chunks */
    bool has_dummy_tcache;  /* until a thread frees its first chunk */
    bool maps_footer;       /* an mmapped chunk's size leaves out 16 bytes at the end */
    bool has_chunks_flag;   /* of fastbins, in the flags; 0 means that there are some */
};

/* Sizes of chunks that the small bins of a tcache take, and those of a fastbin. */
#define MALLOC_TCACHE_MAX 1040
#define MALLOC_FAST_MAX 128
#define MALLOC_TCACHE_SMALL_BINS 64
#define MALLOC_CHUNK_MIN 32

/* Enough where layouts do not matter: without tcache, with all there is, without fastbins. */
#define MALLOC_SOME 3
static inline enum malloc_version malloc_some(int n)
{
    static const enum malloc_version some[] = {MALLOC_2_17, MALLOC_2_36, MALLOC_2_43};

    return some[n];
}

const struct malloc_traits *malloc_traits(enum malloc_version version);

/* Addresses are as linked; PHT_UNKNOWN for what the version lacks. */
void malloc_layout(enum malloc_version version, struct pht_libc_layout *ret);

/* Which bin takes free chunks of a size, and which of a tcache. */
uint32_t malloc_bin_index(uint64_t bytes);
uint32_t malloc_tcache_index(uint64_t bytes);

#endif
