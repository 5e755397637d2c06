#include "pyheaptop/view.h"
#include "view/json_writer.h"

static void put_signed(struct pht_json *json, json_t *object, const char *key, int64_t value)
{
    pht_json_put(json, object, key, json_integer(value));
}

static const char *count_name(enum pht_figure_kind kind)
{
    static const char *const names[PHT_FIGURE_KINDS] = {
        [PHT_FIGURE_TYPE] = "objects",
        [PHT_FIGURE_SIZE_CLASS] = "blocks",
        [PHT_FIGURE_UNOWNED] = "chunks",
    };

    return names[kind];
}

static void put_key(struct pht_json *json, json_t *object, enum pht_figure_kind kind,
                    const struct pht_figure *figure)
{
    switch (kind) {
    case PHT_FIGURE_CATEGORY:
        pht_json_put_text(json, object, "id", figure->name);
        return;
    case PHT_FIGURE_TYPE:
        pht_json_put_text(json, object, "name", figure->name);
        pht_json_put_text(json, object, "module", figure->module);
        pht_json_put_address(json, object, "address", figure->number);
        return;
    default:
        pht_json_put_number(json, object,
                            kind == PHT_FIGURE_SIZE_CLASS ? "block_bytes" : "min_bytes",
                            figure->number);
    }
}

static json_t *row(const struct pht_growth *growth, enum pht_figure_kind kind,
                   struct pht_json *json)
{
    static const struct pht_figure none;
    const struct pht_figure *before = growth->before != NULL ? growth->before : &none;
    const struct pht_figure *after = growth->after != NULL ? growth->after : &none;
    json_t *object = json_object(), *count;

    put_key(json, object, kind, growth->figure);
    pht_json_put_number(json, object, "before_bytes", before->bytes);
    pht_json_put_number(json, object, "after_bytes", after->bytes);
    put_signed(json, object, "growth_bytes", growth->bytes);
    if (kind == PHT_FIGURE_CATEGORY)
        return object;
    count = json_object();
    pht_json_put_number(json, count, "before", before->count);
    pht_json_put_number(json, count, "after", after->count);
    put_signed(json, count, "growth", growth->count);
    pht_json_put(json, object, count_name(kind), count);
    return object;
}

static json_t *list(const struct pht_growth_list *growths, enum pht_figure_kind kind,
                    struct pht_json *json)
{
    json_t *rows;

    if (!growths->known)
        return json_null();
    rows = json_array();
    for (size_t i = 0; i < growths->count; i++)
        pht_json_append(json, rows, row(&growths->items[i], kind, json));
    return rows;
}

static json_t *side(const struct pht_figures *figures, struct pht_json *json)
{
    json_t *object = json_object();

    pht_json_put_text(json, object, "taken_at", figures->taken_at);
    put_signed(json, object, "pid", figures->pid);
    put_signed(json, object, "start_time_ticks", figures->start_time_ticks);
    pht_json_put_text(json, object, "comm", figures->comm);
    put_signed(json, object, "rss_bytes", figures->rss_bytes);
    return object;
}

bool pht_json_diff_write(const struct pht_diff *diff, const char *version, FILE *file)
{
    static const char *const names[PHT_FIGURE_KINDS] = {"categories", "types", "size_classes",
                                                        "unowned"};
    struct pht_json json = {0};
    json_t *root = json_object(), *tool = json_object();

    pht_json_put_text(&json, root, "schema", "pyheaptop.diff");
    pht_json_put_text(&json, root, "schema_version", "1.0");
    pht_json_put_text(&json, tool, "name", "pyheaptop");
    pht_json_put_text(&json, tool, "version", version);
    pht_json_put(&json, root, "tool", tool);
    pht_json_put(&json, root, "before", side(diff->before, &json));
    pht_json_put(&json, root, "after", side(diff->after, &json));
    pht_json_put_flag(&json, root, "same_process", diff->same_process);
    put_signed(&json, root, "growth_bytes", diff->after->rss_bytes - diff->before->rss_bytes);
    for (int kind = 0; kind < PHT_FIGURE_KINDS; kind++)
        pht_json_put(&json, root, names[kind],
                     list(&diff->lists[kind], (enum pht_figure_kind)kind, &json));
    return pht_json_dump(&json, root, file);
}
