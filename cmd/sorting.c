#include "cmd/sorting.h"

#include <string.h>

#include "pyheaptop/view.h"
#include "view/columns.h"

static const struct {
    const char *screen;
    enum pht_table_id table;
} tables[] = {
    {"pymalloc", PHT_TABLE_SIZE_CLASSES},
    {"glibc", PHT_TABLE_MALLOC_ARENAS},
    {"types", PHT_TABLE_TYPES},
    {"maps", PHT_TABLE_MAPPINGS},
};
#define TABLES (sizeof(tables) / sizeof(tables[0]))

bool sorting_has_column(const char *name)
{
    for (size_t i = 0; i < TABLES; i++) {
        size_t count;
        const struct pht_column *columns = pht_columns_of(tables[i].table, &count);
        for (size_t j = 0; j < count; j++) {
            if (columns[j].id != NULL && strcmp(columns[j].id, name) == 0)
                return true;
        }
    }
    return false;
}

void sorting_write_columns(FILE *file)
{
    fputs("report   ", file);
    for (int order = 0; order < PHT_TYPE_ORDERS; order++)
        fprintf(file, " %s", pht_type_order_name((enum pht_type_order)order));
    fputs("\nscreens:\n", file);
    for (size_t i = 0; i < TABLES; i++) {
        size_t count;
        const struct pht_column *columns = pht_columns_of(tables[i].table, &count);
        fprintf(file, "%-9s", tables[i].screen);
        for (size_t j = 0; j < count; j++) {
            if (columns[j].id != NULL)
                fprintf(file, " %s", columns[j].id);
        }
        fputc('\n', file);
    }
}
