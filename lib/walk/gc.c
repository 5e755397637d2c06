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
 * a few blocks for objects that only were one, so such a number may be a little too high. Where it
 * cannot tell, lists are followed further.
 */
#include <stdlib.h>

#include "walk/gc.h"
#include "walk/word_reader.h"

/* How far a list is followed: objects, and pages that are read on the way. */
struct reach {
    uint64_t nodes;
    uint64_t reads;
};

/* A few milliseconds. */
static const struct reach short_reach = {(uint64_t)1 << 16, 2048};

/* 0.2 s each, the first where neighbours in the list are on one page, the second where none are. */
static const struct reach long_reach = {(uint64_t)1 << 22, 200000};

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

static enum list_end follow(const struct gc_walk *walk, pht_addr head, const struct reach *reach,
                            uint64_t *ret)
{
    uint64_t last_read = walk->reader->reads + reach->reads;
    pht_addr node = head, next, back;

    for (*ret = 0; *ret <= reach->nodes && walk->reader->reads <= last_read; (*ret)++) {
        if (!read_link(walk, node, &next) || !read_link(walk, next + 8, &back) || back != node)
            return LIST_TORN;
        if (next == head)
            return LIST_WHOLE;
        node = next;
    }
    return LIST_LONG;
}

static enum list_end count_list(const struct gc_walk *walk, pht_addr head,
                                const struct reach *reach, uint64_t *ret)
{
    enum list_end end = LIST_TORN;

    for (int i = 0; i < ATTEMPTS && end == LIST_TORN; i++) {
        pht_word_reader_clear(walk->reader);
        end = follow(walk, head, reach, ret);
    }
    return end;
}

/* A list that the version does not have counts as one of unknown length, and as no long one. */
struct list_counts {
    uint64_t objects[PHT_GC_LISTS]; /* PHT_UNKNOWN: not counted */
    enum list_end ends[PHT_GC_LISTS];
    unsigned torn;
    unsigned longs;
};

static void follow_lists(const struct gc_walk *walk, const struct reach *reach,
                         struct list_counts *ret)
{
    ret->torn = ret->longs = 0;
    for (unsigned i = 0; i < PHT_GC_LISTS; i++) {
        pht_addr head = walk->places.heads[i];
        if (head != 0 && ret->ends[i] == LIST_LONG)
            ret->ends[i] = count_list(walk, head, reach, &ret->objects[i]);
        if (ret->ends[i] != LIST_WHOLE)
            ret->objects[i] = PHT_UNKNOWN;
        ret->torn += ret->ends[i] == LIST_TORN;
        ret->longs += head != 0 && ret->ends[i] == LIST_LONG;
    }
}

/* If a single list is too long, it has all that is left of `tracked`. */
static bool ask_census(const struct gc_walk *walk, uint64_t tracked, struct list_counts *counts)
{
    uint64_t *longest = NULL;

    if (counts->longs != 1 || counts->torn > 0 || !walk->places.is_of_all || tracked == PHT_UNKNOWN)
        return false;
    for (unsigned i = 0; i < PHT_GC_LISTS; i++) {
        if (walk->places.heads[i] == 0)
            continue;
        if (counts->objects[i] == PHT_UNKNOWN)
            longest = &counts->objects[i];
        else if (counts->objects[i] <= tracked)
            tracked -= counts->objects[i];
        else
            return false;
    }
    *longest = tracked;
    counts->longs = 0;
    return true;
}

static void count_lists(struct gc_walk *walk, uint64_t tracked)
{
    struct pht_gc *gc = walk->gc;
    struct list_counts counts;

    for (unsigned i = 0; i < PHT_GC_LISTS; i++)
        counts.ends[i] = LIST_LONG;
    follow_lists(walk, &short_reach, &counts);
    gc->by_census = ask_census(walk, tracked, &counts);
    if (counts.longs > 0) {
        follow_lists(walk, &long_reach, &counts);
        gc->by_census = ask_census(walk, tracked, &counts);
    }
    for (unsigned i = 0; i < PHT_GC_GENERATIONS; i++)
        gc->generations[i].objects = counts.objects[i];
    gc->frozen = counts.objects[PHT_GC_FROZEN];
    gc->torn_lists = counts.torn;
    gc->long_lists = counts.longs;
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
