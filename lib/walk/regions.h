/*
 * What the files of the walk of regions share. A region is proved by what stands in it, or by
 * what points to it; where its extent cannot be proved, it is left alone.
 */
#ifndef PHT_LIB_WALK_REGIONS_H
#define PHT_LIB_WALK_REGIONS_H

#include "base/vec.h"
#include "pyheaptop/walk.h"
#include "walk/ranges.h"

struct pht_region_walk {
    struct pht_snapshot *snapshot;
    const struct pht_maps *maps;
    const struct pht_libc *libc;     /* NULL: not known */
    const struct pht_python *python; /* NULL: not known */
    const struct pht_glibc_roots *glibc;
    const struct pht_pymalloc_roots *pymalloc;
    bool has_other_allocator;
    struct pht_owners *owners;
    struct pht_regions *regions;
};

/*
 * List [start, end), and claim what nobody has claimed of it; for tables in an allocator's memory
 * nothing is claimed. False when memory is short.
 */
bool pht_region_add(struct pht_region_walk *walk, pht_addr start, pht_addr end,
                    enum pht_region_kind kind, pid_t tid);

/* Memory of no file, that no other process shares. */
bool pht_region_is_private(const struct pht_mapping *mapping);

/* True if all of [start, end) is mapped so. */
bool pht_region_is_all_private(const struct pht_region_walk *walk, pht_addr start, pht_addr end);

/* An allocator's memory is somewhere in a private mapping, and never where it could not fit. */
bool pht_region_may_be_table(const struct pht_region_walk *walk, pht_addr addr, uint64_t bytes);

/* ---- the kinds, in the order in which they are looked for ---------------------------------- */

/*
 * What the loader knows of each file: the nodes of its list, from where to where its image lies
 * with its .bss, and how far thread-local variables reach below a thread's struct pthread. The
 * nodes are only those that the loader made before malloc was there.
 */
struct pht_link_maps {
    struct {
        pht_addr *items;
        size_t count;
        size_t capacity;
    } nodes;
    bool has_own;            /* its own node has been seen */
    struct pht_ranges spans; /* by address */
    uint64_t tls_bytes;
};

bool pht_link_maps_read(struct pht_region_walk *walk, struct pht_link_maps *ret);
void pht_link_maps_deinit(struct pht_link_maps *maps);

/* Stacks of threads, ended ones too, and what the loader made for the first thread. */
bool pht_regions_find_stacks(struct pht_region_walk *walk, const struct pht_link_maps *link_maps);

/* Chunks of frames: Python/pystate.c, push_chunk(), 3.11 and later. */
bool pht_regions_find_frames(struct pht_region_walk *walk);

/* Files and their .bss, shared memory, the kernel's own mappings, code of no file. */
bool pht_regions_find_files(struct pht_region_walk *walk, const struct pht_link_maps *link_maps);

/*
 * Chunks of frames of threads that a forked process does not have. Before the loader's pages, which
 * have no head to tell them by.
 */
bool pht_regions_find_lost_frames(struct pht_region_walk *walk);

bool pht_regions_find_loader(struct pht_region_walk *walk, const struct pht_link_maps *link_maps);

/* What getrandom(3) keeps since glibc 2.41. */
bool pht_regions_find_random(struct pht_region_walk *walk);

/* Tables of pymalloc, which lie in malloc's memory. */
bool pht_regions_find_tables(struct pht_region_walk *walk);

/* The tables of interned strings, which are Python's or malloc's as well. */
bool pht_regions_find_interned(struct pht_region_walk *walk);

#endif
