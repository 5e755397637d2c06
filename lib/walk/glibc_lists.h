/*
 * The singly linked lists of free chunks that look like chunks in use: fastbins and tcaches.
 *
 * From 2.32 on (and where it was backported) a link is stored as `next ^ (address of link >> 12)`,
 * so that a stray write shows: safe-linking. Which of the two it is, the links themselves tell.
 */
#ifndef PHT_LIB_WALK_GLIBC_LISTS_H
#define PHT_LIB_WALK_GLIBC_LISTS_H

#include "walk/glibc.h"

/* `link` is the word that the list went through; as long as it stands there, so does the list. */
struct pht_listed_chunk {
    pht_addr address;
    uint64_t link;
};

struct pht_listed_chunks {
    struct pht_listed_chunk *items;
    size_t count;
    size_t capacity;
};

struct pht_malloc_lists {
    bool safe_linking;
    struct pht_listed_chunks fast;   /* by address, each once; none with safe-linking */
    struct pht_listed_chunks tcache; /* the same */
    uint64_t torn_chunks;            /* that could not be followed, as far as it is known */
    uint64_t swapped_pages;          /* that a list leads to */
};

/* What a list's link leads to; 0 is the end. */
static inline pht_addr pht_glibc_reveal(bool safe_linking, pht_addr at, uint64_t link)
{
    return safe_linking ? link ^ at >> 12 : link;
}

/*
 * Follow all lists; with safe-linking not the fastbins, whose chunks can be told by the look of
 * their links: see walk/glibc_fastbins.h. `threads`, one for each of `roots`, gets what their
 * tcaches hold. False when memory is short.
 */
bool pht_malloc_lists_follow(struct pht_malloc_lists *lists, struct pht_snapshot *snapshot,
                             const struct pht_glibc_roots *roots,
                             struct pht_malloc_thread *threads);
/* By address, and each chunk once, as lists may run into each other. */
void pht_listed_chunks_sort(struct pht_listed_chunks *chunks);

/* The first at or behind `addr`. */
size_t pht_listed_chunks_find(const struct pht_listed_chunks *chunks, pht_addr addr);

void pht_malloc_lists_deinit(struct pht_malloc_lists *lists);

#endif
