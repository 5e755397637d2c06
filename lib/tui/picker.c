#include "tui/picker_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/facts.h"

/* Title, a blank, a message, keys; fewer on small screens. */
#define ROOMY_ROWS 12

struct pht_picker *pht_picker_create(const char *name, bool is_ascii)
{
    struct pht_picker *picker = calloc(1, sizeof(*picker));

    if (picker == NULL)
        return NULL;
    picker->view.is_ascii = is_ascii;
    picker->name = name;
    pht_own_table_init(&picker->table, PHT_TABLE_PROCESSES, PHT_TABLE_UNSORTED);
    return picker;
}

static void forget(struct pht_picker *picker)
{
    pht_candidates_deinit(&picker->candidates);
    free(picker->tree);
    free(picker->order);
    picker->tree = NULL;
    picker->order = NULL;
}

void pht_picker_destroy(struct pht_picker *picker)
{
    if (picker == NULL)
        return;
    forget(picker);
    pht_own_table_deinit(&picker->table);
    free(picker);
}

static void refresh(struct pht_picker *picker)
{
    const struct pht_table_source source = pht_picker_source(picker);

    pht_own_table_refresh(&picker->table, &source, &picker->view);
}

/* ---- what was found ----------------------------------------------------------------------- */

/* Those that are not called so leave. */
static void keep_named(struct pht_candidates *candidates, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < candidates->count; i++) {
        struct pht_candidate *candidate = &candidates->items[i];
        if (pht_candidate_is_called(candidate, name)) {
            candidates->items[kept++] = *candidate;
            continue;
        }
        free(candidate->command);
        free(candidate->names);
        free(candidate->user);
    }
    candidates->count = kept;
}

bool pht_picker_take(struct pht_picker *picker, struct pht_candidates *candidates)
{
    forget(picker);
    picker->candidates = *candidates;
    *candidates = (struct pht_candidates){0};
    if (picker->name != NULL)
        keep_named(&picker->candidates, picker->name);
    picker->tree = calloc(picker->candidates.count + 1, sizeof(*picker->tree));
    picker->order = calloc(picker->candidates.count + 1, sizeof(*picker->order));
    if (picker->tree == NULL || picker->order == NULL) {
        forget(picker);
        refresh(picker);
        return false;
    }
    pht_picker_make_tree(picker);
    refresh(picker);
    return true;
}

void pht_picker_say(struct pht_picker *picker, const char *text)
{
    snprintf(picker->message, sizeof(picker->message), "%s", text);
}

/* ---- drawing ------------------------------------------------------------------------------ */

static void draw_title(const struct pht_picker *picker, struct pht_area area)
{
    size_t count = picker->candidates.count, hidden = picker->candidates.hidden;
    struct pht_facts facts;

    pht_facts_begin(&facts, area, 0, 0, "   ");
    if (picker->name != NULL)
        pht_facts_add(&facts, PHT_ROLE_TITLE, "%zu Python process%s called %.40s", count,
                      count == 1 ? "" : "es", picker->name);
    else
        pht_facts_add(&facts, PHT_ROLE_TITLE, "%zu Python process%s you can read", count,
                      count == 1 ? "" : "es");
    if (hidden > 0)
        pht_facts_add(&facts, PHT_ROLE_WARN, "%zu more of other users: sudo shows them", hidden);
    if (picker->table.table.filter[0] != '\0')
        pht_facts_add(&facts, PHT_ROLE_WARN, "filter: %s", picker->table.table.filter);
}

static void draw_last(const struct pht_picker *picker, struct pht_area area, unsigned row)
{
    if (picker->has_prompt) {
        unsigned column = pht_area_put(area, row, 0, PHT_ROLE_KEY, picker->prompt.label);
        pht_area_format(area, row, column, PHT_ROLE_TEXT, "%s_", picker->prompt.text);
    } else if (picker->message[0] != '\0') {
        pht_area_put_cut(area, row, 0, area.columns, PHT_ROLE_WARN, picker->message);
    } else {
        struct pht_facts facts;
        pht_facts_begin(&facts, area, row, 0, "   ");
        pht_facts_add(&facts, PHT_ROLE_KEY, "Enter: open");
        pht_facts_add(&facts, PHT_ROLE_KEY, "q: leave");
        pht_facts_add(&facts, PHT_ROLE_KEY, "/: search");
        pht_facts_add(&facts, PHT_ROLE_KEY, "r: refresh");
        pht_facts_add(&facts, PHT_ROLE_KEY, "\\: filter");
        pht_facts_add(&facts, PHT_ROLE_KEY, "s: sort");
    }
}

void pht_picker_draw(struct pht_picker *picker, struct pht_area area)
{
    const struct pht_table_source source = pht_picker_source(picker);
    unsigned above = area.rows >= ROOMY_ROWS ? 2 : 1;

    if (area.rows < 4)
        return;
    draw_title(picker, area);
    if (source.rows == 0)
        pht_area_put_cut(area, above, 2, area.columns, PHT_ROLE_DIM,
                         "No Python process runs here that you can read.");
    else
        pht_own_table_draw(&picker->table, &source,
                           pht_area_rows(area, above, area.rows - above - above));
    draw_last(picker, area, area.rows - 1);
}

/* ---- keys --------------------------------------------------------------------------------- */

static void search(struct pht_picker *picker, int direction)
{
    const struct pht_table_source source = pht_picker_source(picker);

    if (!pht_table_search(&picker->table.table, &source, picker->search, direction) &&
        picker->search[0] != '\0')
        pht_picker_say(picker, "not found");
}

static void open_prompt(struct pht_picker *picker, bool is_filter)
{
    picker->has_prompt = true;
    picker->is_filter = is_filter;
    picker->prompt = (struct pht_prompt){.label = is_filter ? "Filter: " : "Search: "};
}

static void on_prompt_key(struct pht_picker *picker, int key)
{
    enum pht_prompt_result result = pht_prompt_on_key(&picker->prompt, key);

    picker->has_prompt = result == PHT_PROMPT_OPEN;
    if (picker->is_filter) {
        pht_table_filter(&picker->table.table,
                         result == PHT_PROMPT_DROPPED ? "" : picker->prompt.text);
        refresh(picker);
    } else if (result != PHT_PROMPT_DROPPED) {
        memcpy(picker->search, picker->prompt.text, sizeof(picker->search));
        search(picker, 0);
    }
}

/* From one column to the next, and back to the tree. */
static void sort_by_next(struct pht_picker *picker)
{
    struct pht_table *table = &picker->table.table;

    table->sort_column =
        table->sort_column == PHT_TABLE_UNSORTED ? PHT_PROCESS_RSS : table->sort_column + 1;
    if (table->sort_column >= table->column_count)
        table->sort_column = PHT_TABLE_UNSORTED;
    refresh(picker);
}

static enum pht_picker_result leave(struct pht_picker *picker)
{
    if (picker->table.table.filter[0] == '\0')
        return PHT_PICKER_LEAVE;
    pht_table_filter(&picker->table.table, "");
    refresh(picker);
    return PHT_PICKER_STAY;
}

enum pht_picker_result pht_picker_on_key(struct pht_picker *picker, int key)
{
    picker->message[0] = '\0';
    if (picker->has_prompt) {
        on_prompt_key(picker, key);
        return PHT_PICKER_STAY;
    }
    switch (key) {
    case PHT_KEY_ENTER:
    case '\r':
        return pht_picker_pid(picker) != 0 ? PHT_PICKER_OPEN : PHT_PICKER_STAY;
    case 'q':
    case PHT_KEY_F10:
    case PHT_KEY_CONTROL('c'):
        return PHT_PICKER_LEAVE;
    case PHT_KEY_ESCAPE:
        return leave(picker);
    case 'r':
        return PHT_PICKER_REFRESH;
    case '/':
    case '\\':
        open_prompt(picker, key == '\\');
        break;
    case 'n':
    case 'N':
        search(picker, key == 'n' ? 1 : -1);
        break;
    case 's':
        sort_by_next(picker);
        break;
    default:
        pht_table_move(&picker->table.table, key);
        break;
    }
    return PHT_PICKER_STAY;
}

pid_t pht_picker_pid(const struct pht_picker *picker)
{
    size_t row;

    if (!pht_table_selected(&picker->table.table, &row) || row >= picker->candidates.count)
        return 0;
    return pht_picker_process(picker, row)->pid;
}
