#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/option_table.h"
#include "cmd/options.h"
#include "cmd/sorting.h"
#include "support/suite.h"

#define WORDS_MAX 12

/* As the shell would: `line` is cut at its blanks, in place, "~" stands for an empty word. */
static struct pht_error *parse(char *line, struct options *ret)
{
    char *argv[WORDS_MAX + 2] = {(char *)"pyheaptop"}, *word;
    int argc = 1;

    while ((word = strsep(&line, " ")) != NULL && argc < WORDS_MAX) {
        if (word[0] != '\0')
            argv[argc++] = strcmp(word, "~") == 0 ? (char *)"" : word;
    }
    memset(ret, 0x5a, sizeof(*ret));
    optind = 0; /* getopt begins anew */
    return options_parse(argc, argv, NULL, ret);
}

/* ---- what is understood ------------------------------------------------------------------- */

#define BRIEF .stop = PHT_STOP_BRIEF, .max_stop_ms = 20, .threads = 1

static const struct good_row {
    const char *line;
    struct options wanted;
} good_rows[] = {
    {"", {.command = COMMAND_LIST, BRIEF}},
    {"48213", {.process = "48213", BRIEF}},
    {"celery", {.process = "celery", BRIEF}},
    {"-- -odd", {.process = "-odd", BRIEF}},
    {"-1 48213", {.process = "48213", BRIEF}},
    {"--once 48213", {.process = "48213", BRIEF}},
    {"-j 48213", {.process = "48213", .json = true, BRIEF}},
    {"--json 48213", {.process = "48213", .json = true, BRIEF}},
    {"48213 --json", {.process = "48213", .json = true, BRIEF}},
    {"--json --once 48213", {.process = "48213", BRIEF}},
    {"--once --json 48213", {.process = "48213", .json = true, BRIEF}},
    {"-jv 48213", {.process = "48213", .json = true, .verbose = true, BRIEF}},
    {"-v 48213", {.process = "48213", .verbose = true, BRIEF}},
    {"-o x 48213", {.process = "48213", .output = "x", BRIEF}},
    {"-ox 48213", {.process = "48213", .output = "x", BRIEF}},
    {"--output=x 48213", {.process = "48213", .output = "x", BRIEF}},
    {"--output x 48213", {.process = "48213", .output = "x", BRIEF}},
    {"-o -j 48213", {.process = "48213", .output = "-j", BRIEF}},
    {"-d 2 1", {.process = "1", .repeats = true, .delay_ms = 2000, BRIEF}},
    {"-d0.1 1", {.process = "1", .repeats = true, .delay_ms = 100, BRIEF}},
    {"--delay=86400 1", {.process = "1", .repeats = true, .delay_ms = 86400000, BRIEF}},
    {"--delay 1.0005 1", {.process = "1", .repeats = true, .delay_ms = 1001, BRIEF}},
    {"-n 1 1", {.process = "1", .repeats = true, .count = 1, BRIEF}},
    {"--count=1000000000 1", {.process = "1", .repeats = true, .count = 1000000000, BRIEF}},
    {"-j -d 5 --section=maps 1",
     {.process = "1",
      .json = true,
      .sections = PHT_SECTION_MAPS,
      .repeats = true,
      .delay_ms = 5000,
      BRIEF}},
    {"-1d 5 -n3 1", {.process = "1", .repeats = true, .delay_ms = 5000, .count = 3, BRIEF}},
    {"-s objects 1", {.process = "1", .sort = "objects", .type_sort = PHT_BY_OBJECTS, BRIEF}},
    {"--sort=type 1", {.process = "1", .sort = "type", .type_sort = PHT_BY_NAME, BRIEF}},
    {"--sort=rss 1", {.process = "1", .sort = "rss", .sorts_screens = true, BRIEF}},
    {"--sort=change --screen=types 1",
     {.process = "1",
      .sort = "change",
      .sorts_screens = true,
      .screen = SCREEN_TYPES,
      .screen_option = "screen",
      BRIEF}},
    {"--sort=help", {.command = COMMAND_SORT_HELP, BRIEF}},
    {"--completions=bash", {.command = COMMAND_COMPLETIONS, .shell = COMPLETIONS_BASH, BRIEF}},
    {"--completions fish", {.command = COMMAND_COMPLETIONS, .shell = COMPLETIONS_FISH, BRIEF}},
    {"-s help 1 2", {.command = COMMAND_SORT_HELP, BRIEF}},
    {"--screen=overview 1", {.process = "1", .screen_option = "screen", BRIEF}},
    {"--screen=maps",
     {.command = COMMAND_LIST, .screen = SCREEN_MAPS, .screen_option = "screen", BRIEF}},
    {"--screen glibc --screen types 1",
     {.process = "1", .screen = SCREEN_TYPES, .screen_option = "screen", BRIEF}},
    {"--baseline=a.json 1", {.process = "1", .baseline = "a.json", BRIEF}},
    {"--strict 1", {.process = "1", .strict = true, BRIEF}},
    {"--color=auto 1", {.process = "1", .screen_option = "color", BRIEF}},
    {"--color=always 1", {.process = "1", .color = COLOR_ALWAYS, .screen_option = "color", BRIEF}},
    {"--color never --mouse 1",
     {.process = "1", .color = COLOR_NEVER, .mouse = true, .screen_option = "color", BRIEF}},
    {"--ascii 1", {.process = "1", .ascii = true, .screen_option = "ascii", BRIEF}},
    {"--mouse 1", {.process = "1", .mouse = true, .screen_option = "mouse", BRIEF}},
    {"-q 1", {.process = "1", .quiet = true, BRIEF}},
    {"-qv 1", {.process = "1", .verbose = true, BRIEF}},
    {"--verbose --quiet 1", {.process = "1", .quiet = true, BRIEF}},
    {"--section=kernel 1", {.process = "1", .sections = PHT_SECTION_KERNEL, BRIEF}},
    {"--section pymalloc 1", {.process = "1", .sections = PHT_SECTION_PYMALLOC, BRIEF}},
    {"--section=glibc 1", {.process = "1", .sections = PHT_SECTION_GLIBC, BRIEF}},
    {"--section=types 1", {.process = "1", .sections = PHT_SECTION_TYPES, BRIEF}},
    {"--section=categories 1", {.process = "1", .sections = PHT_SECTION_CATEGORIES, BRIEF}},
    {"--section=maps 1", {.process = "1", .sections = PHT_SECTION_MAPS, BRIEF}},
    {"--section=family 1", {.process = "1", .sections = PHT_SECTION_FAMILY, BRIEF}},
    {"--family 1", {.process = "1", .sections = PHT_SECTION_FAMILY, BRIEF}},
    {"--family --section=maps 1",
     {.process = "1", .sections = PHT_SECTION_FAMILY | PHT_SECTION_MAPS, BRIEF}},
    {"--section=pymalloc --section=kernel 1",
     {.process = "1", .sections = PHT_SECTION_KERNEL | PHT_SECTION_PYMALLOC, BRIEF}},
    {"--section=glibc --section=pymalloc --section=kernel --section=maps --section=categories "
     "--section=types --section=findings --family 1",
     {.process = "1", .sections = PHT_SECTION_ALL, BRIEF}},
    {"--diff=a.json", {.diff = "a.json", BRIEF}},
    {"--diff a.json b.json", {.diff = "a.json", .process = "b.json", BRIEF}},
    {"--diff a.json 1 -j", {.diff = "a.json", .process = "1", .json = true, BRIEF}},
    {"--no-types 1", {.process = "1", .without_types = true, BRIEF}},
    {"--preview 1", {.process = "1", .preview = PREVIEW_ON, BRIEF}},
    {"--preview --no-preview 1", {.process = "1", .preview = PREVIEW_OFF, BRIEF}},
    {"--types 1", {.process = "1", .sections = PHT_SECTION_TYPES, BRIEF}},
    {"--types=objects 1",
     {.process = "1", .sections = PHT_SECTION_TYPES, .type_sort = PHT_BY_OBJECTS, BRIEF}},
    {"--types=size,1 1", {.process = "1", .sections = PHT_SECTION_TYPES, .type_rows = 1, BRIEF}},
    {"--types=20 1", {.process = "1", .sections = PHT_SECTION_TYPES, .type_rows = 20, BRIEF}},
    {"--types=taken,1000000000 1",
     {.process = "1",
      .sections = PHT_SECTION_TYPES,
      .type_sort = PHT_BY_TAKEN,
      .type_rows = 1000000000,
      BRIEF}},
    {"--types=largest 1",
     {.process = "1", .sections = PHT_SECTION_TYPES, .type_sort = PHT_BY_LARGEST, BRIEF}},
    {"--types=type 1",
     {.process = "1", .sections = PHT_SECTION_TYPES, .type_sort = PHT_BY_NAME, BRIEF}},
    {"--layout=x 1", {.process = "1", .layout = "x", BRIEF}},
    {"--no-dwarf 1", {.process = "1", .no_dwarf = true, BRIEF}},
    {"--no-sandbox 1", {.process = "1", .no_sandbox = true, BRIEF}},
    {"--dump-layout 1", {.command = COMMAND_DUMP_LAYOUT, .process = "1", BRIEF}},
    {"--dump-layout ./python -o x",
     {.command = COMMAND_DUMP_LAYOUT, .process = "./python", .output = "x", BRIEF}},
    {"--threads=2 1", {.process = "1", .stop = PHT_STOP_BRIEF, .max_stop_ms = 20, .threads = 2}},
    {"--threads 64 1", {.process = "1", .stop = PHT_STOP_BRIEF, .max_stop_ms = 20, .threads = 64}},
    {"--stop=none 1", {.process = "1", .stop = PHT_STOP_NONE, .max_stop_ms = 20, .threads = 1}},
    {"--no-stop 1", {.process = "1", .stop = PHT_STOP_NONE, .max_stop_ms = 20, .threads = 1}},
    {"--no-stop --stop=brief 1", {.process = "1", BRIEF}},
    {"--stop=brief 1", {.process = "1", BRIEF}},
    {"--stop full 1", {.process = "1", .stop = PHT_STOP_FULL, .max_stop_ms = 20, .threads = 1}},
    {"--rate=1M 1", {.process = "1", .bytes_per_second = 1 << 20, BRIEF}},
    {"--rate 1024K 1", {.process = "1", .bytes_per_second = 1 << 20, BRIEF}},
    {"--rate=2000000 1", {.process = "1", .bytes_per_second = 2000000, BRIEF}},
    {"--rate=1024G 1", {.process = "1", .bytes_per_second = (uint64_t)1 << 40, BRIEF}},
    {"--max-stop=1 1", {.process = "1", .stop = PHT_STOP_BRIEF, .max_stop_ms = 1, .threads = 1}},
    {"--max-stop=60000 1",
     {.process = "1", .stop = PHT_STOP_BRIEF, .max_stop_ms = 60000, .threads = 1}},
    {"-h", {.command = COMMAND_HELP, BRIEF}},
    {"--help 1 2 3", {.command = COMMAND_HELP, BRIEF}},
    {"-V", {.command = COMMAND_VERSION, BRIEF}},
    {"--version", {.command = COMMAND_VERSION, BRIEF}},
};

static void check_text(const char *found, const char *wanted)
{
    if (wanted == NULL)
        ck_assert_ptr_null(found);
    else
        ck_assert_str_eq(found, wanted);
}

START_TEST(a_good_line_is_understood)
{
    const struct options *wanted = &good_rows[_i].wanted;
    char *line = strdup(good_rows[_i].line);
    struct options options;

    struct pht_error *error = parse(line, &options);
    ck_assert_msg(error == NULL, "%s: %s", good_rows[_i].line, error != NULL ? error->text : "");
    ck_assert_int_eq(options.command, wanted->command);
    ck_assert_int_eq(options.shell, wanted->shell);
    check_text(options.process, wanted->process);
    check_text(options.output, wanted->output);
    check_text(options.diff, wanted->diff);
    check_text(options.layout, wanted->layout);
    ck_assert(options.no_dwarf == wanted->no_dwarf);
    ck_assert(options.no_sandbox == wanted->no_sandbox);
    ck_assert(options.json == wanted->json);
    ck_assert(options.verbose == wanted->verbose);
    ck_assert_uint_eq(options.sections, wanted->sections);
    ck_assert(options.without_types == wanted->without_types);
    ck_assert_int_eq(options.type_sort, wanted->type_sort);
    ck_assert_uint_eq(options.type_rows, wanted->type_rows);
    ck_assert_int_eq(options.preview, wanted->preview);
    ck_assert_uint_eq(options.threads, wanted->threads);
    ck_assert_int_eq(options.stop, wanted->stop);
    ck_assert_uint_eq(options.max_stop_ms, wanted->max_stop_ms);
    ck_assert_uint_eq(options.bytes_per_second, wanted->bytes_per_second);
    ck_assert(options.repeats == wanted->repeats);
    ck_assert_uint_eq(options.delay_ms, wanted->delay_ms);
    ck_assert_uint_eq(options.count, wanted->count);
    check_text(options.sort, wanted->sort);
    ck_assert(options.sorts_screens == wanted->sorts_screens);
    check_text(options.baseline, wanted->baseline);
    ck_assert(options.strict == wanted->strict);
    ck_assert(options.quiet == wanted->quiet);
    ck_assert_int_eq(options.screen, wanted->screen);
    check_text(options.screen_option, wanted->screen_option);
    ck_assert_int_eq(options.color, wanted->color);
    ck_assert(options.ascii == wanted->ascii);
    ck_assert(options.mouse == wanted->mouse);
    free(line);
}
END_TEST

static const struct asking_row {
    const char *line;
    bool asks_report;
} asking_rows[] = {
    {"1", false},
    {"-d 2 -n 3 1", false},
    {"--stop=none -v 1", false},
    {"--no-types 1", false},
    {"--sort=objects 1", false},
    {"--baseline=a.json 1", false},
    {"-1 1", true},
    {"--json 1", true},
    {"-o x 1", true},
    {"--family 1", true},
    {"--section=maps 1", true},
    {"--types 1", true},
    {"--strict 1", true},
    {"--diff a.json", true},
    {"--dump-layout 1", true},
};

START_TEST(some_options_ask_for_a_report)
{
    char *line = strdup(asking_rows[_i].line);
    struct options options;

    struct pht_error *error = parse(line, &options);
    ck_assert_ptr_null(error);
    ck_assert_msg(options.asks_report == asking_rows[_i].asks_report, "%s", asking_rows[_i].line);
    free(line);
}
END_TEST

static const struct color_row {
    const char *no_color; /* NULL: not set */
    const char *line;
    int color;
} color_rows[] = {
    {NULL, "1", COLOR_AUTO},
    {"", "1", COLOR_AUTO},
    {"1", "1", COLOR_NEVER},
    {"0", "1", COLOR_NEVER},
    {"1", "--color=auto 1", COLOR_AUTO},
    {"1", "--color=always 1", COLOR_ALWAYS},
};

START_TEST(no_color_is_honoured_unless_the_line_says_otherwise)
{
    char *line = strdup(color_rows[_i].line);
    struct options options;

    if (color_rows[_i].no_color != NULL)
        setenv("NO_COLOR", color_rows[_i].no_color, 1);
    struct pht_error *error = parse(line, &options);
    unsetenv("NO_COLOR");
    ck_assert_ptr_null(error);
    ck_assert_int_eq(options.color, color_rows[_i].color);
    free(line);
}
END_TEST

/* ---- what is not -------------------------------------------------------------------------- */

#define SECTION(text)                                                                              \
    "--section is findings, kernel, categories, pymalloc, glibc, types, maps or family, not "      \
    "'" text "'"
#define TYPES(text)                                                                                \
    "--types is size, objects, taken, largest or type, a number of rows, or both as in "           \
    "objects,20; not '" text "'"
#define THREADS(text) "--threads is 1 to 64, not '" text "'"
#define RATE(text) "--rate is 1M to 1024G bytes a second, not '" text "'"
#define MAX_STOP(text) "--max-stop is 1 to 60000 milliseconds, not '" text "'"

#define DELAY(text) "--delay is 0.1 to 86400 seconds, not '" text "'"
#define COUNT(text) "--count is 1 to 1000000000 snapshots, not '" text "'"
#define SCREEN(text) "--screen is overview, pymalloc, glibc, types or maps, not '" text "'"
#define NO_ROOM "a line a snapshot has no room for parts of the report: with --json it has"
#define TOGETHER(one, other) "--" one " and --" other " do not go together: one of them"

static const struct bad_row {
    const char *line;
    const char *text;
    bool json;
} bad_rows[] = {
    {"--colour 1", "unknown option '--colour'", false},
    {"1 --colour", "unknown option '--colour'", false},
    {"-z 1", "unknown option '-z'", false},
    {"1 -z", "unknown option '-z'", false},
    {"-jz 1", "unknown option '-z'", true},
    {"-zj 1", "unknown option '-z'", true},
    {"-1zj 1", "unknown option '-z'", true},
    {"--s 1", "unknown option '--s'", false}, /* of two */
    {"-o", "option '-o' needs a value", false},
    {"-jo", "option '-jo' needs a value", true},
    {"--output", "option '--output' needs a value", false},
    {"1 --stop", "option '--stop' needs a value", false},
    {"--stop=never 1", "--stop is none, brief or full, not 'never'", false},
    {"--stop= 1", "--stop is none, brief or full, not ''", false},
    {"--stop=FULL 1", "--stop is none, brief or full, not 'FULL'", false},
    {"--stop=\x1b[2J 1", "--stop is none, brief or full, not '\\x1b[2J'", false},
    {"--rate=1023K 1", RATE("1023K"), false},
    {"--rate=1025G 1", RATE("1025G"), false},
    {"--rate=18014398509481985K 1", RATE("18014398509481985K"), false},
    {"--rate=99999999999999999999 1", RATE("99999999999999999999"), false},
    {"--rate=-5M 1", RATE("-5M"), false},
    {"--rate=5MB 1", RATE("5MB"), false},
    {"--rate=5T 1", RATE("5T"), false},
    {"--rate=M 1", RATE("M"), false},
    {"--rate=10M/s 1", RATE("10M/s"), false},
    {"--rate= 1", RATE(""), false},
    {"--max-stop=0 1", MAX_STOP("0"), false},
    {"--max-stop=60001 1", MAX_STOP("60001"), false},
    {"--max-stop=-1 1", MAX_STOP("-1"), false},
    {"--max-stop=+1 1", MAX_STOP("+1"), false},
    {"--max-stop=1s 1", MAX_STOP("1s"), false},
    {"--max-stop=1.5 1", MAX_STOP("1.5"), false},
    {"--max-stop= 1", MAX_STOP(""), false},
    {"--max-stop=99999999999999999999 1", MAX_STOP("99999999999999999999"), false},
    {"--section=malloc 1", SECTION("malloc"), false},
    {"--section=kernel,glibc 1", SECTION("kernel,glibc"), false},
    {"--section= 1", SECTION(""), false},
    {"--section=Maps 1", SECTION("Maps"), false},
    {"--section=type 1", SECTION("type"), false},
    {"--types= 1", TYPES(""), false},
    {"--types=count 1", TYPES("count"), false},
    {"--types=siz 1", TYPES("siz"), false},
    {"--types=size, 1", TYPES("size,"), false},
    {"--types=,20 1", TYPES(",20"), false},
    {"--types=20,size 1", TYPES("20,size"), false},
    {"--types=size,0 1", TYPES("size,0"), false},
    {"--types=1000000001 1", TYPES("1000000001"), false},
    {"--types=\x1b[2J 1", TYPES("\\x1b[2J"), false},
    {"--dump-layout", "--dump-layout needs a process, or a file", false},
    {"--dump-layout 1 2", "one process at a time: '2' is too much", false},
    {"--dump-layout --layout=x 1", TOGETHER("dump-layout", "layout"), false},
    {"--dump-layout --no-dwarf 1", TOGETHER("dump-layout", "no-dwarf"), false},
    {"-d 2 --dump-layout 1", TOGETHER("dump-layout", "delay"), false},
    {"--dump-layout --baseline=x 1", TOGETHER("dump-layout", "baseline"), false},
    {"--diff=x --dump-layout 1", TOGETHER("diff", "dump-layout"), false},
    {"--diff=x --baseline=y 1", TOGETHER("diff", "baseline"), false},
    {"--diff=x -n 2", TOGETHER("diff", "count"), false},
    {"--strict --diff=x", TOGETHER("diff", "strict"), false},
    {"-d 1 --family 1", NO_ROOM, false},
    {"-n 1 --once --section=maps 1", NO_ROOM, false},
    {"--sort=rss --json 1",
     "a report is sorted by size, objects, taken, largest or type, not by 'rss'", true},
    {"--screen=maps --json 1", TOGETHER("screen", "json"), true},
    {"--screen=maps --once 1", TOGETHER("screen", "once"), false},
    {"--color=never -j 1", TOGETHER("color", "json"), true},
    {"--mouse --family 1", TOGETHER("mouse", "family"), false},
    {"--ascii -o x 1", TOGETHER("ascii", "output"), false},
    {"--completions=sh", "--completions is bash, zsh or fish, not 'sh'", false},
    {"--screen= 1", SCREEN(""), false},
    {"--screen=map 1", SCREEN("map"), false},
    {"--screen=maps\x1b 1", SCREEN("maps\\x1b"), false},
    {"--color=yes 1", "--color is auto, always or never, not 'yes'", false},
    {"-d 0 1", DELAY("0"), false},
    {"-d 0.09 1", DELAY("0.09"), false},
    {"-d 86401 1", DELAY("86401"), false},
    {"-d -1 1", DELAY("-1"), false},
    {"-d 1e2 1", DELAY("1e2"), false},
    {"-d 1.2.3 1", DELAY("1.2.3"), false},
    {"-d . 1", DELAY("."), false},
    {"-d nan 1", DELAY("nan"), false},
    {"--delay= 1", DELAY(""), false},
    {"--delay", "option '--delay' needs a value", false},
    {"-n 0 1", COUNT("0"), false},
    {"-n 1000000001 1", COUNT("1000000001"), false},
    {"-n two 1", COUNT("two"), false},
    {"--layout", "option '--layout' needs a value", false},
    {"--threads=0 1", THREADS("0"), false},
    {"--threads=65 1", THREADS("65"), false},
    {"--threads=two 1", THREADS("two"), false},
    {"--threads", "option '--threads' needs a value", false},
    {"--no-types --types=20 1", "--no-types leaves out what --section=types shows", false},
    {"--no-types --section=types 1", "--no-types leaves out what --section=types shows", false},
    {"--family=1 1", "'--family=1': this option takes no value", false},
    {"1 2", "one process at a time: '2' is too much", false},
    {"1 2 3", "one process at a time: '2' is too much", false},
    /* the first error is told, in the form that was asked for anywhere */
    {"--stop=never --json --max-stop=0 1", "--stop is none, brief or full, not 'never'", true},
    {"1 2 --json", "one process at a time: '2' is too much", true},
    {"--json --help --colour", "unknown option '--colour'", true},
};

START_TEST(a_bad_line_is_explained)
{
    char *line = strdup(bad_rows[_i].line);
    struct options options;

    struct pht_error *error = parse(line, &options);
    ck_assert_msg(error != NULL, "%s", bad_rows[_i].line);
    ck_assert_int_eq(error->code, PHT_ERROR_USAGE);
    ck_assert_str_eq(error->text, bad_rows[_i].text);
    ck_assert_str_eq(error->remedy, "pyheaptop --help");
    ck_assert(options.json == bad_rows[_i].json);
    pht_error_destroy(error);
    free(line);
}
END_TEST

START_TEST(a_wrong_column_leads_to_their_list)
{
    char line[] = "--sort=colour 1";
    struct options options;

    struct pht_error *error = parse(line, &options);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->code, PHT_ERROR_USAGE);
    ck_assert_str_eq(error->text, "--sort: there is no column 'colour'");
    ck_assert_str_eq(error->remedy, "pyheaptop --sort=help");
    pht_error_destroy(error);
}
END_TEST

/* ---- help --------------------------------------------------------------------------------- */

static char *help_text(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(file);
    options_write_help(file);
    fclose(file);
    return text;
}

START_TEST(help_mentions_every_option)
{
    size_t count;
    const struct option_row *row = &option_rows(&count)[_i];
    char *text = help_text(), wanted[64];

    snprintf(wanted, sizeof(wanted), "--%s%s", row->name, option_needs_value(row) ? "=" : "");
    ck_assert_msg(strstr(text, wanted) != NULL, "%s", wanted);
    if (row->key < 256) {
        snprintf(wanted, sizeof(wanted), "  -%c, --%s", row->key, row->name);
        ck_assert_msg(strstr(text, wanted) != NULL, "%s", wanted);
    }
    free(text);
}
END_TEST

START_TEST(help_mentions_only_options_that_there_are)
{
    char *text = help_text();

    for (char *at = text; (at = strstr(at, "--")) != NULL; at += 2) {
        char line[64];
        size_t length = strspn(at + 2, "abcdefghijklmnopqrstuvwxyz-");
        struct options options;
        /* With a value that none of them has: what is unknown is told as such. */
        snprintf(line, sizeof(line), "%.*s=~~ 1", (int)length + 2, at);
        struct pht_error *error = parse(line, &options);
        if (error != NULL && strncmp(error->text, "unknown option", 14) == 0) {
            pht_error_destroy(error);
            snprintf(line, sizeof(line), "%.*s 1", (int)length + 2, at);
            error = parse(line, &options);
            ck_assert_msg(error == NULL, "%s", error != NULL ? error->text : "");
        }
        pht_error_destroy(error);
    }
    free(text);
}
END_TEST

START_TEST(help_fits_a_terminal)
{
    char *text = help_text();

    ck_assert_uint_gt(strlen(text), 0);
    ck_assert_int_eq(text[strlen(text) - 1], '\n');
    for (char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        size_t length = strcspn(line, "\n");
        ck_assert_msg(length < 80, "%.*s", (int)length, line);
        ck_assert_msg(length == 0 || line[length - 1] != ' ', "%.*s", (int)length, line);
    }
    ck_assert_uint_eq(strcspn(text, "\t\x1b"), strlen(text));
    free(text);
}
END_TEST

/* ---- columns ------------------------------------------------------------------------------ */

/* Completions offer each, and help. */
START_TEST(every_column_is_offered)
{
    char *text = NULL;
    size_t size, offered = 0, listed = 0;
    FILE *file = open_memstream(&text, &size);
    const char *values = option_of_key('s')->values;
    char *seen = calloc(1, strlen(values) + 3);

    ck_assert_ptr_nonnull(file);
    sorting_write_columns(file);
    fclose(file);
    /* Each is on a line behind the name of its table. */
    for (const char *at = values; *at != '\0'; at += strcspn(at, " "), at += *at == ' ') {
        char word[40], name[42];
        snprintf(word, sizeof(word), "%.*s", (int)strcspn(at, " "), at);
        snprintf(name, sizeof(name), " %s", word);
        offered++;
        listed += strcmp(word, "help") == 0 || sorting_has_column(word);
        ck_assert_msg(strcmp(word, "help") == 0 || strstr(text, name) != NULL, "%s", word);
    }
    ck_assert_uint_eq(offered, listed);
    for (char *line = text; line[0] != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
        size_t length = strcspn(line, "\n");
        ck_assert_uint_lt(length, 80);
        for (size_t i = 10; i < length; i += 1 + strcspn(line + i, " \n")) {
            char word[42];
            snprintf(word, sizeof(word), " %.*s ", (int)strcspn(line + i, " \n"), line + i);
            snprintf(seen, strlen(values) + 3, " %s ", values);
            ck_assert_msg(strstr(seen, word) != NULL, "%s", word);
        }
    }
    free(seen);
    free(text);
}
END_TEST

/* ---- the table ---------------------------------------------------------------------------- */

static char *read_manual(void)
{
    char *text = calloc(1, 1 << 20);
    FILE *file = fopen(PHT_GOLDEN_DIR "/../../man/pyheaptop.1", "r");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_gt(fread(text, 1, (1 << 20) - 1, file), 0);
    fclose(file);
    return text;
}

/* Its letter too: ".It Fl d , Fl Fl delay". */
START_TEST(the_manual_has_every_option)
{
    size_t count;
    const struct option_row *row = &option_rows(&count)[_i];
    char *text = read_manual(), wanted[64];
    bool found = false;

    if (row->key < 256)
        snprintf(wanted, sizeof(wanted), "Fl %c , Fl Fl %s", row->key, row->name);
    else
        snprintf(wanted, sizeof(wanted), "Fl Fl %s", row->name);
    for (const char *line = text; line != NULL && !found; line = strstr(line + 1, "\n.It "))
        found = memmem(line, strcspn(line + 1, "\n") + 1, wanted, strlen(wanted)) != NULL;
    ck_assert_msg(found, "no .It %s", wanted);
    free(text);
}
END_TEST

/* In the section SETTINGS, and only those. */
START_TEST(the_manual_has_every_setting)
{
    size_t count;
    const struct option_row *row = &option_rows(&count)[_i];
    char *text = read_manual(), wanted[64];
    char *at = strstr(text, "These may be set:");

    ck_assert_ptr_nonnull(at);
    *strstr(at, ".Pp") = '\0';
    snprintf(wanted, sizeof(wanted), " %s ", row->name);
    ck_assert_msg((strstr(at, wanted) != NULL) == ((row->flags & OPTION_IS_SETTING) != 0), "%s",
                  row->name);
    free(text);
}
END_TEST

/* What completions offer is taken. */
START_TEST(values_are_those_that_are_understood)
{
    size_t count;
    const struct option_row *row = &option_rows(&count)[_i];
    char *words = strdup(row->values != NULL ? row->values : ""), *rest = words, *word;

    while ((word = strsep(&rest, " ")) != NULL && row->values != NULL) {
        char line[64];
        struct options options;
        snprintf(line, sizeof(line), "--%s=%s 1", row->name, word);
        struct pht_error *error = parse(line, &options);
        ck_assert_msg(error == NULL, "--%s=%s", row->name, word);
    }
    free(words);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *options_suite(void)
{
    Suite *suite = suite_create("cmd/options");
    TCase *tcase = tcase_create("options");
    size_t count;

    option_rows(&count);

    tcase_add_loop_test(tcase, a_good_line_is_understood, 0, ROWS(good_rows));
    tcase_add_loop_test(tcase, a_bad_line_is_explained, 0, ROWS(bad_rows));
    tcase_add_test(tcase, a_wrong_column_leads_to_their_list);
    tcase_add_loop_test(tcase, some_options_ask_for_a_report, 0, ROWS(asking_rows));
    tcase_add_loop_test(tcase, no_color_is_honoured_unless_the_line_says_otherwise, 0,
                        ROWS(color_rows));
    tcase_add_loop_test(tcase, help_mentions_every_option, 0, (int)count);
    tcase_add_test(tcase, every_column_is_offered);
    tcase_add_loop_test(tcase, the_manual_has_every_option, 0, (int)count);
    tcase_add_loop_test(tcase, the_manual_has_every_setting, 0, (int)count);
    tcase_add_loop_test(tcase, values_are_those_that_are_understood, 0, (int)count);
    tcase_add_test(tcase, help_mentions_only_options_that_there_are);
    tcase_add_test(tcase, help_fits_a_terminal);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(options_suite)
