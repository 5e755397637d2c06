/* What grew since the baseline, where no other finding tells it. */
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "model/findings.h"

#define TYPES_NAMED 3

/* Less growth of a type than this may be what the process does at the moment. */
#define TYPE_GROWTH_BYTES PHT_MIB

static const struct pht_growth_list *growths(const struct pht_judge *judge,
                                             enum pht_figure_kind kind)
{
    return &judge->diff->lists[kind];
}

static const struct pht_growth *find_category(const struct pht_judge *judge,
                                              enum pht_category category)
{
    const struct pht_growth_list *list = growths(judge, PHT_FIGURE_CATEGORY);
    const char *id = pht_category_name(category)->id;

    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].figure->name, id) == 0)
            return &list->items[i];
    }
    return NULL;
}

/* 0 if it shrank. */
static uint64_t category_growth(const struct pht_judge *judge, enum pht_category category)
{
    const struct pht_growth *growth = find_category(judge, category);

    return growth != NULL && growth->bytes > 0 ? (uint64_t)growth->bytes : 0;
}

/* "; RSS grew by 70.1M.", with what RSS did instead. */
static void say_rss(struct pht_judge *judge, struct pht_finding *finding)
{
    int64_t before = judge->diff->before->rss_bytes, after = judge->diff->after->rss_bytes;

    if (after >= before)
        pht_judge_say(judge, finding, " RSS grew by %s.", BYTES((uint64_t)(after - before)));
    else
        pht_judge_say(judge, finding, " RSS shrank by %s.", BYTES((uint64_t)(before - after)));
    pht_judge_note(finding, "rss_before_bytes", (uint64_t)before);
    pht_judge_note(finding, "rss_bytes", (uint64_t)after);
    pht_judge_note_text(judge, finding, "baseline_taken_at", judge->diff->before->taken_at);
}

static bool has_finding(const struct pht_judge *judge, const char *id)
{
    for (size_t i = 0; i < judge->findings->count; i++) {
        if (strcmp(judge->findings->items[i].id, id) == 0)
            return true;
    }
    return false;
}

/* ---- types -------------------------------------------------------------------------------- */

static void say_type(struct pht_judge *judge, struct pht_finding *finding, const char *before,
                     const struct pht_growth *growth)
{
    _cleanup_free_ char *name =
        pht_judge_type_name(judge, growth->figure->module, growth->figure->name);

    pht_judge_say(judge, finding, "%s%s +%s", before, name != NULL ? name : "",
                  BYTES((uint64_t)growth->bytes));
    if (growth->count > 0)
        pht_judge_say(judge, finding, " (+%s object%s)", COUNT((uint64_t)growth->count),
                      PLURAL((uint64_t)growth->count));
}

static void note_type(struct pht_judge *judge, struct pht_finding *finding,
                      const struct pht_growth *growth)
{
    _cleanup_free_ char *name =
        pht_judge_type_name(judge, growth->figure->module, growth->figure->name);

    pht_judge_note_text(judge, finding, "type", name != NULL ? name : "");
    pht_judge_note(finding, "type_growth_bytes", (uint64_t)growth->bytes);
    if (growth->count >= 0)
        pht_judge_note(finding, "type_growth_objects", (uint64_t)growth->count);
}

/* The class that grew most: it names the code at fault better than the dicts and strings in it. */
static const struct pht_growth *find_class(const struct pht_growth_list *types)
{
    for (size_t i = 0; i < types->count && types->items[i].bytes > 0; i++) {
        if (!pht_is_builtin(types->items[i].figure->module))
            return &types->items[i];
    }
    return NULL;
}

static void advise_types(struct pht_judge *judge, struct pht_finding *finding)
{
    const struct pht_growth *class = find_class(growths(judge, PHT_FIGURE_TYPE));
    _cleanup_free_ char *name =
        class != NULL ? pht_judge_type_name(judge, class->figure->module, class->figure->name)
                      : NULL;

    pht_judge_advise(judge, finding,
                     "look for the cache or list that keeps %s: gc.get_referrers() in a copy of "
                     "the service tells",
                     name != NULL ? name : "these");
}

static void say_types(struct pht_judge *judge, struct pht_finding *finding)
{
    const struct pht_growth_list *types = growths(judge, PHT_FIGURE_TYPE);
    const struct pht_growth *class = find_class(types);

    for (size_t i = 0; i < types->count && i < TYPES_NAMED && types->items[i].bytes > 0; i++)
        say_type(judge, finding, i == 0 ? ": " : ", ", &types->items[i]);
    if (class != NULL && (size_t)(class - types->items) >= TYPES_NAMED)
        say_type(judge, finding, "; of other classes ", class);
    pht_judge_say(judge, finding, ".");
    if (types->count > 0 && types->items[0].bytes > 0)
        note_type(judge, finding, &types->items[0]);
}

/* Arrays and the like: chunks with mappings of their own, as far as sizes of types account for it.
 */
static uint64_t python_mmapped(const struct pht_judge *judge, uint64_t elsewhere)
{
    const struct pht_growth_list *types = growths(judge, PHT_FIGURE_TYPE);
    uint64_t mmapped = category_growth(judge, PHT_CATEGORY_MALLOC_MMAPPED), sizes = 0;

    for (size_t i = 0; i < types->count && types->items[i].bytes > 0; i++) {
        if (__builtin_add_overflow(sizes, (uint64_t)types->items[i].bytes, &sizes))
            return mmapped;
    }
    uint64_t left = sizes > elsewhere ? sizes - elsewhere : 0;
    return left < mmapped ? left : mmapped;
}

static uint64_t python_elsewhere(const struct pht_judge *judge)
{
    return category_growth(judge, PHT_CATEGORY_PYTHON_SMALL) +
           category_growth(judge, PHT_CATEGORY_PYTHON_LARGE);
}

static void judge_python(struct pht_judge *judge)
{
    uint64_t elsewhere = python_elsewhere(judge);
    uint64_t grown = elsewhere + python_mmapped(judge, elsewhere);
    enum pht_severity severity;

    if (!pht_judge_weigh(judge, grown, &severity))
        return;
    struct pht_finding *finding = pht_judge_add(judge, "python-leak", severity, grown);
    pht_judge_say(judge, finding, "Python objects grew by %s since the baseline", BYTES(grown));
    say_types(judge, finding);
    pht_judge_note(finding, "growth_bytes", grown);
    say_rss(judge, finding);
    advise_types(judge, finding);
}

/* Too little to be called a leak. */
static void judge_type(struct pht_judge *judge)
{
    const struct pht_growth_list *types = growths(judge, PHT_FIGURE_TYPE);

    if (has_finding(judge, "python-leak") || types->count == 0 ||
        types->items[0].bytes < (int64_t)TYPE_GROWTH_BYTES)
        return;
    struct pht_finding *finding =
        pht_judge_add(judge, "type-growth", PHT_SEVERITY_INFO, (uint64_t)types->items[0].bytes);
    say_type(judge, finding, "Since the baseline ", &types->items[0]);
    pht_judge_say(judge, finding, ".");
    note_type(judge, finding, &types->items[0]);
    say_rss(judge, finding);
    advise_types(judge, finding);
}

/* ---- categories --------------------------------------------------------------------------- */

static const char *advise_category(enum pht_category category)
{
    switch (category) {
    case PHT_CATEGORY_PYMALLOC_SLACK:
        return "--section=pymalloc: which sizes, and how many arenas are nearly empty";
    case PHT_CATEGORY_MALLOC_UNOWNED:
        return "--section=types: the chunks that no object owns, and what they begin with";
    case PHT_CATEGORY_MALLOC_FREE:
    case PHT_CATEGORY_MALLOC_TOP:
        return "--section=glibc: in which arenas, and what malloc_trim(0) would give back";
    case PHT_CATEGORY_MALLOC_MMAPPED:
        return "--section=types: which large objects, numpy arrays for instance, have it";
    case PHT_CATEGORY_OTHER_ALLOCATOR:
        return "the statistics of that allocator";
    case PHT_CATEGORY_FILES:
        return "nothing unless it goes on: pages of files go back when memory is short";
    case PHT_CATEGORY_STACKS:
        return "count the threads: each keeps what its stack has used";
    case PHT_CATEGORY_SHARED_MEMORY:
        return "--section=maps: which segment, and who has it open";
    case PHT_CATEGORY_PYTHON_SMALL:
    case PHT_CATEGORY_PYTHON_LARGE:
    case PHT_CATEGORY_UNATTRIBUTED:
    case PHT_CATEGORIES:
        break;
    }
    return "--section=categories: which mappings it is in";
}

static bool is_mmapped_by_python(const struct pht_judge *judge)
{
    return pht_is_share(python_mmapped(judge, python_elsewhere(judge)), 50,
                        category_growth(judge, PHT_CATEGORY_MALLOC_MMAPPED));
}

/* What another finding tells already. */
static bool is_told(const struct pht_judge *judge, enum pht_category category)
{
    switch (category) {
    case PHT_CATEGORY_PYTHON_SMALL:
    case PHT_CATEGORY_PYTHON_LARGE:
        return has_finding(judge, "python-leak");
    case PHT_CATEGORY_MALLOC_MMAPPED:
        return has_finding(judge, "python-leak") && is_mmapped_by_python(judge);
    case PHT_CATEGORY_MALLOC_UNOWNED:
        return has_finding(judge, "native-leak");
    case PHT_CATEGORY_PYMALLOC_SLACK:
        return has_finding(judge, "pymalloc-slack");
    case PHT_CATEGORY_MALLOC_FREE:
    case PHT_CATEGORY_MALLOC_TOP:
        return has_finding(judge, "glibc-trimmable") ||
               has_finding(judge, "mmap-threshold-drift") || has_finding(judge, "glibc-arenas") ||
               has_finding(judge, "glibc-fragmented");
    default:
        return false;
    }
}

static void judge_category(struct pht_judge *judge, enum pht_category category)
{
    const struct pht_category_name *name = pht_category_name(category);
    uint64_t grown = category_growth(judge, category);
    enum pht_severity severity;

    if (is_told(judge, category) || !pht_judge_weigh(judge, grown, &severity))
        return;
    struct pht_finding *finding = pht_judge_add(judge, "category-growth", severity, grown);
    pht_judge_say(judge, finding, "%c, %s, grew by %s since the baseline.", name->letter,
                  name->label, BYTES(grown));
    pht_judge_note_text(judge, finding, "category", name->id);
    pht_judge_note(finding, "growth_bytes", grown);
    say_rss(judge, finding);
    pht_judge_advise(judge, finding, "%s", advise_category(category));
}

void pht_judge_growth(struct pht_judge *judge)
{
    judge_python(judge);
    judge_type(judge);
    for (int i = 0; i < PHT_CATEGORIES; i++)
        judge_category(judge, (enum pht_category)i);
}
