#include "cmd/option_table.h"

#include <string.h>

static const struct option_row rows[] = {
    {'1', "once", NULL,
     "print one text report, the default without a terminal;\na line a snapshot with -d or -n",
     NULL, OPTION_ASKS_REPORT},
    {'j', "json", NULL, "print JSON; with -d or -n one object a line", NULL, OPTION_ASKS_REPORT},
    {'n', "count", "N", "stop after so many snapshots", NULL, 0},
    {'d', "delay", "SECONDS", "between two snapshots (default 5)", NULL, OPTION_IS_SETTING},
    {'s', "sort", "COLUMN", "what tables are sorted by; --sort=help lists columns",
     "size objects taken largest type pools blocks use live free change arena heaps system rss top "
     "trim free-share share average more-objects start exclusive shared swap what help",
     OPTION_IS_SETTING},
    {OPTION_SCREEN, "screen", "NAME", "first screen: overview, pymalloc, glibc, types, maps",
     "overview pymalloc glibc types maps", OPTION_IS_SETTING | OPTION_OF_SCREENS},
    {OPTION_SECTION, "section", "NAME",
     "only this part, in full: findings, kernel, categories,\n"
     "pymalloc, glibc, types, maps, family; may be repeated",
     "findings kernel categories pymalloc glibc types maps family", OPTION_ASKS_REPORT},
    {OPTION_FAMILY, "family", NULL, "the same as --section=family: what fork still shares", NULL,
     OPTION_ASKS_REPORT},
    {OPTION_TYPES, "types", "[=SORT,N]",
     "the same as --section=types: by size, objects, taken,\n"
     "largest or type, and only so many: --types=objects,20",
     "size objects taken largest type", OPTION_ASKS_REPORT},
    {OPTION_NO_TYPES, "no-types", NULL,
     "do not count objects: quicker, but their large ones\n"
     "show as malloc in use",
     NULL, OPTION_IS_SETTING},
    {OPTION_PREVIEW, "preview", NULL, "with what large str and bytes begin with, in JSON too", NULL,
     OPTION_IS_SETTING},
    {OPTION_NO_PREVIEW, "no-preview", NULL, "without it, in text too: it may be secret", NULL,
     OPTION_IS_SETTING},
    {OPTION_DIFF, "diff", "FILE",
     "what grew since this JSON: in another file, in a\n"
     "process, or in the same process by now",
     NULL, OPTION_ASKS_REPORT},
    {OPTION_BASELINE, "baseline", "FILE", "show change since this JSON", NULL, 0},
    {OPTION_THREADS, "threads", "N", "count objects on so many processors (default 1)", NULL,
     OPTION_IS_SETTING},
    {OPTION_STOP, "stop", "MODE",
     "brief (default): about a millisecond; none: never stop\n"
     "the target; full: stopped for the whole walk",
     "none brief full", OPTION_IS_SETTING},
    {OPTION_NO_STOP, "no-stop", NULL, "the same as --stop=none", NULL, OPTION_IS_SETTING},
    {OPTION_MAX_STOP, "max-stop", "MS", "the target runs again after this long (default 20)", NULL,
     OPTION_IS_SETTING},
    {OPTION_RATE, "rate", "BYTES", "read so much of the target a second, and no more: 100M",
     "10M 100M 1G", OPTION_IS_SETTING},
    {OPTION_LAYOUT, "layout", "FILE", "layouts that --dump-layout wrote on another machine", NULL,
     OPTION_IS_SETTING},
    {OPTION_NO_DWARF, "no-dwarf", NULL,
     "do without debug information: built-in layouts, and\n"
     "what the target's memory shows of itself",
     NULL, OPTION_IS_SETTING},
    {OPTION_DUMP_LAYOUT, "dump-layout", NULL,
     "write the layouts of a process, or of a Python or\n"
     "libc file, to be carried to where debug files are not",
     NULL, OPTION_ASKS_REPORT},
    {OPTION_NO_SANDBOX, "no-sandbox", NULL, "where the kernel, or a debugger, cannot do with it",
     NULL, OPTION_IS_SETTING},
    {'o', "output", "FILE", "write there instead of stdout", NULL, OPTION_ASKS_REPORT},
    {OPTION_STRICT, "strict", NULL, "exit with 8 when anything had to be left out", NULL,
     OPTION_IS_SETTING | OPTION_ASKS_REPORT},
    {OPTION_COLOR, "color", "WHEN", "auto (NO_COLOR is honoured), always, never",
     "auto always never", OPTION_IS_SETTING | OPTION_OF_SCREENS},
    {OPTION_ASCII, "ascii", NULL, "screens without UTF-8", NULL,
     OPTION_IS_SETTING | OPTION_OF_SCREENS},
    {OPTION_MOUSE, "mouse", NULL, "screens with the mouse", NULL,
     OPTION_IS_SETTING | OPTION_OF_SCREENS},
    {OPTION_COMPLETIONS, "completions", "SHELL",
     "a script of bash, zsh or fish that completes options,\n"
     "their values, and pids",
     "bash zsh fish", 0},
    {'v', "verbose", NULL, "say on stderr what is being done", NULL, OPTION_IS_SETTING},
    {'q', "quiet", NULL, "only errors on stderr", NULL, OPTION_IS_SETTING},
    {'h', "help", NULL, "this text", NULL, 0},
    {'V', "version", NULL, "version, and what it was built with", NULL, 0},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))
_Static_assert(ROWS <= OPTION_ROWS_MAX, "the parser has no room for so many");

const struct option_row *option_rows(size_t *count)
{
    *count = ROWS;
    return rows;
}

const struct option_row *option_of_key(int key)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].key == key)
            return &rows[i];
    }
    return NULL;
}

const struct option_row *option_of_name(const char *name)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    }
    return NULL;
}

bool option_needs_value(const struct option_row *row)
{
    return row->argument != NULL && row->argument[0] != '[';
}

static void write_row(const struct option_row *row, FILE *file)
{
    char left[32];
    const char *help = row->help;

    snprintf(left, sizeof(left), "--%s%s%s", row->name, option_needs_value(row) ? "=" : "",
             row->argument != NULL ? row->argument : "");
    if (row->key < 256)
        fprintf(file, "  -%c, %-18s", row->key, left);
    else
        fprintf(file, "      %-18s", left);
    if (strlen(left) > 18)
        fprintf(file, "\n%24s", "");
    for (const char *end; (end = strchr(help, '\n')) != NULL; help = end + 1)
        fprintf(file, "%.*s\n%24s", (int)(end - help), help, "");
    fprintf(file, "%s\n", help);
}

void options_write_help(FILE *file)
{
    fprintf(file, "usage: pyheaptop [options] [PID | NAME]\n\n"
                  "  Where the resident memory of a Python process goes.  Reads only.\n\n");
    for (size_t i = 0; i < ROWS; i++)
        write_row(&rows[i], file);
    fprintf(file,
            "\n"
            "  pyheaptop 48213              screens       pyheaptop 48213 | less: a report\n"
            "  pyheaptop -j 48213 | jq .    for scripts   man pyheaptop: what it all means\n");
}
