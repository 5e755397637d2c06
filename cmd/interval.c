#include "cmd/interval.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/human.h"
#include "base/vec.h"
#include "cmd/failure.h"
#include "cmd/output.h"
#include "cmd/session.h"
#include "pyheaptop/view.h"

#define DELAY_US_DEFAULT 5000000

/* How often it is looked whether the process is there, while nothing else is asked of it. */
#define LOOK_US 500000

/* What a line of text needs. */
#define LINE_SECTIONS (PHT_SECTION_KERNEL | PHT_SECTION_CATEGORIES)

struct interval {
    const struct options *options;
    uint64_t delay_us;
    struct session session;
    struct output output;
    struct pht_text_interval text;
    uint64_t made;        /* snapshots */
    int64_t compared_rss; /* of the baseline, or of the first snapshot; -1: none yet */
    bool told_raised;
    bool told_slow;
    PHT_VEC(const char *) warned; /* ids */
    struct pht_error *incomplete; /* the first snapshot that was; NULL: none */
};

static void note(const struct interval *interval, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void note(const struct interval *interval, const char *format, ...)
{
    va_list arguments;

    if (interval->options->quiet)
        return;
    va_start(arguments, format);
    fputs("pyheaptop: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

/* ---- one line ----------------------------------------------------------------------------- */

static int64_t change_of(struct interval *interval, const struct pht_report *report)
{
    int64_t rss = (int64_t)report->kernel.rss_bytes;

    if (interval->compared_rss < 0)
        interval->compared_rss = rss;
    return rss - interval->compared_rss;
}

/* In memory, so that it can be written at once. */
static struct pht_error *write_line(struct interval *interval, const struct pht_report *report)
{
    _cleanup_free_ char *line = NULL;
    bool is_written = true;
    size_t bytes;
    FILE *file = open_memstream(&line, &bytes);

    if (file == NULL)
        return pht_error_no_memory();
    if (interval->options->json)
        is_written = pht_json_report_write_line(report, PHT_VERSION, file);
    else
        pht_text_interval_write(&interval->text, report, change_of(interval, report), file);
    if (fclose(file) != 0 || !is_written)
        return pht_error_no_memory();
    return output_append(&interval->output, line, bytes);
}

static bool was_warned(const struct interval *interval, const char *id)
{
    for (size_t i = 0; i < interval->warned.count; i++) {
        if (strcmp(interval->warned.items[i], id) == 0)
            return true;
    }
    return false;
}

/* A line has no room for them, so once each; JSON has them. */
static void tell_warnings(struct interval *interval, const struct pht_report *report)
{
    if (interval->options->json)
        return;
    for (size_t i = 0; i < report->warnings.count; i++) {
        const struct pht_warning *warning = &report->warnings.items[i];
        if (was_warned(interval, warning->id) || !pht_vec_push(&interval->warned, warning->id))
            continue;
        note(interval, "%s: %s", warning->id, warning->text);
    }
}

static struct pht_error *take(struct interval *interval, struct pht_report **ret)
{
    const struct options *options = interval->options;
    unsigned sections = options->sections != 0 ? options->sections : PHT_SECTION_ALL;
    struct pht_courtesy *courtesy = pht_courtesy_begin();

    struct pht_error *error =
        session_take(&interval->session, options->json ? sections : LINE_SECTIONS, ret);
    pht_courtesy_end(courtesy);
    return error;
}

/* ---- the time in between ------------------------------------------------------------------ */

static void tell_pace(struct interval *interval, const struct pht_report *report, uint64_t pace_us,
                      uint64_t took_us)
{
    char pace[PHT_HUMAN_MAX], part[PHT_HUMAN_MAX];

    if (pace_us > interval->delay_us && !interval->told_raised) {
        interval->told_raised = true;
        note(interval, "interval raised to %s: a stop took %s, and stops stay under 0.5%% of time",
             pht_human_duration(pace_us, pace),
             pht_human_duration(report->snapshot.stopped_us, part));
    }
    if (took_us > pace_us && !interval->told_slow) {
        interval->told_slow = true;
        note(interval, "a snapshot takes %s, longer than the interval of %s%s",
             pht_human_duration(took_us, part), pht_human_duration(pace_us, pace),
             report->walks & PHT_SECTION_TYPES ? "; quicker: --no-types" : "");
    }
}

static void sleep_us(uint64_t us)
{
    const struct timespec time = {.tv_sec = (time_t)(us / 1000000),
                                  .tv_nsec = (long)(us % 1000000) * 1000};

    nanosleep(&time, NULL);
}

static struct pht_error *wait_until(struct interval *interval, uint64_t due_us)
{
    struct pht_error *error = NULL;

    for (uint64_t now; error == NULL && (now = pht_clock_us()) < due_us;) {
        uint64_t left_us = due_us - now;
        sleep_us(left_us < LOOK_US ? left_us : LOOK_US);
        error = pht_target_check(interval->session.target);
    }
    return error;
}

/* ---- the whole ---------------------------------------------------------------------------- */

/* One snapshot, and, but for the last, the time until the next. */
static struct pht_error *step(struct interval *interval)
{
    uint64_t began_us = pht_clock_us();
    struct pht_report *report;

    struct pht_error *error = take(interval, &report);
    if (error != NULL)
        return error;
    error = write_line(interval, report);
    interval->made += error == NULL;
    tell_warnings(interval, report);
    if (interval->incomplete == NULL)
        interval->incomplete = failure_of_incomplete(report);
    uint64_t pace_us = pht_pace_us(report, interval->delay_us);
    bool is_last = interval->made == interval->options->count;
    if (error == NULL && !is_last)
        tell_pace(interval, report, pace_us, pht_clock_us() - began_us);
    pht_report_destroy(report);
    return error != NULL || is_last ? error : wait_until(interval, began_us + pace_us);
}

/* `error` is that the process ended, and some snapshots were made. */
static struct pht_error *judge_end(const struct interval *interval, struct pht_error *error)
{
    pid_t pid = pht_target_process(interval->session.target)->pid;

    pht_error_destroy(error);
    if (interval->options->count != 0)
        return pht_error_create(PHT_ERROR_EXITED_EARLY,
                                "pid %d ended after %" PRIu64 " of %" PRIu64 " snapshots", pid,
                                interval->made, interval->options->count);
    note(interval, "pid %d ended", pid);
    return NULL;
}

static struct pht_error *run(struct interval *interval)
{
    struct pht_error *error = NULL;

    do {
        error = step(interval);
    } while (error == NULL && interval->made != interval->options->count);
    if (error != NULL && error->code == PHT_ERROR_EXITED_EARLY && interval->made > 0)
        error = judge_end(interval, error);
    return error;
}

struct pht_error *interval_report(const struct options *options)
{
    struct interval interval = {
        .options = options,
        .delay_us = options->delay_ms != 0 ? options->delay_ms * 1000 : DELAY_US_DEFAULT,
        .compared_rss = -1,
    };

    struct pht_error *error = session_open(options, &interval.session);
    if (error == NULL && interval.session.baseline != NULL)
        interval.compared_rss = interval.session.baseline->rss_bytes;
    if (error == NULL)
        error = output_open_growing(options->output, options->steward, &interval.output);
    if (error == NULL) {
        error = run(&interval);
        struct pht_error *closed = output_close(&interval.output, true);
        if (error == NULL)
            error = closed;
        else
            pht_error_destroy(closed);
    }
    session_close(&interval.session);
    free(interval.warned.items);
    if (error == NULL && options->strict)
        error = pht_take_ptr(interval.incomplete);
    pht_error_destroy(interval.incomplete);
    return error;
}
