/*
 * The ints and floats of 2.7. They have no blocks of pymalloc, but places in blocks of malloc,
 * which make a list: struct pht_number_block.
 */
#include <string.h>

#include "walk/census.h"
#include "walk/circle.h"
#include "walk/word_reader.h"

#define NUMBER_BYTES sizeof(struct pht_number_place)

static bool has_references(const struct pht_census *census, const struct pht_number_place *place)
{
    return place->references != 0 && place->references <= census->references_max;
}

/* False if there is a place with something else in it. */
static bool count_used(const struct pht_census *census, const struct pht_number_block *block,
                       pht_addr type, unsigned *ret)
{
    *ret = 0;
    for (unsigned i = 0; i < PHT_NUMBER_PLACES; i++) {
        const struct pht_number_place *place = &block->places[i];
        if (place->type_or_link == type && has_references(census, place))
            ++*ret;
        else if (place->type_or_link != 0 && !pht_object_may_be_at(place->type_or_link))
            return false;
    }
    return true;
}

/* ---- a list of blocks --------------------------------------------------------------------- */

struct list {
    struct pht_census *census;
    pht_addr at;
    struct pht_circle circle;
    struct pht_number_block block;
};

enum step {
    STEP_OK,
    STEP_END,
    STEP_TORN,
};

static bool begin(struct pht_census *census, uint64_t variable, struct list *ret)
{
    pht_addr head = variable + census->roots->python->bias;

    *ret = (struct list){.census = census};
    return pht_word_read_at(census->snapshot, head, &ret->at);
}

static enum step read_next(struct list *list)
{
    if (list->at == 0)
        return STEP_END;
    if (!pht_object_may_be_at(list->at) || pht_circle_closes(&list->circle, list->at) ||
        pht_snapshot_read(list->census->snapshot, list->at, &list->block, sizeof(list->block)) !=
            PHT_READ_OK)
        return STEP_TORN;
    return STEP_OK;
}

static void go_on(struct list *list)
{
    list->at = list->block.next;
}

/* NULL if no place of the block has a number of that type. */
static const struct pht_type *type_of(struct pht_census *census,
                                      const struct pht_number_block *block, const char *name)
{
    for (unsigned i = 0; i < PHT_NUMBER_PLACES; i++) {
        const struct pht_number_place *place = &block->places[i];
        const struct pht_type *type = NULL;
        if (has_references(census, place))
            type = pht_types_find(census->types, place->type_or_link);
        if (type != NULL && !type->is_heap_type && strcmp(type->name, name) == 0)
            return type;
    }
    return NULL;
}

/* The first number of a list tells the type of all. NULL if there is none. */
static const struct pht_type *find_type(struct pht_census *census, uint64_t variable,
                                        const char *name)
{
    const struct pht_type *type = NULL;
    struct list list;

    if (!begin(census, variable, &list))
        return NULL;
    for (; type == NULL && read_next(&list) == STEP_OK; go_on(&list))
        type = type_of(census, &list.block, name);
    return type;
}

/* The chunk of the block counts for its type when the walk of chunks comes by. */
static bool count_block(struct list *list, const struct pht_type *type, struct pht_numbers *ret)
{
    struct pht_census *census = list->census;
    struct pht_type_sum *sum = pht_census_sum_of(census, type->index);
    const struct pht_object_buffer buffer = {.address = list->at, .source = PHT_BUFFER_LIBC};
    unsigned used;

    if (sum == NULL || !count_used(census, &list->block, type->address, &used))
        return false;
    sum->objects += used;
    sum->size_bytes += used * NUMBER_BYTES;
    sum->max_bytes = NUMBER_BYTES;
    ret->free_places += PHT_NUMBER_PLACES - used;
    pht_census_own(census, &buffer, type, false);
    return true;
}

static void walk_list(struct pht_census *census, uint64_t variable, struct pht_numbers *ret)
{
    enum step step;
    struct list list;
    const struct pht_type *type =
        variable != PHT_UNKNOWN ? find_type(census, variable, ret->type) : NULL;

    ret->is_known = type != NULL && begin(census, variable, &list);
    if (!ret->is_known)
        return;
    while ((step = read_next(&list)) == STEP_OK && count_block(&list, type, ret))
        go_on(&list);
    ret->is_torn = step != STEP_END;
}

void pht_census_walk_numbers(struct pht_census *census)
{
    const struct pht_python_layout *layout = &census->roots->python->layout;
    struct pht_objects *result = census->result;

    if (!census->layout.is_python2)
        return;
    result->numbers[0] = (struct pht_numbers){.type = "int", .bytes_each = NUMBER_BYTES};
    result->numbers[1] = (struct pht_numbers){.type = "float", .bytes_each = NUMBER_BYTES};
    result->numbers_count = 2;
    walk_list(census, layout->int_blocks, &result->numbers[0]);
    walk_list(census, layout->float_blocks, &result->numbers[1]);
}
