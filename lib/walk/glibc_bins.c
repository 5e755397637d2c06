#include "walk/glibc_bins.h"

#include <stdlib.h>

#include "base/sorted.h"
#include "walk/word_reader.h"

/* Of a chunk, and of a bin that looks like one. */
#define FD_OFFSET 16
#define BK_OFFSET 24

/* A list that is not followed to its end is followed anew, so often in all: it may have changed. */
#define TRIES 3

/* Each chunk is a read of its own in the worst case. */
#define UNSORTED_MAX ((uint64_t)1 << 18)

/*
 * Forward from the bin, as long as the next chunk points back: a circle that does not go through
 * the bin has a chunk whose `bk` is another. `*is_whole`: that led back to the bin.
 */
static bool collect_bin(struct pht_word_reader *reader, pht_addr bin, uint64_t longest,
                        struct pht_chunk_addrs *ret, bool *is_whole)
{
    pht_addr from = bin, chunk, back;

    *is_whole = false;
    for (uint64_t i = 0; i <= longest; i++) {
        if (!pht_word_read(reader, from + FD_OFFSET, &chunk))
            return true;
        /* Bins are all zeros before the first malloc. */
        *is_whole = chunk == bin || (chunk == 0 && from == bin);
        if (*is_whole || i == longest || !pht_chunk_addr_is_sane(chunk) ||
            !pht_word_read(reader, chunk + BK_OFFSET, &back) || back != from)
            return true;
        if (!pht_vec_push(ret, chunk))
            return false;
        from = chunk;
    }
    return true;
}

static bool collect_listed(const struct pht_listed_chunks *chunks, struct pht_chunk_addrs *ret)
{
    for (size_t i = 0; i < chunks->count; i++) {
        if (!pht_vec_push(ret, chunks->items[i].address))
            return false;
    }
    return true;
}

bool pht_glibc_bins_collect(struct pht_snapshot *snapshot, const struct pht_glibc_roots *roots,
                            const struct pht_malloc_arena_root *arena,
                            const struct pht_malloc_lists *lists, struct pht_chunk_addrs *ret)
{
    const struct pht_libc_layout *layout = &roots->libc->layout;
    struct pht_word_reader *reader = pht_word_reader_create(snapshot);
    uint64_t longest = arena->system_bytes / PHT_CHUNK_BYTES_MIN;
    bool collected = reader != NULL, is_whole;

    ret->count = 0;
    for (uint64_t offset = 0; collected && offset < layout->state_bins_bytes; offset += 16)
        collected = collect_bin(reader, arena->address + layout->state_bins + offset - PHT_BIN_BIAS,
                                longest, ret, &is_whole);
    pht_word_reader_destroy(reader);
    if (!collected || !collect_listed(&lists->fast, ret) || !collect_listed(&lists->tcache, ret))
        return false;
    pht_sort(ret->items, ret->count, sizeof(ret->items[0]));
    return true;
}

bool pht_glibc_unsorted_collect(struct pht_snapshot *snapshot, const struct pht_glibc_roots *roots,
                                const struct pht_malloc_arena_root *arena,
                                struct pht_chunk_addrs *ret, bool *is_whole)
{
    struct pht_word_reader *reader = pht_word_reader_create(snapshot);
    pht_addr bin = arena->address + roots->libc->layout.state_bins - PHT_BIN_BIAS;
    uint64_t longest = arena->system_bytes / PHT_CHUNK_BYTES_MIN;
    bool collected = reader != NULL;

    *is_whole = false;
    if (longest > UNSORTED_MAX)
        longest = UNSORTED_MAX;
    for (unsigned tries = 0; collected && !*is_whole && tries < TRIES; tries++) {
        ret->count = 0;
        pht_word_reader_clear(reader);
        collected = collect_bin(reader, bin, longest, ret, is_whole);
        if (ret->count == longest)
            break;
    }
    pht_word_reader_destroy(reader);
    pht_sort(ret->items, ret->count, sizeof(ret->items[0]));
    return collected;
}
