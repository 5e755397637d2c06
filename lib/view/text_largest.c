/* The largest single objects, with what those that are text begin with. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "view/text_line.h"
#include "view/text_parts.h"

#define NAME_WIDTH 24

static void write_object(const struct pht_objects *objects, const struct pht_large_object *object,
                         FILE *file)
{
    const struct pht_type_sum *type = &objects->types[object->type];
    _cleanup_free_ char *name = pht_text_type_name(type->module, type->name, type->address);
    _cleanup_free_ char *text =
        object->has_preview ? pht_text_printable(object->preview, object->preview_bytes) : NULL;

    if (name != NULL)
        pht_text_cut(name, NAME_WIDTH);
    int column =
        fprintf(file, "%12s  %#14" PRIx64 "  ", BYTES(object->size_bytes), object->address);
    fputs(name != NULL ? name : "", file);
    if (text == NULL || name == NULL) {
        fputc('\n', file);
        return;
    }
    size_t width = pht_text_characters(name);
    column += NAME_WIDTH + 1;
    fprintf(file, "%*s", (int)(NAME_WIDTH - (width < NAME_WIDTH ? width : NAME_WIDTH)) + 1, "");
    pht_text_cut(text, (size_t)(PHT_TEXT_WIDTH - column));
    fprintf(file, "%s\n", text);
}

void pht_text_write_largest(const struct pht_objects *objects, FILE *file)
{
    if (objects->largest_count == 0)
        return;
    fprintf(file, "\n        size         address  largest objects\n");
    for (size_t i = 0; i < objects->largest_count; i++)
        write_object(objects, &objects->largest[i], file);
}
