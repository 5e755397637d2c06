/*
 * The arenas of pymalloc as a census needs them: which one an address is in, which block begins
 * there, and whether that has an owner. Threads share them; who takes a block first has it.
 */
#ifndef PHT_LIB_WALK_CENSUS_ARENAS_H
#define PHT_LIB_WALK_CENSUS_ARENAS_H

#include <stdatomic.h>

#include "base/addr_map.h"
#include "walk/object_size.h"
#include "walk/pymalloc.h"

struct pht_census_arenas {
    struct pht_pymalloc_geometry geometry;
    unsigned alignment_shift;
    const struct pht_arena *arenas;
    struct pht_range *ranges; /* of these, by address */
    size_t count;
    struct pht_addr_map starts; /* in which part of memory, as large as an arena, each begins */
    size_t arena_words;         /* of `taken` */
    size_t pool_words;
    bool is_shared;          /* by several threads, that is */
    _Atomic uint64_t *taken; /* a bit for each place where a block may begin */
    _Atomic size_t next;     /* that nobody walks yet */
};

/* Keeps `pymalloc`. False when memory is short; to be deinitialised in any case. */
bool pht_census_arenas_init(struct pht_census_arenas *arenas, const struct pht_pymalloc *pymalloc,
                            const struct pht_python_layout *layout);
void pht_census_arenas_deinit(struct pht_census_arenas *arenas);

/* NULL if `address` is in none. */
const struct pht_range *pht_census_arenas_find(const struct pht_census_arenas *arenas,
                                               pht_addr address);

/*
 * The block in `arena` that begins at the buffer, or up to 32 bytes before it if it may. 0 if none
 * does. `hook_bytes` are what debug hooks have at the start of each block.
 */
pht_addr pht_census_arenas_block(const struct pht_census_arenas *arenas,
                                 const struct pht_range *arena,
                                 const struct pht_object_buffer *buffer, uint64_t hook_bytes,
                                 uint64_t *bytes);

/* True if that block had no owner before. */
bool pht_census_arenas_take(struct pht_census_arenas *arenas, const struct pht_range *arena,
                            pht_addr block);

/*
 * Take many blocks of the pool that begins at `pool`: a bit each, counted in units of alignment
 * from there on. Returns how many had an owner before.
 */
uint64_t pht_census_arenas_take_many(struct pht_census_arenas *arenas,
                                     const struct pht_range *arena, pht_addr pool,
                                     const uint64_t *places);

#endif
