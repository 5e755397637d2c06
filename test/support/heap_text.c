#include "support/heap_text.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 80

char *heap_text_write(const struct pht_report *report, bool full)
{
    return heap_text_write_types(report, full, PHT_BY_SIZE, 0);
}

char *heap_text_write_types(const struct pht_report *report, bool full, enum pht_type_order sort,
                            uint64_t rows)
{
    const struct pht_text_options options = {
        .version = "1.2.3", .full = full, .type_sort = sort, .type_rows = rows};
    char *text;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(file);
    pht_text_report_write(report, &options, file);
    fclose(file);
    return text;
}

/* Characters, not bytes; none that is used here takes two columns. */
static size_t columns(const char *line, size_t bytes)
{
    size_t count = 0;

    for (size_t i = 0; i < bytes; i++)
        count += ((unsigned char)line[i] & 0xc0) != 0x80;
    return count;
}

void heap_text_check_width(const char *text)
{
    for (const char *line = text; *line != '\0';) {
        size_t bytes = strcspn(line, "\n");
        ck_assert_msg(columns(line, bytes) <= WIDTH, "%zu columns: %.*s", columns(line, bytes),
                      (int)bytes, line);
        line += bytes + (line[bytes] == '\n');
    }
}
