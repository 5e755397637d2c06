#include "tui/picker_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view/family.h"

/* ---- the tree ----------------------------------------------------------------------------- */

static const struct pht_candidate *find(const struct pht_candidates *candidates, pid_t pid)
{
    for (size_t i = 0; i < candidates->count; i++) {
        if (candidates->items[i].pid == pid)
            return &candidates->items[i];
    }
    return NULL;
}

/* Ancestors in the list. Pids are used again, so that they may even be a circle. */
static unsigned depth_of(const struct pht_candidates *candidates,
                         const struct pht_candidate *candidate)
{
    unsigned depth = 0;

    while (depth < candidates->count && (candidate = find(candidates, candidate->ppid)) != NULL)
        depth++;
    return depth < candidates->count ? depth : 0;
}

static int compare_depths(const void *a, const void *b)
{
    const struct pht_family_row *left = a, *right = b;

    if (left->depth != right->depth)
        return left->depth < right->depth ? -1 : 1;
    if (left->rss_bytes != right->rss_bytes)
        return left->rss_bytes > right->rss_bytes ? -1 : 1;
    return left->pid < right->pid ? -1 : left->pid > right->pid;
}

void pht_picker_make_tree(struct pht_picker *picker)
{
    size_t count = picker->candidates.count;

    for (size_t i = 0; i < count; i++) {
        const struct pht_candidate *candidate = &picker->candidates.items[i];
        picker->tree[i] = (struct pht_family_row){
            .pid = candidate->pid,
            .ppid = candidate->ppid,
            .rss_bytes = candidate->rss_bytes,
            .depth = depth_of(&picker->candidates, candidate),
        };
    }
    if (count > 1)
        qsort(picker->tree, count, sizeof(picker->tree[0]), compare_depths);
    pht_family_order(picker->tree, count, picker->order);
}

/* ---- rows --------------------------------------------------------------------------------- */

const struct pht_candidate *pht_picker_process(const struct pht_picker *picker, size_t row)
{

    return find(&picker->candidates, picker->tree[picker->order[row]].pid);
}

static bool is_tree(const struct pht_picker *picker)
{
    return picker->table.table.sort_column == PHT_TABLE_UNSORTED &&
           picker->table.table.filter[0] == '\0';
}

/* "python3 app.py": where the interpreter lies is of no interest, and takes the room. */
static const char *without_path(const char *command)
{
    const char *name = command;

    for (const char *at = command; command[0] == '/' && at[0] != '\0' && at[0] != ' '; at++) {
        if (at[0] == '/' && at[1] != '\0' && at[1] != ' ')
            name = at + 1;
    }
    return name;
}

static void put_command(const struct pht_picker *picker, size_t row, struct pht_table_cell *cell)
{
    char lines[PHT_FAMILY_LINES_MAX] = "";
    size_t count = picker->candidates.count;

    if (is_tree(picker))
        pht_family_lines(picker->tree, picker->order, count, row, lines);
    snprintf(cell->text, sizeof(cell->text), "%s%.200s", lines,
             without_path(pht_picker_process(picker, row)->command));
}

static void cell(const void *data, size_t row, size_t column, struct pht_table_cell *ret)
{
    const struct pht_picker *picker = data;
    const struct pht_candidate *process = pht_picker_process(data, row);

    switch (column) {
    case PHT_PROCESS_PID:
        snprintf(ret->text, sizeof(ret->text), "%d", process->pid);
        break;
    case PHT_PROCESS_USER:
        pht_cell_text(ret, process->user != NULL ? process->user : "-");
        break;
    case PHT_PROCESS_RSS:
        pht_cell_bytes(ret, &picker->view, process->rss_bytes);
        break;
    case PHT_PROCESS_PSS:
        pht_cell_bytes(ret, &picker->view, process->pss_bytes);
        break;
    case PHT_PROCESS_UP:
        if (process->uptime_seconds != PHT_UNKNOWN)
            pht_human_uptime(process->uptime_seconds, ret->text);
        else
            pht_cell_text(ret, "-");
        break;
    case PHT_PROCESS_VERSION:
        pht_cell_text(ret, process->version[0] != '\0' ? process->version : "-");
        break;
    default:
        put_command(picker, row, ret);
        break;
    }
}

static int compare_texts(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

static int compare(const void *data, size_t column, size_t a, size_t b)
{
    const struct pht_candidate *left = pht_picker_process(data, a),
                               *right = pht_picker_process(data, b);

    switch (column) {
    case PHT_PROCESS_PID:
        return left->pid < right->pid ? -1 : left->pid > right->pid;
    case PHT_PROCESS_USER:
        return compare_texts(left->user, right->user);
    case PHT_PROCESS_PSS:
        return pht_compare_numbers(left->pss_bytes, right->pss_bytes);
    case PHT_PROCESS_UP:
        return pht_compare_numbers(left->uptime_seconds, right->uptime_seconds);
    case PHT_PROCESS_VERSION:
        return compare_texts(left->version, right->version);
    case PHT_PROCESS_COMMAND:
        return compare_texts(left->command, right->command);
    default:
        return pht_compare_numbers(left->rss_bytes, right->rss_bytes);
    }
}

static const char *name_of(const void *data, size_t row)
{
    return pht_picker_process(data, row)->command;
}

static uint64_t key_of(const void *data, size_t row)
{
    return (uint64_t)pht_picker_process(data, row)->pid;
}

struct pht_table_source pht_picker_source(const struct pht_picker *picker)
{
    return (struct pht_table_source){.data = picker,
                                     .rows = picker->tree != NULL ? picker->candidates.count : 0,
                                     .cell = cell,
                                     .compare = compare,
                                     .name = name_of,
                                     .key = key_of};
}
