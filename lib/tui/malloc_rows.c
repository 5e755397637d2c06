#include "tui/malloc_rows.h"

#include <inttypes.h>
#include <stdio.h>

#include "tui/bar.h"

/* ---- arenas ------------------------------------------------------------------------------- */

static const struct pht_glibc *glibc_of(const void *data)
{
    const struct pht_view *view = data;

    return view->report->glibc;
}

/* What waits in a tcache is free here; malloc_stats(3) counts it as in use. */
static uint64_t free_of(const struct pht_glibc_arena *arena)
{
    return arena->free_bytes + arena->tcache_bytes;
}

const char *pht_malloc_arena_name(const struct pht_view *view, size_t arena,
                                  char text[static PHT_MALLOC_ARENA_NAME_MAX])
{
    const struct pht_glibc_arena *row = &view->report->glibc->arenas[arena];

    if (row->is_main)
        snprintf(text, PHT_MALLOC_ARENA_NAME_MAX, "main");
    else if (view->show_addresses)
        snprintf(text, PHT_MALLOC_ARENA_NAME_MAX, "%" PRIx64, row->address);
    else
        snprintf(text, PHT_MALLOC_ARENA_NAME_MAX, "arena %zu", arena);
    return text;
}

/* "48221 +1": one of its threads, and how many more there are. */
static void put_threads(struct pht_table_cell *cell, const struct pht_glibc *glibc,
                        const struct pht_glibc_arena *arena)
{
    pid_t first = 0;
    uint64_t others = 0;

    if (arena->threads == PHT_UNKNOWN) {
        pht_cell_text(cell, "-");
        return;
    }
    for (size_t i = 0; i < glibc->thread_count; i++) {
        if (glibc->threads[i].arena != arena->address)
            continue;
        others += first != 0;
        if (first == 0 || glibc->threads[i].tid < first)
            first = glibc->threads[i].tid;
    }
    if (first == 0)
        pht_cell_text(cell, "none");
    else if (others == 0)
        snprintf(cell->text, sizeof(cell->text), "%d", first);
    else
        snprintf(cell->text, sizeof(cell->text), "%d +%" PRIu64, first, others);
}

static void draw_arena_bar(const void *data, size_t row, struct pht_area area)
{
    const struct pht_glibc_arena *arena = &glibc_of(data)->arenas[row];
    uint64_t rest = arena->overhead_bytes + arena->foreign_bytes + arena->unknown_bytes;
    const struct pht_bar_part parts[] = {
        {'#', PHT_ROLE_TEXT, arena->live_bytes},
        {'f', pht_role_of(PHT_CATEGORY_MALLOC_FREE), free_of(arena)},
        {'t', pht_role_of(PHT_CATEGORY_MALLOC_TOP), arena->top_bytes},
        {'o', PHT_ROLE_DIM, rest},
    };

    if (arena->system_bytes > 0)
        pht_bar_draw(area, 0, 0, area.columns, parts, sizeof(parts) / sizeof(parts[0]), 0);
}

static void put_arena(const struct pht_view *view, const struct pht_glibc_arena *arena,
                      size_t column, struct pht_table_cell *cell)
{
    switch (column) {
    case PHT_MALLOC_ARENA_HEAPS:
        pht_cell_count(cell, arena->heaps);
        break;
    case PHT_MALLOC_ARENA_SYSTEM:
        pht_cell_bytes(cell, view, arena->system_bytes);
        break;
    case PHT_MALLOC_ARENA_RSS:
        pht_cell_bytes(cell, view, arena->resident_bytes);
        break;
    case PHT_MALLOC_ARENA_LIVE:
        pht_cell_bytes(cell, view, arena->live_bytes);
        break;
    case PHT_MALLOC_ARENA_FREE:
        pht_cell_bytes(cell, view, free_of(arena));
        break;
    case PHT_MALLOC_ARENA_TOP:
        pht_cell_bytes(cell, view, arena->top_bytes);
        break;
    case PHT_MALLOC_ARENA_TRIM:
        pht_cell_bytes(cell, view, arena->trimmable_bytes);
        break;
    case PHT_MALLOC_ARENA_FREE_SHARE:
        pht_cell_use(cell, free_of(arena) + arena->top_bytes, arena->system_bytes);
        break;
    default:
        break;
    }
}

static void arena_cell(const void *data, size_t row, size_t column, struct pht_table_cell *cell)
{
    const struct pht_glibc *glibc = glibc_of(data);
    char name[PHT_MALLOC_ARENA_NAME_MAX];

    if (column == PHT_MALLOC_ARENA_NAME)
        pht_cell_text(cell, pht_malloc_arena_name(data, row, name));
    else if (column == PHT_MALLOC_ARENA_THREADS)
        put_threads(cell, glibc, &glibc->arenas[row]);
    else if (column == PHT_MALLOC_ARENA_BAR)
        cell->draw = draw_arena_bar;
    else
        put_arena(data, &glibc->arenas[row], column, cell);
}

static uint64_t number_of(const struct pht_glibc_arena *arena, size_t column)
{
    switch (column) {
    case PHT_MALLOC_ARENA_HEAPS:
        return arena->heaps;
    case PHT_MALLOC_ARENA_SYSTEM:
        return arena->system_bytes;
    case PHT_MALLOC_ARENA_RSS:
        return arena->resident_bytes;
    case PHT_MALLOC_ARENA_LIVE:
        return arena->live_bytes;
    case PHT_MALLOC_ARENA_TOP:
        return arena->top_bytes;
    case PHT_MALLOC_ARENA_TRIM:
        return arena->trimmable_bytes;
    default:
        return free_of(arena);
    }
}

static int compare_shares(const struct pht_glibc_arena *left, const struct pht_glibc_arena *right)
{
    unsigned __int128 a =
        (unsigned __int128)(free_of(left) + left->top_bytes) * right->system_bytes;
    unsigned __int128 b =
        (unsigned __int128)(free_of(right) + right->top_bytes) * left->system_bytes;

    return a > b ? -1 : a < b;
}

static int compare_arenas(const void *data, size_t column, size_t a, size_t b)
{
    const struct pht_glibc_arena *arenas = glibc_of(data)->arenas;

    if (column == PHT_MALLOC_ARENA_NAME)
        return a < b ? -1 : a > b;
    if (column == PHT_MALLOC_ARENA_FREE_SHARE)
        return compare_shares(&arenas[a], &arenas[b]);
    return pht_compare_numbers(number_of(&arenas[a], column), number_of(&arenas[b], column));
}

static uint64_t arena_key(const void *data, size_t row)
{
    return glibc_of(data)->arenas[row].address;
}

static void hidden_arenas(const void *data, const size_t *rows, size_t count, size_t column,
                          struct pht_table_cell *cell)
{
    struct pht_glibc_arena sum = {0};

    for (size_t i = 0; i < count; i++) {
        const struct pht_glibc_arena *arena = &glibc_of(data)->arenas[rows[i]];
        sum.heaps += arena->heaps;
        sum.system_bytes += arena->system_bytes;
        sum.resident_bytes += arena->resident_bytes;
        sum.live_bytes += arena->live_bytes;
        sum.free_bytes += arena->free_bytes;
        sum.tcache_bytes += arena->tcache_bytes;
        sum.top_bytes += arena->top_bytes;
        sum.trimmable_bytes += arena->trimmable_bytes;
    }
    if (column == PHT_MALLOC_ARENA_NAME)
        snprintf(cell->text, sizeof(cell->text), "%zu more", count);
    else
        put_arena(data, &sum, column, cell);
}

void pht_malloc_arena_total(const void *data, size_t row, size_t column,
                            struct pht_table_cell *cell)
{
    (void)row;
    cell->role = PHT_ROLE_TITLE;
    if (column == PHT_MALLOC_ARENA_NAME)
        pht_cell_text(cell, "all");
    else
        put_arena(data, &glibc_of(data)->totals, column, cell);
}

struct pht_table_source pht_malloc_arena_source(const struct pht_view *view)
{
    return (struct pht_table_source){.data = view,
                                     .rows = view->report->glibc->arena_count,
                                     .cell = arena_cell,
                                     .compare = compare_arenas,
                                     .key = arena_key,
                                     .rest = hidden_arenas};
}

/* ---- free chunks -------------------------------------------------------------------------- */

static const char *name_of(enum pht_free_kind kind, bool is_partly_sorted)
{
    static const char *const names[] = {
        [PHT_FREE_TCACHE] = "tcaches",         [PHT_FREE_FAST] = "fastbins",
        [PHT_FREE_UNSORTED] = "unsorted",      [PHT_FREE_SMALL] = "small (<= 1008B)",
        [PHT_FREE_LARGE] = "large (>= 1.00K)", [PHT_FREE_TOP] = "top",
    };

    return kind == PHT_FREE_UNSORTED && is_partly_sorted ? "unsorted, at least" : names[kind];
}

static void put_sum(const struct pht_view *view, const struct pht_free_sum *sum, size_t column,
                    struct pht_table_cell *cell)
{
    switch (column) {
    case PHT_FREE_CHUNKS:
        pht_cell_count(cell, sum->chunks);
        break;
    case PHT_FREE_BYTES:
        pht_cell_bytes(cell, view, sum->bytes);
        break;
    case PHT_FREE_LARGEST:
        pht_cell_bytes(cell, view, sum->largest_bytes);
        break;
    case PHT_FREE_PAGES:
        pht_cell_bytes(cell, view, sum->page_bytes);
        break;
    default:
        break;
    }
}

static void free_cell(const void *data, size_t row, size_t column, struct pht_table_cell *cell)
{
    const struct pht_free_rows *rows = data;

    if (column == PHT_FREE_NAME)
        pht_cell_text(cell, name_of((enum pht_free_kind)row, rows->arena->is_partly_sorted));
    else
        put_sum(rows->view, &rows->arena->kinds[row], column, cell);
}

void pht_free_total(const void *data, size_t row, size_t column, struct pht_table_cell *cell)
{
    const struct pht_free_rows *rows = data;
    struct pht_free_sum sum = {0};

    (void)row;
    for (int kind = 0; kind < PHT_FREE_KINDS; kind++) {
        const struct pht_free_sum *part = &rows->arena->kinds[kind];
        sum.chunks += part->chunks;
        sum.bytes += part->bytes;
        sum.page_bytes += part->page_bytes;
        if (part->largest_bytes > sum.largest_bytes)
            sum.largest_bytes = part->largest_bytes;
    }
    cell->role = PHT_ROLE_TITLE;
    if (column == PHT_FREE_NAME)
        pht_cell_text(cell, "all of it");
    else
        put_sum(rows->view, &sum, column, cell);
}

struct pht_table_source pht_free_source(const struct pht_free_rows *rows)
{
    return (struct pht_table_source){.data = rows, .rows = PHT_FREE_KINDS, .cell = free_cell};
}
