#include "layout/libc_layout.h"

#include <string.h>

#include "layout/order.h"
#include "layout/resolve.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Walkers take members out of copies of these structs. */
static bool has_room(const struct pht_libc_layout *layout)
{
    const struct pht_layout_room members[] = {
        {layout->state_flags, 4, layout->state_bytes},
        {layout->state_fastbins, layout->state_fastbins_bytes, layout->state_bytes},
        {layout->state_top, 8, layout->state_bytes},
        {layout->state_bins, layout->state_bins_bytes, layout->state_bytes},
        {layout->state_next, 8, layout->state_bytes},
        {layout->state_system_mem, 8, layout->state_bytes},
        {layout->state_max_system_mem, 8, layout->state_bytes},
        {layout->heap_arena, 8, layout->heap_bytes},
        {layout->heap_prev, 8, layout->heap_bytes},
        {layout->heap_size, 8, layout->heap_bytes},
        {layout->params_trim_threshold, 8, layout->params_bytes},
        {layout->params_top_pad, 8, layout->params_bytes},
        {layout->params_mmap_threshold, 8, layout->params_bytes},
        {layout->params_arena_max, 8, layout->params_bytes},
        {layout->params_thp_pagesize, 8, layout->params_bytes},
        {layout->params_hp_pagesize, 8, layout->params_bytes},
        {layout->params_n_mmaps, 4, layout->params_bytes},
        {layout->params_max_n_mmaps, 4, layout->params_bytes},
        {layout->params_no_dyn_threshold, 4, layout->params_bytes},
        {layout->params_mmapped_mem, 8, layout->params_bytes},
        {layout->params_max_mmapped_mem, 8, layout->params_bytes},
        {layout->params_sbrk_base, 8, layout->params_bytes},
        {layout->params_tcache_max_bytes, 8, layout->params_bytes},
        {layout->params_tcache_count, 8, layout->params_bytes},
        {layout->tcache_counts, layout->tcache_counts_bytes, layout->tcache_bytes},
        {layout->tcache_slots, layout->tcache_slots_bytes, layout->tcache_bytes},
        {layout->tcache_entries, layout->tcache_entries_bytes, layout->tcache_bytes},
    };

    return pht_layout_has_room(members, COUNT(members));
}

/* Whoever has one of these has all of it; threads' caches came with 2.26. */
static bool has_tcache(const struct pht_libc_layout *layout)
{
    const uint64_t *const values[] = {&layout->tcache_entries, &layout->tcache_entries_bytes,
                                      &layout->params_tcache_count};

    return layout->tcache_bytes == PHT_UNKNOWN || pht_layout_all_known(values, COUNT(values));
}

static bool has_required(const void *untyped)
{
    const struct pht_libc_layout *layout = untyped;
    const uint64_t *const values[] = {
        &layout->state_bytes,      &layout->state_flags,
        &layout->state_top,        &layout->state_bins,
        &layout->state_bins_bytes, &layout->state_next,
        &layout->state_system_mem, &layout->state_max_system_mem,
        &layout->heap_bytes,       &layout->heap_arena,
        &layout->heap_prev,        &layout->heap_size,
        &layout->params_bytes,     &layout->params_trim_threshold,
        &layout->params_top_pad,   &layout->params_mmap_threshold,
        &layout->params_n_mmaps,   &layout->params_mmapped_mem,
        &layout->params_sbrk_base, &layout->main_arena,
        &layout->params,
    };

    return pht_layout_all_known(values, COUNT(values)) && has_tcache(layout) && has_room(layout);
}

#define PHT_FIELDS_OF struct pht_libc_layout

static const struct pht_layout_field fields[] = {PHT_LIBC_LAYOUT(PHT_SIZE_LINE, PHT_MEMBER_LINE,
                                                                 PHT_EXTENT_LINE, PHT_ADDRESS_LINE,
                                                                 PHT_LENGTH_LINE, PHT_TLS_LINE)};

_Static_assert(COUNT(fields) <= PHT_LAYOUT_FIELDS_MAX,
               "more values than the resolver has room for");

/* malloc.c includes arena.c. The largest struct, malloc_state, has 2,200 bytes at the most. */
const struct pht_layout_table pht_libc_layout_table = {
    .fields = fields,
    .count = COUNT(fields),
    .unit = "malloc.c",
    .struct_bytes_max = (uint64_t)64 << 10,
    .has_required = has_required,
    .is_as_declared = pht_libc_layout_is_as_declared,
};

void pht_libc_layout_clear(struct pht_libc_layout *layout)
{
    pht_layout_clear(&pht_libc_layout_table, layout);
}

static bool is_of_system(const char *path)
{
    return strncmp(path, "/usr/", 5) == 0 || strncmp(path, "/lib/", 5) == 0 ||
           strncmp(path, "/lib64/", 7) == 0;
}

struct pht_error *pht_libc_layout_resolve(struct pht_target *target, struct pht_elf_image *image,
                                          struct pht_libc *libc)
{
    struct pht_error *error = pht_layout_resolve(target, image, &pht_libc_layout_table,
                                                 &libc->layout, &libc->symbol_source);

    if (error == NULL)
        libc->layout_source = PHT_LAYOUT_DWARF;
    else if (error->code == PHT_ERROR_NO_LAYOUT && is_of_system(image->path))
        error = pht_error_try(error, "apt install libc6-dbg    (Debian, Ubuntu)");
    return error;
}
