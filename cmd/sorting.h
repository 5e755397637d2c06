/* What --sort can name: the columns of the screens' tables, some of which a report has too. */
#ifndef PHT_CMD_SORTING_H
#define PHT_CMD_SORTING_H

#include <stdbool.h>
#include <stdio.h>

/* Of any table that a screen begins with. */
bool sorting_has_column(const char *name);

/* All of them, a line a table. */
void sorting_write_columns(FILE *file);

#endif
