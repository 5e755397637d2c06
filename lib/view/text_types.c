/* Python objects by type, those with the largest sizes first, as the model has them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "view/text_line.h"
#include "view/text_parts.h"

#define TYPE_ROWS 5

#define AVERAGE(bytes, count) pht_human_average(bytes, count, (char[PHT_HUMAN_MAX]){0})

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

static void write_type(const struct pht_type_sum *type, bool full, FILE *file)
{
    int column = fprintf(file, "%12s %7s %7s", COUNT(type->objects), BYTES(type->size_bytes),
                         BYTES(type->allocated_bytes));

    if (full)
        column += fprintf(file, " %7s", AVERAGE(type->size_bytes, type->objects));
    column += fprintf(file, "  ");
    write_name(type, column, file);
}

static void write_blocks(const struct pht_tally *blocks, const char *what, FILE *file)
{
    if (blocks->count > 0 && blocks->count != PHT_UNKNOWN)
        fprintf(file, "%12s %7s %7s %7s  %s\n", COUNT(blocks->count), "-", BYTES(blocks->bytes),
                "-", what);
}

static void write_rows(const struct pht_objects *objects, bool full, FILE *file)
{
    size_t count = objects->type_count;
    size_t shown = full || count <= TYPE_ROWS ? count : TYPE_ROWS;

    if (count == 0)
        return;
    fprintf(file, "     objects    size   taken%s  type\n", full ? " average" : "");
    for (size_t i = 0; i < shown; i++)
        write_type(&objects->types[i], full, file);
    if (shown < count)
        fprintf(file, "  ... %s more type%s: --section types\n", COUNT(count - shown),
                PLURAL(count - shown));
}

void pht_text_write_types(const struct pht_objects *objects, bool full, FILE *file)
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
    write_rows(objects, full, file);
    if (full) {
        write_blocks(&objects->blocks.free_listed, "blocks that free lists keep", file);
        write_blocks(&objects->blocks.unowned, "blocks with no type that can be proved", file);
    }
}
