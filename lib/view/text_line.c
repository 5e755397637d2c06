#include "view/text_line.h"

#include <stdarg.h>
#include <string.h>

#include "pyheaptop/layout.h"

const char *pht_text_bytes_or_dash(uint64_t value, char text[static PHT_HUMAN_MAX])
{
    return value == PHT_UNKNOWN ? "-" : pht_human_bytes(value, text);
}

const char *pht_text_count_or_dash(uint64_t value, char text[static PHT_HUMAN_MAX])
{
    return value == PHT_UNKNOWN ? "-" : pht_human_count(value, text);
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value;
}

static const char *sign(int64_t value)
{
    return value < 0 ? "-" : value > 0 ? "+" : "";
}

const char *pht_text_signed_bytes(int64_t value, char text[static PHT_TEXT_SIGNED_MAX])
{
    snprintf(text, PHT_TEXT_SIGNED_MAX, "%s%s", sign(value), BYTES(magnitude(value)));
    return text;
}

const char *pht_text_signed_count(int64_t value, char text[static PHT_TEXT_SIGNED_MAX])
{
    snprintf(text, PHT_TEXT_SIGNED_MAX, "%s%s", sign(value), COUNT(magnitude(value)));
    return text;
}

void pht_text_write_row(uint64_t bytes, const char *what, FILE *file)
{
    fprintf(file, "%9s  %s\n", BYTES_OR_DASH(bytes), what);
}

void pht_text_write_rows(const struct pht_text_row *rows, size_t count, FILE *file)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].bytes > 0)
            pht_text_write_row(rows[i].bytes, rows[i].what, file);
    }
}

void pht_text_write_wrapped(const char *text, int column, int indent, FILE *file)
{
    const char *separator = "";

    while (*text != '\0') {
        int length = (int)strcspn(text, " ");
        if (separator[0] != '\0' && column + 1 + length > PHT_TEXT_WIDTH) {
            fprintf(file, "\n%*s", indent, "");
            column = indent;
            separator = "";
        }
        column += fprintf(file, "%s%.*s", separator, length, text);
        separator = " ";
        text += length;
        text += strspn(text, " ");
    }
    fprintf(file, "\n");
}

void pht_text_begin_facts(struct pht_text_facts *facts, const char *title, FILE *file)
{
    facts->file = file;
    facts->indent = facts->column = fprintf(file, "%s", title);
}

void pht_text_add_fact(struct pht_text_facts *facts, const char *format, ...)
{
    char text[2 * PHT_TEXT_WIDTH];
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    bool is_first = facts->column == facts->indent;
    if (!is_first && facts->column + 2 + length > PHT_TEXT_WIDTH) {
        fprintf(facts->file, "\n%*s", facts->indent, "");
        facts->column = facts->indent;
        is_first = true;
    }
    facts->column += fprintf(facts->file, "%s%s", is_first ? "" : "  ", text);
}

void pht_text_end_facts(struct pht_text_facts *facts)
{
    fprintf(facts->file, "\n");
}
