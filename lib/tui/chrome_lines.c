#include "tui/chrome_lines.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "tui/bar.h"
#include "tui/facts.h"
#include "tui/shown.h"

#define NARROW_COLUMNS 96
#define NOTE_MAX 160

/* A clock's time; a date would never matter to who watches. */
static const char *clock_text(time_t time, char text[static 16])
{
    struct tm local;

    localtime_r(&time, &local);
    strftime(text, 16, "%H:%M:%S", &local);
    return text;
}

/* "2s", "4m 12s", "1h 05m". */
static const char *age_text(uint64_t us, char text[static PHT_HUMAN_MAX])
{
    uint64_t seconds = us / 1000000;

    if (seconds < 60)
        snprintf(text, PHT_HUMAN_MAX, "%us", (unsigned)seconds);
    else if (seconds < 3600)
        snprintf(text, PHT_HUMAN_MAX, "%um %02us", (unsigned)(seconds / 60),
                 (unsigned)(seconds % 60));
    else
        snprintf(text, PHT_HUMAN_MAX, "%uh %02um", (unsigned)(seconds / 3600),
                 (unsigned)(seconds / 60 % 60));
    return text;
}

/* ---- line 1: who -------------------------------------------------------------------------- */

/*
 * Without the folders that the program is in, which take the room of what it is called with. A
 * process may have wiped its arguments; its name is left then.
 */
static char *command_line(const struct pht_process *process)
{
    const char *command = process->command;
    size_t bytes = process->command_bytes;
    size_t program = strnlen(command, bytes);
    const char *slash = memrchr(command, '/', program);
    size_t folders =
        slash != NULL && slash + 1 < command + program ? (size_t)(slash + 1 - command) : 0;
    char *line = pht_text_arguments(command + folders, bytes - folders);

    if (line == NULL || line[0] != '\0')
        return line;
    free(line);
    return pht_text_printable(process->comm, strlen(process->comm));
}

static void describe_runtime(const struct pht_status *status, bool is_narrow,
                             char text[static NOTE_MAX])
{
    const struct pht_report *report = status->report;
    char uptime[PHT_HUMAN_MAX];
    int length = 0;

    if (report != NULL && report->python != NULL && report->python->version_text[0] != '\0')
        length = snprintf(text, NOTE_MAX, "CPython %s  ", report->python->version_text);
    if (!is_narrow && report != NULL && report->libc != NULL &&
        report->libc->version_text[0] != '\0')
        length += snprintf(text + length, (size_t)(NOTE_MAX - length), "%s %s  ",
                           pht_libc_family_name(report->libc->family), report->libc->version_text);
    snprintf(text + length, (size_t)(NOTE_MAX - length), "up %s",
             pht_human_uptime(status->uptime_seconds, uptime));
}

void pht_chrome_draw_process(struct pht_area line, const struct pht_status *status)
{
    _cleanup_free_ char *command = command_line(status->process);
    bool is_narrow = line.columns < NARROW_COLUMNS;
    char runtime[NOTE_MAX];

    describe_runtime(status, is_narrow, runtime);
    unsigned width = pht_canvas_width(line.canvas, runtime);
    unsigned column = pht_area_put(line, 0, 0, PHT_ROLE_TITLE, "pyheaptop");
    column = pht_area_format(line, 0, column, PHT_ROLE_TEXT, is_narrow ? " %d " : "  pid %d  ",
                             status->process->pid);
    if (column + width + 12 > line.columns)
        width = 0; /* the command matters more */
    unsigned end = line.columns - width - (width > 0 ? 2 : 0);
    pht_area_put_cut(line, 0, column, end - column, PHT_ROLE_TEXT, command != NULL ? command : "");
    if (width > 0)
        pht_area_put_right(line, 0, line.columns, width, PHT_ROLE_TEXT, runtime);
}

/* ---- line 2: how much --------------------------------------------------------------------- */

static bool rss_change(const struct pht_status *status, int64_t *ret)
{
    if (status->diff == NULL)
        return false;
    *ret = status->diff->after->rss_bytes - status->diff->before->rss_bytes;
    return true;
}

/* "2026-11-22T13:40:02.041Z" as the clock here has it. */
static const char *baseline_clock(const struct pht_diff *diff, char text[static 16])
{
    struct tm utc = {0};

    if (strptime(diff->before->taken_at, "%Y-%m-%dT%H:%M:%S", &utc) == NULL)
        return NULL;
    return clock_text(timegm(&utc), text);
}

static size_t list_parts(const struct pht_report *report,
                         struct pht_bar_part parts[static PHT_CATEGORIES])
{
    struct pht_split split;

    if (report == NULL || !report->has_ledger)
        return 0;
    for (int i = 0; i < PHT_CATEGORIES; i++)
        split.bytes[i] = report->categories[i].bytes;
    return pht_bar_categories(&split, parts);
}

static void draw_bar(struct pht_area line, unsigned row, unsigned column, unsigned columns,
                     const struct pht_report *report)
{
    struct pht_bar_part parts[PHT_CATEGORIES];
    size_t count = list_parts(report, parts);

    pht_bar_draw(line, row, column, columns, parts, count,
                 count > 0 ? report->kernel.rss_bytes : 1);
}

void pht_chrome_draw_memory(struct pht_area line, const struct pht_status *status)
{
    char rss[PHT_HUMAN_MAX], change[PHT_HUMAN_MAX], clock[16], note[NOTE_MAX] = "";
    int64_t bytes;

    if (status->report == NULL)
        return;
    unsigned column =
        pht_area_format(line, 0, 0, PHT_ROLE_TITLE, "RSS %s ",
                        pht_units_bytes(status->units, status->report->kernel.rss_bytes, rss));
    if (rss_change(status, &bytes)) {
        const char *since =
            line.columns >= NARROW_COLUMNS ? baseline_clock(status->diff, clock) : NULL;
        snprintf(note, sizeof(note), " %s%s%s", pht_units_change(status->units, bytes, change),
                 since != NULL ? " since " : "", since != NULL ? since : "");
    }
    unsigned width = (unsigned)strlen(note);
    draw_bar(line, 0, column, line.columns - column - width, status->report);
    pht_area_put_right(line, 0, line.columns, width, PHT_ROLE_TEXT, note);
}

/* ---- line 3: as of when ------------------------------------------------------------------- */

static void draw_progress(struct pht_area line, const struct pht_status *status)
{
    const struct pht_progress *progress = &status->progress;
    char done[PHT_HUMAN_MAX], total[PHT_HUMAN_MAX], percent[PHT_HUMAN_MAX], note[64] = "";
    struct pht_facts facts;

    if (status->report != NULL && pht_report_is_whole(status->report))
        snprintf(note, sizeof(note), "Esc: keep snapshot #%u", status->report->number);
    else
        snprintf(note, sizeof(note), "first snapshot");
    pht_facts_begin(&facts, line, 0, 0, "  ");
    pht_facts_right(&facts, PHT_ROLE_DIM, note);
    pht_facts_add(&facts, PHT_ROLE_WARN, "Snapshot: %s", pht_stage_name(progress->stage));
    if (progress->total == 0)
        return;
    uint64_t most = progress->done < progress->total ? progress->done : progress->total;
    pht_facts_add(&facts, PHT_ROLE_TEXT, "%.*s%%",
                  (int)strcspn(pht_human_percent(most, progress->total, percent), "."), percent);
    if (progress->unit == NULL)
        pht_facts_add(&facts, PHT_ROLE_TEXT, "%s of %s", pht_human_bytes(most, done),
                      pht_human_bytes(progress->total, total));
    else
        pht_facts_add(&facts, PHT_ROLE_TEXT, "%s of %s %s", pht_human_count(most, done),
                      pht_human_count(progress->total, total), progress->unit);
}

static void draw_exited(struct pht_area line, const struct pht_status *status)
{
    struct pht_facts facts;
    char clock[16];

    pht_facts_begin(&facts, line, 0, 0, "  ");
    pht_facts_add(&facts, PHT_ROLE_BAD, "EXITED");
    if (line.columns >= 80)
        pht_facts_right(&facts, PHT_ROLE_DIM, "p: other process");
    pht_facts_add(&facts, PHT_ROLE_TEXT, "pid %d ended %s", status->process->pid,
                  clock_text(status->exited_at, clock));
    if (status->report != NULL)
        pht_facts_add(&facts, PHT_ROLE_TEXT, "Showing snapshot #%u.", status->report->number);
}

static void add_cost(struct pht_facts *facts, const struct pht_status *status)
{
    const struct pht_report *report = status->report;
    const struct pht_snapshot_stats *stats = &report->snapshot;
    bool is_wide = facts->area.columns >= NARROW_COLUMNS && !status->is_raised;
    const char *word = is_wide ? "target stopped" : "stopped";
    char text[PHT_HUMAN_MAX];

    if (!report->has_snapshot)
        return;
    if (stats->gave_up)
        pht_facts_add(facts, PHT_ROLE_WARN, "STOP NOT HAD");
    else if (stats->expired)
        pht_facts_add(facts, PHT_ROLE_WARN, "STOP LIMIT");
    if (stats->stops > 0)
        pht_facts_add(facts, PHT_ROLE_TEXT, "%s %s", word,
                      pht_human_duration(stats->stopped_us, text));
    else if (!stats->gave_up)
        pht_facts_add(facts, PHT_ROLE_WARN, "NO STOP");
    if (!status->is_raised || facts->area.columns >= NARROW_COLUMNS)
        pht_facts_add(facts, PHT_ROLE_TEXT, "walk %s", pht_human_duration(report->walk_us, text));
}

static void add_torn(struct pht_facts *facts, const struct pht_report *report)
{
    uint64_t torn = 0;

    torn += report->pymalloc != NULL ? report->pymalloc->torn_pools : 0;
    torn += report->glibc != NULL ? report->glibc->torn_chunks : 0;
    char count[PHT_HUMAN_MAX];
    if (torn > 0)
        pht_facts_add(facts, PHT_ROLE_WARN, "%s torn", pht_human_count(torn, count));
}

static void add_interval(struct pht_facts *facts, const struct pht_status *status)
{
    unsigned seconds = (unsigned)(status->interval_us / 1000000);

    if (status->is_raised &&
        !pht_facts_add(facts, PHT_ROLE_WARN, "interval raised to %u s", seconds) &&
        !pht_facts_add(facts, PHT_ROLE_WARN, "raised to %u s", seconds))
        pht_facts_add(facts, PHT_ROLE_WARN, "every %u s", seconds);
    if (status->interval_us == 0 && !status->is_paused)
        pht_facts_add(facts, PHT_ROLE_WARN, "interval off (r: snapshot)");
}

static void draw_snapshot(struct pht_area line, const struct pht_status *status)
{
    const struct pht_report *report = status->report;
    char clock[16], age[PHT_HUMAN_MAX], percent[PHT_HUMAN_MAX], attributed[64] = "";
    bool is_narrow = line.columns < NARROW_COLUMNS;
    struct pht_facts facts;

    pht_facts_begin(&facts, line, 0, 0, is_narrow || status->is_raised ? "  " : "  |  ");
    if (status->is_paused) {
        facts.column = pht_area_put(line, 0, 0, PHT_ROLE_WARN, "PAUSED") + 2;
        snprintf(attributed, sizeof(attributed), "Space: resume");
    } else if (report->has_ledger) {
        snprintf(attributed, sizeof(attributed), "attributed %s%%",
                 pht_human_percent(report->attributed_bytes, report->kernel.rss_bytes, percent));
    }
    pht_facts_right(&facts, status->is_paused ? PHT_ROLE_DIM : PHT_ROLE_TEXT, attributed);
    if (pht_report_is_whole(report))
        pht_facts_add(&facts, PHT_ROLE_TEXT, "Snapshot #%u  %s  age %s", report->number,
                      clock_text(report->taken_at.tv_sec, clock), age_text(status->age_us, age));
    else
        pht_facts_add(&facts, PHT_ROLE_TEXT, "No snapshot yet: the kernel's figures only");
    add_cost(&facts, status);
    add_interval(&facts, status);
    add_torn(&facts, report);
}

void pht_chrome_draw_state(struct pht_area line, const struct pht_status *status)
{
    if (status->is_exited)
        draw_exited(line, status);
    else if (status->is_working || status->report == NULL)
        draw_progress(line, status);
    else
        draw_snapshot(line, status);
}

/* ---- little room -------------------------------------------------------------------------- */

static const char *brief_state(const struct pht_status *status)
{
    if (status->is_exited)
        return "EXITED";
    return status->is_paused ? "PAUSED" : NULL;
}

void pht_chrome_draw_brief(struct pht_area lines, const struct pht_status *status)
{
    _cleanup_free_ char *comm =
        pht_text_printable(status->process->comm, strlen(status->process->comm));
    char rss[PHT_HUMAN_MAX], change[PHT_HUMAN_MAX];
    struct pht_facts facts;
    int64_t bytes;

    pht_facts_begin(&facts, lines, 0, 0, "  ");
    if (brief_state(status) != NULL)
        pht_facts_right(&facts, PHT_ROLE_WARN, brief_state(status));
    pht_facts_add(&facts, PHT_ROLE_TITLE, "%d %.15s", status->process->pid,
                  comm != NULL ? comm : "");
    if (status->report == NULL)
        return;
    pht_facts_add(&facts, PHT_ROLE_TITLE, "RSS %s",
                  pht_units_bytes(status->units, status->report->kernel.rss_bytes, rss));
    facts.separator = " ";
    if (rss_change(status, &bytes))
        pht_facts_add(&facts, PHT_ROLE_TEXT, "%s", pht_units_change(status->units, bytes, change));
    if (status->is_working)
        pht_facts_add(&facts, PHT_ROLE_WARN, "%s", pht_stage_name(status->progress.stage));
    draw_bar(lines, 1, 0, lines.columns, status->report);
}
