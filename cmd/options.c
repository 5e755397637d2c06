#include "cmd/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define MAX_STOP_MS_DEFAULT 20
#define MAX_STOP_MS_LIMIT 60000
#define THREADS_LIMIT 64
#define TYPE_ROWS_LIMIT 1000000000

enum {
    OPTION_STOP = 256,
    OPTION_MAX_STOP,
    OPTION_SECTION,
    OPTION_FAMILY,
    OPTION_TYPES,
    OPTION_NO_TYPES,
    OPTION_PREVIEW,
    OPTION_NO_PREVIEW,
    OPTION_DIFF,
    OPTION_THREADS,
    OPTION_LAYOUT,
    OPTION_DUMP_LAYOUT,
    OPTION_NO_DWARF,
    OPTION_NO_SANDBOX,
};

static const struct option_row {
    int key; /* the short option's letter, or one of the enum */
    const char *name;
    const char *argument; /* NULL: takes none; "[=...]": may do without */
    const char *help;
} rows[] = {
    {'1', "once", NULL, "print one text report (the default)"},
    {'j', "json", NULL, "print JSON"},
    {'o', "output", "FILE", "write there instead of stdout"},
    {OPTION_SECTION, "section", "NAME",
     "only this part, in full: kernel, categories, pymalloc,\n"
     "glibc, types, maps, family; may be repeated"},
    {OPTION_FAMILY, "family", NULL, "the same as --section=family: what fork still shares"},
    {OPTION_TYPES, "types", "[=SORT,N]",
     "the same as --section=types: by size, objects, taken,\n"
     "largest or type, and only so many: --types=objects,20"},
    {OPTION_NO_TYPES, "no-types", NULL,
     "do not count objects: quicker, but their large ones\n"
     "show as malloc in use"},
    {OPTION_PREVIEW, "preview", NULL, "with what large str and bytes begin with, in JSON too"},
    {OPTION_NO_PREVIEW, "no-preview", NULL, "without it, in text too: it may be secret"},
    {OPTION_DIFF, "diff", "FILE",
     "what grew since this JSON: in another file, in a\n"
     "process, or in the same process by now"},
    {OPTION_THREADS, "threads", "N", "count objects on so many processors (default 1)"},
    {OPTION_STOP, "stop", "MODE",
     "brief (default): about a millisecond; none: never stop\n"
     "the target; full: stopped for the whole walk"},
    {OPTION_MAX_STOP, "max-stop", "MS", "the target runs again after this long (default 20)"},
    {OPTION_LAYOUT, "layout", "FILE", "layouts that --dump-layout wrote on another machine"},
    {OPTION_NO_DWARF, "no-dwarf", NULL,
     "do without debug information: built-in layouts, and\n"
     "what the target's memory shows of itself"},
    {OPTION_DUMP_LAYOUT, "dump-layout", NULL,
     "write the layouts of a process, or of a Python or\n"
     "libc file, to be carried to where debug files are not"},
    {OPTION_NO_SANDBOX, "no-sandbox", NULL, "where the kernel, or a debugger, cannot do with it"},
    {'v', "verbose", NULL, "say on stderr what is being done"},
    {'h', "help", NULL, "this text"},
    {'V', "version", NULL, "version, and what it was built with"},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static bool needs_value(const struct option_row *row)
{
    return row->argument != NULL && row->argument[0] != '[';
}

static void write_row(const struct option_row *row, FILE *file)
{
    char left[32];
    const char *help = row->help;

    snprintf(left, sizeof(left), "--%s%s%s", row->name, needs_value(row) ? "=" : "",
             row->argument != NULL ? row->argument : "");
    if (row->key < 256)
        fprintf(file, "  -%c, %-18s", row->key, left);
    else
        fprintf(file, "      %-18s", left);
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
            "  pyheaptop 48213              report        pyheaptop 48213 | less\n"
            "  pyheaptop -j 48213 | jq .    for scripts   man pyheaptop: what it all means\n");
}

static struct pht_error *usage(const char *format, const char *text)
{
    _cleanup_free_ char *printable = pht_text_printable(text, strlen(text));
    _cleanup_free_ char *message =
        pht_text_format(format, printable != NULL ? printable : ""); // NOLINT: our own formats

    return pht_error_try(
        pht_error_create(PHT_ERROR_USAGE, "%s", message != NULL ? message : "usage"),
        "pyheaptop --help");
}

static struct pht_error *parse_stop(const char *text, enum pht_stop_mode *ret)
{
    for (int mode = PHT_STOP_NONE; mode <= PHT_STOP_FULL; mode++) {
        if (strcmp(text, pht_stop_mode_name((enum pht_stop_mode)mode)) == 0) {
            *ret = (enum pht_stop_mode)mode;
            return NULL;
        }
    }
    return usage("--stop is none, brief or full, not '%s'", text);
}

/* A number from 1 to `limit`. */
static bool parse_number(const char *text, unsigned long limit, unsigned long *ret)
{
    char *end;

    errno = 0;
    *ret = strtoul(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *ret >= 1 &&
           *ret <= limit;
}

static struct pht_error *parse_max_stop(const char *text, uint64_t *ret)
{
    unsigned long value;

    if (!parse_number(text, MAX_STOP_MS_LIMIT, &value))
        return usage("--max-stop is 1 to 60000 milliseconds, not '%s'", text);
    *ret = value;
    return NULL;
}

static bool find_type_order(const char *text, size_t length, enum pht_type_order *ret)
{
    for (int order = 0; order < PHT_TYPE_ORDERS; order++) {
        const char *name = pht_type_order_name((enum pht_type_order)order);
        if (strlen(name) == length && memcmp(name, text, length) == 0) {
            *ret = (enum pht_type_order)order;
            return true;
        }
    }
    return false;
}

/* "objects", "20" or "objects,20". */
static struct pht_error *parse_types(const char *text, struct options *options)
{
    const char *rest = text != NULL ? text : "";
    unsigned long count;

    options->sections |= PHT_SECTION_TYPES;
    if (text == NULL)
        return NULL;
    size_t length = strcspn(rest, ",");
    if (find_type_order(rest, length, &options->type_sort)) {
        if (rest[length] == '\0')
            return NULL;
        rest += length + 1;
    }
    if (!parse_number(rest, TYPE_ROWS_LIMIT, &count))
        return usage("--types is size, objects, taken, largest or type, a number of rows, "
                     "or both as in objects,20; not '%s'",
                     text);
    options->type_rows = count;
    return NULL;
}

static struct pht_error *parse_threads(const char *text, unsigned *ret)
{
    unsigned long value;

    if (!parse_number(text, THREADS_LIMIT, &value))
        return usage("--threads is 1 to 64, not '%s'", text);
    *ret = (unsigned)value;
    return NULL;
}

static const struct {
    const char *name;
    enum pht_section section;
} sections[] = {
    {"kernel", PHT_SECTION_KERNEL},     {"categories", PHT_SECTION_CATEGORIES},
    {"pymalloc", PHT_SECTION_PYMALLOC}, {"glibc", PHT_SECTION_GLIBC},
    {"types", PHT_SECTION_TYPES},       {"maps", PHT_SECTION_MAPS},
    {"family", PHT_SECTION_FAMILY},
};

static struct pht_error *parse_section(const char *text, unsigned *ret)
{
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        if (strcmp(text, sections[i].name) == 0) {
            *ret |= sections[i].section;
            return NULL;
        }
    }
    return usage(
        "--section is kernel, categories, pymalloc, glibc, types, maps or family, not '%s'", text);
}

static struct pht_error *take(int key, struct options *options)
{
    switch (key) {
    case '1':
        options->json = false;
        return NULL;
    case 'j':
        options->json = true;
        return NULL;
    case 'o':
        options->output = optarg;
        return NULL;
    case OPTION_SECTION:
        return parse_section(optarg, &options->sections);
    case OPTION_FAMILY:
        options->sections |= PHT_SECTION_FAMILY;
        return NULL;
    case OPTION_TYPES:
        return parse_types(optarg, options);
    case OPTION_NO_TYPES:
        options->without_types = true;
        return NULL;
    case OPTION_PREVIEW:
        options->preview = PREVIEW_ON;
        return NULL;
    case OPTION_NO_PREVIEW:
        options->preview = PREVIEW_OFF;
        return NULL;
    case OPTION_DIFF:
        options->diff = optarg;
        return NULL;
    case OPTION_THREADS:
        return parse_threads(optarg, &options->threads);
    case OPTION_LAYOUT:
        options->layout = optarg;
        return NULL;
    case OPTION_NO_DWARF:
        options->no_dwarf = true;
        return NULL;
    case OPTION_NO_SANDBOX:
        options->no_sandbox = true;
        return NULL;
    case OPTION_DUMP_LAYOUT:
        options->command = COMMAND_DUMP_LAYOUT;
        return NULL;
    case OPTION_STOP:
        return parse_stop(optarg, &options->stop);
    case OPTION_MAX_STOP:
        return parse_max_stop(optarg, &options->max_stop_ms);
    case 'v':
        options->verbose = true;
        return NULL;
    case 'h':
        options->command = COMMAND_HELP;
        return NULL;
    default:
        options->command = COMMAND_VERSION;
        return NULL;
    }
}

static void fill_tables(struct option options[static ROWS + 1], char letters[static 3 * ROWS + 2])
{
    size_t length = 0;

    letters[length++] = ':'; /* a missing argument is told from an unknown option */
    for (size_t i = 0; i < ROWS; i++) {
        options[i] = (struct option){
            .name = rows[i].name,
            .has_arg = needs_value(&rows[i])      ? required_argument
                       : rows[i].argument != NULL ? optional_argument
                                                  : no_argument,
            .val = rows[i].key,
        };
        if (rows[i].key >= 256)
            continue;
        letters[length++] = (char)rows[i].key;
        if (rows[i].argument != NULL)
            letters[length++] = ':';
    }
    options[ROWS] = (struct option){0};
    letters[length] = '\0';
}

static bool is_known(int key)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].key == key)
            return true;
    }
    return false;
}

/*
 * getopt_long() leaves 0 in optopt for a long option that does not exist, the key of one that
 * takes no value and was given one, and else the letter, which may stand anywhere among others.
 */
static struct pht_error *refuse_option(const char *argument)
{
    char letter[] = {'-', (char)optopt, '\0'};

    if (optopt == 0)
        return usage("unknown option '%s'", argument);
    if (is_known(optopt))
        return usage("'%s': this option takes no value", argument);
    return usage("unknown option '%s'", letter);
}

static struct pht_error *choose_command(struct options *options)
{
    if (options->process == NULL && options->diff == NULL)
        options->command = COMMAND_LIST;
    return NULL;
}

static struct pht_error *check_dump(const struct options *options)
{
    if (options->process == NULL)
        return usage("%s", "--dump-layout needs a process, or a file");
    if (options->layout != NULL)
        return usage("%s", "--dump-layout writes what --layout reads: one of them");
    if (options->no_dwarf)
        return usage("%s", "--dump-layout writes what debug information says, so no --no-dwarf");
    return NULL;
}

struct pht_error *options_parse(int argc, char **argv, struct options *ret)
{
    struct option long_options[ROWS + 1];
    char letters[3 * ROWS + 2];
    struct pht_error *first = NULL;
    int key;

    *ret = (struct options){
        .threads = 1,
        .stop = PHT_STOP_BRIEF,
        .max_stop_ms = MAX_STOP_MS_DEFAULT,
    };
    fill_tables(long_options, letters);
    opterr = 0;
    /* Read on after an error: a later --json decides how it is told. */
    while ((key = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
        struct pht_error *error;
        if (key == '?')
            error = refuse_option(argv[optind - 1]);
        else if (key == ':')
            error = usage("option '%s' needs a value", argv[optind - 1]);
        else
            error = take(key, ret);
        if (first == NULL)
            first = error;
        else
            pht_error_destroy(error);
    }
    if (first != NULL || ret->command == COMMAND_HELP || ret->command == COMMAND_VERSION)
        return first;
    if (optind + 1 < argc)
        return usage("one process at a time: '%s' is too much", argv[optind + 1]);
    if (ret->without_types && (ret->sections & PHT_SECTION_TYPES))
        return usage("%s", "--no-types leaves out what --section=types shows");
    ret->process = argv[optind];
    return ret->command == COMMAND_DUMP_LAYOUT ? check_dump(ret) : choose_command(ret);
}
