#include "layout/record.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define LAST_LINE_BYTES 21 /* "end 0123456789abcdef\n" */

/* FNV-1a. It finds damage; against the file's owner nothing has to hold. */
static uint64_t checksum(const char *bytes, size_t size)
{
    uint64_t sum = 0xcbf29ce484222325;

    for (size_t i = 0; i < size; i++)
        sum = (sum ^ (unsigned char)bytes[i]) * 0x100000001b3;
    return sum;
}

/* Where the line behind the first one that begins with "end " begins. */
static size_t find_end(const char *text, size_t size)
{
    const char *end = memmem(text, size, "\nend ", 5);

    return end != NULL && size - (size_t)(end + 1 - text) >= LAST_LINE_BYTES
               ? (size_t)(end + 1 - text) + LAST_LINE_BYTES
               : 0;
}

size_t pht_record_bytes(const char *text, size_t size)
{
    char last[LAST_LINE_BYTES + 1];
    size_t bytes = find_end(text, size);

    if (bytes == 0)
        return 0;
    snprintf(last, sizeof(last), "end %016" PRIx64 "\n", checksum(text, bytes - LAST_LINE_BYTES));
    return memcmp(text + bytes - LAST_LINE_BYTES, last, LAST_LINE_BYTES) == 0 ? bytes : 0;
}

/* ---- reading ------------------------------------------------------------------------------ */

/* The rest of a line "key value", NULL if it has another key. */
static const char *value_of(const char *line, const char *key)
{
    size_t length = strlen(key);

    if (strncmp(line, key, length) != 0 || line[length] != ' ')
        return NULL;
    return line + length + 1;
}

static bool next_line(FILE *file, char line[static 256])
{
    if (fgets(line, 256, file) == NULL)
        return false;
    char *end = strchr(line, '\n');
    if (end == NULL)
        return false;
    *end = '\0';
    return true;
}

static bool expect(FILE *file, const char *key, char value[static 256])
{
    char line[256];
    const char *found;

    if (!next_line(file, line) || (found = value_of(line, key)) == NULL)
        return false;
    snprintf(value, 256, "%s", found);
    return true;
}

static bool parse_symbol_source(const char *text, enum pht_symbol_source *ret)
{
    for (int i = PHT_SYMBOL_SYMTAB; i <= PHT_SYMBOL_SCAN; i++) {
        if (strcmp(text, pht_symbol_source_name((enum pht_symbol_source)i)) == 0) {
            *ret = (enum pht_symbol_source)i;
            return true;
        }
    }
    return false;
}

/* Longer than a property may be is not what was stored. */
static bool expect_property(FILE *file, const char *key, char property[static 32])
{
    char value[256];

    if (!expect(file, key, value) || strlen(value) >= 32)
        return false;
    memcpy(property, value, strlen(value) + 1);
    return true;
}

static bool load_head(FILE *file, const struct pht_record_kind *kind,
                      struct pht_layout_record *record)
{
    char line[256], value[256];

    if (!next_line(file, line) || strcmp(line, kind->format) != 0 ||
        !expect(file, "build-id", value) ||
        (record->build_id != NULL && strcmp(value, record->build_id) != 0))
        return false;
    for (size_t i = 0; i < PHT_RECORD_PROPERTIES_MAX && kind->properties[i] != NULL; i++) {
        if (!expect_property(file, kind->properties[i], record->properties[i]))
            return false;
    }
    if (!expect(file, "layout", value) ||
        strcmp(value, pht_layout_source_name(PHT_LAYOUT_DWARF)) != 0)
        return false;
    record->layout_source = PHT_LAYOUT_DWARF;
    return expect(file, "symbols", value) && parse_symbol_source(value, &record->symbol_source);
}

static bool parse_value(const char *text, uint64_t *ret)
{
    char *end;

    *ret = PHT_UNKNOWN;
    if (strcmp(text, "unknown") == 0)
        return true;
    errno = 0;
    *ret = strtoull(text, &end, 10);
    return isdigit((unsigned char)text[0]) && *end == '\0' && errno == 0;
}

static bool load_layout(FILE *file, const struct pht_layout_table *table, void *layout)
{
    char line[256], text[256];
    uint64_t value;

    for (size_t i = 0; i < table->count; i++) {
        if (!expect(file, table->fields[i].name, text) || !parse_value(text, &value))
            return false;
        pht_layout_set(layout, &table->fields[i], value);
    }
    return next_line(file, line) && value_of(line, "end") != NULL && getc(file) == EOF &&
           pht_layout_is_sound(table, layout) && table->is_as_declared(layout);
}

bool pht_record_parse(const char *text, size_t size, const struct pht_record_kind *kind,
                      struct pht_layout_record *record)
{
    if (pht_record_bytes(text, size) != size)
        return false;
    _cleanup_fclose_ FILE *file = fmemopen((char *)text, size, "r");
    return file != NULL && load_head(file, kind, record) &&
           load_layout(file, kind->table, record->layout);
}

/* ---- writing ------------------------------------------------------------------------------ */

static void write_layout(FILE *file, const struct pht_layout_table *table, const void *layout)
{
    for (size_t i = 0; i < table->count; i++) {
        uint64_t value = pht_layout_get(layout, &table->fields[i]);
        if (value == PHT_UNKNOWN)
            fprintf(file, "%s unknown\n", table->fields[i].name);
        else
            fprintf(file, "%s %" PRIu64 "\n", table->fields[i].name, value);
    }
}

static void write_record(FILE *file, const struct pht_record_kind *kind,
                         const struct pht_layout_record *record)
{
    fprintf(file, "%s\nbuild-id %s\n", kind->format, record->build_id);
    for (size_t i = 0; i < PHT_RECORD_PROPERTIES_MAX && kind->properties[i] != NULL; i++)
        fprintf(file, "%s %s\n", kind->properties[i], record->properties[i]);
    fprintf(file, "layout %s\nsymbols %s\n", pht_layout_source_name(record->layout_source),
            pht_symbol_source_name(record->symbol_source));
    write_layout(file, kind->table, record->layout);
}

bool pht_record_write(FILE *file, const struct pht_record_kind *kind,
                      const struct pht_layout_record *record)
{
    _cleanup_free_ char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);

    if (memory == NULL)
        return false;
    write_record(memory, kind, record);
    bool written = !ferror(memory);
    if (fclose(memory) != 0 || !written)
        return false;
    fwrite(text, 1, size, file);
    fprintf(file, "end %016" PRIx64 "\n", checksum(text, size));
    return !ferror(file);
}
