#include "tui/table_columns.h"

/* Two blanks; three before text that follows a number, for a sort mark may stand between them. */
static unsigned gap_before(const struct pht_column *column, const struct pht_column *before)
{
    if (before == NULL)
        return 0;
    return before->alignment == PHT_ALIGN_RIGHT && column->alignment == PHT_ALIGN_LEFT ? 3 : 2;
}

static unsigned total_width(const struct pht_column_place *places, size_t count)
{
    unsigned width = 0;

    for (size_t i = 0; i < count; i++) {
        width += gap_before(places[i].column, i > 0 ? places[i - 1].column : NULL);
        width += places[i].width;
    }
    /* A sort mark stands behind numbers. */
    if (count > 0 && places[count - 1].column->alignment == PHT_ALIGN_RIGHT)
        width += 2;
    return width;
}

static void remove_place(struct pht_column_place *places, size_t *count, size_t at)
{
    (*count)--;
    for (size_t i = at; i < *count; i++)
        places[i] = places[i + 1];
}

/* The column that leaves next; `count`: all of them stay. */
static size_t least_important(const struct pht_column_place *places, size_t count)
{
    size_t least = count;

    for (size_t i = 0; i < count; i++) {
        if (places[i].column->priority > 0 &&
            (least == count || places[i].column->priority >= places[least].column->priority))
            least = i;
    }
    return least;
}

/* The flexible column takes what is left, or gives up what is missing. */
static void stretch(struct pht_column_place *places, size_t count, unsigned columns)
{
    unsigned total = total_width(places, count);

    for (size_t i = 0; i < count; i++) {
        if (!places[i].column->is_flexible)
            continue;
        if (total <= columns)
            places[i].width += columns - total;
        else
            places[i].width -=
                total - columns < places[i].width ? total - columns : places[i].width;
        return;
    }
}

static size_t list_columns(const struct pht_table *table,
                           struct pht_column_place places[static PHT_TABLE_COLUMNS_MAX])
{
    unsigned shift = table->shift;
    size_t count = 0;

    for (size_t i = 0; i < table->column_count && i < PHT_TABLE_COLUMNS_MAX; i++) {
        if (table->columns[i].priority > 0 && shift > 0) {
            shift--;
            continue;
        }
        places[count++] = (struct pht_column_place){.column = &table->columns[i],
                                                    .width = table->columns[i].width};
    }
    return count;
}

size_t pht_table_place(const struct pht_table *table, unsigned start, unsigned columns,
                       struct pht_column_place places[static PHT_TABLE_COLUMNS_MAX])
{
    size_t count = list_columns(table, places);
    unsigned room = columns > start ? columns - start : 0;

    while (total_width(places, count) > room) {
        size_t leaving = least_important(places, count);
        if (leaving == count)
            break;
        remove_place(places, &count, leaving);
    }
    stretch(places, count, room);
    for (size_t i = 0; i < count; i++) {
        start += gap_before(places[i].column, i > 0 ? places[i - 1].column : NULL);
        places[i].start = start;
        start += places[i].width;
    }
    return count;
}

unsigned pht_table_shift_limit(const struct pht_table *table)
{
    unsigned limit = 0;

    for (size_t i = 0; i < table->column_count; i++)
        limit += table->columns[i].priority > 0;
    return limit > 0 ? limit - 1 : 0;
}
