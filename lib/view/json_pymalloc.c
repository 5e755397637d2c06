#include "view/json_parts.h"

static void put_totals(struct pht_json *json, json_t *object,
                       const struct pht_pymalloc_totals *totals)
{
    pht_json_put_number(json, object, "arenas", totals->arenas);
    pht_json_put_number(json, object, "pools_used", totals->pools_used);
    pht_json_put_number(json, object, "pools_free", totals->pools_free);
    pht_json_put_number(json, object, "live_blocks", totals->live_blocks);
    pht_json_put_number(json, object, "free_blocks", totals->free_blocks);
    pht_json_put_number(json, object, "live_bytes", totals->live_bytes);
    pht_json_put_number(json, object, "free_bytes", totals->free_bytes);
    pht_json_put_number(json, object, "unused_pool_bytes", totals->unused_pool_bytes);
    pht_json_put_number(json, object, "pool_header_bytes", totals->pool_header_bytes);
    pht_json_put_number(json, object, "quantization_bytes", totals->quantization_bytes);
    pht_json_put_number(json, object, "arena_alignment_bytes", totals->arena_alignment_bytes);
    pht_json_put_number(json, object, "unknown_pool_bytes", totals->unknown_pool_bytes);
    pht_json_put_number(json, object, "total_bytes", totals->total_bytes);
}

static json_t *size_class(const struct pht_size_class *class, struct pht_json *json)
{
    json_t *object = json_object();

    pht_json_put_number(json, object, "block_bytes", class->block_bytes);
    pht_json_put_number(json, object, "pools", class->pools);
    pht_json_put_number(json, object, "live_blocks", class->live_blocks);
    pht_json_put_number(json, object, "free_blocks", class->free_blocks);
    pht_json_put_number(json, object, "live_bytes", class->live_bytes);
    pht_json_put_number(json, object, "free_bytes", class->free_bytes);
    return object;
}

static json_t *arena(const struct pht_arena *row, struct pht_json *json)
{
    json_t *object = json_object();

    pht_json_put_address(json, object, "address", row->address);
    pht_json_put_number(json, object, "pools_used", row->pools_used);
    pht_json_put_number(json, object, "pools_free", row->pools_free);
    pht_json_put_number(json, object, "live_blocks", row->live_blocks);
    pht_json_put_number(json, object, "live_bytes", row->live_bytes);
    pht_json_put_number(json, object, "resident_bytes", row->resident_bytes);
    return object;
}

static json_t *state(const struct pht_pymalloc_state *row, struct pht_json *json)
{
    json_t *object = json_object();

    pht_json_put_address(json, object, "address", row->address);
    pht_json_put(json, object, "interpreter",
                 row->interpreter < 0 ? json_null() : json_integer(row->interpreter));
    pht_json_put_number(json, object, "interpreters", row->interpreters);
    pht_json_put_number(json, object, "arenas_peak", row->arenas_peak);
    pht_json_put_number(json, object, "arenas_allocated_total", row->arenas_allocated_total);
    put_totals(json, object, &row->totals);
    return object;
}

static json_t *sparse(const struct pht_pymalloc *pymalloc, struct pht_json *json)
{
    json_t *object = json_object();

    pht_json_put_number(json, object, "arenas", pymalloc->sparse_arenas);
    pht_json_put_number(json, object, "live_bytes", pymalloc->sparse_live_bytes);
    pht_json_put_number(json, object, "held_bytes", pymalloc->sparse_held_bytes);
    return object;
}

json_t *pht_json_pymalloc(const struct pht_pymalloc *pymalloc, struct pht_json *json)
{
    json_t *object, *classes, *arenas, *states;

    if (pymalloc == NULL)
        return json_null();
    object = json_object();
    classes = json_array();
    arenas = json_array();
    states = json_array();
    pht_json_put_number(json, object, "arena_bytes", pymalloc->arena_bytes);
    pht_json_put_number(json, object, "pool_bytes", pymalloc->pool_bytes);
    pht_json_put_number(json, object, "alignment_bytes", pymalloc->alignment_bytes);
    pht_json_put_number(json, object, "arenas_peak", pymalloc->arenas_peak);
    pht_json_put_number(json, object, "arenas_allocated_total", pymalloc->arenas_allocated_total);
    put_totals(json, object, &pymalloc->totals);
    for (size_t i = 0; i < pymalloc->class_count; i++)
        pht_json_append(json, classes, size_class(&pymalloc->classes[i], json));
    pht_json_put(json, object, "size_classes", classes);
    for (size_t i = 0; i < pymalloc->totals.arenas; i++)
        pht_json_append(json, arenas, arena(&pymalloc->arenas[i], json));
    pht_json_put(json, object, "arena_list", arenas);
    for (size_t i = 0; i < pymalloc->state_count; i++)
        pht_json_append(json, states, state(&pymalloc->states[i], json));
    pht_json_put(json, object, "states", states);
    pht_json_put(json, object, "sparse_arenas", sparse(pymalloc, json));
    pht_json_put_number(json, object, "damaged_pools", pymalloc->damaged_pools);
    pht_json_put_number(json, object, "swapped_pools", pymalloc->swapped_pools);
    pht_json_put_number(json, object, "damaged_arenas", pymalloc->damaged_arenas);
    pht_json_put_number(json, object, "vanished_arenas", pymalloc->vanished_arenas);
    return object;
}
