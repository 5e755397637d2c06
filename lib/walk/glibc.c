/* glibc malloc as a whole: every arena, every chunk, every thread. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/work.h"
#include "walk/glibc_main.h"
#include "walk/glibc_mmapped.h"

struct walk {
    struct pht_snapshot *snapshot;
    const struct pht_glibc_roots *roots;
    struct pht_glibc *result;
    struct pht_owners *owners;
    struct pht_census *census;
    struct pht_malloc_lists lists;
    struct pht_chunk_walk *chunks;
    struct pht_ranges taken;     /* heaps of threads, other allocators */
    struct pht_ranges all_taken; /* and the main arena */
};

/* ---- arenas ------------------------------------------------------------------------------- */

static void walk_thread_heaps(struct walk *walk, const struct pht_malloc_arena_root *root)
{
    struct pht_glibc_arena *arena = &walk->chunks->now.tally.arena;

    for (size_t i = 0; i < root->heaps; i++) {
        const struct pht_malloc_heap *heap = &walk->roots->heaps.items[root->first_heap + i];
        pht_chunk_walk_piece(walk->chunks, heap->start, heap->end);
        arena->overhead_bytes += heap->start - heap->address;
        pht_owners_claim(walk->owners, heap->address, heap->start, PHT_CATEGORY_MALLOC_UNOWNED);
        arena->resident_bytes +=
            pht_snapshot_resident_bytes(walk->snapshot, heap->address, heap->end);
    }
}

static uint64_t attached_threads(const struct pht_glibc_roots *roots, pht_addr arena)
{
    uint64_t count = 0;

    for (size_t i = 0; i < roots->threads.count; i++)
        count += roots->threads.items[i].arena == arena;
    return roots->threads_known ? count : PHT_UNKNOWN;
}

static void begin_arena(struct walk *walk, size_t index)
{
    const struct pht_malloc_arena_root *root = &walk->roots->arenas.items[index];
    struct pht_chunk_tally *tally = &walk->chunks->now.tally;

    tally->snapshot = walk->snapshot;
    tally->arena_index = index;
    memset(tally->fast_chunks, 0, sizeof(tally->fast_chunks));
    tally->arena = (struct pht_glibc_arena){
        .address = root->address,
        .is_main = index == 0,
        .heaps = root->heaps,
        .threads = attached_threads(walk->roots, root->address),
        .system_bytes = root->system_bytes,
        .peak_system_bytes = root->peak_system_bytes,
    };
    walk->chunks->now.top = walk->chunks->now.top_end = 0;
    walk->chunks->now.run = walk->chunks->now.run_flushed = (struct pht_free_run){0};
    walk->chunks->arena = root;
    walk->chunks->is_main = index == 0;
    walk->chunks->fast = walk->lists.safe_linking ? NULL : &walk->lists.fast;
    walk->chunks->now.guessed = walk->chunks->guessed.count = 0;
}

static bool walk_pieces(struct walk *walk)
{
    const struct pht_malloc_arena_root *root = walk->chunks->arena;
    bool is_whole;

    if (!pht_glibc_unsorted_collect(walk->snapshot, walk->roots, root, &walk->chunks->unsorted,
                                    &is_whole))
        return false;
    walk->chunks->now.tally.arena.is_partly_sorted = !is_whole;
    if (!walk->chunks->is_main)
        walk_thread_heaps(walk, root);
    else if (root->heaps > 0 && !pht_glibc_walk_main(walk->chunks, &walk->taken, &walk->all_taken))
        return false;
    return !walk->chunks->out_of_memory;
}

/* True if a chunk that did not go by as one in use is Python's. */
static bool is_pythons(struct pht_snapshot *snapshot, struct pht_census *census, pht_addr chunk,
                       uint64_t chunk_bytes)
{
    unsigned char head[PHT_CENSUS_HEAD_BYTES];
    pht_addr memory = chunk + PHT_CHUNK_HEADER_BYTES;
    size_t bytes = sizeof(head);

    if (chunk_bytes - sizeof(uint64_t) < bytes)
        bytes = (size_t)chunk_bytes - sizeof(uint64_t);
    return census != NULL && pht_snapshot_read(snapshot, memory, head, bytes) == PHT_READ_OK &&
           pht_census_count_chunk(census, memory, chunk_bytes, head, bytes);
}

/* What only looked like a chunk in a fastbin is live. */
static bool confirm_fastbins(struct pht_chunk_walk *chunks)
{
    chunks->guessed.count = chunks->now.guessed;
    if (chunks->fast == NULL &&
        !pht_glibc_confirm_fastbins(chunks->snapshot, chunks->roots, chunks->arena,
                                    &chunks->guessed, &chunks->torn_chunks, &chunks->swapped_pages))
        return false;
    for (size_t i = 0; i < chunks->guessed.count; i++) {
        const struct pht_guessed_chunk *chunk = &chunks->guessed.items[i];
        pht_chunk_tally_revive(&chunks->now.tally, chunk->address, chunk->bytes);
        bool is_owned =
            is_pythons(chunks->snapshot, chunks->claims.census, chunk->address, chunk->bytes);
        pht_owners_move(chunks->claims.owners, chunk->address, chunk->address + chunk->bytes,
                        PHT_CATEGORY_MALLOC_FREE,
                        is_owned ? PHT_CATEGORY_PYTHON_LARGE : PHT_CATEGORY_MALLOC_UNOWNED);
    }
    return true;
}

static uint64_t releasable(const struct pht_chunk_walk *chunks, const struct pht_ranges *runs)
{
    return pht_trim_releasable(chunks->snapshot, chunks->roots, chunks->arena, runs,
                               &chunks->guessed, chunks->now.top, chunks->now.top_end);
}

static bool walk_arena(struct walk *walk, size_t index)
{
    struct pht_chunk_walk *chunks = walk->chunks;
    struct pht_glibc_arena *arena = &chunks->now.tally.arena;

    begin_arena(walk, index);
    if (chunks->arena->is_damaged) {
        arena->unknown_bytes = arena->system_bytes;
    } else {
        if (!walk_pieces(walk) || !confirm_fastbins(chunks))
            return false;
        pht_chunk_tally_end_arena(&chunks->now.tally);
        chunks->runs.count = chunks->now.run.noted;
        chunks->runs_flushed.count = chunks->now.run_flushed.noted;
        arena->trimmable_bytes = releasable(chunks, &chunks->runs);
        arena->trimmable_flushed_bytes = releasable(chunks, &chunks->runs_flushed);
    }
    walk->result->arenas[index] = *arena;
    return true;
}

/* All that is known beforehand is taken: what is looked for lies elsewhere. */
static bool take_ranges(struct walk *walk, const struct pht_range *others, size_t other_count)
{
    uint64_t max = pht_glibc_heap_max_bytes(walk->roots);

    for (size_t i = 0; i < other_count; i++) {
        if (!pht_ranges_add(&walk->taken, others[i].start, others[i].end))
            return false;
    }
    for (size_t i = 1; i < walk->roots->arenas.count; i++) {
        const struct pht_malloc_arena_root *root = &walk->roots->arenas.items[i];
        for (size_t j = 0; j < root->heaps; j++) {
            pht_addr heap = walk->roots->heaps.items[root->first_heap + j].address;
            if (!pht_ranges_add(&walk->taken, heap, heap + max))
                return false;
        }
    }
    pht_ranges_sort(&walk->taken);
    return pht_ranges_copy(&walk->taken, &walk->all_taken);
}

static void add_free_kinds(struct pht_glibc_arena *sum, const struct pht_glibc_arena *part)
{
    for (int kind = 0; kind < PHT_FREE_KINDS; kind++) {
        const struct pht_free_sum *added = &part->kinds[kind];
        struct pht_free_sum *to = &sum->kinds[kind];
        to->chunks += added->chunks;
        to->bytes += added->bytes;
        to->page_bytes += added->page_bytes;
        if (added->largest_bytes > to->largest_bytes)
            to->largest_bytes = added->largest_bytes;
    }
    sum->is_partly_sorted = sum->is_partly_sorted || part->is_partly_sorted;
}

static void add_to_totals(struct pht_glibc_arena *sum, const struct pht_glibc_arena *part)
{
    sum->heaps += part->heaps;
    sum->threads = part->threads == PHT_UNKNOWN ? PHT_UNKNOWN : sum->threads + part->threads;
    sum->system_bytes += part->system_bytes;
    sum->live_chunks += part->live_chunks;
    sum->live_bytes += part->live_bytes;
    sum->free_chunks += part->free_chunks;
    sum->free_bytes += part->free_bytes;
    sum->tcache_chunks += part->tcache_chunks;
    sum->tcache_bytes += part->tcache_bytes;
    sum->fast_chunks += part->fast_chunks;
    sum->fast_bytes += part->fast_bytes;
    sum->rest_chunks += part->rest_chunks;
    sum->rest_bytes += part->rest_bytes;
    sum->top_bytes += part->top_bytes;
    sum->overhead_bytes += part->overhead_bytes;
    sum->foreign_bytes += part->foreign_bytes;
    sum->unknown_bytes += part->unknown_bytes;
    sum->trimmable_bytes += part->trimmable_bytes;
    sum->trimmable_flushed_bytes += part->trimmable_flushed_bytes;
    sum->resident_bytes += part->resident_bytes;
    add_free_kinds(sum, part);
}

static bool walk_arenas(struct walk *walk)
{
    struct pht_glibc *result = walk->result;

    for (size_t i = 0; i < walk->roots->arenas.count; i++) {
        if (!walk_arena(walk, i))
            return false;
        add_to_totals(&result->totals, &result->arenas[i]);
        result->arena_count++;
    }
    return true;
}

/* ---- the rest ----------------------------------------------------------------------------- */

/* Of [start, end) itself: what it shares its first and its last page with does not count. */
static uint64_t resident_part(struct pht_snapshot *snapshot, pht_addr start, pht_addr end)
{
    pht_addr first = pht_round_down(start, PHT_PAGE_BYTES);
    pht_addr last = pht_round_down(end - 1, PHT_PAGE_BYTES);
    uint64_t bytes = pht_snapshot_resident_bytes(snapshot, start, end);

    if (pht_snapshot_resident_bytes(snapshot, first, first + 1) > 0)
        bytes -= start - first;
    if (pht_snapshot_resident_bytes(snapshot, last, last + 1) > 0)
        bytes -= last + PHT_PAGE_BYTES - end;
    return bytes;
}

static bool list_sizes(struct walk *walk)
{
    const struct pht_chunk_tally *tally = &walk->chunks->now.tally;
    struct pht_glibc *result = walk->result;

    result->sizes = calloc(PHT_SIZE_ROWS, sizeof(*result->sizes));
    if (result->sizes == NULL)
        return false;
    result->size_count = pht_chunk_tally_list_sizes(tally, result->sizes);
    memcpy(result->largest_free, tally->largest, sizeof(result->largest_free));
    result->largest_free_count = tally->largest_count;
    for (size_t i = 0; i < result->largest_free_count; i++) {
        struct pht_free_chunk *chunk = &result->largest_free[i];
        chunk->resident_bytes =
            resident_part(walk->snapshot, chunk->address, chunk->address + chunk->bytes);
    }
    return true;
}

static bool find_mmapped(struct walk *walk)
{
    struct pht_glibc *result = walk->result;
    struct pht_mmapped_chunks found = {0};

    bool complete = pht_glibc_find_mmapped(walk->snapshot, walk->roots, &walk->all_taken, &found);
    result->mmapped = found.items;
    result->mmapped_count = found.count;
    for (size_t i = 0; i < found.count; i++) {
        pht_owners_claim(walk->owners, found.items[i].start,
                         found.items[i].start + found.items[i].bytes, PHT_CATEGORY_MALLOC_MMAPPED);
        /* The category stays that of mmapped chunks, whoever owns them. */
        is_pythons(walk->snapshot, walk->census, found.items[i].address, found.items[i].bytes);
        result->mmapped_bytes += found.items[i].bytes;
        result->mmapped_resident_bytes += found.items[i].resident_bytes;
    }
    return complete;
}

static int compare_threads(const void *a, const void *b)
{
    const struct pht_malloc_thread *left = a, *right = b;

    if (left->tcache_bytes != right->tcache_bytes)
        return left->tcache_bytes < right->tcache_bytes ? 1 : -1;
    return left->tid < right->tid ? -1 : left->tid > right->tid;
}

static bool follow_lists(struct walk *walk)
{
    const struct pht_glibc_roots *roots = walk->roots;
    struct pht_glibc *result = walk->result;

    for (size_t i = 0; i < roots->threads.count; i++) {
        result->threads[i] = (struct pht_malloc_thread){
            .tid = roots->threads.items[i].tid,
            .arena = roots->threads.items[i].arena,
        };
    }
    result->thread_count = roots->threads.count;
    result->threads_known = roots->threads_known;
    if (!pht_malloc_lists_follow(&walk->lists, walk->snapshot, roots, result->threads))
        return false;
    qsort(result->threads, result->thread_count, sizeof(*result->threads), compare_threads);
    return true;
}

static bool prepare(struct walk *walk)
{
    const struct pht_glibc_roots *roots = walk->roots;

    walk->result = calloc(1, sizeof(*walk->result));
    walk->chunks = calloc(1, sizeof(*walk->chunks));
    if (walk->result == NULL || walk->chunks == NULL)
        return false;
    walk->result->params = roots->params;
    walk->result->damaged_arenas = roots->damaged_arenas;
    walk->result->arenas = calloc(roots->arenas.count + 1, sizeof(*walk->result->arenas));
    walk->result->threads = calloc(roots->threads.count + 1, sizeof(*walk->result->threads));
    walk->chunks->snapshot = walk->snapshot;
    walk->chunks->roots = roots;
    walk->chunks->claims.owners = walk->owners;
    walk->chunks->claims.census = walk->census;
    if (walk->census != NULL)
        walk->census->tcache_key = roots->tcache_key;
    walk->chunks->lists = &walk->lists;
    return walk->result->arenas != NULL && walk->result->threads != NULL;
}

static uint64_t system_bytes(const struct pht_glibc_roots *roots)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < roots->arenas.count; i++)
        pht_add_fits(sum, roots->arenas.items[i].system_bytes, &sum);
    return sum;
}

struct pht_glibc *pht_glibc_walk(struct pht_snapshot *snapshot, const struct pht_glibc_roots *roots,
                                 const struct pht_range *others, size_t other_count,
                                 struct pht_owners *owners, struct pht_census *census)
{
    struct walk walk = {.snapshot = snapshot, .roots = roots, .owners = owners, .census = census};

    pht_work_measure(pht_snapshot_work(snapshot), system_bytes(roots), NULL);
    bool walked = prepare(&walk) && follow_lists(&walk) &&
                  take_ranges(&walk, others, other_count) && walk_arenas(&walk) &&
                  list_sizes(&walk) && find_mmapped(&walk);
    if (walked) {
        walk.result->rereads = walk.chunks->rereads;
        walk.result->torn_chunks = walk.chunks->torn_chunks + walk.lists.torn_chunks;
        walk.result->damaged_chunks = walk.chunks->damaged_chunks;
        walk.result->swapped_pages = walk.chunks->swapped_pages + walk.lists.swapped_pages;
    } else {
        pht_glibc_destroy(walk.result);
        walk.result = NULL;
    }
    pht_malloc_lists_deinit(&walk.lists);
    free(walk.taken.items);
    free(walk.all_taken.items);
    if (walk.chunks != NULL)
        pht_chunk_walk_deinit(walk.chunks);
    free(walk.chunks);
    return walk.result;
}

void pht_glibc_destroy(struct pht_glibc *glibc)
{
    if (glibc == NULL)
        return;
    free(glibc->arenas);
    free(glibc->sizes);
    free(glibc->mmapped);
    free(glibc->threads);
    free(glibc);
}
