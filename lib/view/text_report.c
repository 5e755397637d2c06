/*
 * The report for people, 80 columns wide. Rows are cut to the ones that matter, and what was cut
 * is said with the option that shows it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "pyheaptop/view.h"
#include "view/text_line.h"
#include "view/text_parts.h"

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
        pht_text_cut(command, (size_t)(PHT_TEXT_WIDTH - column));
    fprintf(file, "%s\n", command != NULL ? command : "");
    fprintf(file, "           uid %u  %u thread%s  up %s\n", process->uid, process->threads,
            PLURAL(process->threads), pht_human_uptime(process->uptime_seconds, uptime));
}

static const char *layouts_from(enum pht_layout_source source)
{
    switch (source) {
    case PHT_LAYOUT_DWARF:
        return "DWARF";
    case PHT_LAYOUT_DEBUG_OFFSETS:
        return "debug offsets";
    case PHT_LAYOUT_TABLE:
        return "tables";
    case PHT_LAYOUT_NONE:
        break;
    }
    return "none";
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
    fprintf(file, "layouts: %s%s\n", layouts_from(python->layout_source),
            python->cached ? " (cached)" : "");
}

static void write_libc(const struct pht_libc *libc, FILE *file)
{
    struct pht_text_facts facts;

    if (libc == NULL)
        return;
    pht_text_begin_facts(&facts, "Libc       ", file);
    pht_text_add_fact(&facts, "%s %s", pht_libc_family_name(libc->family),
                      libc->version_text[0] != '\0' ? libc->version_text : "of unknown version");
    if (libc->build_id[0] != '\0')
        pht_text_add_fact(&facts, "build-id %.12s", libc->build_id);
    if (libc->family == PHT_LIBC_GLIBC)
        pht_text_add_fact(&facts, "layouts: %s%s", layouts_from(libc->layout_source),
                          libc->cached ? " (cached)" : "");
    pht_text_end_facts(&facts);
}

static void write_allocator(const struct pht_report *report, FILE *file)
{
    const struct pht_pymalloc *pymalloc = report->pymalloc;
    const char *name = pht_object_allocator_name(report->object_allocator);

    if (pymalloc == NULL) {
        if (name != NULL)
            fprintf(file, "Allocator  %s (not read)\n", name);
        return;
    }
    if (pymalloc->is_off)
        fprintf(file, "Allocator  pymalloc off (%s)\n", name != NULL ? name : "no arenas");
    if (pymalloc->totals.arenas == 0)
        return;
    fprintf(file, "Allocator  pymalloc%s  %s arenas, %s pools, alignment %" PRIu64 "\n",
            pymalloc->allocator == PHT_ALLOCATOR_PYMALLOC_DEBUG ? " (debug hooks)" : "",
            BYTES(pymalloc->arena_bytes), BYTES(pymalloc->pool_bytes), pymalloc->alignment_bytes);
}

static void write_snapshot(const struct pht_report *report, FILE *file)
{
    const struct pht_snapshot_stats *stats = &report->snapshot;
    struct pht_text_facts facts;
    char duration[PHT_HUMAN_MAX];

    if (!report->has_snapshot)
        return;
    pht_text_begin_facts(&facts, "Snapshot   ", file);
    if (stats->stops == 0)
        pht_text_add_fact(&facts, "not stopped");
    else
        pht_text_add_fact(&facts, "stopped %s", pht_human_duration(stats->stopped_us, duration));
    pht_text_add_fact(&facts, "read %s", BYTES(stats->read_bytes));
    pht_text_add_fact(&facts, "walk %s", pht_human_duration(report->walk_us, duration));
    if (report->pymalloc != NULL && report->glibc != NULL)
        pht_text_add_fact(&facts, "torn pools %s, chunks %s", COUNT(report->pymalloc->torn_pools),
                          COUNT(report->glibc->torn_chunks));
    else if (report->pymalloc != NULL)
        pht_text_add_fact(&facts, "torn pools %s", COUNT(report->pymalloc->torn_pools));
    else if (report->glibc != NULL)
        pht_text_add_fact(&facts, "torn chunks %s", COUNT(report->glibc->torn_chunks));
    pht_text_end_facts(&facts);
}

static void write_baseline(const struct pht_diff *change, FILE *file)
{
    const struct pht_figures *before = change->before;
    _cleanup_free_ char *taken_at = pht_text_printable(before->taken_at, strlen(before->taken_at));
    struct pht_text_facts facts;

    pht_text_begin_facts(&facts, "Baseline   ", file);
    pht_text_add_fact(&facts, "%s", taken_at != NULL ? taken_at : "");
    pht_text_add_fact(&facts, "RSS %s", BYTES((uint64_t)before->rss_bytes));
    if (!change->same_process)
        pht_text_add_fact(&facts, "of another process: types go by their names");
    pht_text_end_facts(&facts);
}

static void write_warning(const struct pht_warning *warning, FILE *file)
{
    _cleanup_free_ char *text = pht_text_printable(warning->text, strlen(warning->text));
    int indent = fprintf(file, "  %-15s ", warning->id);

    pht_text_write_wrapped(text != NULL ? text : "", indent, indent, file);
    if (warning->remedy == NULL)
        return;
    _cleanup_free_ char *remedy = pht_text_printable(warning->remedy, strlen(warning->remedy));
    int column = fprintf(file, "%*stry: ", indent, "");
    pht_text_write_wrapped(remedy != NULL ? remedy : "", column, column, file);
}

static void write_warnings(const struct pht_report *report, FILE *file)
{
    if (report->warnings.count == 0)
        return;
    fprintf(file, "\nWarnings\n");
    for (size_t i = 0; i < report->warnings.count; i++)
        write_warning(&report->warnings.items[i], file);
}

static void write_objects(const struct pht_report *report, const struct pht_text_options *options,
                          FILE *file)
{
    bool full = options->full;

    pht_text_write_types(report->objects, options, file);
    if (full)
        pht_text_write_largest(report->objects, file);
    pht_text_write_unowned(report, full, file);
}

/* What was walked for another part alone is not shown. */
static void write_sections(const struct pht_report *report, const struct pht_text_options *options,
                           FILE *file)
{
    bool full = options->full;
    unsigned sections = report->sections;
    bool has_ledger = (sections & PHT_SECTION_CATEGORIES) && report->has_ledger;

    if (has_ledger)
        pht_text_write_ledger(report, options->change, file);
    if (sections & PHT_SECTION_KERNEL)
        pht_text_write_kernel(report, file);
    if ((sections & PHT_SECTION_PYMALLOC) && report->pymalloc != NULL)
        pht_text_write_pymalloc(report->pymalloc, full, file);
    if ((sections & PHT_SECTION_GLIBC) && report->glibc != NULL)
        pht_text_write_glibc(report, full, file);
    if ((sections & PHT_SECTION_TYPES) && report->objects != NULL)
        write_objects(report, options, file);
    if ((sections & PHT_SECTION_TYPES) && report->gc != NULL)
        pht_text_write_gc(report->gc, file);
    if ((sections & PHT_SECTION_TYPES) && report->freelists.count > 0)
        pht_text_write_freelists(&report->freelists, file);
    if ((sections & PHT_SECTION_MAPS) && report->mappings != NULL)
        pht_text_write_maps(report, full, file);
    if ((sections & PHT_SECTION_FAMILY) && report->has_family)
        pht_text_write_family(report, full, file);
    if (sections & PHT_SECTION_FINDINGS)
        pht_text_write_findings(report, full, file);
    if (has_ledger)
        pht_text_write_unattributed(report, full, file);
    if (options->change != NULL)
        pht_text_write_growth(options->change, PHT_FIGURE_CATEGORY + 1, file);
}

void pht_text_report_write(const struct pht_report *report, const struct pht_text_options *options,
                           FILE *file)
{
    write_title(report, options->version, file);
    write_target(&report->process, file);
    write_runtime(report->python, file);
    write_libc(report->libc, file);
    write_allocator(report, file);
    write_snapshot(report, file);
    if (options->change != NULL)
        write_baseline(options->change, file);
    write_sections(report, options, file);
    write_warnings(report, file);
}
