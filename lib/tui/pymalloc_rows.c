#include "tui/pymalloc_rows.h"

#include <inttypes.h>
#include <stdio.h>

#include "tui/bar.h"

static const struct pht_pymalloc *pymalloc_of(const void *data)
{
    const struct pht_view *view = data;

    return view->report->pymalloc;
}

static void draw_share(struct pht_area area, uint64_t part, uint64_t whole)
{
    const struct pht_bar_part bar = {'#', PHT_ROLE_TEXT, part};

    pht_bar_draw(area, 0, 0, area.columns, &bar, part > 0, whole > part ? whole : part);
}

/* ---- size classes ------------------------------------------------------------------------- */

static void draw_class_share(const void *data, size_t row, struct pht_area area)
{
    const struct pht_size_class *class = &pymalloc_of(data)->classes[row];

    draw_share(area, class->live_blocks, class->live_blocks + class->free_blocks);
}

static int64_t growth_of(const struct pht_view *view, uint64_t block_bytes)
{
    const struct pht_growth *growth = pht_change_of_size_class(view->change, block_bytes);

    return growth != NULL ? growth->bytes : 0;
}

static void put_blocks(struct pht_table_cell *cell, const struct pht_size_class *class)
{
    char live[PHT_HUMAN_MAX], all[PHT_HUMAN_MAX];

    snprintf(cell->text, sizeof(cell->text), "%s/%s", pht_human_count(class->live_blocks, live),
             pht_human_count(class->live_blocks + class->free_blocks, all));
}

static void put_class(const struct pht_view *view, const struct pht_size_class *class,
                      int64_t growth, size_t column, struct pht_table_cell *cell)
{
    switch (column) {
    case PHT_CLASS_POOLS:
        pht_cell_count(cell, class->pools);
        break;
    case PHT_CLASS_BLOCKS:
        put_blocks(cell, class);
        break;
    case PHT_CLASS_USE:
        pht_cell_use(cell, class->live_blocks, class->live_blocks + class->free_blocks);
        break;
    case PHT_CLASS_LIVE:
        pht_cell_bytes(cell, view, class->live_bytes);
        break;
    case PHT_CLASS_FREE:
        pht_cell_bytes(cell, view, class->free_bytes);
        break;
    case PHT_CLASS_CHANGE:
        pht_cell_change(cell, view, PHT_FIGURE_SIZE_CLASS, growth);
        break;
    default:
        break;
    }
}

static void class_cell(const void *data, size_t row, size_t column, struct pht_table_cell *cell)
{
    const struct pht_view *view = data;
    const struct pht_size_class *class = &view->report->pymalloc->classes[row];

    if (column == PHT_CLASS_SIZE)
        snprintf(cell->text, sizeof(cell->text), "%" PRIu64, class->block_bytes);
    else if (column == PHT_CLASS_SHARE)
        cell->draw = draw_class_share;
    else
        put_class(view, class, growth_of(view, class->block_bytes), column, cell);
}

static int compare_classes(const void *data, size_t column, size_t a, size_t b)
{
    const struct pht_size_class *left = &pymalloc_of(data)->classes[a];
    const struct pht_size_class *right = &pymalloc_of(data)->classes[b];

    switch (column) {
    case PHT_CLASS_SIZE:
        return pht_compare_numbers(right->block_bytes, left->block_bytes);
    case PHT_CLASS_POOLS:
        return pht_compare_numbers(left->pools, right->pools);
    case PHT_CLASS_BLOCKS:
        return pht_compare_numbers(left->live_blocks, right->live_blocks);
    case PHT_CLASS_USE:
        return pht_compare_numbers(left->live_percent, right->live_percent);
    case PHT_CLASS_LIVE:
        return pht_compare_numbers(left->live_bytes, right->live_bytes);
    case PHT_CLASS_CHANGE:
        return pht_compare_changes(growth_of(data, left->block_bytes),
                                   growth_of(data, right->block_bytes));
    default:
        return pht_compare_numbers(left->free_bytes, right->free_bytes);
    }
}

static uint64_t class_key(const void *data, size_t row)
{
    return pymalloc_of(data)->classes[row].block_bytes;
}

static void add_class(struct pht_size_class *sum, const struct pht_size_class *class)
{
    sum->pools += class->pools;
    sum->live_blocks += class->live_blocks;
    sum->free_blocks += class->free_blocks;
    sum->live_bytes += class->live_bytes;
    sum->free_bytes += class->free_bytes;
}

static void hidden_classes(const void *data, const size_t *rows, size_t count, size_t column,
                           struct pht_table_cell *cell)
{
    const struct pht_view *view = data;
    struct pht_size_class sum = {0};
    int64_t growth = 0;

    for (size_t i = 0; i < count; i++) {
        const struct pht_size_class *class = &view->report->pymalloc->classes[rows[i]];
        add_class(&sum, class);
        growth += growth_of(view, class->block_bytes);
    }
    if (column == PHT_CLASS_SIZE)
        snprintf(cell->text, sizeof(cell->text), "+%zu", count);
    else if (column == PHT_CLASS_SHARE)
        snprintf(cell->text, sizeof(cell->text), "%zu more size%s", count, pht_human_plural(count));
    else
        put_class(view, &sum, growth, column, cell);
}

void pht_class_total(const void *data, size_t row, size_t column, struct pht_table_cell *cell)
{
    const struct pht_view *view = data;
    const struct pht_pymalloc *pymalloc = view->report->pymalloc;
    struct pht_size_class sum = {0};
    int64_t growth = 0;

    (void)row;
    for (size_t i = 0; i < pymalloc->class_count; i++) {
        add_class(&sum, &pymalloc->classes[i]);
        growth += growth_of(view, pymalloc->classes[i].block_bytes);
    }
    cell->role = PHT_ROLE_TITLE;
    if (column == PHT_CLASS_SIZE)
        pht_cell_text(cell, "all");
    else
        put_class(view, &sum, growth, column, cell);
}

struct pht_table_source pht_class_source(const struct pht_view *view)
{
    return (struct pht_table_source){.data = view,
                                     .rows = view->report->pymalloc->class_count,
                                     .cell = class_cell,
                                     .compare = compare_classes,
                                     .key = class_key,
                                     .rest = hidden_classes};
}

/* ---- arenas ------------------------------------------------------------------------------- */

/* What is resident beside live blocks, for each of them: so much goes back when they are freed. */
static uint64_t kept_each(const struct pht_arena *arena)
{
    uint64_t kept =
        arena->resident_bytes > arena->live_bytes ? arena->resident_bytes - arena->live_bytes : 0;

    return arena->live_blocks > 0 ? kept / arena->live_blocks : kept;
}

const char *pht_arena_name(const struct pht_view *view, size_t arena,
                           char text[static PHT_ARENA_NAME_MAX])
{
    if (view->show_addresses)
        snprintf(text, PHT_ARENA_NAME_MAX, "%" PRIx64,
                 view->report->pymalloc->arenas[arena].address);
    else
        snprintf(text, PHT_ARENA_NAME_MAX, "arena %zu", arena + 1);
    return text;
}

static void draw_arena_share(const void *data, size_t row, struct pht_area area)
{
    draw_share(area, pymalloc_of(data)->arenas[row].live_bytes, pymalloc_of(data)->arena_bytes);
}

static void put_arena(const struct pht_view *view, const struct pht_arena *arena, uint64_t arenas,
                      size_t column, struct pht_table_cell *cell)
{
    switch (column) {
    case PHT_ARENA_POOLS:
        pht_cell_count(cell, arena->pools_used);
        break;
    case PHT_ARENA_FREE_POOLS:
        pht_cell_count(cell, arena->pools_free);
        break;
    case PHT_ARENA_BLOCKS:
        pht_cell_count(cell, arena->live_blocks);
        break;
    case PHT_ARENA_LIVE:
        pht_cell_bytes(cell, view, arena->live_bytes);
        break;
    case PHT_ARENA_RSS:
        pht_cell_bytes(cell, view, arena->resident_bytes);
        break;
    case PHT_ARENA_KEPT:
        pht_cell_bytes(cell, view, kept_each(arena));
        break;
    case PHT_ARENA_USE:
        pht_cell_use(cell, arena->live_bytes, arenas * view->report->pymalloc->arena_bytes);
        break;
    default:
        break;
    }
}

static void arena_cell(const void *data, size_t row, size_t column, struct pht_table_cell *cell)
{
    char name[PHT_ARENA_NAME_MAX];

    if (column == PHT_ARENA_NAME)
        pht_cell_text(cell, pht_arena_name(data, row, name));
    else if (column == PHT_ARENA_SHARE)
        cell->draw = draw_arena_share;
    else
        put_arena(data, &pymalloc_of(data)->arenas[row], 1, column, cell);
}

static int compare_arenas(const void *data, size_t column, size_t a, size_t b)
{
    const struct pht_arena *left = &pymalloc_of(data)->arenas[a];
    const struct pht_arena *right = &pymalloc_of(data)->arenas[b];

    switch (column) {
    case PHT_ARENA_NAME:
        return pht_compare_numbers(right->address, left->address);
    case PHT_ARENA_POOLS:
        return pht_compare_numbers(left->pools_used, right->pools_used);
    case PHT_ARENA_FREE_POOLS:
        return pht_compare_numbers(left->pools_free, right->pools_free);
    case PHT_ARENA_BLOCKS:
        return pht_compare_numbers(left->live_blocks, right->live_blocks);
    case PHT_ARENA_LIVE:
    case PHT_ARENA_USE:
        return pht_compare_numbers(left->live_bytes, right->live_bytes);
    case PHT_ARENA_RSS:
        return pht_compare_numbers(left->resident_bytes, right->resident_bytes);
    default:
        return pht_compare_numbers(kept_each(left), kept_each(right));
    }
}

static uint64_t arena_key(const void *data, size_t row)
{
    return pymalloc_of(data)->arenas[row].address;
}

static void add_arena(struct pht_arena *sum, const struct pht_arena *arena)
{
    sum->pools_used += arena->pools_used;
    sum->pools_free += arena->pools_free;
    sum->live_blocks += arena->live_blocks;
    sum->live_bytes += arena->live_bytes;
    sum->resident_bytes += arena->resident_bytes;
}

static void hidden_arenas(const void *data, const size_t *rows, size_t count, size_t column,
                          struct pht_table_cell *cell)
{
    struct pht_arena sum = {0};

    for (size_t i = 0; i < count; i++)
        add_arena(&sum, &pymalloc_of(data)->arenas[rows[i]]);
    if (column == PHT_ARENA_NAME)
        snprintf(cell->text, sizeof(cell->text), "%zu more", count);
    else
        put_arena(data, &sum, count, column, cell);
}

void pht_arena_total(const void *data, size_t row, size_t column, struct pht_table_cell *cell)
{
    const struct pht_pymalloc *pymalloc = pymalloc_of(data);
    struct pht_arena sum = {0};

    (void)row;
    for (uint64_t i = 0; i < pymalloc->totals.arenas; i++)
        add_arena(&sum, &pymalloc->arenas[i]);
    cell->role = PHT_ROLE_TITLE;
    if (column == PHT_ARENA_NAME)
        pht_cell_text(cell, "all");
    else
        put_arena(data, &sum, pymalloc->totals.arenas, column, cell);
}

struct pht_table_source pht_arena_source(const struct pht_view *view)
{
    return (struct pht_table_source){.data = view,
                                     .rows = (size_t)view->report->pymalloc->totals.arenas,
                                     .cell = arena_cell,
                                     .compare = compare_arenas,
                                     .key = arena_key,
                                     .rest = hidden_arenas};
}
