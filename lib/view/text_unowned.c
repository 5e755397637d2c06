/* Chunks of malloc that no Python object owns, and what they begin with. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "view/mapping.h"
#include "view/sample.h"
#include "view/text_line.h"
#include "view/text_parts.h"

#define SIZE_ROWS 3
#define SIZE_ROWS_FULL 40

/* "libcrypto.so.3+0x4f10", "\"GET /index\"", "zeros". NULL for what tells nothing. */
static char *describe(const struct pht_report *report, const struct pht_chunk_sample *sample)
{
    const struct pht_mapping *mapping = pht_sample_mapping(report, sample);

    if (mapping != NULL) {
        _cleanup_free_ char *text =
            pht_text_format("%s+0x%" PRIx64, pht_mapping_short_name(mapping->name),
                            sample->points_to - mapping->start + mapping->offset);
        return text != NULL ? pht_text_printable(text, strlen(text)) : NULL;
    }
    if (sample->kind == PHT_SAMPLE_TEXT && sample->text_bytes > 0) {
        _cleanup_free_ char *text = pht_text_printable(sample->text, sample->text_bytes);
        return text != NULL ? pht_text_format("\"%s\"", text) : NULL;
    }
    return sample->kind == PHT_SAMPLE_OTHER ? NULL : strdup(pht_sample_kind_name(sample->kind));
}

/* Those that differ, side by side, as far as there is room. */
static void write_samples(const struct pht_report *report, const struct pht_unowned_size *size,
                          int column, FILE *file)
{
    _cleanup_free_ char *all = strdup("");

    for (size_t i = 0; i < size->sample_count && all != NULL; i++) {
        _cleanup_free_ char *one = describe(report, &size->samples[i]);
        if (one == NULL || strstr(all, one) != NULL)
            continue;
        char *more = pht_text_format("%s%s%s", all, all[0] != '\0' ? ", " : "", one);
        free(all);
        all = more;
    }
    if (all != NULL)
        pht_text_cut(all, (size_t)(PHT_TEXT_WIDTH - column));
    fprintf(file, "%s\n", all != NULL && all[0] != '\0' ? all : "-");
}

static void write_size(const struct pht_report *report, const struct pht_unowned_size *size,
                       FILE *file)
{
    int column = fprintf(file, "%12s %7s", COUNT(size->chunks), BYTES(size->min_bytes));

    if (size->max_bytes > size->min_bytes)
        column += fprintf(file, " to %-7s", BYTES(size->max_bytes));
    else
        column += fprintf(file, "%11s", "");
    column += fprintf(file, "%7s  ", BYTES(size->bytes));
    write_samples(report, size, column, file);
}

void pht_text_write_unowned(const struct pht_report *report, bool full, FILE *file)
{
    const struct pht_objects *objects = report->objects;
    const struct pht_tally *unowned = &objects->chunks.unowned;
    size_t rows = full ? SIZE_ROWS_FULL : SIZE_ROWS;

    if (unowned->count == 0)
        return;
    if (rows > objects->unowned_count)
        rows = objects->unowned_count;
    fprintf(file, "\nMalloc in use that no Python object owns: %s in %s chunk%s\n",
            BYTES(unowned->bytes), COUNT(unowned->count), PLURAL(unowned->count));
    if (rows > 0)
        fprintf(file, "      chunks    size            bytes  some begin with\n");
    for (size_t i = 0; i < rows; i++)
        write_size(report, &objects->unowned[i], file);
    if (rows < objects->unowned_count)
        fprintf(file, "  ... %s more size%s: %s\n", COUNT(objects->unowned_count - rows),
                PLURAL(objects->unowned_count - rows), full ? "--json" : "--section types");
}
