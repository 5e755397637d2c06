/* Arenas, chunks and tunables of glibc's malloc. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "view/text_line.h"
#include "view/text_parts.h"

#define ARENA_ROWS 4
#define SIZE_ROWS 4

#define LABEL_MAX 32
#define LABEL(glibc, index) arena_label(glibc, index, (char[LABEL_MAX]){0})

/* "main", "arena 1" and so on, as the ring of arenas goes from the main one. */
static const char *arena_label(const struct pht_glibc *glibc, size_t index,
                               char text[static LABEL_MAX])
{
    if (glibc->arenas[index].is_main)
        return "main";
    snprintf(text, LABEL_MAX, "arena %zu", index);
    return text;
}

/* "-" for a thread that has none yet, and for an arena that was left out. */
static const char *label_of_address(const struct pht_glibc *glibc, pht_addr address,
                                    char text[static LABEL_MAX])
{
    for (size_t i = 0; i < glibc->arena_count; i++) {
        if (glibc->arenas[i].address == address)
            return arena_label(glibc, i, text);
    }
    return "-";
}

/* ---- arenas ------------------------------------------------------------------------------- */

static void write_arena(const char *label, const struct pht_glibc_arena *arena, FILE *file)
{
    fprintf(file, "  %-10s %5s %7s %7s %7s %7s %7s %7s %10s\n", label, COUNT(arena->heaps),
            COUNT_OR_DASH(arena->threads), BYTES(arena->resident_bytes), BYTES(arena->live_bytes),
            BYTES(arena->free_bytes), BYTES(arena->tcache_bytes), BYTES(arena->top_bytes),
            BYTES(arena->trimmable_bytes));
}

static int by_resident(const void *a, const void *b, void *context)
{
    const struct pht_glibc_arena *arenas = context;
    size_t left = *(const size_t *)a, right = *(const size_t *)b;

    if (arenas[left].resident_bytes != arenas[right].resident_bytes)
        return arenas[left].resident_bytes < arenas[right].resident_bytes ? 1 : -1;
    return left < right ? -1 : 1;
}

/* In full as the ring goes; else the main arena, and the largest of the others. */
static void write_arenas(const struct pht_glibc *glibc, bool full, FILE *file)
{
    size_t count = glibc->arena_count;
    size_t shown = full || count <= ARENA_ROWS ? count : ARENA_ROWS;
    _cleanup_free_ size_t *order = calloc(count + 1, sizeof(*order));

    if (order == NULL)
        return;
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    if (shown < count)
        qsort_r(order + 1, count - 1, sizeof(*order), by_resident, glibc->arenas);
    fprintf(file,
            "  arena      heaps threads     RSS    live    free  tcache     top  trimmable\n");
    for (size_t i = 0; i < shown; i++)
        write_arena(LABEL(glibc, order[i]), &glibc->arenas[order[i]], file);
    if (shown < count)
        fprintf(file, "  ... %zu more arena%s: --section glibc\n", count - shown,
                PLURAL(count - shown));
    if (count > 1)
        write_arena("all arenas", &glibc->totals, file);
}

static void write_arena_details(const struct pht_glibc *glibc, FILE *file)
{
    fprintf(file, "  arena      address            system    peak overhead foreign unknown\n");
    for (size_t i = 0; i < glibc->arena_count; i++) {
        const struct pht_glibc_arena *arena = &glibc->arenas[i];
        fprintf(file, "  %-10s 0x%-14" PRIx64 " %7s %7s %8s %7s %7s\n", LABEL(glibc, i),
                arena->address, BYTES(arena->system_bytes), BYTES(arena->peak_system_bytes),
                BYTES(arena->overhead_bytes), BYTES(arena->foreign_bytes),
                BYTES(arena->unknown_bytes));
    }
}

/* What is nothing is left out, but for the first and the last line. */
static void write_figures(const struct pht_glibc_arena *totals, FILE *file)
{
    const struct pht_text_row rows[] = {
        {totals->free_bytes, "free chunks in bins"},
        {totals->tcache_bytes, "free chunks in tcaches"},
        {totals->top_bytes, "top chunks"},
        {totals->overhead_bytes, "headers of arenas and heaps"},
        {totals->foreign_bytes, "taken from brk by others"},
        {totals->unknown_bytes, "could not be read"},
    };

    fprintf(file, "    bytes  what\n");
    pht_text_write_row(totals->live_bytes, "chunks in use", file);
    pht_text_write_rows(rows, sizeof(rows) / sizeof(rows[0]), file);
    pht_text_write_row(totals->system_bytes, "arenas, all of it", file);
}

/* What a flush would add is told only where it shows. */
static void write_trimmable(const struct pht_glibc_arena *totals, FILE *file)
{
    const char *now = BYTES(totals->trimmable_bytes);
    const char *flushed = BYTES(totals->trimmable_flushed_bytes);

    fprintf(file, "  malloc_trim(0) would give back %s now",
            totals->trimmable_bytes > 0 ? now : "nothing");
    if (strcmp(now, flushed) != 0)
        fprintf(file, ", %s if the tcaches were empty", flushed);
    fprintf(file, "\n");
}

/* ---- chunks ------------------------------------------------------------------------------- */

static int by_free_bytes(const void *a, const void *b)
{
    const struct pht_chunk_size *left = a, *right = b;

    if (left->free_bytes != right->free_bytes)
        return left->free_bytes < right->free_bytes ? 1 : -1;
    return left->min_bytes < right->min_bytes ? -1 : 1;
}

static void write_size(const struct pht_chunk_size *size, FILE *file)
{
    char range[2 * PHT_HUMAN_MAX];

    if (size->min_bytes == size->max_bytes)
        snprintf(range, sizeof(range), "%s", BYTES(size->min_bytes));
    else
        snprintf(range, sizeof(range), "%s-%s", BYTES(size->min_bytes), BYTES(size->max_bytes));
    fprintf(file, "  %-13s %12s %7s %14s %7s\n", range, COUNT(size->free_chunks),
            BYTES(size->free_bytes), COUNT(size->live_chunks), BYTES(size->live_bytes));
}

/* In full by size; else the ones with the most free memory, which is what is looked for. */
static void write_sizes(const struct pht_glibc *glibc, bool full, FILE *file)
{
    size_t count = glibc->size_count;
    size_t shown = full || count <= SIZE_ROWS ? count : SIZE_ROWS;
    _cleanup_free_ struct pht_chunk_size *rows = calloc(count + 1, sizeof(*rows));

    if (rows == NULL || count == 0)
        return;
    memcpy(rows, glibc->sizes, count * sizeof(*rows));
    if (shown < count)
        qsort(rows, count, sizeof(*rows), by_free_bytes);
    fprintf(file, "  chunk size     free chunks    free    live chunks    live\n");
    for (size_t i = 0; i < shown; i++)
        write_size(&rows[i], file);
    if (shown < count)
        fprintf(file, "  ... %zu more size%s: --section glibc\n", count - shown,
                PLURAL(count - shown));
}

static void write_largest_free(const struct pht_glibc *glibc, bool full, FILE *file)
{
    const struct pht_free_chunk *first = &glibc->largest_free[0];

    if (glibc->largest_free_count == 0)
        return;
    if (!full) {
        fprintf(file, "  largest free chunk: %s in %s, %s of it resident\n", BYTES(first->bytes),
                LABEL(glibc, first->arena), BYTES(first->resident_bytes));
        return;
    }
    fprintf(file, "  largest free chunk arena         size     RSS\n");
    for (size_t i = 0; i < glibc->largest_free_count; i++) {
        const struct pht_free_chunk *chunk = &glibc->largest_free[i];
        fprintf(file, "  0x%-16" PRIx64 " %-10s %7s %7s\n", chunk->address,
                LABEL(glibc, chunk->arena), BYTES(chunk->bytes), BYTES(chunk->resident_bytes));
    }
}

static void write_mmapped(const struct pht_glibc *glibc, FILE *file)
{
    const struct pht_malloc_params *params = &glibc->params;

    fprintf(file, "  mmapped chunks: %s with %s (peaks: %s, %s)\n",
            COUNT_OR_DASH(params->mmapped_chunks), BYTES_OR_DASH(params->mmapped_bytes),
            COUNT_OR_DASH(params->mmapped_peak_chunks), BYTES_OR_DASH(params->mmapped_peak_bytes));
    if (glibc->mmapped_count == 0)
        return;
    fprintf(file, "  mmapped chunk         size     RSS\n");
    for (size_t i = 0; i < glibc->mmapped_count; i++) {
        const struct pht_mmapped_chunk *chunk = &glibc->mmapped[i];
        fprintf(file, "  0x%-14" PRIx64 " %8s %7s\n", chunk->address, BYTES(chunk->bytes),
                BYTES(chunk->resident_bytes));
    }
}

/* ---- threads and tunables ----------------------------------------------------------------- */

static void write_tcaches(const struct pht_glibc *glibc, bool full, FILE *file)
{
    struct pht_text_facts facts;
    char title[64], label[LABEL_MAX];

    if (!glibc->threads_known || glibc->thread_count == 0 || glibc->params.tcache_count == 0)
        return;
    snprintf(title, sizeof(title), "  tcache%s of %zu thread%s: ", PLURAL(glibc->thread_count),
             glibc->thread_count, PLURAL(glibc->thread_count));
    pht_text_begin_facts(&facts, title, file);
    pht_text_add_fact(&facts, "%s in %s chunk%s", BYTES(glibc->totals.tcache_bytes),
                      COUNT(glibc->totals.tcache_chunks), PLURAL(glibc->totals.tcache_chunks));
    if (glibc->thread_count > 1 && glibc->threads[0].tcache_bytes > 0)
        pht_text_add_fact(&facts, "most in thread %d: %s", glibc->threads[0].tid,
                          BYTES(glibc->threads[0].tcache_bytes));
    pht_text_end_facts(&facts);
    if (!full)
        return;
    fprintf(file, "  thread     arena      tcache chunks  tcache\n");
    for (size_t i = 0; i < glibc->thread_count; i++) {
        const struct pht_malloc_thread *thread = &glibc->threads[i];
        fprintf(file, "  %-10d %-10s %13s %7s\n", thread->tid,
                label_of_address(glibc, thread->arena, label), COUNT(thread->tcache_chunks),
                BYTES(thread->tcache_bytes));
    }
}

static void add_arena_limit(struct pht_text_facts *facts, const struct pht_report *report)
{
    const struct pht_arena_limit *limit = &report->arena_limit;

    if (limit->source == NULL)
        pht_text_add_fact(facts, "arena_max %s", COUNT_OR_DASH(limit->arenas));
    else if (strcmp(limit->source, "processors") == 0)
        pht_text_add_fact(facts, "arena_max %s (8 x %u processor%s)", COUNT(limit->arenas),
                          report->process.processors, PLURAL(report->process.processors));
    else
        pht_text_add_fact(facts, "arena_max %s (%s)", COUNT(limit->arenas), limit->source);
}

/* By the names that mallopt(3) and GLIBC_TUNABLES know them by. */
static void write_tunables(const struct pht_report *report, FILE *file)
{
    const struct pht_malloc_params *params = &report->glibc->params;
    struct pht_text_facts facts;

    pht_text_begin_facts(&facts, "  tunables: ", file);
    pht_text_add_fact(&facts, "mmap_threshold %s (%s)", BYTES_OR_DASH(params->mmap_threshold_bytes),
                      params->mmap_threshold_dynamic ? "dynamic" : "fixed");
    pht_text_add_fact(&facts, "trim_threshold %s", BYTES_OR_DASH(params->trim_threshold_bytes));
    pht_text_add_fact(&facts, "top_pad %s", BYTES_OR_DASH(params->top_pad_bytes));
    add_arena_limit(&facts, report);
    if (params->tcache_count != PHT_UNKNOWN)
        pht_text_add_fact(&facts, "tcache_count %s", COUNT(params->tcache_count));
    if (params->tcache_max_bytes != PHT_UNKNOWN)
        pht_text_add_fact(&facts, "tcache_max %sB", COUNT(params->tcache_max_bytes));
    if (params->thp_page_bytes != PHT_UNKNOWN && params->thp_page_bytes > 0)
        pht_text_add_fact(&facts, "transparent huge pages %s", BYTES(params->thp_page_bytes));
    if (params->huge_page_bytes != PHT_UNKNOWN && params->huge_page_bytes > 0)
        pht_text_add_fact(&facts, "huge pages %s", BYTES(params->huge_page_bytes));
    pht_text_end_facts(&facts);
}

/* ---- the whole ---------------------------------------------------------------------------- */

static void write_title(const struct pht_glibc *glibc, FILE *file)
{
    struct pht_text_facts facts;

    fprintf(file, "\n");
    pht_text_begin_facts(&facts, "Glibc malloc  ", file);
    pht_text_add_fact(&facts, "%zu arena%s", glibc->arena_count, PLURAL(glibc->arena_count));
    pht_text_add_fact(&facts, "%s heap%s", COUNT(glibc->totals.heaps), PLURAL(glibc->totals.heaps));
    pht_text_add_fact(&facts, "%s mmapped chunk%s", COUNT(glibc->mmapped_count),
                      PLURAL(glibc->mmapped_count));
    pht_text_end_facts(&facts);
}

static void write_resident(const struct pht_malloc_resident *resident, FILE *file)
{
    fprintf(file, "  RSS %s: main arena (brk) %s, thread arenas %s, mmapped chunks %s\n",
            BYTES(resident->total_bytes), BYTES(resident->main_arena_bytes),
            BYTES(resident->thread_arenas_bytes), BYTES(resident->mmapped_bytes));
}

void pht_text_write_glibc(const struct pht_report *report, bool full, FILE *file)
{
    const struct pht_glibc *glibc = report->glibc;

    if (glibc->totals.system_bytes == 0 && glibc->mmapped_count == 0) {
        fprintf(file, "\nGlibc malloc  not used\n");
        return;
    }
    write_title(glibc, file);
    write_resident(&report->malloc_resident, file);
    if (full)
        write_figures(&glibc->totals, file);
    write_arenas(glibc, full, file);
    if (full)
        write_arena_details(glibc, file);
    write_trimmable(&glibc->totals, file);
    write_largest_free(glibc, full, file);
    write_sizes(glibc, full, file);
    if (full)
        write_mmapped(glibc, file);
    write_tcaches(glibc, full, file);
    write_tunables(report, file);
}
