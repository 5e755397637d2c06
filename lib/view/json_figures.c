/*
 * The figures of a saved report. It may come from anywhere: nothing of it is believed to be of the
 * type, or in the range, that it should have.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "base/vec.h"
#include "pyheaptop/view.h"

#include <jansson.h>

struct reader {
    struct pht_figures *figures;
    const char *wrong; /* the first that is not as it should be; NULL: none yet */
    bool no_memory;
};

static void refuse_value(struct reader *reader, const char *key)
{
    if (reader->wrong == NULL)
        reader->wrong = key;
}

/* ---- values ------------------------------------------------------------------------------- */

static const char *read_text(struct reader *reader, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    if (text == NULL) {
        refuse_value(reader, key);
        return "";
    }
    return text;
}

static uint64_t read_number(struct reader *reader, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        refuse_value(reader, key);
        return 0;
    }
    return (uint64_t)json_integer_value(value);
}

static uint64_t read_address(struct reader *reader, const json_t *object, const char *key)
{
    const char *text = read_text(reader, object, key);

    return strtoull(text, NULL, 16);
}

static char *copy(struct reader *reader, const char *text)
{
    char *copied = strdup(text);

    if (copied == NULL)
        reader->no_memory = true;
    return copied;
}

/* ---- rows --------------------------------------------------------------------------------- */

static void add(struct reader *reader, enum pht_figure_kind kind, const char *module,
                const char *name, uint64_t number, uint64_t count, uint64_t bytes)
{
    struct pht_figure_list *list = &reader->figures->lists[kind];
    const struct pht_figure figure = {
        .name = copy(reader, name),
        .module = copy(reader, module),
        .number = number,
        .count = count,
        .bytes = bytes,
    };

    if (reader->no_memory || !pht_vec_push(list, figure)) {
        reader->no_memory = true;
        free(figure.name);
        free(figure.module);
    }
}

static void add_category(struct reader *reader, const json_t *row)
{
    const char *id = read_text(reader, row, "id");

    add(reader, PHT_FIGURE_CATEGORY, "", id, 0, 0, read_number(reader, row, "bytes"));
}

static void add_type(struct reader *reader, const json_t *row)
{
    const char *name = read_text(reader, row, "name"), *module = read_text(reader, row, "module");
    uint64_t address = read_address(reader, row, "address");
    uint64_t objects = read_number(reader, row, "objects");

    add(reader, PHT_FIGURE_TYPE, module, name, address, objects,
        read_number(reader, row, "size_bytes"));
}

static void add_size_class(struct reader *reader, const json_t *row)
{
    uint64_t size = read_number(reader, row, "block_bytes");
    uint64_t blocks = read_number(reader, row, "live_blocks"), bytes;

    if (__builtin_mul_overflow(size, blocks, &bytes) || bytes > INT64_MAX) {
        refuse_value(reader, "live_blocks");
        return;
    }
    add(reader, PHT_FIGURE_SIZE_CLASS, "", "", size, blocks, bytes);
}

static void add_unowned(struct reader *reader, const json_t *row)
{
    uint64_t size = read_number(reader, row, "min_bytes");
    uint64_t chunks = read_number(reader, row, "chunks");

    add(reader, PHT_FIGURE_UNOWNED, "", "", size, chunks, read_number(reader, row, "bytes"));
}

/* null, or a section that the report does not have: not known. */
static void read_list(struct reader *reader, enum pht_figure_kind kind, const json_t *list,
                      void (*add_row)(struct reader *, const json_t *))
{
    const json_t *row;
    size_t i;

    reader->figures->lists[kind].known = json_is_array(list);
    json_array_foreach(list, i, row)
    {
        if (reader->wrong == NULL && !reader->no_memory)
            add_row(reader, row);
    }
}

/* ---- the whole ---------------------------------------------------------------------------- */

static bool is_report(const json_t *root)
{
    const char *schema = json_string_value(json_object_get(root, "schema"));
    const char *version = json_string_value(json_object_get(root, "schema_version"));

    return schema != NULL && strcmp(schema, "pyheaptop.report") == 0 && version != NULL &&
           strncmp(version, "1.", 2) == 0;
}

static void read_figures(struct reader *reader, const json_t *root)
{
    const json_t *target = json_object_get(root, "target");
    struct pht_figures *figures = reader->figures;

    figures->taken_at = copy(reader, read_text(reader, root, "taken_at"));
    figures->comm = copy(reader, read_text(reader, target, "comm"));
    figures->pid = (int64_t)read_number(reader, target, "pid");
    figures->start_time_ticks = (int64_t)read_number(reader, target, "start_time_ticks");
    figures->rss_bytes = (int64_t)read_number(reader, json_object_get(root, "kernel"), "rss_bytes");
    read_list(reader, PHT_FIGURE_CATEGORY, json_object_get(root, "categories"), add_category);
    read_list(reader, PHT_FIGURE_TYPE, json_object_get(root, "types"), add_type);
    read_list(reader, PHT_FIGURE_SIZE_CLASS,
              json_object_get(json_object_get(root, "pymalloc"), "size_classes"), add_size_class);
    read_list(reader, PHT_FIGURE_UNOWNED, json_object_get(root, "unowned"), add_unowned);
}

static struct pht_error *refuse(const char *name, const char *why)
{
    _cleanup_free_ char *printable = pht_text_printable(name, strlen(name));
    _cleanup_free_ char *cause = pht_text_printable(why, strlen(why));

    if (printable == NULL || cause == NULL)
        return pht_error_no_memory();
    return pht_error_try(
        pht_error_because(pht_error_create(PHT_ERROR_FROM_FILE,
                                           "%s is no report of pyheaptop, or not one that this "
                                           "version understands",
                                           printable),
                          "%s", cause),
        "pyheaptop --json PID > dump.json");
}

static struct pht_error *read_root(const json_t *root, const char *name, struct pht_figures **ret)
{
    struct reader reader = {.figures = calloc(1, sizeof(*reader.figures))};
    char why[96];

    if (reader.figures == NULL)
        return pht_error_no_memory();
    if (is_report(root))
        read_figures(&reader, root);
    else
        reader.wrong = "schema";
    if (reader.wrong == NULL && !reader.no_memory) {
        *ret = reader.figures;
        return NULL;
    }
    pht_figures_destroy(reader.figures);
    if (reader.no_memory)
        return pht_error_no_memory();
    snprintf(why, sizeof(why), "\"%s\" is missing, or is not what it should be", reader.wrong);
    return refuse(name, why);
}

struct pht_error *pht_json_figures_read(FILE *file, const char *name, struct pht_figures **ret)
{
    json_error_t failure;
    json_t *root = json_loadf(file, 0, &failure);
    char why[JSON_ERROR_TEXT_LENGTH + 48];

    if (root == NULL) {
        snprintf(why, sizeof(why), "line %d, column %d: %s", failure.line, failure.column,
                 failure.text);
        return refuse(name, why);
    }
    struct pht_error *error = read_root(root, name, ret);
    json_decref(root);
    return error;
}

struct pht_error *pht_json_figures_open(const char *path, struct pht_figures **ret)
{
    _cleanup_fclose_ FILE *file = fopen(path, "re");

    if (file != NULL)
        return pht_json_figures_read(file, path, ret);
    const char *why = strerror(errno);
    _cleanup_free_ char *name = pht_text_printable(path, strlen(path));
    return pht_error_try(
        pht_error_create(PHT_ERROR_FROM_FILE, "cannot read %s: %s", name != NULL ? name : "", why),
        "pyheaptop --json PID > dump.json");
}
