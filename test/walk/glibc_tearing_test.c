/*
 * A target that runs on while its malloc is walked. Each change is one that malloc makes, whole,
 * between two reads: what was read before and what is read after do not fit where they meet. The
 * walk reads again, and ends with figures that add up.
 */
#include "snapshot/internal.h"
#include "support/malloc_figures.h"
#include "support/malloc_image.h"
#include "support/malloc_random.h"
#include "support/malloc_walk.h"
#include "support/suite.h"

#include <string.h>

#define PAGE ((uint64_t)PHT_PAGE_BYTES)
#define READS_MAX 20000
#define RESERVE (64 * PAGE)

static struct malloc_heap *heap;
static struct malloc_walk walk;
static uint32_t other;
static const struct malloc_chunk *victim;

/* What the target does before the n-th read of the walk. */
static struct {
    uint64_t wait;
    void (*act)(void);
} event;

static void watch(struct fake_target *fake, uint64_t number, pht_addr addr, void *context)
{
    (void)fake;
    (void)addr;
    (void)context;
    if (number == event.wait)
        event.act();
}

static void put(pht_addr addr, uint64_t value)
{
    fake_target_put_u64(heap->fake, addr, value);
}

static uint64_t get(pht_addr addr)
{
    return fake_target_u64(heap->fake, addr);
}

/* brk may grow: its mapping goes on behind what shows of it. */
static void build(int some)
{
    const struct malloc_region *region;

    heap = malloc_heap_create(&(struct malloc_options){
        .version = malloc_some(some), .brk_after_top = RESERVE, .seed = 61});
    other = malloc_heap_add_arena(heap);
    malloc_heap_add_thread(heap, other);
    malloc_random_chunks(heap, MALLOC_MAIN, 600);
    malloc_random_chunks(heap, other, 200);
    malloc_heap_next_region(heap, other);
    malloc_random_chunks(heap, other, 100);
    malloc_heap_finish(heap);
    region = &heap->regions.items[heap->arenas[MALLOC_MAIN].region];
    fake_target_cut(heap->fake, heap->brk_start, region->end);
    put(heap->libc.bias + heap->libc.layout.current_break, region->end);
    heap->options.brk_after_top = 0;
}

static void freeze(void)
{
    malloc_walk_freeze(heap, PHT_STOP_BRIEF, &walk);
    ck_assert(walk.roots.consistent);
    fake_target_reset_record(heap->fake);
}

static void run_with(uint64_t wait, void (*act)(void))
{
    event.wait = wait;
    event.act = act;
    heap->fake->on_read = watch;
    malloc_walk_run(&walk, NULL, 0);
    malloc_check_sums(walk.glibc);
    ck_assert_uint_eq(heap->fake->forbidden_reads, 0);
    ck_assert_uint_le(heap->fake->read_count, READS_MAX);
}

static void teardown(void)
{
    malloc_walk_deinit(&walk);
    malloc_heap_destroy(heap);
    heap = NULL;
    walk = (struct malloc_walk){0};
}

/* ---- what malloc does ---------------------------------------------------------------------- */

static void set_size(pht_addr chunk, uint64_t bytes)
{
    put(chunk + 8, bytes | (get(chunk + 8) & 7));
}

static void set_free(pht_addr chunk, uint64_t bytes)
{
    pht_addr head = malloc_bin_head(heap, MALLOC_MAIN, MALLOC_UNSORTED), first = get(head + 16);

    put(chunk + bytes, bytes);
    put(chunk + bytes + 8, get(chunk + bytes + 8) & ~(uint64_t)1);
    put(chunk + 16, first);
    put(chunk + 24, head);
    put(first + 24, chunk);
    put(head + 16, chunk);
}

static void unlink_chunk(pht_addr chunk)
{
    put(get(chunk + 16) + 24, get(chunk + 24));
    put(get(chunk + 24) + 16, get(chunk + 16));
}

/* A chunk in use gives back its end. */
static void shrink(void)
{
    pht_addr rest = victim->address + 32;

    set_size(victim->address, 32);
    put(rest + 8, (victim->bytes - 32) | 1);
    set_free(rest, victim->bytes - 32);
}

static void release(void)
{
    set_free(victim->address, victim->bytes);
}

/* A free chunk, whole or its first 32 bytes. */
static void take(void)
{
    pht_addr next = victim->address + victim->bytes;

    unlink_chunk(victim->address);
    put(next + 8, get(next + 8) | 1);
}

static void take_part(void)
{
    pht_addr rest = victim->address + 32;

    unlink_chunk(victim->address);
    set_size(victim->address, 32);
    put(rest + 8, (victim->bytes - 32) | 1);
    set_free(rest, victim->bytes - 32);
}

/* Two chunks in use become one: the first grew, when the second was free for a moment. */
static void grow_over_next(void)
{
    set_size(victim->address, victim->bytes + victim[1].bytes);
    for (uint64_t at = 0; at < 32; at += 8)
        put(victim[1].address + at, heap_random_u64(&heap->random));
}

static const struct {
    void (*act)(void);
    enum malloc_kind kind; /* of the chunk before */
} changes[] = {
    {shrink, MALLOC_LIVE},   {release, MALLOC_LIVE},        {take, MALLOC_BIN},
    {take_part, MALLOC_BIN}, {grow_over_next, MALLOC_LIVE},
};

#define CHANGES ((int)(sizeof(changes) / sizeof(changes[0])))

/* The n-th chunk of the kind, of 80 bytes or more, between chunks in use. */
static const struct malloc_chunk *find_victim(enum malloc_kind kind, uint32_t n)
{
    for (;; n++) {
        const struct malloc_chunk *chunk = malloc_heap_find(heap, MALLOC_MAIN, kind, n);
        bool is_apart = chunk > heap->chunks.items && chunk[-1].kind == MALLOC_LIVE &&
                        chunk[1].kind == MALLOC_LIVE;
        if (chunk->bytes >= 80 && is_apart)
            return chunk;
    }
}

static uint64_t expected_live(int change)
{
    struct pht_glibc_arena before;

    malloc_figures(heap, MALLOC_MAIN, &before);
    switch (change) {
    case 0:
        return before.live_bytes - victim->bytes + 32;
    case 1:
        return before.live_bytes - victim->bytes;
    case 2:
        return before.live_bytes + victim->bytes;
    case 3:
        return before.live_bytes + 32;
    default:
        return before.live_bytes;
    }
}

/* ---- chunks -------------------------------------------------------------------------------- */

#define VICTIMS 4
#define READS 8

/* The change is seen as a whole: it comes before the first read. */
START_TEST(change_between_roots_and_walk_is_seen)
{
    int change = _i % CHANGES;

    build(_i % MALLOC_SOME);
    freeze();
    victim = find_victim(changes[change].kind, (uint32_t)_i * 3 % 100);
    run_with(1, changes[change].act);
    malloc_check_clean(walk.glibc);
    ck_assert_uint_eq(walk.glibc->arenas[0].live_bytes, expected_live(change));
}
END_TEST

/* A state from before or after, or a chunk that is known to have changed; never damage. */
START_TEST(change_in_the_middle_of_the_walk_is_no_damage)
{
    int change = _i % CHANGES, reads = _i / CHANGES % READS;
    uint64_t before, after;
    struct pht_glibc_arena figures;

    build(1 + _i % 2);
    freeze();
    victim = find_victim(changes[change].kind, (uint32_t)(_i / CHANGES / READS) * 9);
    malloc_figures(heap, MALLOC_MAIN, &figures);
    before = figures.live_bytes;
    after = expected_live(change);
    run_with((uint64_t)reads + 1, changes[change].act);
    ck_assert_uint_eq(walk.glibc->damaged_chunks, 0);
    if (walk.glibc->torn_chunks == 0) {
        ck_assert_uint_eq(walk.glibc->totals.unknown_bytes, 0);
        ck_assert(walk.glibc->arenas[0].live_bytes == before ||
                  walk.glibc->arenas[0].live_bytes == after);
    }
    malloc_heap_check_arena(heap, other, walk.glibc);
}
END_TEST

/* ---- a target that does not rest ----------------------------------------------------------- */

static uint64_t toggles;

/* Every read finds the chunk in another state. */
static void toggle(struct fake_target *fake, uint64_t number, pht_addr addr, void *context)
{
    (void)fake;
    (void)number;
    (void)addr;
    (void)context;
    put(victim->address + 8, toggles++ % 2 ? 0x4141414141414141 + toggles * 16 : 0);
}

START_TEST(header_that_never_rests_is_torn_and_read_a_few_times_only)
{
    build(_i);
    freeze();
    victim = find_victim(MALLOC_LIVE, 40);
    heap->fake->on_read = toggle;
    malloc_walk_run(&walk, NULL, 0);
    malloc_check_sums(walk.glibc);
    ck_assert_uint_gt(walk.glibc->torn_chunks + walk.glibc->damaged_chunks, 0);
    ck_assert_uint_gt(walk.glibc->rereads, 0);
    ck_assert_uint_le(walk.glibc->rereads, 40);
    ck_assert_uint_gt(walk.glibc->totals.unknown_bytes, 0);
    ck_assert_uint_le(heap->fake->read_count, READS_MAX);
    malloc_heap_check_arena(heap, other, walk.glibc);
}
END_TEST

/* Wrong when it is first read, right from the second time on. */
static pht_addr mend_addr;
static uint64_t mend_word;

static void mend(void)
{
    put(mend_addr, mend_word);
}

START_TEST(header_that_is_being_written_is_read_again)
{
    uint64_t reads;

    build(_i);
    victim = find_victim(MALLOC_LIVE, 40);
    /* As many reads as it takes to come by. */
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
    malloc_walk_deinit(&walk);
    freeze();
    mend_addr = victim->address + 8;
    mend_word = get(mend_addr);
    put(mend_addr, 0x4141414141414141);
    for (reads = 1; walk.glibc == NULL || walk.glibc->rereads == 0; reads++) {
        ck_assert_uint_le(reads, 1000);
        malloc_walk_deinit(&walk);
        put(mend_addr, mend_word);
        freeze();
        put(mend_addr, 0x4141414141414141);
        run_with(reads, mend);
    }
    malloc_check_clean(walk.glibc);
    ck_assert_uint_gt(walk.glibc->rereads, 0);
}
END_TEST

/* ---- ends of the heap ---------------------------------------------------------------------- */

static pht_addr top_field(uint32_t arena)
{
    return heap->arenas[arena].address + heap->libc.layout.state_top;
}

static void cut_from_top(void)
{
    pht_addr top = heap->arenas[MALLOC_MAIN].top;
    uint64_t bytes = get(top + 8) & ~(uint64_t)7;

    put(top + 8, 256 | 1);
    put(top + 256 + 8, (bytes - 256) | 1);
    put(top_field(MALLOC_MAIN), top + 256);
}

/* The last chunk is live, and the one before it may not be in a bin. */
static void give_to_top(void)
{
    const struct malloc_chunk *top = malloc_heap_find(heap, MALLOC_MAIN, MALLOC_TOP, 0);
    pht_addr last = top[-1].address;

    if (top[-2].kind == MALLOC_BIN) {
        unlink_chunk(top[-2].address);
        last = top[-2].address;
    }
    put(last + 8, (top->address + top->bytes - last) | 1);
    put(top_field(MALLOC_MAIN), last);
}

static void set_break(pht_addr end)
{
    pht_addr system = heap->arenas[MALLOC_MAIN].address + heap->libc.layout.state_system_mem;
    pht_addr top = get(top_field(MALLOC_MAIN));

    put(top + 8, (end - top) | 1);
    put(system, end - heap->brk_start);
    put(heap->libc.bias + heap->libc.layout.current_break, end);
    fake_target_cut(heap->fake, heap->brk_start, end);
}

static pht_addr brk_end(void)
{
    return heap->regions.items[heap->arenas[MALLOC_MAIN].region].end;
}

static void grow_brk(void)
{
    set_break(brk_end() + RESERVE);
}

static void trim_brk(void)
{
    set_break((heap->arenas[MALLOC_MAIN].top + 2 * PAGE) & ~(PAGE - 1));
}

/* Much of what was live is free, and gone. */
static void trim_deeply(void)
{
    const struct malloc_chunk *last = malloc_heap_find(heap, MALLOC_MAIN, MALLOC_LIVE, 200);

    put(top_field(MALLOC_MAIN), last->address);
    put(last->address + 8, PAGE | 1);
    set_break((last->address + 2 * PAGE) & ~(PAGE - 1));
}

/* The newer heap of an arena is unmapped, and what was its end before is top again. */
static void drop_heap(void)
{
    const struct malloc_region *newer = &heap->regions.items[heap->arenas[other].region];
    const struct malloc_chunk *fence = malloc_heap_find(heap, other, MALLOC_FENCE, 0);
    pht_addr system = heap->arenas[other].address + heap->libc.layout.state_system_mem;

    pht_addr top = fence->address;

    fake_target_unmap(heap->fake, newer->address);
    if (fence[-1].kind == MALLOC_BIN) {
        top = fence[-1].address;
        unlink_chunk(top);
    }
    put(top + 8, (fence->address + 32 - top) | 1);
    put(top_field(other), top);
    put(system, get(system) - (newer->end - newer->address));
}

static void (*const ends[])(void) = {cut_from_top, give_to_top, grow_brk, trim_brk, trim_deeply};

#define ENDS ((int)(sizeof(ends) / sizeof(ends[0])))

/* What the roots said of the arena's size holds: the parts add up to that. */
START_TEST(end_of_the_heap_that_moves)
{
    build(_i % MALLOC_SOME);
    freeze();
    run_with(1 + (uint64_t)(_i / MALLOC_SOME / ENDS), ends[_i / MALLOC_SOME % ENDS]);
    ck_assert_uint_eq(walk.glibc->arena_count, 2);
    ck_assert_uint_eq(walk.glibc->damaged_chunks, 0);
    ck_assert_uint_eq(walk.glibc->totals.unknown_bytes, 0);
}
END_TEST

START_TEST(top_that_moved_up_leaves_nothing_unknown)
{
    struct pht_glibc_arena before;

    build(_i);
    freeze();
    malloc_figures(heap, MALLOC_MAIN, &before);
    run_with(1, cut_from_top);
    ck_assert_uint_eq(walk.glibc->totals.unknown_bytes, 0);
    ck_assert_uint_eq(walk.glibc->arenas[0].live_bytes + walk.glibc->arenas[0].top_bytes,
                      before.live_bytes + before.top_bytes);
}
END_TEST

START_TEST(top_that_moved_down_leaves_nothing_unknown)
{
    build(_i);
    freeze();
    run_with(1, give_to_top);
    ck_assert_uint_eq(walk.glibc->damaged_chunks, 0);
    ck_assert_uint_eq(walk.glibc->totals.unknown_bytes, 0);
}
END_TEST

START_TEST(heap_that_is_given_back_is_no_damage)
{
    build(_i % MALLOC_SOME);
    freeze();
    run_with(1 + (uint64_t)(_i / MALLOC_SOME), drop_heap);
    ck_assert_uint_eq(walk.glibc->damaged_chunks, 0);
    malloc_heap_check_but_tcache(heap, MALLOC_MAIN, walk.glibc, 0);
}
END_TEST

/* ---- growth -------------------------------------------------------------------------------- */

/* The last chunk, which is live, before top. */
static const struct malloc_chunk *last_chunk(uint32_t arena)
{
    return &malloc_heap_find(heap, arena, MALLOC_TOP, 0)[-1];
}

/* A chunk that begins so many bytes before the old end goes on behind it. */
#define CROSSING_BYTES 256
static const uint64_t before_end[] = {16, 32, 48, 192};
static uint64_t crosses_from;
static bool crossing_is_free;

/* The last chunk grew over the old top, so that nothing begins there any more. */
static void grow_over_end(void)
{
    pht_addr end = brk_end(), at = end - crosses_from, next = at + CROSSING_BYTES;
    pht_addr last = last_chunk(MALLOC_MAIN)->address, top = next + 64;

    grow_brk();
    fake_target_set_pages(heap->fake, last, end + RESERVE, FAKE_RESIDENT);
    set_size(last, at - last);
    put(at + 8, CROSSING_BYTES | 1);
    put(next + 8, 64 | 1);
    put(top + 8, (end + RESERVE - top) | 1);
    put(top_field(MALLOC_MAIN), top);
    if (crossing_is_free)
        set_free(at, CROSSING_BYTES);
}

#define CROSSINGS ((int)(sizeof(before_end) / sizeof(before_end[0])))

START_TEST(chunk_that_goes_on_behind_the_old_end_counts_up_to_there)
{
    struct pht_glibc_arena before;

    build(_i % MALLOC_SOME);
    crosses_from = before_end[_i / MALLOC_SOME / 2];
    crossing_is_free = _i / MALLOC_SOME % 2 != 0;
    ck_assert_uint_ge(brk_end() - heap->arenas[MALLOC_MAIN].top, crosses_from);
    freeze();
    malloc_figures(heap, MALLOC_MAIN, &before);
    run_with(1, grow_over_end);
    malloc_check_clean(walk.glibc);
    const struct pht_glibc_arena *after = &walk.glibc->arenas[0];
    uint64_t grown = before.top_bytes - crosses_from;
    ck_assert_uint_eq(after->unknown_bytes, 0);
    ck_assert_uint_eq(after->top_bytes, 0);
    ck_assert_uint_eq(after->live_bytes,
                      before.live_bytes + grown + (crossing_is_free ? 0 : crosses_from));
    ck_assert_uint_eq(after->free_bytes, before.free_bytes + (crossing_is_free ? crosses_from : 0));
}
END_TEST

#define GROWN_BYTES (4 * PAGE)

/* The newest heap of a thread's arena gets what is mapped behind it. */
static pht_addr grow_heap(void)
{
    const struct malloc_region *newest = &heap->regions.items[heap->arenas[other].region];
    pht_addr end = newest->end + GROWN_BYTES;

    fake_target_set_kind(heap->fake, newest->end, FAKE_PRIVATE);
    fake_target_set_pages(heap->fake, newest->address, end, FAKE_RESIDENT);
    put(newest->address + heap->libc.layout.heap_size, end - newest->address);
    return end;
}

static void grow_heap_over_end(void)
{
    pht_addr last = last_chunk(other)->address, end = grow_heap(), top = end - PAGE;

    set_size(last, top - last);
    put(top + 8, PAGE | 1);
    put(top_field(other), top);
}

/* malloc() moves top before it writes the header there. */
static void grow_heap_to_bare_top(void)
{
    grow_heap_over_end();
    put(get(top_field(other)) + 8, 0);
}

/* It is full, and ends with a fence; top is in a newer one. */
static void fill_heap(void)
{
    pht_addr last = last_chunk(other)->address, end = grow_heap(), fence = end - 32;
    pht_addr newer = heap->regions.items[heap->arenas[other].region].address + ((uint64_t)64 << 20);

    set_size(last, fence - last);
    put(fence + 8, 16 | 1);
    put(fence + 16 + 8, 1);
    put(top_field(other), newer + PAGE);
}

static void (*const growths[])(void) = {grow_heap_over_end, grow_heap_to_bare_top, fill_heap};

#define GROWTHS ((int)(sizeof(growths) / sizeof(growths[0])))

START_TEST(heap_whose_last_chunk_grew_leaves_nothing_unknown)
{
    struct pht_glibc_arena before;

    build(_i % MALLOC_SOME);
    freeze();
    malloc_figures(heap, other, &before);
    run_with(1, growths[_i / MALLOC_SOME]);
    malloc_check_clean(walk.glibc);
    const struct pht_glibc_arena *after = malloc_heap_found(heap, other, walk.glibc);
    ck_assert_uint_eq(after->unknown_bytes, 0);
    ck_assert_uint_eq(after->top_bytes, 0);
    ck_assert_uint_eq(after->live_bytes, before.live_bytes + before.top_bytes);
}
END_TEST

/* ---- in the middle of a change ------------------------------------------------------------- */

START_TEST(top_without_a_header_is_top)
{
    struct pht_glibc_arena before;
    pht_addr top;

    build(_i);
    malloc_figures(heap, other, &before);
    top = heap->arenas[other].top;
    set_size(top, 64);
    put(top + 64, 0);
    put(top + 64 + 8, 0);
    put(top_field(other), top + 64);
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
    malloc_check_sums(walk.glibc);
    malloc_check_clean(walk.glibc);
    const struct pht_glibc_arena *after = malloc_heap_found(heap, other, walk.glibc);
    ck_assert_uint_eq(after->unknown_bytes, 0);
    ck_assert_uint_eq(after->top_bytes, before.top_bytes - 64);
    ck_assert_uint_eq(after->live_bytes, before.live_bytes + 64);
}
END_TEST

#define LARGE_BYTES ((uint64_t)0x50000)
#define SPLITS 12

static struct {
    pht_addr start;
    pht_addr end;
    uint64_t splits;
} rest;

/* Chunks are cut from the front of a large free one each time when the walk looks behind it. */
static void cut_from_front(struct fake_target *fake, uint64_t number, pht_addr addr, void *context)
{
    (void)fake;
    (void)number;
    (void)context;
    if (addr != (rest.end & ~(PAGE - 1)) || rest.splits == SPLITS)
        return;
    set_size(rest.start, 32);
    rest.start += 32;
    rest.splits++;
    put(rest.start + 8, (rest.end - rest.start) | 1);
    put(rest.end, rest.end - rest.start);
}

START_TEST(both_ends_of_a_chunk_are_read_at_one_time)
{
    struct pht_glibc_arena before;

    heap = malloc_heap_create(&(struct malloc_options){.version = malloc_some(_i), .seed = 61});
    malloc_heap_live(heap, MALLOC_MAIN, 64);
    rest.start = malloc_heap_bin(heap, MALLOC_MAIN, LARGE_BYTES);
    rest.end = malloc_heap_live(heap, MALLOC_MAIN, 64);
    rest.splits = 0;
    malloc_heap_finish(heap);
    malloc_figures(heap, MALLOC_MAIN, &before);
    freeze();
    heap->fake->on_read = cut_from_front;
    malloc_walk_run(&walk, NULL, 0);
    malloc_check_sums(walk.glibc);
    malloc_check_clean(walk.glibc);
    ck_assert_uint_eq(rest.splits, SPLITS);
    ck_assert_uint_eq(walk.glibc->totals.unknown_bytes, 0);
    ck_assert_uint_eq(walk.glibc->arenas[0].free_bytes, before.free_bytes - 32 * SPLITS);
}
END_TEST

#define MERGED_CHUNKS 4000
#define MERGED_BYTES 208
#define MERGE_READS 16

/* Many chunks around the place where the walk is become one, in use or free. */
static struct {
    pht_addr start;
    pht_addr end;
    bool free;
} merged;

static void merge(void)
{
    uint64_t bytes = merged.end - merged.start;

    memset(fake_target_bytes(heap->fake, merged.start + 16, bytes - 16), 1, bytes - 16);
    set_size(merged.start, bytes);
    if (merged.free)
        set_free(merged.start, bytes);
}

START_TEST(place_that_is_in_the_middle_of_a_chunk_by_now_leaves_nothing_unknown)
{
    pht_addr chunk = 0;

    heap = malloc_heap_create(
        &(struct malloc_options){.version = malloc_some(_i / 2 % MALLOC_SOME), .seed = 61});
    for (int i = 0; i < MERGED_CHUNKS; i++) {
        chunk = malloc_heap_live(heap, MALLOC_MAIN, MERGED_BYTES);
        if (i == 300)
            merged.start = chunk;
    }
    merged.end = chunk - 300 * MERGED_BYTES;
    merged.free = _i % 2;
    malloc_heap_finish(heap);
    freeze();
    run_with(1 + (uint64_t)(_i / 2 / MALLOC_SOME), merge);
    ck_assert_uint_le(walk.glibc->torn_chunks, 1);
    ck_assert_uint_eq(walk.glibc->damaged_chunks, 0);
    ck_assert_uint_eq(walk.glibc->totals.unknown_bytes, 0);
}
END_TEST

/* Whoever holds the arena's lock was stopped in the middle of a change. */
START_TEST(chunk_of_a_locked_arena_is_torn)
{
    build(_i);
    victim = find_victim(MALLOC_LIVE, 30);
    put(victim->address + 8, 0);
    fake_target_put_u32(heap->fake,
                        heap->arenas[MALLOC_MAIN].address + heap->libc.layout.state_mutex, 1);
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
    ck_assert_uint_eq(walk.glibc->torn_chunks, 1);
    ck_assert_uint_eq(walk.glibc->damaged_chunks, 0);
}
END_TEST

/* What happens while a walk waits. */
static struct {
    unsigned count;
    unsigned done_at; /* the wait in which the change is done */
    pht_addr lock;
    uint64_t size;
} work;

static void work_on(void *context, uint64_t us)
{
    (void)context;
    (void)us;
    if (++work.count == work.done_at) {
        put(victim->address + 8, work.size);
        fake_target_put_u32(heap->fake, work.lock, 0);
    }
}

static void walk_at_work(int some, bool locked, enum pht_stop_mode stop, unsigned done_at)
{
    build(some);
    victim = find_victim(MALLOC_LIVE, 30);
    work.count = 0;
    work.done_at = done_at;
    work.lock = heap->arenas[MALLOC_MAIN].address + heap->libc.layout.state_mutex;
    work.size = get(victim->address + 8);
    put(victim->address + 8, 0);
    fake_target_put_u32(heap->fake, work.lock, locked);
    malloc_walk_freeze(heap, stop, &walk);
    walk.snapshot->own_pace.clock.wait_us = work_on;
    malloc_walk_run(&walk, NULL, 0);
    malloc_check_sums(walk.glibc);
}

START_TEST(thread_that_has_the_lock_is_waited_for)
{
    walk_at_work(_i, true, PHT_STOP_BRIEF, 3);
    ck_assert_uint_eq(work.count, 3);
    ck_assert_uint_eq(walk.glibc->torn_chunks, 1);
    ck_assert_uint_eq(walk.glibc->totals.unknown_bytes, 0);
}
END_TEST

START_TEST(thread_that_keeps_the_lock_is_not_waited_for_forever)
{
    walk_at_work(_i, true, PHT_STOP_BRIEF, 0);
    ck_assert_uint_eq(work.count, 10);
    ck_assert_uint_gt(walk.glibc->totals.unknown_bytes, 0);
}
END_TEST

/* Waiting would be in vain where nobody is at work, and where nobody can be. */
START_TEST(nobody_is_waited_for_without_a_lock_or_in_a_stop)
{
    walk_at_work(_i / 2, _i % 2, _i % 2 ? PHT_STOP_FULL : PHT_STOP_BRIEF, 0);
    ck_assert_uint_eq(work.count, 0);
    ck_assert_uint_gt(walk.glibc->totals.unknown_bytes, 0);
}
END_TEST

/* ---- while the roots are copied ------------------------------------------------------------ */

/* The target runs then: there is no stop, or it was not had in time. */
START_TEST(change_between_two_roots_is_noticed_or_harmless)
{
    build(_i % MALLOC_SOME);
    event.wait = 1 + (uint64_t)(_i / MALLOC_SOME / ENDS);
    event.act = ends[_i / MALLOC_SOME % ENDS];
    heap->fake->on_read = watch;
    malloc_walk_all(heap, PHT_STOP_NONE, &walk);
    ck_assert_uint_le(heap->fake->read_count, READS_MAX);
}
END_TEST

static Suite *glibc_tearing_suite(void)
{
    Suite *suite = suite_create("glibc tearing");
    TCase *tcase = tcase_create("tearing");

    tcase_set_timeout(tcase, 10);
    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_loop_test(tcase, change_between_roots_and_walk_is_seen, 0, 15 * CHANGES);
    tcase_add_loop_test(tcase, change_in_the_middle_of_the_walk_is_no_damage, 0,
                        CHANGES * READS * VICTIMS);
    tcase_add_loop_test(tcase, header_that_never_rests_is_torn_and_read_a_few_times_only, 0,
                        MALLOC_SOME);
    tcase_add_loop_test(tcase, header_that_is_being_written_is_read_again, 0, MALLOC_SOME);
    tcase_add_loop_test(tcase, end_of_the_heap_that_moves, 0, ENDS * MALLOC_SOME * READS);
    tcase_add_loop_test(tcase, top_that_moved_up_leaves_nothing_unknown, 0, MALLOC_SOME);
    tcase_add_loop_test(tcase, top_that_moved_down_leaves_nothing_unknown, 0, MALLOC_SOME);
    tcase_add_loop_test(tcase, heap_that_is_given_back_is_no_damage, 0, MALLOC_SOME * READS);
    tcase_add_loop_test(tcase, chunk_that_goes_on_behind_the_old_end_counts_up_to_there, 0,
                        2 * CROSSINGS * MALLOC_SOME);
    tcase_add_loop_test(tcase, heap_whose_last_chunk_grew_leaves_nothing_unknown, 0,
                        GROWTHS * MALLOC_SOME);
    tcase_add_loop_test(tcase, top_without_a_header_is_top, 0, MALLOC_SOME);
    tcase_add_loop_test(tcase, both_ends_of_a_chunk_are_read_at_one_time, 0, MALLOC_SOME);
    tcase_add_loop_test(tcase, place_that_is_in_the_middle_of_a_chunk_by_now_leaves_nothing_unknown,
                        0, 2 * MALLOC_SOME * MERGE_READS);
    tcase_add_loop_test(tcase, chunk_of_a_locked_arena_is_torn, 0, MALLOC_SOME);
    tcase_add_loop_test(tcase, thread_that_has_the_lock_is_waited_for, 0, MALLOC_SOME);
    tcase_add_loop_test(tcase, thread_that_keeps_the_lock_is_not_waited_for_forever, 0,
                        MALLOC_SOME);
    tcase_add_loop_test(tcase, nobody_is_waited_for_without_a_lock_or_in_a_stop, 0,
                        2 * MALLOC_SOME);
    tcase_add_loop_test(tcase, change_between_two_roots_is_noticed_or_harmless, 0,
                        ENDS * MALLOC_SOME * 6);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(glibc_tearing_suite)
