/* Python objects by type. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "view/text_line.h"
#include "view/text_parts.h"

#define TYPE_ROWS 5

static bool is_builtin(const char *module)
{
    return module[0] == '\0' || strcmp(module, "builtins") == 0 ||
           strcmp(module, "__builtin__") == 0;
}

/* By its address where the name is not known. */
char *pht_text_type_name(const char *module, const char *name, pht_addr address)
{
    if (name[0] == '\0')
        return pht_text_format("type at %" PRIx64, address);
    if (is_builtin(module))
        return pht_text_printable(name, strlen(name));
    _cleanup_free_ char *bytes = pht_text_format("%s.%s", module, name);
    return bytes != NULL ? pht_text_printable(bytes, strlen(bytes)) : NULL;
}

static void write_name(const struct pht_type_sum *type, int column, FILE *file)
{
    _cleanup_free_ char *name = pht_text_type_name(type->module, type->name, type->address);

    if (name != NULL)
        pht_text_cut(name, (size_t)(PHT_TEXT_WIDTH - column));
    fprintf(file, "%s\n", name != NULL ? name : "");
}

/* ---- the order of rows -------------------------------------------------------------------- */

const char *pht_type_order_name(enum pht_type_order by)
{
    static const char *const names[] = {
        [PHT_BY_SIZE] = "size",       [PHT_BY_OBJECTS] = "objects", [PHT_BY_TAKEN] = "taken",
        [PHT_BY_LARGEST] = "largest", [PHT_BY_NAME] = "type",
    };

    return names[by];
}

static uint64_t value_of(const struct pht_type_sum *type, enum pht_type_order by)
{
    switch (by) {
    case PHT_BY_OBJECTS:
        return type->objects;
    case PHT_BY_TAKEN:
        return type->allocated_bytes;
    case PHT_BY_LARGEST:
        return type->max_bytes;
    default:
        return type->size_bytes;
    }
}

/* Builtins, which show without their module, come first. */
static int compare_names(const struct pht_type_sum *left, const struct pht_type_sum *right)
{
    int order = is_builtin(right->module) - is_builtin(left->module);

    if (order == 0 && !is_builtin(left->module))
        order = strcmp(left->module, right->module);
    return order != 0 ? order : strcmp(left->name, right->name);
}

struct sorting {
    const struct pht_type_sum *types;
    enum pht_type_order by;
};

/* Equal ones keep the order of the model. */
static int compare_types(const void *a, const void *b, void *context)
{
    const struct sorting *sorting = context;
    size_t left = *(const size_t *)a, right = *(const size_t *)b;
    const struct pht_type_sum *left_type = &sorting->types[left];
    const struct pht_type_sum *right_type = &sorting->types[right];
    uint64_t left_value = value_of(left_type, sorting->by);
    uint64_t right_value = value_of(right_type, sorting->by);
    int order = 0;

    if (sorting->by == PHT_BY_NAME)
        order = compare_names(left_type, right_type);
    else if (left_value != right_value)
        order = left_value < right_value ? 1 : -1;
    return order != 0 ? order : (left > right) - (left < right);
}

/* ---- rows --------------------------------------------------------------------------------- */

static void write_type(const struct pht_type_sum *type, FILE *file)
{
    int column = fprintf(file, "%12s %7s %7s  ", COUNT(type->objects), BYTES(type->size_bytes),
                         BYTES(type->allocated_bytes));

    write_name(type, column, file);
}

/* As guppy has it: each number with its share, and the sizes so far. */
static void write_full_type(const struct pht_type_sum *type, const struct pht_type_sum *totals,
                            uint64_t sizes_so_far, FILE *file)
{
    int column = fprintf(file, "%12s %5s %7s %5s %5s %7s %7s  ", COUNT(type->objects),
                         PERCENT(type->objects, totals->objects), BYTES(type->size_bytes),
                         PERCENT(type->size_bytes, totals->size_bytes),
                         PERCENT(sizes_so_far, totals->size_bytes), BYTES(type->allocated_bytes),
                         BYTES(type->max_bytes));

    write_name(type, column, file);
}

static void write_blocks(const struct pht_tally *blocks, const char *what, FILE *file)
{
    if (blocks->count > 0 && blocks->count != PHT_UNKNOWN)
        fprintf(file, "%12s %5s %7s %5s %5s %7s %7s  %s\n", COUNT(blocks->count), "-", "-", "-",
                "-", BYTES(blocks->bytes), "-", what);
}

static void write_rows(const struct pht_objects *objects, const size_t *order, size_t shown,
                       bool full, FILE *file)
{
    uint64_t sizes = 0;

    fprintf(file, full ? "     objects     %%    size     %%   cum   taken largest  type\n"
                       : "     objects    size   taken  type\n");
    for (size_t i = 0; i < shown; i++) {
        const struct pht_type_sum *type = &objects->types[order[i]];
        sizes += type->size_bytes;
        if (full)
            write_full_type(type, &objects->totals, sizes, file);
        else
            write_type(type, file);
    }
}

static size_t rows_to_show(const struct pht_objects *objects,
                           const struct pht_text_options *options)
{
    uint64_t most = options->full ? UINT64_MAX : TYPE_ROWS;

    if (options->type_rows != 0)
        most = options->type_rows;
    return objects->type_count < most ? objects->type_count : (size_t)most;
}

static void write_table(const struct pht_objects *objects, const struct pht_text_options *options,
                        FILE *file)
{
    struct sorting sorting = {.types = objects->types, .by = options->type_sort};
    size_t count = objects->type_count, shown = rows_to_show(objects, options);

    if (count == 0)
        return;
    _cleanup_free_ size_t *order = calloc(count, sizeof(*order));
    if (order == NULL)
        return;
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    if (sorting.by != PHT_BY_SIZE)
        qsort_r(order, count, sizeof(*order), compare_types, &sorting);
    write_rows(objects, order, shown, options->full, file);
    if (shown < count)
        fprintf(file, "  ... %s more type%s%s\n", COUNT(count - shown), PLURAL(count - shown),
                options->type_rows == 0 ? ": --section types" : "");
}

void pht_text_write_types(const struct pht_objects *objects, const struct pht_text_options *options,
                          FILE *file)
{
    const struct pht_type_sum *totals = &objects->totals;
    struct pht_text_facts facts;

    fprintf(file, "\n");
    pht_text_begin_facts(&facts, "Types  ", file);
    pht_text_add_fact(&facts, "%s type%s", COUNT(objects->type_count), PLURAL(objects->type_count));
    pht_text_add_fact(&facts, "%s object%s", COUNT(totals->objects), PLURAL(totals->objects));
    pht_text_add_fact(&facts, "shallow %s", BYTES(totals->size_bytes));
    pht_text_add_fact(&facts, "taken %s", BYTES(totals->allocated_bytes));
    if (objects->interned.count > 0)
        pht_text_add_fact(&facts, "interned %s (%s)", BYTES(objects->interned.bytes),
                          COUNT(objects->interned.count));
    pht_text_end_facts(&facts);
    write_table(objects, options, file);
    if (options->full) {
        write_blocks(&objects->blocks.free_listed, "blocks of free lists", file);
        write_blocks(&objects->blocks.unowned, "blocks of no known type", file);
    }
}
