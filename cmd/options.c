#include "cmd/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cmd/option_table.h"
#include "cmd/option_values.h"
#include "cmd/settings.h"

#define MAX_STOP_MS_DEFAULT 20

static void fill_tables(struct option options[static OPTION_ROWS_MAX + 1],
                        char letters[static 3 * OPTION_ROWS_MAX + 2])
{
    size_t count, length = 0;
    const struct option_row *rows = option_rows(&count);

    letters[length++] = ':'; /* a missing argument is told from an unknown option */
    for (size_t i = 0; i < count; i++) {
        options[i] = (struct option){
            .name = rows[i].name,
            .has_arg = option_needs_value(&rows[i]) ? required_argument
                       : rows[i].argument != NULL   ? optional_argument
                                                    : no_argument,
            .val = rows[i].key,
        };
        if (rows[i].key >= 256)
            continue;
        letters[length++] = (char)rows[i].key;
        if (rows[i].argument != NULL)
            letters[length++] = ':';
    }
    options[count] = (struct option){0};
    letters[length] = '\0';
}

/*
 * getopt_long() leaves 0 in optopt for a long option that does not exist, the key of one that
 * takes no value and was given one, and else the letter, which may stand anywhere among others.
 */
static struct pht_error *refuse_option(const char *argument)
{
    char letter[] = {'-', (char)optopt, '\0'};

    if (optopt == 0)
        return option_usage("unknown option '%s'", argument);
    if (option_of_key(optopt) != NULL)
        return option_usage("'%s': this option takes no value", argument);
    return option_usage("unknown option '%s'", letter);
}

/* ---- options that do not go together ------------------------------------------------------- */

/* Which options the command line has, by their rows. */
struct given {
    bool rows[OPTION_ROWS_MAX];
};

static size_t row_of(int key)
{
    size_t count;

    return (size_t)(option_of_key(key) - option_rows(&count));
}

static bool is_given(const struct given *given, int key)
{
    return given->rows[row_of(key)];
}

/* The first option of such a kind, NULL if there is none. */
static const char *first_given(const struct given *given, unsigned flag)
{
    size_t count;
    const struct option_row *rows = option_rows(&count);

    for (size_t i = 0; i < count; i++) {
        if (given->rows[i] && (rows[i].flags & flag))
            return rows[i].name;
    }
    return NULL;
}

static struct pht_error *exclude(const char *one, const char *other)
{
    _cleanup_free_ char *text =
        pht_text_format("--%s and --%s do not go together: one of them", one, other);

    return option_usage("%s", text != NULL ? text : "");
}

static const struct exclusion {
    int one;
    int others[6]; /* 0 ends them */
} exclusions[] = {
    {OPTION_DIFF, {OPTION_DUMP_LAYOUT, OPTION_BASELINE, OPTION_STRICT, 'd', 'n'}},
    {OPTION_DUMP_LAYOUT,
     {OPTION_LAYOUT, OPTION_NO_DWARF, OPTION_BASELINE, OPTION_STRICT, 'd', 'n'}},
};

static struct pht_error *check_together(const struct given *given)
{
    for (size_t i = 0; i < sizeof(exclusions) / sizeof(exclusions[0]); i++) {
        const struct exclusion *row = &exclusions[i];
        for (size_t j = 0; is_given(given, row->one) && j < 6 && row->others[j] != 0; j++) {
            if (is_given(given, row->others[j]))
                return exclude(option_of_key(row->one)->name, option_of_key(row->others[j])->name);
        }
    }
    const char *screens = first_given(given, OPTION_OF_SCREENS);
    const char *report = first_given(given, OPTION_ASKS_REPORT);
    return screens != NULL && report != NULL ? exclude(screens, report) : NULL;
}

/* ---- the whole line ------------------------------------------------------------------------ */

static struct pht_error *take_options(int argc, char **argv, struct options *options,
                                      struct given *given)
{
    struct option long_options[OPTION_ROWS_MAX + 1];
    char letters[3 * OPTION_ROWS_MAX + 2];
    struct pht_error *first = NULL;
    int key;

    fill_tables(long_options, letters);
    opterr = 0;
    /* Read on after an error: a later --json decides how it is told. */
    while ((key = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
        struct pht_error *error;
        if (key == '?') {
            error = refuse_option(argv[optind - 1]);
        } else if (key == ':') {
            error = option_usage("option '%s' needs a value", argv[optind - 1]);
        } else {
            given->rows[row_of(key)] = true;
            error = option_take(key, optarg, options);
        }
        if (first == NULL)
            first = error;
        else
            pht_error_destroy(error);
    }
    return first;
}

static bool only_tells(const struct options *options)
{
    return options->command == COMMAND_HELP || options->command == COMMAND_VERSION ||
           options->command == COMMAND_SORT_HELP || options->command == COMMAND_COMPLETIONS;
}

static struct pht_error *check(const struct options *options, const struct given *given)
{
    struct pht_error *error = check_together(given);

    if (error == NULL && options->without_types && (options->sections & PHT_SECTION_TYPES))
        error = option_usage("%s", "--no-types leaves out what --section=types shows");
    if (error == NULL && options->sorts_screens && options->asks_report)
        error = option_usage("a report is sorted by size, objects, taken, largest or type, "
                             "not by '%s'",
                             options->sort);
    if (error == NULL && options->repeats && !options->json && options->sections != 0)
        error = option_usage("%s", "a line a snapshot has no room for parts of the report: with "
                                   "--json it has");
    if (error == NULL && options->command == COMMAND_DUMP_LAYOUT && options->process == NULL)
        error = option_usage("%s", "--dump-layout needs a process, or a file");
    return error;
}

/* https://no-color.org: set, and not to nothing. */
static bool wants_no_color(void)
{
    const char *value = getenv("NO_COLOR");

    return value != NULL && value[0] != '\0';
}

struct pht_error *options_parse(int argc, char **argv, struct config *config, struct options *ret)
{
    struct given given = {0};

    *ret = (struct options){
        .threads = 1,
        .stop = PHT_STOP_BRIEF,
        .max_stop_ms = MAX_STOP_MS_DEFAULT,
    };
    if (config != NULL)
        settings_apply(config, ret);
    if (wants_no_color())
        ret->color = COLOR_NEVER;
    struct pht_error *error = take_options(argc, argv, ret, &given);
    if (error != NULL || only_tells(ret))
        return error;
    if (optind + 1 < argc)
        return option_usage("one process at a time: '%s' is too much", argv[optind + 1]);
    if (!is_given(&given, OPTION_NO_TYPES) && (ret->sections & PHT_SECTION_TYPES))
        ret->without_types = false; /* as a setting, it yields to the line */
    ret->process = argv[optind];
    ret->asks_report = first_given(&given, OPTION_ASKS_REPORT) != NULL;
    ret->repeats = is_given(&given, 'd') || is_given(&given, 'n');
    ret->sorts_screens = is_given(&given, 's') && !ret->sorts_report;
    ret->screen_option = first_given(&given, OPTION_OF_SCREENS);
    if (ret->command == COMMAND_REPORT && ret->process == NULL && ret->diff == NULL)
        ret->command = COMMAND_LIST;
    return check(ret, &given);
}
