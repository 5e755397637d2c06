#include "cmd/option_values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cmd/option_table.h"
#include "cmd/sorting.h"

#define COUNT_LIMIT 1000000000
#define DELAY_MS_MIN 100
#define DELAY_MS_MAX 86400000
#define RATE_LEAST (1UL << 20)
#define RATE_LIMIT (1UL << 40)
#define MAX_STOP_MS_LIMIT 60000
#define THREADS_LIMIT 64
#define TYPE_ROWS_LIMIT 1000000000

struct pht_error *option_usage(const char *format, const char *text)
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
    return option_usage("--stop is none, brief or full, not '%s'", text);
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
        return option_usage("--max-stop is 1 to 60000 milliseconds, not '%s'", text);
    *ret = value;
    return NULL;
}

/* A number of bytes with K, M or G behind it, of 1024 each, or with nothing. */
static struct pht_error *parse_rate(const char *text, uint64_t *ret)
{
    static const char units[] = "KMG";
    char *end;

    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    const char *unit = *end != '\0' ? strchr(units, *end) : NULL;
    unsigned shift = unit != NULL ? 10 * (unsigned)(unit - units + 1) : 0;
    bool is_number = text[0] >= '0' && text[0] <= '9' && errno == 0 &&
                     end[unit != NULL ? 1 : 0] == '\0' && value <= RATE_LIMIT >> shift;
    if (!is_number || value << shift < RATE_LEAST)
        return option_usage("--rate is 1M to 1024G bytes a second, not '%s'", text);
    *ret = (uint64_t)value << shift;
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
        return option_usage("--types is size, objects, taken, largest or type, a number of rows, "
                            "or both as in objects,20; not '%s'",
                            text);
    options->type_rows = count;
    return NULL;
}

static struct pht_error *parse_threads(const char *text, unsigned *ret)
{
    unsigned long value;

    if (!parse_number(text, THREADS_LIMIT, &value))
        return option_usage("--threads is 1 to 64, not '%s'", text);
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
    {"family", PHT_SECTION_FAMILY},     {"findings", PHT_SECTION_FINDINGS},
};

static struct pht_error *parse_section(const char *text, unsigned *ret)
{
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        if (strcmp(text, sections[i].name) == 0) {
            *ret |= sections[i].section;
            return NULL;
        }
    }
    return option_usage("--section is findings, kernel, categories, pymalloc, glibc, types, maps "
                        "or family, not '%s'",
                        text);
}

/* Which of the words of a row it is. */
static bool find_word(const char *words, const char *text, unsigned *ret)
{
    size_t length = strlen(text);

    *ret = 0;
    for (const char *at = words; *at != '\0'; (*ret)++) {
        size_t word = strcspn(at, " ");
        if (word == length && memcmp(at, text, word) == 0)
            return true;
        at += word + (at[word] == ' ');
    }
    return false;
}

static struct pht_error *parse_screen(const char *text, struct options *options)
{
    unsigned screen;

    if (!find_word(option_of_key(OPTION_SCREEN)->values, text, &screen))
        return option_usage("--screen is overview, pymalloc, glibc, types or maps, not '%s'", text);
    options->screen = screen;
    return NULL;
}

static struct pht_error *parse_color(const char *text, struct options *options)
{
    unsigned when;

    if (!find_word(option_of_key(OPTION_COLOR)->values, text, &when))
        return option_usage("--color is auto, always or never, not '%s'", text);
    options->color = when;
    return NULL;
}

static struct pht_error *parse_sort(const char *text, struct options *options)
{
    if (strcmp(text, "help") == 0) {
        options->command = COMMAND_SORT_HELP;
        return NULL;
    }
    options->sort = text;
    options->sorts_report = find_type_order(text, strlen(text), &options->type_sort);
    if (options->sorts_report || sorting_has_column(text))
        return NULL;
    return pht_error_try(option_usage("--sort: there is no column '%s'", text),
                         "pyheaptop --sort=help");
}

static struct pht_error *parse_shell(const char *text, struct options *options)
{
    unsigned shell;

    if (!find_word(option_of_key(OPTION_COMPLETIONS)->values, text, &shell))
        return option_usage("--completions is bash, zsh or fish, not '%s'", text);
    options->shell = shell;
    options->command = COMMAND_COMPLETIONS;
    return NULL;
}

/* Seconds, with decimals or without. */
static struct pht_error *parse_delay(const char *text, uint64_t *ret_ms)
{
    char *end;
    double ms = strtod(text, &end) * 1000;

    if (text[0] == '\0' || text[strspn(text, "0123456789.")] != '\0' || *end != '\0' ||
        !(ms >= DELAY_MS_MIN && ms <= DELAY_MS_MAX))
        return option_usage("--delay is 0.1 to 86400 seconds, not '%s'", text);
    *ret_ms = (uint64_t)(ms + 0.5);
    return NULL;
}

static struct pht_error *parse_count(const char *text, uint64_t *ret)
{
    unsigned long value;

    if (!parse_number(text, COUNT_LIMIT, &value))
        return option_usage("--count is 1 to 1000000000 snapshots, not '%s'", text);
    *ret = value;
    return NULL;
}

/* Those whose value is more than a text or a word of yes. */
static struct pht_error *take_value(int key, const char *value, struct options *options)
{
    switch (key) {
    case 'n':
        return parse_count(value, &options->count);
    case 'd':
        return parse_delay(value, &options->delay_ms);
    case 's':
        return parse_sort(value, options);
    case OPTION_COMPLETIONS:
        return parse_shell(value, options);
    case OPTION_SCREEN:
        return parse_screen(value, options);
    case OPTION_SECTION:
        return parse_section(value, &options->sections);
    case OPTION_TYPES:
        return parse_types(value, options);
    case OPTION_THREADS:
        return parse_threads(value, &options->threads);
    case OPTION_STOP:
        return parse_stop(value, &options->stop);
    case OPTION_RATE:
        return parse_rate(value, &options->bytes_per_second);
    case OPTION_MAX_STOP:
        return parse_max_stop(value, &options->max_stop_ms);
    default:
        return parse_color(value, options);
    }
}

static bool take_text(int key, const char *value, struct options *options)
{
    switch (key) {
    case 'o':
        options->output = value;
        return true;
    case OPTION_DIFF:
        options->diff = value;
        return true;
    case OPTION_BASELINE:
        options->baseline = value;
        return true;
    case OPTION_LAYOUT:
        options->layout = value;
        return true;
    default:
        return false;
    }
}

static bool take_command(int key, struct options *options)
{
    switch (key) {
    case OPTION_DUMP_LAYOUT:
        options->command = COMMAND_DUMP_LAYOUT;
        return true;
    case 'h':
        options->command = COMMAND_HELP;
        return true;
    case 'V':
        options->command = COMMAND_VERSION;
        return true;
    default:
        return false;
    }
}

static bool take_flag(int key, struct options *options)
{
    switch (key) {
    case '1':
    case 'j':
        options->json = key == 'j';
        return true;
    case 'v':
    case 'q':
        options->verbose = key == 'v';
        options->quiet = key == 'q';
        return true;
    case OPTION_FAMILY:
        options->sections |= PHT_SECTION_FAMILY;
        return true;
    case OPTION_NO_TYPES:
        options->without_types = true;
        return true;
    case OPTION_PREVIEW:
    case OPTION_NO_PREVIEW:
        options->preview = key == OPTION_PREVIEW ? PREVIEW_ON : PREVIEW_OFF;
        return true;
    case OPTION_NO_STOP:
        options->stop = PHT_STOP_NONE;
        return true;
    case OPTION_NO_DWARF:
        options->no_dwarf = true;
        return true;
    case OPTION_NO_SANDBOX:
        options->no_sandbox = true;
        return true;
    case OPTION_STRICT:
        options->strict = true;
        return true;
    case OPTION_ASCII:
        options->ascii = true;
        return true;
    case OPTION_MOUSE:
        options->mouse = true;
        return true;
    default:
        return false;
    }
}

struct pht_error *option_take(int key, const char *value, struct options *options)
{
    if (take_flag(key, options) || take_command(key, options) || take_text(key, value, options))
        return NULL;
    return take_value(key, value, options);
}
