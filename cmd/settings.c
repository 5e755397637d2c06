#include "cmd/settings.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cmd/option_table.h"
#include "cmd/option_values.h"

#define NAME_MAX_BYTES 40

/* A name that is that far from another is no misspelling of it. */
#define FARTHEST 3

/* ---- what was meant ----------------------------------------------------------------------- */

/* How many letters must be put in, left out or changed (Levenshtein); both shorter than the limit.
 */
static size_t distance(const char *left, const char *right)
{
    size_t row[NAME_MAX_BYTES + 1], right_length = strlen(right);

    for (size_t j = 0; j <= right_length; j++)
        row[j] = j;
    for (size_t i = 0; left[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < right_length; j++) {
            size_t changed = diagonal + (left[i] != right[j]);
            size_t least = row[j] < row[j + 1] ? row[j] + 1 : row[j + 1] + 1;
            diagonal = row[j + 1];
            row[j + 1] = changed < least ? changed : least;
        }
    }
    return row[right_length];
}

static const char *nearest_setting(const char *name)
{
    size_t count, least = FARTHEST;
    const struct option_row *rows = option_rows(&count);
    const char *found = NULL;

    if (strlen(name) > NAME_MAX_BYTES)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t far = distance(name, rows[i].name);
        if ((rows[i].flags & OPTION_IS_SETTING) && far < least) {
            least = far;
            found = rows[i].name;
        }
    }
    return found;
}

static char *printable(const char *text)
{
    char *fit = pht_text_printable(text, strlen(text));

    if (fit != NULL)
        pht_text_cut(fit, NAME_MAX_BYTES);
    return fit;
}

static void note_unknown(struct config *config, const struct config_setting *setting)
{
    const char *nearest = nearest_setting(setting->name);
    _cleanup_free_ char *name = printable(setting->name);
    _cleanup_free_ char *value = printable(setting->value);
    _cleanup_free_ char *text =
        pht_text_format(option_of_name(setting->name) != NULL ? "'%s' is for the command line alone"
                                                              : "'%s' is not a setting",
                        name != NULL ? name : "");
    _cleanup_free_ char *remedy =
        nearest != NULL ? pht_text_format("%s = %s", nearest, value != NULL ? value : "") : NULL;

    if (text != NULL)
        config_note(config, setting->line, text, remedy);
}

/* ---- taking them -------------------------------------------------------------------------- */

static bool parse_yes(const char *value, bool *ret)
{
    *ret = strcmp(value, "yes") == 0;
    return *ret || strcmp(value, "no") == 0;
}

/* An option that takes no value counts as given, or not. */
static void take_flag(struct config *config, const struct config_setting *setting, int key,
                      struct options *options)
{
    bool is_given;

    if (parse_yes(setting->value, &is_given)) {
        if (is_given)
            pht_error_destroy(option_take(key, NULL, options));
        return;
    }
    _cleanup_free_ char *value = printable(setting->value);
    _cleanup_free_ char *text =
        pht_text_format("%s is yes or no, not '%s'", setting->name, value != NULL ? value : "");
    if (text != NULL)
        config_note(config, setting->line, text, NULL);
}

static void take(struct config *config, const struct config_setting *setting,
                 struct options *options)
{
    const struct option_row *row = option_of_name(setting->name);

    if (row == NULL || !(row->flags & OPTION_IS_SETTING)) {
        note_unknown(config, setting);
        return;
    }
    if (row->argument == NULL) {
        take_flag(config, setting, row->key, options);
        return;
    }
    _cleanup_error_ struct pht_error *error = option_take(row->key, setting->value, options);
    if (error != NULL)
        config_note(config, setting->line, error->text, NULL);
}

void settings_apply(struct config *config, struct options *options)
{
    for (size_t i = 0; i < config->count; i++) {
        enum command command = options->command;
        take(config, &config->items[i], options);
        if (options->command != command) {
            options->command = command;
            config_note(config, config->items[i].line, "'help' is for the command line alone",
                        NULL);
        }
    }
}
