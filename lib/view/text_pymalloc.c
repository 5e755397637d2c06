#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "view/text_line.h"
#include "view/text_parts.h"

#define CLASS_ROWS 4

static int by_free_bytes(const void *a, const void *b)
{
    const struct pht_size_class *left = a, *right = b;

    if (left->free_bytes != right->free_bytes)
        return left->free_bytes < right->free_bytes ? 1 : -1;
    return left->block_bytes < right->block_bytes ? -1 : 1;
}

static void write_class(const struct pht_size_class *class, FILE *file)
{
    fprintf(file, "%6" PRIu64 " %8s %17s %4u%% %8s %8s\n", class->block_bytes, COUNT(class->pools),
            COUNT(class->live_blocks), class->live_percent, BYTES(class->live_bytes),
            BYTES(class->free_bytes));
}

/* In full by size; else the ones with the most free memory, which is what is looked for. */
static void write_classes(const struct pht_pymalloc *pymalloc, bool full, FILE *file)
{
    struct pht_size_class rows[PHT_SIZE_CLASSES_MAX];
    size_t count = pymalloc->class_count;
    size_t shown = full || count <= CLASS_ROWS ? count : CLASS_ROWS;

    memcpy(rows, pymalloc->classes, count * sizeof(rows[0]));
    if (!full)
        qsort(rows, count, sizeof(rows[0]), by_free_bytes);
    fprintf(file, "  size    pools     blocks in use   use     live     free\n");
    for (size_t i = 0; i < shown; i++)
        write_class(&rows[i], file);
    if (shown < count)
        fprintf(file, "  ... %zu more size classes: --section pymalloc\n", count - shown);
}

/* What is nothing is left out, but for the first and the last line. */
static void write_figures(const struct pht_pymalloc_totals *totals, FILE *file)
{
    const struct pht_text_row rows[] = {
        {totals->free_bytes, "free blocks in used pools"},
        {totals->unused_pool_bytes, "free pools"},
        {totals->pool_header_bytes, "pool headers"},
        {totals->quantization_bytes, "lost to quantization"},
        {totals->arena_alignment_bytes, "lost to arena alignment"},
        {totals->unknown_pool_bytes, "pools that could not be read"},
    };

    fprintf(file, "    bytes  what\n");
    pht_text_write_row(totals->live_bytes, "blocks in use", file);
    pht_text_write_rows(rows, sizeof(rows) / sizeof(rows[0]), file);
    pht_text_write_row(totals->total_bytes, "arenas, all of it", file);
}

static void write_states(const struct pht_pymalloc *pymalloc, FILE *file)
{
    if (pymalloc->state_count < 2)
        return;
    fprintf(file, "  interpreter  arenas     live     free   unused\n");
    for (size_t i = 0; i < pymalloc->state_count; i++) {
        const struct pht_pymalloc_state *state = &pymalloc->states[i];
        fprintf(file, "%13" PRId64 " %7s %8s %8s %8s%s\n", state->interpreter,
                COUNT(state->totals.arenas), BYTES(state->totals.live_bytes),
                BYTES(state->totals.free_bytes), BYTES(state->totals.unused_pool_bytes),
                state->interpreters > 1 ? "  and others" : "");
    }
}

static void write_arenas(const struct pht_pymalloc *pymalloc, FILE *file)
{
    fprintf(file, "  arena             used pools  free pools     live  resident\n");
    for (size_t i = 0; i < pymalloc->totals.arenas; i++) {
        const struct pht_arena *arena = &pymalloc->arenas[i];
        fprintf(file, "  0x%-14" PRIx64 " %11" PRIu64 " %11" PRIu64 " %8s %9s\n", arena->address,
                arena->pools_used, arena->pools_free, BYTES(arena->live_bytes),
                BYTES(arena->resident_bytes));
    }
}

void pht_text_write_pymalloc(const struct pht_pymalloc *pymalloc, bool full, FILE *file)
{
    const struct pht_pymalloc_totals *totals = &pymalloc->totals;

    fprintf(file, "\nPymalloc  %s arena%s  %s pools used  %s free\n", COUNT(totals->arenas),
            PLURAL(totals->arenas), COUNT(totals->pools_used), COUNT(totals->pools_free));
    if (totals->arenas == 0)
        return;
    write_figures(totals, file);
    write_states(pymalloc, file);
    write_classes(pymalloc, full, file);
    if (pymalloc->sparse_arenas > 0)
        fprintf(file, "  %s arena%s under 10%% used: %s in use keeps %s from release\n",
                COUNT(pymalloc->sparse_arenas), pymalloc->sparse_arenas == 1 ? " is" : "s are",
                BYTES(pymalloc->sparse_live_bytes), BYTES(pymalloc->sparse_held_bytes));
    if (full)
        write_arenas(pymalloc, file);
}
