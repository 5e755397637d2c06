#include "tui/facts.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/cleanup.h"

void pht_facts_begin(struct pht_facts *facts, struct pht_area area, unsigned row, unsigned column,
                     const char *separator)
{
    *facts = (struct pht_facts){.area = area,
                                .row = row,
                                .column = column,
                                .end = area.columns,
                                .separator = separator,
                                .is_first = true};
}

void pht_facts_right(struct pht_facts *facts, enum pht_role role, const char *text)
{
    unsigned width = pht_canvas_width(facts->area.canvas, text);

    if (facts->column + width + 2 > facts->end)
        return;
    pht_area_put_right(facts->area, facts->row, facts->end, width, role, text);
    facts->end -= width + 2;
}

bool pht_facts_add(struct pht_facts *facts, enum pht_role role, const char *format, ...)
{
    _cleanup_free_ char *text = NULL;
    const char *separator = facts->is_first ? "" : facts->separator;
    va_list arguments;

    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0) {
        text = NULL;
        return false;
    }
    unsigned width = pht_canvas_width(facts->area.canvas, separator) +
                     pht_canvas_width(facts->area.canvas, text);
    if (facts->column + width > facts->end)
        return false;
    facts->column = pht_area_put(facts->area, facts->row, facts->column, PHT_ROLE_DIM, separator);
    facts->column = pht_area_put(facts->area, facts->row, facts->column, role, text);
    facts->is_first = false;
    return true;
}
