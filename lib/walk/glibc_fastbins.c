#include "walk/glibc_fastbins.h"

#include <stdlib.h>

#include "base/sorted.h"

/* Chunks of a list that were not met, as they came into it since, are read, so many of each. */
#define MISSES_MAX 256

/* ---- guessing ----------------------------------------------------------------------------- */

/* What an arena is made of is known at once only for one that grew by brk alone. */
static bool may_lie_in(const struct pht_glibc_roots *roots,
                       const struct pht_malloc_arena_root *arena, pht_addr addr)
{
    const struct pht_malloc_heap *heap = &roots->heaps.items[arena->first_heap];

    if (arena != &roots->arenas.items[0] || !arena->is_contiguous)
        return true;
    return addr >= heap->start && addr < heap->end;
}

static pht_addr next_of(pht_addr address, uint64_t link)
{
    return pht_glibc_reveal(true, address + PHT_CHUNK_HEADER_BYTES, link);
}

bool pht_glibc_looks_fast(const struct pht_glibc_roots *roots,
                          const struct pht_malloc_arena_root *arena, pht_addr address,
                          uint64_t bytes, uint64_t link, struct pht_guessed_chunk *ret)
{
    const struct pht_libc_layout *layout = &roots->libc->layout;
    pht_addr next = next_of(address, link);

    if (layout->state_fastbins == PHT_UNKNOWN ||
        bytes >= PHT_CHUNK_BYTES_MIN +
                     layout->state_fastbins_bytes / sizeof(pht_addr) * PHT_CHUNK_ALIGNMENT ||
        (next != 0 && (!pht_chunk_addr_is_sane(next) || !may_lie_in(roots, arena, next))))
        return false;
    *ret = (struct pht_guessed_chunk){.address = address, .next = next, .bytes = bytes};
    return true;
}

/* ---- confirming --------------------------------------------------------------------------- */

struct confirmer {
    struct pht_snapshot *snapshot;
    const struct pht_guessed_chunks *chunks;
    uint8_t *met; /* in which pass */
    bool meets_swap;
};

size_t pht_guessed_chunks_find(const struct pht_guessed_chunks *chunks, pht_addr addr)
{
    return pht_sorted_find(chunks->items, chunks->count, sizeof(chunks->items[0]), addr);
}

/* The link of a chunk that was not met. */
static bool read_next(struct confirmer *self, pht_addr chunk, uint64_t bytes, pht_addr *next)
{
    uint64_t words[2];

    if (!pht_chunk_addr_is_sane(chunk))
        return false;
    enum pht_read_result result =
        pht_snapshot_read(self->snapshot, chunk + sizeof(uint64_t), words, sizeof(words));
    self->meets_swap = result == PHT_READ_SWAPPED;
    if (result != PHT_READ_OK || pht_chunk_bytes(words[0]) != bytes)
        return false;
    *next = next_of(chunk, words[1]);
    return true;
}

/* `bytes` is the size of the bin's chunks. False if the list leads astray, or in a circle. */
static bool follow(struct confirmer *self, pht_addr head, uint64_t bytes, uint8_t pass)
{
    int misses = 0;

    for (pht_addr at = head; at != 0;) {
        size_t i = pht_guessed_chunks_find(self->chunks, at);
        const struct pht_guessed_chunk *chunk =
            i < self->chunks->count ? &self->chunks->items[i] : NULL;
        if (chunk != NULL && chunk->address == at && chunk->bytes == bytes) {
            if (self->met[i] == pass)
                return false;
            self->met[i] = pass;
            at = chunk->next;
        } else if (misses++ == MISSES_MAX || !read_next(self, at, bytes, &at)) {
            return false;
        }
    }
    return true;
}

/* A list that has changed since the roots were copied is followed from where it begins now. */
static bool follow_anew(struct confirmer *self, const struct pht_glibc_roots *roots,
                        const struct pht_malloc_arena_root *arena, size_t bin, uint64_t bytes)
{
    pht_addr field = arena->address + roots->libc->layout.state_fastbins + bin * sizeof(field);
    pht_addr head;

    return pht_snapshot_read(self->snapshot, field, &head, sizeof(head)) == PHT_READ_OK &&
           head != arena->fastbins[bin] && follow(self, head, bytes, 2);
}

static void leave_others(struct pht_guessed_chunks *chunks, const uint8_t *met)
{
    size_t left = 0;

    for (size_t i = 0; i < chunks->count; i++) {
        if (met[i] == 0)
            chunks->items[left++] = chunks->items[i];
    }
    chunks->count = left;
}

bool pht_glibc_confirm_fastbins(struct pht_snapshot *snapshot, const struct pht_glibc_roots *roots,
                                const struct pht_malloc_arena_root *arena,
                                struct pht_guessed_chunks *chunks, uint64_t *torn,
                                uint64_t *swapped)
{
    struct confirmer self = {
        .snapshot = snapshot,
        .chunks = chunks,
        .met = calloc(chunks->count + 1, sizeof(*self.met)),
    };

    if (self.met == NULL)
        return false;
    pht_sort(chunks->items, chunks->count, sizeof(chunks->items[0]));
    for (size_t bin = 0; bin < PHT_FASTBINS_MAX; bin++) {
        uint64_t bytes = PHT_CHUNK_BYTES_MIN + bin * PHT_CHUNK_ALIGNMENT;
        if (!follow(&self, arena->fastbins[bin], bytes, 1) &&
            !follow_anew(&self, roots, arena, bin, bytes))
            ++*(self.meets_swap ? swapped : torn);
    }
    leave_others(chunks, self.met);
    free(self.met);
    return true;
}
