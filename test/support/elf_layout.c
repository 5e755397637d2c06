#include "support/elf_layout.h"

#include <check.h>
#include <string.h>

#include "layout/libc_layout.h"
#include "layout/python_layout.h"

static bool is_copied(const char *type)
{
    return strcmp(type, "pool_header") == 0 || strcmp(type, "arena_object") == 0;
}

/*
 * Structs that walkers copy get the most that is allowed, others 4096 bytes; every member has its
 * own place and every symbol its own address.
 */
static void fill(const struct pht_layout_table *table, void *layout)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct pht_layout_field *field = &table->fields[i];
        uint64_t value = 8 * (i + 1);
        if (field->kind == PHT_FIELD_SIZE)
            value = is_copied(field->subject) ? PHT_COPIED_STRUCT_MAX : 4096;
        else if (field->kind == PHT_FIELD_ADDRESS)
            value = 0x400000 + 0x1000 * i;
        pht_layout_set(layout, field, value);
    }
}

struct pht_python_layout elf_layout_of_states(void)
{
    struct pht_python_layout layout;

    fill(&pht_python_layout_table, &layout);
    return layout;
}

struct pht_python_layout elf_layout_of_statics(void)
{
    static const char *const newer[] = {"_obmalloc_state", "_is", "pyruntimestate", "_PyRuntime"};
    const struct pht_layout_table *table = &pht_python_layout_table;
    struct pht_python_layout layout = elf_layout_of_states();

    for (size_t i = 0; i < table->count; i++) {
        for (size_t j = 0; j < sizeof(newer) / sizeof(newer[0]); j++) {
            if (strcmp(table->fields[i].subject, newer[j]) == 0)
                pht_layout_set(&layout, &table->fields[i], PHT_UNKNOWN);
        }
    }
    return layout;
}

static struct pht_python_layout all_versions(void)
{
    struct pht_python_layout layout;

    pht_python_layout_clear(&layout);
    layout.pool_header_bytes = 48;
    layout.pool_count = 0;
    layout.pool_freeblock = 8;
    layout.pool_arenaindex = 32;
    layout.pool_szidx = 36;
    layout.pool_nextoffset = 40;
    layout.pool_maxnextoffset = 44;
    layout.arena_object_bytes = 48;
    layout.arena_address = 0;
    layout.arena_pool_address = 8;
    layout.arena_nfreepools = 16;
    layout.arena_ntotalpools = 20;
    layout.allocator_malloc = 8;
    layout.debug_api_bytes = 48;
    layout.debug_api_malloc = 16;
    layout.gc_bytes = 240;
    layout.gc_enabled = 12;
    layout.gc_generations = 24;
    layout.gc_generations_bytes = 72;
    layout.gc_generation0 = 96;
    layout.gc_permanent = 104;
    layout.gc_stats = 128;
    layout.gc_stats_bytes = 72;
    layout.gc_garbage = 208;
    layout.gc_callbacks = 216;
    layout.gc_stat_bytes = 24;
    layout.gc_stat_collections = 0;
    layout.gc_stat_collected = 8;
    layout.gc_stat_uncollectable = 16;
    layout.pymalloc_function = 1767456;
    layout.malloc_function = 1755248;
    layout.debug_function = 1760368;
    return layout;
}

struct pht_python_layout elf_layout_of_3_11(void)
{
    struct pht_python_layout layout = all_versions();

    layout.usedpools = 4571200;
    layout.usedpools_bytes = 512;
    layout.arenas = 5995104;
    layout.maxarenas = 5995096;
    layout.narenas = 5994552;
    layout.ntimes_arena_allocated = 5994544;
    layout.narenas_highwater = 5994536;
    layout.interp_gc = 648;
    layout.runtime = 5563712;
    layout.object_allocator = 4571744;
    layout.debug_allocators = 4571936;
    return layout;
}

struct pht_python_layout elf_layout_of_short_heads(void)
{
    struct pht_python_layout layout = elf_layout_of_3_11();

    layout.gc_bytes = 264;
    layout.gc_generations_bytes = 96;
    layout.gc_generation0 = 120;
    layout.gc_permanent = 128;
    layout.gc_stats = 160;
    layout.gc_garbage = 240;
    layout.gc_callbacks = 248;
    return layout;
}

struct pht_python_layout elf_layout_of_3_13(void)
{
    struct pht_python_layout layout = all_versions();

    layout.obmalloc_bytes = 263248;
    layout.obmalloc_usedpools = 0;
    layout.obmalloc_usedpools_bytes = 512;
    layout.obmalloc_arenas = 512;
    layout.obmalloc_maxarenas = 520;
    layout.obmalloc_narenas = 1064;
    layout.obmalloc_ntimes_arena_allocated = 1072;
    layout.obmalloc_narenas_highwater = 1080;
    layout.interp_bytes = 194968;
    layout.interp_next = 7264;
    layout.interp_id = 7272;
    layout.interp_gc = 7400;
    layout.interp_obmalloc = 10800;
    layout.interp_obmalloc_bytes = 8;
    layout.runtime_bytes = 283320;
    layout.runtime_interpreters_head = 632;
    layout.runtime_interpreters_main = 640;
    layout.runtime_object_malloc = 792;
    layout.runtime_debug_malloc = 936;
    layout.runtime = 5412032;
    layout.mimalloc_function = 1468384;
    return layout;
}

struct pht_libc_layout elf_layout_of_libc(void)
{
    struct pht_libc_layout layout;

    fill(&pht_libc_layout_table, &layout);
    return layout;
}

const struct pht_layout_field *elf_layout_field(const struct pht_layout_table *table,
                                                const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->fields[i].name, name) == 0)
            return &table->fields[i];
    }
    ck_abort_msg("there is no field %s", name);
}

static bool is_apart(const struct pht_layout_table *table, size_t i, size_t j)
{
    const struct pht_layout_field *fields = table->fields;

    return strcmp(fields[i].subject, fields[j].subject) == 0 &&
           strcmp(fields[i].subject, fields[i - 1].subject) != 0 &&
           pht_layout_is_of_type(&fields[i]);
}

void elf_layout_check_table(const struct pht_layout_table *table, size_t bytes)
{
    ck_assert_uint_eq(table->count * sizeof(uint64_t), bytes);
    for (size_t i = 0; i < table->count; i++) {
        ck_assert_uint_eq(table->fields[i].offset, i * sizeof(uint64_t));
        for (size_t j = 0; j < i; j++) {
            ck_assert_str_ne(table->fields[i].name, table->fields[j].name);
            ck_assert_msg(!is_apart(table, i, j), "%s", table->fields[i].name);
        }
    }
}
