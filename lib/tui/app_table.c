/* The table of the screen that is shown, and what keys do to it. */
#include <string.h>

#include "tui/app_parts.h"
#include "tui/chrome.h"

struct pht_table *pht_app_table(struct pht_app *app, struct pht_table_source *source)
{
    const struct pht_screen *screen = pht_screen_of(app->screen);

    return app->view.report != NULL ? screen->table(app->states[app->screen], source) : NULL;
}

static void refresh_table(struct pht_app *app, struct pht_table *table,
                          const struct pht_table_source *source, uint64_t key)
{
    if (!pht_table_update(table, source, key))
        pht_app_say(app, "out of memory");
}

void pht_app_sort_column(struct pht_app *app, size_t column)
{
    struct pht_table_source source;
    struct pht_table *table = pht_app_table(app, &source);

    if (table == NULL)
        return;
    pht_table_sort_by(table, column);
    table->selected = 0; /* who sorts wants to see what comes first */
    refresh_table(app, table, &source, 0);
}

static void sort_screen_by(struct pht_app *app, enum pht_screen_id screen, const char *column)
{
    struct pht_table_source source;
    struct pht_table *table = pht_screen_of(screen)->table(app->states[screen], &source);

    for (size_t i = 0; table != NULL && i < table->column_count; i++) {
        if (table->columns[i].id != NULL && strcmp(table->columns[i].id, column) == 0)
            table->sort_column = i;
    }
}

void pht_app_sort_by(struct pht_app *app, const char *column)
{
    for (int screen = 0; screen < PHT_SCREENS; screen++)
        sort_screen_by(app, (enum pht_screen_id)screen, column);
}

void pht_app_sort_by_change(struct pht_app *app)
{
    struct pht_table_source source;
    struct pht_table *table = pht_app_table(app, &source);
    size_t column = table != NULL ? pht_table_change_column(table) : 0;

    if (table == NULL || column == table->column_count)
        pht_app_say(app, "nothing here is sorted by change");
    else if (app->view.change == NULL)
        pht_app_say(app, "no baseline yet: b makes this snapshot the baseline");
    else
        pht_app_sort_column(app, column);
}

void pht_app_reverse(struct pht_app *app)
{
    struct pht_table_source source;
    struct pht_table *table = pht_app_table(app, &source);

    if (table != NULL && table->sort_column < table->column_count)
        pht_app_sort_column(app, table->sort_column);
}

void pht_app_filter(struct pht_app *app, const char *text)
{
    struct pht_table_source source;
    struct pht_table *table = pht_app_table(app, &source);

    if (table == NULL)
        return;
    uint64_t key = pht_table_key(table, &source);
    pht_table_filter(table, text);
    refresh_table(app, table, &source, key);
}

void pht_app_search(struct pht_app *app, int direction)
{
    struct pht_table_source source;
    struct pht_table *table = pht_app_table(app, &source);

    if (table == NULL)
        return;
    if (app->search[0] == '\0')
        pht_app_say(app, "nothing was searched for yet: / does");
    else if (!pht_table_search(table, &source, app->search, direction))
        pht_app_say(app, "no row here holds '%s'", app->search);
    else
        app->message[0] = '\0';
}

bool pht_app_move(struct pht_app *app, int key)
{
    struct pht_table_source source;
    struct pht_table *table = pht_app_table(app, &source);

    return table != NULL && pht_table_move(table, key);
}
