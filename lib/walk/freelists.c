/*
 * Objects that are kept for the next of their type, instead of being freed: pymalloc counts their
 * blocks as live, Python as dead. Each list has a counter: up to 3.9 a variable of the file that
 * defines the type, from 3.10 on a member of the interpreter.
 */
#include "walk/freelists.h"

#include <stdlib.h>
#include <string.h>

void pht_freelists_add(const struct pht_freelists_search *search, const char *type,
                       uint64_t objects, uint64_t bytes)
{
    search->lists->items[search->lists->count++] =
        (struct pht_freelist){.type = type, .objects = objects, .bytes = bytes};
}

bool pht_freelists_count(const struct pht_freelists_search *search, pht_addr counter, uint32_t *ret)
{
    return pht_snapshot_read(search->snapshot, counter, ret, sizeof(*ret)) == PHT_READ_OK &&
           *ret <= PHT_FREELIST_MAX;
}

static int compare(const void *a, const void *b)
{
    const struct pht_freelist *left = a, *right = b;

    /* What is not known comes first: no number is larger. */
    if (left->bytes != right->bytes)
        return left->bytes < right->bytes ? 1 : -1;
    return strcmp(left->type, right->type);
}

static bool is_before_3_10(const struct pht_version *version)
{
    return version->major < 3 || (version->major == 3 && version->minor < 10);
}

static void sort(struct pht_freelists *lists)
{
    qsort(lists->items, lists->count, sizeof(lists->items[0]), compare);
}

void pht_freelists_read(struct pht_snapshot *snapshot, const struct pht_python *python,
                        struct pht_freelists *ret)
{
    const struct pht_freelists_search search = {
        .snapshot = snapshot, .python = python, .lists = ret};

    ret->count = 0;
    if (python->free_threaded ||
        !(is_before_3_10(&python->version) ? pht_freelists_of_statics(&search)
                                           : pht_freelists_of_interpreter(&search)))
        ret->count = 0;
    sort(ret);
}

/* Of frames, which differ in size, it is not known how many are blocks of pymalloc. */
void pht_freelists_own(const struct pht_freelists *lists, struct pht_objects *objects)
{
    struct pht_tally *listed = &objects->blocks.free_listed, *unowned = &objects->blocks.unowned;

    *listed = (struct pht_tally){.count = lists->count > 0 ? 0 : PHT_UNKNOWN};
    for (size_t i = 0; i < lists->count; i++) {
        const struct pht_freelist *list = &lists->items[i];
        if (list->bytes == PHT_UNKNOWN || list->objects > unowned->count ||
            list->bytes > unowned->bytes)
            continue;
        listed->count += list->objects;
        listed->bytes += list->bytes;
        unowned->count -= list->objects;
        unowned->bytes -= list->bytes;
    }
}

void pht_freelists_add_numbers(const struct pht_objects *objects, struct pht_freelists *lists)
{
    for (size_t i = 0; lists->count > 0 && i < objects->numbers_count; i++) {
        const struct pht_numbers *numbers = &objects->numbers[i];
        bool is_whole = numbers->is_known && !numbers->is_torn;
        lists->items[lists->count++] = (struct pht_freelist){
            .type = numbers->type,
            .objects = is_whole ? numbers->free_places : PHT_UNKNOWN,
            .bytes = is_whole ? numbers->free_places * numbers->bytes_each : PHT_UNKNOWN,
        };
    }
    sort(lists);
}
