/*
 * The report for people, 80 columns wide. Rows are cut to the ones that matter, and what was cut
 * is said with the option that shows it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/human.h"
#include "base/text.h"
#include "pyheaptop/view.h"

#define WIDTH 80
#define CLASS_ROWS 4

/* One buffer a call, so that several sizes fit into one printf. */
#define BYTES(value) pht_human_bytes(value, (char[PHT_HUMAN_MAX]){0})
#define COUNT(value) pht_human_count(value, (char[PHT_HUMAN_MAX]){0})

/* "-" for what is not known. */
static const char *bytes_or_dash(uint64_t value, char text[static PHT_HUMAN_MAX])
{
    return value == PHT_UNKNOWN ? "-" : pht_human_bytes(value, text);
}

static const char *count_or_dash(uint64_t value, char text[static PHT_HUMAN_MAX])
{
    return value == PHT_UNKNOWN ? "-" : pht_human_count(value, text);
}

#define BYTES_OR_DASH(value) bytes_or_dash(value, (char[PHT_HUMAN_MAX]){0})
#define COUNT_OR_DASH(value) count_or_dash(value, (char[PHT_HUMAN_MAX]){0})

/* A process may have wiped its arguments; its name is left then. */
static char *command_line(const struct pht_process *process)
{
    char *line = pht_text_arguments(process->command, process->command_bytes);

    if (line == NULL || line[0] != '\0')
        return line;
    free(line);
    return pht_text_printable(process->comm, strlen(process->comm));
}

static void write_title(const struct pht_report *report, const char *version, FILE *file)
{
    char time[40];
    struct tm local;

    localtime_r(&report->taken_at.tv_sec, &local);
    strftime(time, sizeof(time), "%Y-%m-%d %H:%M:%S %z", &local);
    fprintf(file, "pyheaptop %s report  %s\n\n", version, time);
}

static void write_target(const struct pht_process *process, FILE *file)
{
    _cleanup_free_ char *command = command_line(process);
    char uptime[PHT_HUMAN_MAX];

    int column = fprintf(file, "Target     pid %d  ", process->pid);
    if (command != NULL)
        pht_text_cut(command, (size_t)(WIDTH - column));
    fprintf(file, "%s\n", command != NULL ? command : "");
    fprintf(file, "           uid %u  %u thread%s  up %s\n", process->uid, process->threads,
            process->threads == 1 ? "" : "s", pht_human_uptime(process->uptime_seconds, uptime));
}

static void write_runtime(const struct pht_python *python, FILE *file)
{
    if (python == NULL)
        return;
    fprintf(file, "Runtime    CPython %s (%s%s)\n",
            python->version_text[0] != '\0' ? python->version_text : "of unknown version",
            python->free_threaded ? "free-threaded" : "GIL",
            python->debug_build ? ", debug build" : "");
    fprintf(file, "           ");
    if (python->build_id[0] != '\0')
        fprintf(file, "build-id %.12s  ", python->build_id);
    fprintf(file, "layouts: %s%s\n", python->layout_source == PHT_LAYOUT_DWARF ? "DWARF" : "none",
            python->cached ? " (cached)" : "");
}

static void write_allocator(const struct pht_report *report, FILE *file)
{
    const struct pht_pymalloc *pymalloc = report->pymalloc;

    if (pymalloc == NULL)
        return;
    if (pymalloc->is_off) {
        const char *name = pht_object_allocator_name(pymalloc->allocator);
        fprintf(file, "Allocator  pymalloc off (%s)\n", name != NULL ? name : "no arenas");
    }
    if (pymalloc->totals.arenas == 0)
        return;
    fprintf(file, "Allocator  pymalloc%s  %s arenas, %s pools, alignment %" PRIu64 "\n",
            pymalloc->allocator == PHT_ALLOCATOR_PYMALLOC_DEBUG ? " (debug hooks)" : "",
            BYTES(pymalloc->arena_bytes), BYTES(pymalloc->pool_bytes), pymalloc->alignment_bytes);
}

static void write_snapshot(const struct pht_report *report, FILE *file)
{
    const struct pht_snapshot_stats *stats = &report->snapshot;
    char duration[PHT_HUMAN_MAX];

    if (!report->has_snapshot)
        return;
    if (stats->stops == 0)
        fprintf(file, "Snapshot   not stopped");
    else
        fprintf(file, "Snapshot   stopped %s", pht_human_duration(stats->stopped_us, duration));
    fprintf(file, "  read %s  walk %s", BYTES(stats->read_bytes),
            pht_human_duration(report->walk_us, duration));
    if (report->pymalloc != NULL)
        fprintf(file, "  torn pools %s", COUNT(report->pymalloc->torn_pools));
    fprintf(file, "\n");
}

static void write_row(uint64_t bytes, const char *what, FILE *file)
{
    fprintf(file, "%9s  %s\n", BYTES_OR_DASH(bytes), what);
}

static void write_cgroup(const struct pht_cgroup_memory *cgroup, FILE *file)
{
    if (!cgroup->known)
        return;
    if (cgroup->limit_bytes == PHT_UNKNOWN)
        fprintf(file, "  cgroup uses %s, no limit\n", BYTES(cgroup->current_bytes));
    else
        fprintf(file, "  cgroup uses %s of %s\n", BYTES(cgroup->current_bytes),
                BYTES(cgroup->limit_bytes));
}

static void write_kernel(const struct pht_report *report, FILE *file)
{
    const struct pht_kernel_memory *kernel = &report->kernel;

    fprintf(file, "\nRSS %s  peak %s  virtual %s  swap %s\n", BYTES_OR_DASH(kernel->rss_bytes),
            BYTES_OR_DASH(kernel->peak_rss_bytes), BYTES_OR_DASH(kernel->virtual_bytes),
            BYTES_OR_DASH(kernel->swap_bytes));
    write_row(kernel->anon_bytes, "anonymous: heaps, arenas, stacks, copied file pages", file);
    write_row(kernel->file_bytes, "files: code, data, libraries", file);
    write_row(kernel->shmem_bytes, "shared memory", file);
    fprintf(file, "  USS %s  PSS %s  faults %s minor, %s major\n", BYTES_OR_DASH(kernel->uss_bytes),
            BYTES_OR_DASH(kernel->pss_bytes), COUNT_OR_DASH(kernel->minor_faults),
            COUNT_OR_DASH(kernel->major_faults));
    write_cgroup(&report->cgroup, file);
}

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
    const struct {
        uint64_t bytes;
        const char *what;
    } rows[] = {
        {totals->free_bytes, "free blocks in used pools"},
        {totals->unused_pool_bytes, "free pools"},
        {totals->pool_header_bytes, "pool headers"},
        {totals->quantization_bytes, "lost to quantization"},
        {totals->arena_alignment_bytes, "lost to arena alignment"},
        {totals->unknown_pool_bytes, "pools that could not be read"},
    };

    fprintf(file, "    bytes  what\n");
    write_row(totals->live_bytes, "blocks in use", file);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].bytes > 0)
            write_row(rows[i].bytes, rows[i].what, file);
    }
    write_row(totals->total_bytes, "arenas, all of it", file);
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

static void write_pymalloc(const struct pht_pymalloc *pymalloc, bool full, FILE *file)
{
    const struct pht_pymalloc_totals *totals = &pymalloc->totals;

    fprintf(file, "\nPymalloc  %s arena%s  %s pools used  %s free\n", COUNT(totals->arenas),
            totals->arenas == 1 ? "" : "s", COUNT(totals->pools_used), COUNT(totals->pools_free));
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

/*
 * Words of `text` in lines of 80 columns, all but the first indented. `column` is where the first
 * word begins.
 */
static void write_wrapped(const char *text, int column, int indent, FILE *file)
{
    const char *separator = "";

    while (*text != '\0') {
        int length = (int)strcspn(text, " ");
        if (separator[0] != '\0' && column + 1 + length > WIDTH) {
            fprintf(file, "\n%*s", indent, "");
            column = indent;
            separator = "";
        }
        column += fprintf(file, "%s%.*s", separator, length, text);
        separator = " ";
        text += length;
        text += strspn(text, " ");
    }
    fprintf(file, "\n");
}

static void write_warning(const struct pht_warning *warning, FILE *file)
{
    _cleanup_free_ char *text = pht_text_printable(warning->text, strlen(warning->text));
    int indent = fprintf(file, "  %-15s ", warning->id);

    write_wrapped(text != NULL ? text : "", indent, indent, file);
    if (warning->remedy == NULL)
        return;
    _cleanup_free_ char *remedy = pht_text_printable(warning->remedy, strlen(warning->remedy));
    int column = fprintf(file, "%*stry: ", indent, "");
    write_wrapped(remedy != NULL ? remedy : "", column, column, file);
}

static void write_warnings(const struct pht_report *report, FILE *file)
{
    if (report->warnings.count == 0)
        return;
    fprintf(file, "\nWarnings\n");
    for (size_t i = 0; i < report->warnings.count; i++)
        write_warning(&report->warnings.items[i], file);
}

void pht_text_report_write(const struct pht_report *report, const struct pht_text_options *options,
                           FILE *file)
{
    write_title(report, options->version, file);
    write_target(&report->process, file);
    write_runtime(report->python, file);
    write_allocator(report, file);
    write_snapshot(report, file);
    if (report->sections & PHT_SECTION_KERNEL)
        write_kernel(report, file);
    if (report->pymalloc != NULL)
        write_pymalloc(report->pymalloc, options->full, file);
    write_warnings(report, file);
}
