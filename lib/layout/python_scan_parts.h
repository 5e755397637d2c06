/* What the files of the scan share. */
#ifndef PHT_LIB_LAYOUT_PYTHON_SCAN_PARTS_H
#define PHT_LIB_LAYOUT_PYTHON_SCAN_PARTS_H

#include "layout/module_data.h"
#include "layout/references.h"

/* Of an array of arena objects no more is looked at: arenas of 64 GiB and more. */
#define PHT_PYTHON_SCAN_ARENAS_MAX ((uint32_t)1 << 18)

/*
 * `layout` is filled in, addresses as linked; `row` is the layout that its types are from, and says
 * which variables such a release has.
 */
struct pht_python_scan {
    const struct pht_module_data *data;
    struct pht_elf_image *image;
    const struct pht_python_layout *row;
    struct pht_python_layout *layout;
};

/* A variable at a link-time address, as it is in the target. False where it is not resident. */
bool pht_python_scan_u64(const struct pht_python_scan *scan, uint64_t address, uint64_t *ret);
bool pht_python_scan_u32(const struct pht_python_scan *scan, uint64_t address, uint32_t *ret);

/* A pool that is in use, and the number of its arena. */
struct pht_python_sample {
    pht_addr pool;
    uint32_t arena;
};

#define PHT_PYTHON_SAMPLES_MAX 64

/* One of each size class that has any. */
struct pht_python_pools {
    struct pht_python_scan *scan;
    struct pht_python_sample samples[PHT_PYTHON_SAMPLES_MAX];
    size_t count;
};

/* The table of used pools, with samples of them; where pymalloc is off there are none. */
void pht_python_scan_table(struct pht_python_pools *pools);

/* Up to 3.11: the table of used pools, the array of arena objects, and counters of them. */
void pht_python_scan_pools(struct pht_python_scan *scan);

/* True if a table of so many classes of used pools stands at that address of the process. */
bool pht_python_scan_is_table(struct pht_python_scan *scan, pht_addr table, uint32_t classes);

/* What debug hooks keep, in [start, end), as linked; PHT_UNKNOWN if it is there twice or not. */
uint64_t pht_python_scan_find_hooks(const struct pht_python_scan *scan, uint64_t start,
                                    uint64_t end);

/* 3.13 and later, with what debug offsets tell: states of pymalloc, and the allocators. */
void pht_python_scan_runtime(struct pht_python_scan *scan);

/* 3.10 and 3.11: the root of the tree of arenas, and how large its nodes are. */
void pht_python_scan_arena_map(struct pht_python_scan *scan);

/* Up to 3.11: interned strings, free lists, the collector. */
void pht_python_scan_statics(struct pht_python_scan *scan);

/*
 * The function behind a method of the module that `init` initialises, as linked; PHT_UNKNOWN if
 * there is none.
 */
uint64_t pht_python_scan_find_method(const struct pht_python_scan *scan, const char *init,
                                     const char *name);

/* Which functions allocate objects, and up to 3.11 where their addresses are. */
void pht_python_scan_allocators(struct pht_python_scan *scan);

#endif
