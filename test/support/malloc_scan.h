/*
 * Heaps of malloc_heap.h whose libc.so.6 has no symbols: what a scan makes of them, and what it
 * should.
 */
#ifndef PHT_TEST_SUPPORT_MALLOC_SCAN_H
#define PHT_TEST_SUPPORT_MALLOC_SCAN_H

#include "layout/libc_tables.h"
#include "support/malloc_heap.h"

/* An offset in the library where nothing stands, and one in a thread's block of its variables. */
#define MALLOC_SCAN_SPARE 0x1d3800
#define MALLOC_SCAN_SPARE_SLOT 0x10

/* Words of the target, and where main_arena and mp_ stand in it. */
uint64_t malloc_scan_word(struct malloc_heap *heap, pht_addr addr);
void malloc_scan_put(struct malloc_heap *heap, pht_addr addr, uint64_t value);
pht_addr malloc_scan_main_arena(const struct malloc_heap *heap);
pht_addr malloc_scan_params(const struct malloc_heap *heap);

/*
 * Try types on a library of which `known` is known. Nothing may be read that is not resident,
 * private and readable.
 */
enum pht_libc_fit malloc_scan_try_from(struct malloc_heap *heap,
                                       const struct pht_libc_layout *types,
                                       const struct pht_libc *known, struct pht_libc *ret);

/* The same on one without any symbol of malloc; and with the heap's own types. */
enum pht_libc_fit malloc_scan_try(struct malloc_heap *heap, const struct pht_libc_layout *types,
                                  struct pht_libc *ret);
enum pht_libc_fit malloc_scan_try_own(struct malloc_heap *heap, struct pht_libc *ret);

/* The heap's own types find something, or nothing. */
void malloc_scan_check_fits(struct malloc_heap *heap);
void malloc_scan_check_does_not_fit(struct malloc_heap *heap);

/* What a heap fits that is not damaged. Up to 2.22 its images lack the variable of threads. */
enum pht_libc_fit malloc_scan_whole(const struct malloc_heap *heap);

/* All that is to be found was found. */
void malloc_scan_check(const struct malloc_heap *heap, const struct pht_libc_layout *found);
bool malloc_scan_has_tcached(const struct malloc_heap *heap);

#endif
