#include "layout/python_layout.h"

#include <string.h>

#include "layout/order.h"
#include "layout/resolve.h"

/*
 * Pool headers, arena objects and the heads of chunks of frames are copied, and members are taken
 * out of the copy: they must lie inside it.
 */
static bool has_room(const struct pht_python_layout *layout)
{
    const struct pht_layout_room members[] = {
        {layout->pool_count, 4, layout->pool_header_bytes},
        {layout->pool_freeblock, 8, layout->pool_header_bytes},
        {layout->pool_arenaindex, 4, layout->pool_header_bytes},
        {layout->pool_szidx, 4, layout->pool_header_bytes},
        {layout->pool_nextoffset, 4, layout->pool_header_bytes},
        {layout->pool_maxnextoffset, 4, layout->pool_header_bytes},
        {layout->arena_address, 8, layout->arena_object_bytes},
        {layout->arena_pool_address, 8, layout->arena_object_bytes},
        {layout->arena_nfreepools, 4, layout->arena_object_bytes},
        {layout->arena_ntotalpools, 4, layout->arena_object_bytes},
        {layout->frames_previous, 8, layout->frames_bytes},
        {layout->frames_size, 8, layout->frames_bytes},
        {layout->frames_top, 8, layout->frames_bytes},
    };

    return layout->pool_header_bytes <= PHT_COPIED_STRUCT_MAX &&
           layout->arena_object_bytes <= PHT_COPIED_STRUCT_MAX &&
           pht_layout_has_room(members, sizeof(members) / sizeof(members[0]));
}

static bool has_required(const void *untyped)
{
    const struct pht_python_layout *layout = untyped;
    const uint64_t *const common[] = {
        &layout->pool_header_bytes,  &layout->pool_count,         &layout->pool_freeblock,
        &layout->pool_arenaindex,    &layout->pool_szidx,         &layout->pool_nextoffset,
        &layout->pool_maxnextoffset, &layout->arena_object_bytes, &layout->arena_address,
        &layout->arena_pool_address, &layout->arena_nfreepools,   &layout->arena_ntotalpools,
    };
    const uint64_t *const statics[] = {
        &layout->usedpools,
        &layout->usedpools_bytes,
        &layout->arenas,
        &layout->maxarenas,
    };
    const uint64_t *const states[] = {
        &layout->obmalloc_bytes,
        &layout->obmalloc_usedpools,
        &layout->obmalloc_usedpools_bytes,
        &layout->obmalloc_arenas,
        &layout->obmalloc_maxarenas,
        &layout->interp_bytes,
        &layout->interp_next,
        &layout->interp_obmalloc,
        &layout->interp_obmalloc_bytes,
        &layout->runtime_bytes,
        &layout->runtime_interpreters_head,
        &layout->runtime,
    };

    if (!has_room(layout) || !pht_layout_all_known(common, sizeof(common) / sizeof(common[0])))
        return false;
    if (layout->obmalloc_bytes == PHT_UNKNOWN)
        return pht_layout_all_known(statics, sizeof(statics) / sizeof(statics[0]));
    return pht_layout_all_known(states, sizeof(states) / sizeof(states[0]));
}

#define PHT_FIELDS_OF struct pht_python_layout

static const struct pht_layout_field fields[] = {
    PHT_PYTHON_LAYOUT(PHT_SIZE_LINE, PHT_MEMBER_LINE, PHT_EXTENT_LINE, PHT_ADDRESS_LINE,
                      PHT_LENGTH_LINE, PHT_STATIC_LINE, PHT_EXPANSE_LINE)};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))
_Static_assert(FIELDS <= PHT_LAYOUT_FIELDS_MAX, "more values than the resolver has room for");

/*
 * The unit that defines pymalloc includes every header whose structs a walk of it needs; up to
 * 3.11 threads and interpreters are incomplete types there. The largest struct is the interpreter
 * state of 3.12 with its inline allocator state: 383,552 bytes.
 */
const struct pht_layout_table pht_python_layout_table = {
    .fields = fields,
    .count = FIELDS,
    .unit = "obmalloc.c",
    .more = "pystate.c",
    .exported = "_PyRuntime",
    .struct_bytes_max = (uint64_t)4 << 20,
    .has_required = has_required,
    .is_as_declared = pht_python_layout_is_as_declared,
};

void pht_python_layout_clear(struct pht_python_layout *layout)
{
    pht_layout_clear(&pht_python_layout_table, layout);
}

struct pht_error *pht_python_layout_resolve(struct pht_target *target, struct pht_elf_image *image,
                                            struct pht_python *python)
{
    struct pht_error *error = pht_layout_resolve(target, image, &pht_python_layout_table,
                                                 &python->layout, &python->symbol_source);

    if (error == NULL) {
        python->layout_source = PHT_LAYOUT_DWARF;
        return NULL;
    }
    if (error->code != PHT_ERROR_NO_LAYOUT || strncmp(image->path, "/usr/", 5) != 0 ||
        python->version.major == 0)
        return error;
    return pht_error_try(error, "apt install python%u.%u-dbg    (Debian, Ubuntu)",
                         python->version.major, python->version.minor);
}
