/*
 * The collector's figures, and how many objects are in each of its lists.
 *
 * A list is circular and runs through the heads that stand before objects (gc_next, gc_prev; from
 * 3.8 on bits 0 and 1 of both words are flags). Each step is proved by the way back, so that a list
 * can only close at its own head. While objects are being collected words of that kind hold
 * reference counts (3.8 and later): such a list is torn, as is one that changes under the walk.
 *
 * A list is followed as far as that is quick. If it alone is longer, and a census has counted all
 * objects that the collector knows of, the list has those that no other one has. The census takes
 * a few blocks for objects that only were one, so such a number may be a little too high.
 */
#include <stdlib.h>

#include "walk/gc.h"
#include "walk/word_reader.h"

/* 0.2 s each, the first where neighbours in the list are on one page, the second where none are. */
#define NODES_MAX ((uint64_t)1 << 22)
#define READS_MAX ((uint64_t)200000)

/* A list of a target that runs may be whole the next time. */
#define ATTEMPTS 3

#define LINK_FLAGS ((uint64_t)3)

/* More items than memory has room for. */
#define ITEMS_MAX ((uint64_t)1 << 44)

enum list_end {
    LIST_WHOLE,
    LIST_LONG,
    LIST_TORN,
};

struct gc_walk {
    struct pht_word_reader *reader;
    struct pht_snapshot *snapshot;
    struct pht_gc_places places;
    struct pht_gc *gc;
};

static bool read_u32(const struct gc_walk *walk, pht_addr addr, uint32_t *ret)
{
    return addr >= PHT_PAGE_BYTES && addr <= PHT_USER_ADDR_MAX &&
           pht_snapshot_read(walk->snapshot, addr, ret, sizeof(*ret)) == PHT_READ_OK;
}

/* Heads of lists may be aligned to 4 bytes, as they are in 3.13.5; objects are to 8. */
static bool read_u64(const struct gc_walk *walk, pht_addr addr, uint64_t *ret)
{
    if (addr < PHT_PAGE_BYTES || addr > PHT_USER_ADDR_MAX)
        return false;
    if (addr % 8 != 0)
        return pht_snapshot_read(walk->snapshot, addr, ret, sizeof(*ret)) == PHT_READ_OK;
    return pht_word_read(walk->reader, addr, ret);
}

/* ---- lists -------------------------------------------------------------------------------- */

static bool read_link(const struct gc_walk *walk, pht_addr addr, pht_addr *ret)
{
    if (!read_u64(walk, addr, ret))
        return false;
    *ret &= ~LINK_FLAGS;
    return true;
}

static enum list_end follow(const struct gc_walk *walk, pht_addr head, uint64_t *ret)
{
    uint64_t last_read = walk->reader->reads + READS_MAX;
    pht_addr node = head, next, back;

    for (*ret = 0; *ret <= NODES_MAX && walk->reader->reads <= last_read; (*ret)++) {
        if (!read_link(walk, node, &next) || !read_link(walk, next + 8, &back) || back != node)
            return LIST_TORN;
        if (next == head)
            return LIST_WHOLE;
        node = next;
    }
    return LIST_LONG;
}

static enum list_end count_list(const struct gc_walk *walk, pht_addr head, uint64_t *ret)
{
    enum list_end end = LIST_TORN;

    for (int i = 0; i < ATTEMPTS && end == LIST_TORN; i++) {
        pht_word_reader_clear(walk->reader);
        end = follow(walk, head, ret);
    }
    return end;
}

/* `counts` of the lists: if a single one is too long, it has all that is left of `tracked`. */
static void ask_census(struct gc_walk *walk, uint64_t tracked, uint64_t counts[PHT_GC_LISTS])
{
    struct pht_gc *gc = walk->gc;
    uint64_t *longest = NULL;

    if (gc->long_lists != 1 || gc->torn_lists > 0 || !walk->places.is_of_all ||
        tracked == PHT_UNKNOWN)
        return;
    for (unsigned i = 0; i < PHT_GC_LISTS; i++) {
        if (walk->places.heads[i] == 0)
            continue;
        if (counts[i] == PHT_UNKNOWN)
            longest = &counts[i];
        else if (counts[i] <= tracked)
            tracked -= counts[i];
        else
            return;
    }
    *longest = tracked;
    gc->long_lists = 0;
    gc->by_census = true;
}

static void count_lists(struct gc_walk *walk, uint64_t tracked)
{
    struct pht_gc *gc = walk->gc;
    uint64_t counts[PHT_GC_LISTS];

    for (unsigned i = 0; i < PHT_GC_LISTS; i++) {
        pht_addr head = walk->places.heads[i];
        enum list_end end = head != 0 ? count_list(walk, head, &counts[i]) : LIST_LONG;
        if (end != LIST_WHOLE)
            counts[i] = PHT_UNKNOWN;
        gc->torn_lists += end == LIST_TORN;
        gc->long_lists += head != 0 && end == LIST_LONG;
    }
    ask_census(walk, tracked, counts);
    for (unsigned i = 0; i < PHT_GC_GENERATIONS; i++)
        gc->generations[i].objects = counts[i];
    gc->frozen = counts[PHT_GC_FROZEN];
}

/* ---- figures ------------------------------------------------------------------------------ */

/* `field` is where the address of a list stands. */
static uint64_t count_items(const struct gc_walk *walk, pht_addr field)
{
    pht_addr list, type;
    uint64_t flags, length;

    if (!read_u64(walk, field, &list))
        return PHT_UNKNOWN;
    /* It is made with the first of it. */
    if (list == 0)
        return 0;
    if (!read_u64(walk, list + PHT_OBJECT_TYPE, &type) ||
        !read_u64(walk, type + PHT_TYPE_FLAGS, &flags) || !(flags & PHT_TYPE_LIST_SUBCLASS) ||
        !read_u64(walk, list + PHT_OBJECT_SIZE, &length) || length > ITEMS_MAX)
        return PHT_UNKNOWN;
    return length;
}

static bool read_figures(struct gc_walk *walk)
{
    const struct pht_gc_places *places = &walk->places;
    uint32_t enabled, threshold, count;

    if (!read_u32(walk, places->enabled, &enabled) || enabled > 1)
        return false;
    walk->gc->enabled = enabled != 0;
    for (unsigned i = 0; i < PHT_GC_GENERATIONS; i++) {
        struct pht_gc_generation *generation = &walk->gc->generations[i];
        if (!read_u32(walk, places->thresholds[i], &threshold) ||
            !read_u32(walk, places->counts[i], &count))
            return false;
        generation->threshold = (int32_t)threshold;
        generation->count = (int32_t)count;
    }
    return true;
}

static void read_stats(struct gc_walk *walk)
{
    const struct pht_gc_places *places = &walk->places;

    for (unsigned i = 0; i < PHT_GC_GENERATIONS; i++) {
        struct pht_gc_generation *generation = &walk->gc->generations[i];
        pht_addr stats = places->stats[i];
        if (stats == 0 ||
            !read_u64(walk, stats + places->stat_collections, &generation->collections) ||
            !read_u64(walk, stats + places->stat_collected, &generation->collected) ||
            !read_u64(walk, stats + places->stat_uncollectable, &generation->uncollectable))
            generation->collections = generation->collected = generation->uncollectable =
                PHT_UNKNOWN;
    }
}

/* ---- the whole ---------------------------------------------------------------------------- */

static bool read_all(struct gc_walk *walk, uint64_t tracked)
{
    if (!read_figures(walk))
        return false;
    read_stats(walk);
    walk->gc->garbage = count_items(walk, walk->places.garbage);
    walk->gc->callbacks = count_items(walk, walk->places.callbacks);
    count_lists(walk, tracked);
    /* A list that is empty is closed as well: if none is, this is no collector. */
    return walk->gc->torn_lists < PHT_GC_GENERATIONS;
}

bool pht_gc_walk(struct pht_snapshot *snapshot, const struct pht_python *python, uint64_t tracked,
                 struct pht_gc **ret)
{
    struct gc_walk walk = {.snapshot = snapshot};

    *ret = NULL;
    if (!pht_gc_find_places(snapshot, python, &walk.places))
        return true;
    walk.reader = pht_word_reader_create(snapshot);
    walk.gc = calloc(1, sizeof(*walk.gc));
    bool has_memory = walk.reader != NULL && walk.gc != NULL;
    if (has_memory && read_all(&walk, tracked)) {
        *ret = walk.gc;
        walk.gc = NULL;
    }
    pht_word_reader_destroy(walk.reader);
    free(walk.gc);
    return has_memory;
}
