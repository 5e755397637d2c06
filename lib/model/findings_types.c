/* Live Python objects: what most of the memory is in use for. */
#include <string.h>

#include "base/cleanup.h"
#include "model/findings.h"

#define TYPES_NAMED 3

/*
 * In a process in order no type has a fifth of the memory. What is kept by mistake is often several
 * of about the same share: a class, its dict, its strings. A class of its own that is one object of
 * twenty stands out then, as functions, code and strings are most of what was only imported.
 */
#define TYPE_PERCENT 20
#define OBJECTS_PERCENT 40
#define CLASS_PERCENT 5

struct main_types {
    const struct pht_type_sum *most[TYPES_NAMED]; /* by what they take, most first */
    size_t count;
    const struct pht_type_sum *class; /* that is no builtin and takes most, if many; NULL: none */
};

static void insert_type(struct main_types *types, const struct pht_type_sum *type)
{
    size_t at = types->count;

    while (at > 0 && types->most[at - 1]->allocated_bytes < type->allocated_bytes)
        at--;
    if (at == TYPES_NAMED)
        return;
    if (types->count < TYPES_NAMED)
        types->count++;
    memmove(&types->most[at + 1], &types->most[at],
            (types->count - at - 1) * sizeof(types->most[0]));
    types->most[at] = type;
}

static struct main_types find_types(const struct pht_objects *objects)
{
    struct main_types types = {0};

    for (size_t i = 0; i < objects->type_count; i++) {
        const struct pht_type_sum *type = &objects->types[i];
        insert_type(&types, type);
        if (!pht_is_builtin(type->module) &&
            (types.class == NULL || type->allocated_bytes > types.class->allocated_bytes))
            types.class = type;
    }
    if (types.class != NULL &&
        !pht_is_share(types.class->objects, CLASS_PERCENT, objects->totals.objects))
        types.class = NULL;
    return types;
}

static bool is_remarkable(const struct pht_judge *judge, const struct main_types *types)
{
    const struct pht_report *report = judge->report;
    const struct pht_type_sum *totals = &report->objects->totals;
    uint64_t rss = report->kernel.rss_bytes, most;

    if (types->count == 0)
        return false;
    most = types->most[0]->allocated_bytes;
    if (most >= PHT_REMARKABLE_BYTES && pht_is_share(most, TYPE_PERCENT, rss))
        return true;
    return types->class != NULL && totals->allocated_bytes >= PHT_REMARKABLE_BYTES &&
           pht_is_share(totals->allocated_bytes, OBJECTS_PERCENT, rss);
}

static void say_type(struct pht_judge *judge, struct pht_finding *finding, const char *before,
                     const struct pht_type_sum *type)
{
    _cleanup_free_ char *name = pht_judge_type_name(judge, type->module, type->name);

    pht_judge_say(judge, finding, "%s%s %s (%s object%s)", before, name != NULL ? name : "",
                  BYTES(type->allocated_bytes), COUNT(type->objects), PLURAL(type->objects));
}

static bool is_named(const struct main_types *types, const struct pht_type_sum *type)
{
    for (size_t i = 0; i < types->count; i++) {
        if (types->most[i] == type)
            return true;
    }
    return false;
}

static void note_type(struct pht_judge *judge, struct pht_finding *finding,
                      const char *const *names, const struct pht_type_sum *type)
{
    _cleanup_free_ char *name = pht_judge_type_name(judge, type->module, type->name);

    pht_judge_note_text(judge, finding, names[0], name != NULL ? name : "");
    pht_judge_note(finding, names[1], type->objects);
    pht_judge_note(finding, names[2], type->allocated_bytes);
}

static void tell(struct pht_judge *judge, const struct main_types *types)
{
    static const char *const of_type[] = {"type", "objects", "allocated_bytes"};
    static const char *const of_class[] = {"class", "class_objects", "class_allocated_bytes"};
    uint64_t bytes = judge->report->objects->totals.allocated_bytes;
    struct pht_finding *finding = pht_judge_add(judge, "python-types", PHT_SEVERITY_INFO, bytes);

    pht_judge_say(judge, finding, "%s (%s of RSS) is live Python objects, most of it in",
                  BYTES(bytes), RSS_SHARE(judge, bytes));
    for (size_t i = 0; i < types->count; i++)
        say_type(judge, finding, i == 0 ? " " : ", ", types->most[i]);
    if (types->class != NULL && !is_named(types, types->class))
        say_type(judge, finding, "; of other classes in ", types->class);
    pht_judge_say(judge, finding, ".");
    pht_judge_note(finding, "python_bytes", bytes);
    note_type(judge, finding, of_type, types->most[0]);
    if (types->class != NULL)
        note_type(judge, finding, of_class, types->class);
    pht_judge_advise(judge, finding,
                     "pyheaptop -j -o before.json %d now, and --baseline=before.json later: what "
                     "grows between the two is the leak",
                     judge->report->process.pid);
}

/* What grew is told with its own words, and nobody then has to guess. */
void pht_judge_types(struct pht_judge *judge)
{
    const struct pht_objects *objects = judge->report->objects;

    if (objects == NULL || judge->diff != NULL)
        return;
    struct main_types types = find_types(objects);
    if (is_remarkable(judge, &types))
        tell(judge, &types);
}
