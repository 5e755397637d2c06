#include "view/json_parts.h"

json_t *pht_json_libc(const struct pht_libc *libc, struct pht_json *json)
{
    json_t *object;

    if (libc == NULL)
        return json_null();
    object = json_object();
    bool has_layout = libc->layout_source != PHT_LAYOUT_NONE;
    pht_json_put_text(json, object, "family", pht_libc_family_name(libc->family));
    pht_json_put_text(json, object, "version",
                      libc->version_text[0] != '\0' ? libc->version_text : NULL);
    pht_json_put_text(json, object, "image", libc->image);
    pht_json_put_text(json, object, "build_id", libc->build_id[0] != '\0' ? libc->build_id : NULL);
    pht_json_put_text(json, object, "layout_source",
                      has_layout ? pht_layout_source_name(libc->layout_source) : NULL);
    pht_json_put_text(json, object, "symbol_source",
                      has_layout ? pht_symbol_source_name(libc->symbol_source) : NULL);
    pht_json_put_flag(json, object, "layout_cached", libc->cached);
    return object;
}

static json_t *free_kinds(const struct pht_glibc_arena *arena, struct pht_json *json)
{
    json_t *object = json_object();

    for (enum pht_free_kind kind = 0; kind < PHT_FREE_KINDS; kind++) {
        const struct pht_free_sum *sum = &arena->kinds[kind];
        json_t *row = json_object();
        pht_json_put_number(json, row, "chunks", sum->chunks);
        pht_json_put_number(json, row, "bytes", sum->bytes);
        pht_json_put_number(json, row, "largest_bytes", sum->largest_bytes);
        pht_json_put_number(json, row, "page_bytes", sum->page_bytes);
        pht_json_put(json, object, pht_free_kind_name(kind), row);
    }
    return object;
}

/* Figures of one arena, or of all together. */
static void put_figures(struct pht_json *json, json_t *object, const struct pht_glibc_arena *arena)
{
    pht_json_put_number(json, object, "heaps", arena->heaps);
    pht_json_put_number(json, object, "threads", arena->threads);
    pht_json_put_number(json, object, "system_bytes", arena->system_bytes);
    pht_json_put_number(json, object, "live_chunks", arena->live_chunks);
    pht_json_put_number(json, object, "live_bytes", arena->live_bytes);
    pht_json_put_number(json, object, "free_chunks", arena->free_chunks);
    pht_json_put_number(json, object, "free_bytes", arena->free_bytes);
    pht_json_put_number(json, object, "tcache_chunks", arena->tcache_chunks);
    pht_json_put_number(json, object, "tcache_bytes", arena->tcache_bytes);
    pht_json_put_number(json, object, "fast_chunks", arena->fast_chunks);
    pht_json_put_number(json, object, "fast_bytes", arena->fast_bytes);
    pht_json_put_number(json, object, "rest_chunks", arena->rest_chunks);
    pht_json_put_number(json, object, "rest_bytes", arena->rest_bytes);
    pht_json_put_number(json, object, "top_bytes", arena->top_bytes);
    pht_json_put_number(json, object, "overhead_bytes", arena->overhead_bytes);
    pht_json_put_number(json, object, "foreign_bytes", arena->foreign_bytes);
    pht_json_put_number(json, object, "unknown_bytes", arena->unknown_bytes);
    pht_json_put_number(json, object, "trimmable_bytes", arena->trimmable_bytes);
    pht_json_put_number(json, object, "trimmable_flushed_bytes", arena->trimmable_flushed_bytes);
    pht_json_put_number(json, object, "resident_bytes", arena->resident_bytes);
    pht_json_put(json, object, "free_kinds", free_kinds(arena, json));
    pht_json_put_flag(json, object, "partly_sorted", arena->is_partly_sorted);
}

static json_t *arena(const struct pht_glibc_arena *row, struct pht_json *json)
{
    json_t *object = json_object();

    pht_json_put_address(json, object, "address", row->address);
    pht_json_put_text(json, object, "kind", row->is_main ? "main" : "thread");
    pht_json_put_number(json, object, "peak_system_bytes", row->peak_system_bytes);
    put_figures(json, object, row);
    return object;
}

static json_t *totals(const struct pht_glibc *glibc, struct pht_json *json)
{
    json_t *object = json_object();

    put_figures(json, object, &glibc->totals);
    pht_json_put_number(json, object, "mmapped_bytes", glibc->mmapped_bytes);
    return object;
}

static json_t *resident(const struct pht_malloc_resident *memory, struct pht_json *json)
{
    json_t *object = json_object();

    pht_json_put_number(json, object, "main_arena_bytes", memory->main_arena_bytes);
    pht_json_put_number(json, object, "thread_arenas_bytes", memory->thread_arenas_bytes);
    pht_json_put_number(json, object, "mmapped_bytes", memory->mmapped_bytes);
    pht_json_put_number(json, object, "total_bytes", memory->total_bytes);
    return object;
}

static json_t *mmapped(const struct pht_glibc *glibc, struct pht_json *json)
{
    json_t *object = json_object();

    pht_json_put_number(json, object, "chunks", glibc->params.mmapped_chunks);
    pht_json_put_number(json, object, "bytes", glibc->params.mmapped_bytes);
    pht_json_put_number(json, object, "peak_chunks", glibc->params.mmapped_peak_chunks);
    pht_json_put_number(json, object, "peak_bytes", glibc->params.mmapped_peak_bytes);
    pht_json_put_number(json, object, "found_chunks", glibc->mmapped_count);
    pht_json_put_number(json, object, "found_bytes", glibc->mmapped_bytes);
    pht_json_put_number(json, object, "resident_bytes", glibc->mmapped_resident_bytes);
    return object;
}

static json_t *params(const struct pht_report *report, struct pht_json *json)
{
    const struct pht_malloc_params *from = &report->glibc->params;
    json_t *object = json_object();

    pht_json_put_number(json, object, "mmap_threshold_bytes", from->mmap_threshold_bytes);
    pht_json_put_flag(json, object, "mmap_threshold_dynamic", from->mmap_threshold_dynamic);
    pht_json_put_number(json, object, "trim_threshold_bytes", from->trim_threshold_bytes);
    pht_json_put_number(json, object, "top_pad_bytes", from->top_pad_bytes);
    pht_json_put_number(json, object, "arena_max", report->arena_limit.arenas);
    pht_json_put_text(json, object, "arena_max_source", report->arena_limit.source);
    pht_json_put_number(json, object, "thp_page_bytes", from->thp_page_bytes);
    pht_json_put_number(json, object, "huge_page_bytes", from->huge_page_bytes);
    pht_json_put_number(json, object, "tcache_max_bytes", from->tcache_max_bytes);
    pht_json_put_number(json, object, "tcache_count", from->tcache_count);
    return object;
}

static json_t *chunk_size(const struct pht_chunk_size *row, struct pht_json *json)
{
    json_t *object = json_object();

    pht_json_put_number(json, object, "min_bytes", row->min_bytes);
    pht_json_put_number(json, object, "max_bytes", row->max_bytes);
    pht_json_put_number(json, object, "live_chunks", row->live_chunks);
    pht_json_put_number(json, object, "live_bytes", row->live_bytes);
    pht_json_put_number(json, object, "free_chunks", row->free_chunks);
    pht_json_put_number(json, object, "free_bytes", row->free_bytes);
    return object;
}

static json_t *free_chunk(const struct pht_glibc *glibc, const struct pht_free_chunk *row,
                          struct pht_json *json)
{
    json_t *object = json_object();

    pht_json_put_address(json, object, "address", row->address);
    pht_json_put_address(json, object, "arena", glibc->arenas[row->arena].address);
    pht_json_put_number(json, object, "bytes", row->bytes);
    pht_json_put_number(json, object, "resident_bytes", row->resident_bytes);
    return object;
}

static json_t *mmapped_chunk(const struct pht_mmapped_chunk *row, struct pht_json *json)
{
    json_t *object = json_object();

    pht_json_put_address(json, object, "address", row->address);
    pht_json_put_address(json, object, "start", row->start);
    pht_json_put_number(json, object, "bytes", row->bytes);
    pht_json_put_number(json, object, "resident_bytes", row->resident_bytes);
    return object;
}

static json_t *thread(const struct pht_malloc_thread *row, struct pht_json *json)
{
    json_t *object = json_object();

    pht_json_put(json, object, "tid", json_integer(row->tid));
    if (row->arena != 0)
        pht_json_put_address(json, object, "arena", row->arena);
    else
        pht_json_put(json, object, "arena", json_null());
    pht_json_put_number(json, object, "tcache_chunks", row->tcache_chunks);
    pht_json_put_number(json, object, "tcache_bytes", row->tcache_bytes);
    return object;
}

static void put_lists(struct pht_json *json, json_t *object, const struct pht_glibc *glibc)
{
    json_t *sizes = json_array(), *free_chunks = json_array(), *mapped = json_array();
    json_t *threads = glibc->threads_known ? json_array() : json_null();

    for (size_t i = 0; i < glibc->size_count; i++)
        pht_json_append(json, sizes, chunk_size(&glibc->sizes[i], json));
    for (size_t i = 0; i < glibc->largest_free_count; i++)
        pht_json_append(json, free_chunks, free_chunk(glibc, &glibc->largest_free[i], json));
    for (size_t i = 0; i < glibc->mmapped_count; i++)
        pht_json_append(json, mapped, mmapped_chunk(&glibc->mmapped[i], json));
    for (size_t i = 0; glibc->threads_known && i < glibc->thread_count; i++)
        pht_json_append(json, threads, thread(&glibc->threads[i], json));
    pht_json_put(json, object, "chunk_sizes", sizes);
    pht_json_put(json, object, "largest_free", free_chunks);
    pht_json_put(json, object, "mmapped_list", mapped);
    pht_json_put(json, object, "threads", threads);
}

json_t *pht_json_glibc(const struct pht_report *report, struct pht_json *json)
{
    const struct pht_glibc *glibc = report->glibc;
    json_t *object, *arenas;

    if (glibc == NULL)
        return json_null();
    object = json_object();
    arenas = json_array();
    for (size_t i = 0; i < glibc->arena_count; i++)
        pht_json_append(json, arenas, arena(&glibc->arenas[i], json));
    pht_json_put(json, object, "arenas", arenas);
    pht_json_put(json, object, "mmapped", mmapped(glibc, json));
    pht_json_put(json, object, "params", params(report, json));
    pht_json_put(json, object, "totals", totals(glibc, json));
    pht_json_put(json, object, "resident", resident(&report->malloc_resident, json));
    put_lists(json, object, glibc);
    pht_json_put_number(json, object, "damaged_chunks", glibc->damaged_chunks);
    pht_json_put_number(json, object, "swapped_pages", glibc->swapped_pages);
    pht_json_put_number(json, object, "damaged_arenas", glibc->damaged_arenas);
    return object;
}
