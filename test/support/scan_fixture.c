#include "support/scan_fixture.h"

#include "layout/python_cache.h"
#include "layout/python_scan.h"
#include "layout/resolve.h"

struct elf_fixture fixture;
struct pht_python_layout row, layout;

const struct truth truths[] = {
    {FIELD(usedpools), "fixture_usedpools"},
    {FIELD(arenas), "fixture_arenas"},
    {FIELD(maxarenas), "fixture_maxarenas"},
    {FIELD(narenas), "fixture_narenas"},
    {FIELD(ntimes_arena_allocated), "fixture_ntimes_arena_allocated"},
    {FIELD(narenas_highwater), "fixture_narenas_highwater"},
    {FIELD(object_allocator), "fixture_object_allocator"},
    {FIELD(debug_allocators), "fixture_debug_allocators"},
    {FIELD(pymalloc_function), "fixture_pymalloc_function"},
    {FIELD(malloc_function), "fixture_malloc_function"},
    {FIELD(interned), "fixture_interned"},
    {FIELD(free_static_floats), "fixture_free_floats"},
    {FIELD(free_static_tuples), "fixture_free_tuples"},
    {FIELD(free_static_lists), "fixture_free_lists"},
    {FIELD(free_static_dicts), "fixture_free_dicts"},
    {FIELD(free_static_dict_keys), "fixture_free_dict_keys"},
    {FIELD(free_static_contexts), "fixture_free_contexts"},
    {FIELD(free_static_async_values), "fixture_free_async_values"},
    {FIELD(free_static_async_sends), "fixture_free_async_sends"},
    {FIELD(free_static_frames), "fixture_free_frames"},
    {FIELD(free_static_methods), "fixture_free_methods"},
    {FIELD(free_static_functions), "fixture_free_functions"},
    {FIELD(free_static_sets), "fixture_free_sets"},
    {FIELD(free_static_unicodes), "fixture_free_unicodes"},
    {FIELD(int_blocks), "fixture_int_blocks"},
    {FIELD(float_blocks), "fixture_float_blocks"},
    {FIELD(cached_static_slice), "fixture_cached_slice"},
    {FIELD(gc_static_generations), "fixture_generations"},
    {FIELD(gc_static_enabled), "fixture_enabled"},
    {FIELD(gc_static_garbage), "fixture_garbage"},
    {FIELD(gc_static_callbacks), "fixture_callbacks"},
};

const size_t truth_count = sizeof(truths) / sizeof(truths[0]);

uint64_t *value_of(struct pht_python_layout *of, size_t field)
{
    return (uint64_t *)((char *)of + field);
}

void make_row(void)
{
    struct pht_python python = {0};
    size_t at = 0;

    while (python.version.minor != 9)
        ck_assert(pht_python_tables_next(&at, &python));
    row = python.layout;
    for (size_t i = 0; i < truth_count; i++)
        *value_of(&row, truths[i].field) = 0;
    row.arena_map_root = 0;
    row.free_static_tuples_bytes = 80;
    row.gc_static_generations_bytes = 72;
}

bool open_fixture(const char *path)
{
    make_row();
    return READS_CODE && elf_fixture_open(&fixture, path);
}

void close_fixture(void)
{
    elf_fixture_close(&fixture);
}

void run(void)
{
    CALL(nothing, "run");
}

bool scan(void)
{
    struct pht_module_data data;

    ck_assert(pht_module_data_read(fixture.target, &fixture.maps, &fixture.image, &data));
    bool found = pht_python_scan(&data, &fixture.image, &row, &layout);
    pht_module_data_deinit(&data);
    return found;
}

bool scan_anew(void)
{
    pht_python_layout_clear(&layout);
    for (size_t i = 0; i < pht_python_layout_table.count; i++) {
        const struct pht_layout_field *field = &pht_python_layout_table.fields[i];
        if (pht_layout_is_of_type(field))
            pht_layout_set(&layout, field, pht_layout_get(&row, field));
    }
    pht_layout_resolve_symbols(&fixture.image, &pht_python_layout_table, &layout);
    return scan();
}

uint64_t truth(const char *function)
{
    return elf_fixture_address(&fixture, function);
}

void *variable_of(const char *function)
{
    return (void *)(uintptr_t)(truth(function) + fixture.image.bias);
}

void check_truth(void)
{
    for (size_t i = 0; i < truth_count; i++)
        ck_assert_msg(*value_of(&layout, truths[i].field) == truth(truths[i].function),
                      "%s: %llx for %llx", truths[i].function,
                      (unsigned long long)*value_of(&layout, truths[i].field),
                      (unsigned long long)truth(truths[i].function));
}
