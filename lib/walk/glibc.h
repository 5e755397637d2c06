/*
 * What the files of the glibc walker share: how a chunk looks (malloc/malloc.c, "malloc_chunk
 * details", 2.17 to 2.44).
 *
 *     chunk ->  prev_size   of the chunk before, while that is free (else it is that one's data)
 *               size | flags
 *     memory -> data, or fd and bk while it is free
 *
 * A chunk that is in a bin has the PREV_INUSE flag of the chunk behind it cleared, and its size
 * in that one's prev_size. Chunks in fastbins and tcaches look like chunks in use.
 */
#ifndef PHT_LIB_WALK_GLIBC_H
#define PHT_LIB_WALK_GLIBC_H

#include <string.h>

#include "base/vec.h"
#include "pyheaptop/walk.h"

#define PHT_CHUNK_HEADER_BYTES 16
#define PHT_CHUNK_BYTES_MIN 32
#define PHT_CHUNK_ALIGNMENT 16

#define PHT_CHUNK_PREV_INUSE 1
#define PHT_CHUNK_IS_MMAPPED 2
#define PHT_CHUNK_NON_MAIN_ARENA 4
#define PHT_CHUNK_FLAGS 7

/* Before the links of a bin stand two words: that makes it look like a chunk. */
#define PHT_BIN_BIAS 16

/* No processor has larger pages. */
#define PHT_HUGE_PAGE_BYTES_MAX ((uint64_t)16 << 30)

/* Chunks of a fence: they keep what lies before them from merging with what is not malloc's. */
#define PHT_CHUNK_FENCE_BYTES ((uint64_t)16)

/* The size in a size word. */
static inline uint64_t pht_chunk_bytes(uint64_t raw)
{
    return raw & ~(uint64_t)PHT_CHUNK_FLAGS;
}

static inline bool pht_chunk_is_aligned(uint64_t value)
{
    return value % PHT_CHUNK_ALIGNMENT == 0;
}

/* True if there may be a chunk at `addr`. */
static inline bool pht_chunk_addr_is_sane(pht_addr addr)
{
    return addr >= PHT_PAGE_BYTES && addr <= PHT_USER_ADDR_MAX && pht_chunk_is_aligned(addr);
}

/* The kernel takes huge pages from a file that has no name in any file system. */
static inline bool pht_glibc_is_huge(const struct pht_mapping *mapping)
{
    return strcmp(mapping->name, "/anon_hugepage") == 0;
}

/* Memory that malloc may have got. */
static inline bool pht_glibc_may_own(const struct pht_mapping *mapping)
{
    return mapping->readable && mapping->writable && !mapping->shared &&
           (mapping->inode == 0 || pht_glibc_is_huge(mapping));
}

/* The size of a heap's mapping, to which it is aligned: arena.c, heap_max_size(). */
uint64_t pht_glibc_heap_max_bytes(const struct pht_glibc_roots *roots);

/* The bins of a tcache: how many there are, and what one holds as its counter says. */
size_t pht_glibc_tcache_bins(const struct pht_libc_layout *layout);
uint16_t pht_glibc_tcache_held(const struct pht_glibc_roots *roots, const void *tcache, size_t bin);

/* No struct of a tcache is larger: that of 2.42 and later, with 76 bins, has 760 bytes. */
#define PHT_TCACHE_BYTES_MAX 4096

/* Threads, their arenas and tcaches. False if the list changed while it was walked. */
bool pht_glibc_freeze_threads(struct pht_snapshot *snapshot, struct pht_glibc_roots *roots);

/* Read a root; a failure is noted, but for a page of a file that the target never loaded. */
bool pht_glibc_read_root(struct pht_snapshot *snapshot, struct pht_glibc_roots *roots,
                         pht_addr addr, void *value, size_t size);

#endif
