/* Malloc in use that no Python object owns: where the leak of an extension shows. */
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "model/findings.h"

/*
 * What one report shows may be what a library needs. Half of all memory in chunks of one size is
 * not.
 */
#define URGENT_PERCENT 50

/* Fewer chunks of one size are somebody's buffers, and no leak. */
#define LEAK_CHUNKS 1000

/* An address in a file's mapping counts only if the file is a library, not the program itself. */
static const char *library_name(const struct pht_report *report,
                                const struct pht_chunk_sample *sample)
{
    const struct pht_mapping *mapping = sample->kind == PHT_SAMPLE_POINTER
                                            ? pht_maps_find(&report->smaps.maps, sample->points_to)
                                            : NULL;
    const char *slash = mapping != NULL ? strrchr(mapping->name, '/') : NULL;

    return slash != NULL ? slash + 1 : NULL;
}

/* What the chunks begin with, fit to print; NULL if that tells nothing, or memory is short. */
static char *describe_sample(const struct pht_report *report, const struct pht_chunk_sample *sample)
{
    const char *library = library_name(report, sample);

    if (library != NULL) {
        _cleanup_free_ char *printable = pht_text_printable(library, strlen(library));
        return printable != NULL ? pht_text_format("a pointer into %s", printable) : NULL;
    }
    if (sample->kind != PHT_SAMPLE_TEXT || sample->text_bytes == 0)
        return NULL;
    _cleanup_free_ char *printable = pht_text_printable(sample->text, sample->text_bytes);
    if (printable == NULL)
        return NULL;
    pht_text_cut(printable, 40);
    return pht_text_format("\"%s\"", printable);
}

static void say_samples(struct pht_judge *judge, struct pht_finding *finding,
                        const struct pht_unowned_size *size)
{
    for (size_t i = 0; i < size->sample_count; i++) {
        _cleanup_free_ char *text = describe_sample(judge->report, &size->samples[i]);
        if (text == NULL)
            continue;
        pht_judge_say(judge, finding, " Some begin with %s.", text);
        pht_judge_note_text(judge, finding, "begins_with", text);
        return;
    }
}

/* Without a baseline PHT_UNKNOWN. */
static uint64_t count_growth(const struct pht_judge *judge)
{
    int64_t sum = 0;

    if (judge->diff == NULL || !judge->diff->lists[PHT_FIGURE_UNOWNED].known)
        return PHT_UNKNOWN;
    const struct pht_growth_list *list = &judge->diff->lists[PHT_FIGURE_UNOWNED];
    for (size_t i = 0; i < list->count; i++) {
        if (__builtin_add_overflow(sum, list->items[i].bytes, &sum))
            return PHT_UNKNOWN;
    }
    return sum > 0 ? (uint64_t)sum : 0;
}

static void say_growth(struct pht_judge *judge, struct pht_finding *finding, uint64_t growth)
{
    if (growth == PHT_UNKNOWN)
        return;
    pht_judge_note(finding, "growth_bytes", growth);
    if (growth == 0)
        pht_judge_say(judge, finding, " It has not grown since the baseline.");
    else
        pht_judge_say(judge, finding, " It grew by %s since the baseline.", BYTES(growth));
}

static void advise(struct pht_judge *judge, struct pht_finding *finding, uint64_t growth)
{
    if (growth == PHT_UNKNOWN)
        pht_judge_advise(judge, finding,
                         "--baseline with an earlier JSON report, which shows whether it grows; ");
    pht_judge_advise(judge, finding,
                     "find the extension that makes chunks of this size: memray attach --native, "
                     "or heaptrack --pid");
}

/* Sizes of which there are many. */
struct native {
    const struct pht_unowned_size *most; /* NULL: none */
    uint64_t bytes;
};

static void tell(struct pht_judge *judge, const struct native *native, enum pht_severity severity,
                 uint64_t growth)
{
    const struct pht_unowned_size *most = native->most;
    bool is_range = most->max_bytes > most->min_bytes;
    struct pht_finding *finding = pht_judge_add(judge, "native-leak", severity, native->bytes);

    pht_judge_say(
        judge, finding,
        "%s (%s of RSS) of malloc in use belongs to no Python object: a C extension leaks "
        "it, or a library needs it. %s of it are %s chunks of %s%s.",
        BYTES(native->bytes), RSS_SHARE(judge, native->bytes), BYTES(most->bytes),
        COUNT(most->chunks), BYTES(most->min_bytes), is_range ? " and more" : "");
    pht_judge_note(finding, "chunks", most->chunks);
    pht_judge_note(finding, "chunk_bytes", most->bytes);
    pht_judge_note(finding, "chunk_min_bytes", most->min_bytes);
    pht_judge_note(finding, "chunk_max_bytes", most->max_bytes);
    say_samples(judge, finding, most);
    say_growth(judge, finding, growth);
    advise(judge, finding, growth);
}

static struct native add_up(const struct pht_objects *objects)
{
    struct native native = {0};

    for (size_t i = 0; i < objects->unowned_count; i++) {
        const struct pht_unowned_size *size = &objects->unowned[i];
        if (size->chunks < LEAK_CHUNKS)
            continue;
        native.bytes += size->bytes;
        if (native.most == NULL || size->bytes > native.most->bytes)
            native.most = size;
    }
    return native;
}

static enum pht_severity choose_severity(const struct pht_judge *judge, const struct native *native,
                                         enum pht_severity by_size, uint64_t growth)
{
    uint64_t rss = judge->report->kernel.rss_bytes;
    enum pht_severity by_growth;

    if (growth == 0)
        return PHT_SEVERITY_INFO;
    if (growth != PHT_UNKNOWN && pht_judge_weigh(judge, growth, &by_growth))
        return by_growth;
    return pht_is_share(native->most->bytes, URGENT_PERCENT, rss) ? by_size : PHT_SEVERITY_MEDIUM;
}

/*
 * One size has to stand out, or all of them together be much: libraries have many small chunks of
 * their own. Without a census nobody knows what Python owns. What has not grown since the baseline
 * is no leak, as far as that shows.
 */
void pht_judge_native(struct pht_judge *judge)
{
    const struct pht_objects *objects = judge->report->objects;
    enum pht_severity severity, of_one;

    if (objects == NULL || objects->unowned == NULL)
        return;
    struct native native = add_up(objects);
    if (native.most == NULL || !pht_judge_weigh(judge, native.bytes, &severity) ||
        (!pht_judge_weigh(judge, native.most->bytes, &of_one) && severity != PHT_SEVERITY_HIGH))
        return;
    uint64_t growth = count_growth(judge);
    tell(judge, &native, choose_severity(judge, &native, severity, growth), growth);
}
