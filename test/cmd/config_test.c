/* The config file: what is read of it, what it means, and what is said of the rest. */
#include "cmd/config.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/option_table.h"
#include "cmd/settings.h"
#include "support/suite.h"

static char folder[] = "/tmp/config_test.XXXXXX";
static struct config config;

static void setup(void)
{
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    config = (struct config){0};
    setenv("HOME", folder, 1);
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("NO_COLOR");
}

static void teardown(void)
{
    config_deinit(&config);
    unlink("config");
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void put(const char *text, size_t bytes)
{
    FILE *file = fopen("config", "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text, 1, bytes, file), bytes);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod("config", 0644), 0);
}

static void read_text(const char *text)
{
    put(text, strlen(text));
    config_read("config", &config);
}

/* ---- where it is -------------------------------------------------------------------------- */

static void check_path(const char *wanted)
{
    char *path = config_path();

    if (wanted == NULL)
        ck_assert_ptr_null(path);
    else
        ck_assert_str_eq(path, wanted);
    free(path);
}

START_TEST(the_place_is_that_of_xdg)
{
    setenv("HOME", "/home/ann", 1);
    check_path("/home/ann/.config/pyheaptop/config");
    setenv("XDG_CONFIG_HOME", "/etc/xdg/ann", 1);
    check_path("/etc/xdg/ann/pyheaptop/config");
    setenv("XDG_CONFIG_HOME", "not/absolute", 1);
    check_path("/home/ann/.config/pyheaptop/config");
    unsetenv("HOME");
    check_path(NULL);
}
END_TEST

/* ---- reading ------------------------------------------------------------------------------ */

static void check_setting(size_t i, const char *name, const char *value, unsigned line)
{
    ck_assert_uint_lt(i, config.count);
    ck_assert_str_eq(config.items[i].name, name);
    ck_assert_str_eq(config.items[i].value, value);
    ck_assert_uint_eq(config.items[i].line, line);
}

START_TEST(settings_are_names_and_values)
{
    read_text("# a comment = no setting\n\n  delay=10\n\tcolor =  never \r\n"
              "  # another\nlayout = /a = b\nempty =\nlast = line");
    ck_assert_uint_eq(config.count, 5);
    check_setting(0, "delay", "10", 3);
    check_setting(1, "color", "never", 4);
    check_setting(2, "layout", "/a = b", 6);
    check_setting(3, "empty", "", 7);
    check_setting(4, "last", "line", 8);
    ck_assert_ptr_null(config.notes);
}
END_TEST

START_TEST(a_line_without_a_value_is_noted)
{
    read_text("delay = 10\nmouse\n");
    ck_assert_uint_eq(config.count, 1);
    ck_assert_str_eq(config.notes, "pyheaptop: config:2: there is no '=' (ignored)\n"
                                   "  try: delay = 10\n");
}
END_TEST

START_TEST(no_file_has_no_settings)
{
    config_read("config", &config);
    ck_assert_uint_eq(config.count, 0);
    ck_assert_ptr_null(config.notes);
    config_deinit(&config);
    config_read("config/below/nothing", &config);
    ck_assert_ptr_null(config.notes);
}
END_TEST

START_TEST(the_home_folder_is_a_tilde)
{
    char *path = strdup(folder);

    path = realloc(path, strlen(path) + 10);
    put("mouse", 5);
    config_read(strcat(path, "/config"), &config);
    ck_assert_str_eq(config.notes, "pyheaptop: ~/config:1: there is no '=' (ignored)\n"
                                   "  try: delay = 10\n");
    free(path);
}
END_TEST

static const mode_t shared_modes[] = {0664, 0646, 0666};

START_TEST(what_others_may_write_is_not_used)
{
    put("delay = 10\n", 11);
    ck_assert_int_eq(chmod("config", shared_modes[_i]), 0);
    config_read("config", &config);
    ck_assert_uint_eq(config.count, 0);
    ck_assert_str_eq(config.notes, "pyheaptop: config belongs to another user, or others may "
                                   "write it (ignored)\n");
}
END_TEST

START_TEST(what_belongs_to_another_user_is_not_used)
{
    put("delay = 10\n", 11);
    if (chown("config", 12345, (gid_t)-1) != 0)
        SKIP_TEST("only root gives files away");
    config_read("config", &config);
    ck_assert_uint_eq(config.count, 0);
    ck_assert_ptr_nonnull(strstr(config.notes, "belongs to another user"));
}
END_TEST

START_TEST(only_a_regular_file_is_read)
{
    config_read(folder, &config);
    ck_assert_ptr_nonnull(strstr(config.notes, "is no regular file (ignored)"));
    config_deinit(&config);
    ck_assert_int_eq(mkfifo("config", 0600), 0);
    config_read("config", &config);
    ck_assert_str_eq(config.notes, "pyheaptop: config is no regular file (ignored)\n");
}
END_TEST

START_TEST(a_huge_file_is_not_used)
{
    char *text = malloc(70000);

    memset(text, '\n', 70000);
    put(text, 65537);
    config_read("config", &config);
    ck_assert_str_eq(config.notes, "pyheaptop: config is longer than 64K (ignored)\n");
    config_deinit(&config);
    put(text, 65536);
    config_read("config", &config);
    ck_assert_ptr_null(config.notes);
    free(text);
}
END_TEST

START_TEST(bytes_of_any_kind_do_no_harm)
{
    char text[4096];
    unsigned seed = 1;

    for (int round = 0; round < 200; round++) {
        for (size_t i = 0; i < sizeof(text); i++)
            text[i] = "=\n# \0\xff\x1b"
                      "delay"[rand_r(&seed) % 12];
        put(text, sizeof(text));
        config_read("config", &config);
        struct options options = {0};
        settings_apply(&config, &options);
        for (const char *at = config.notes; at != NULL && *at != '\0'; at++)
            ck_assert(*at == '\n' || (unsigned char)*at >= ' ');
        config_deinit(&config);
    }
}
END_TEST

/* ---- what they mean ----------------------------------------------------------------------- */

/* The options of a file and a line, whose words are separated by one blank each. */
static struct options parse(const char *text, const char *line)
{
    char *words = strdup(line), *rest = words;
    char *argv[10] = {(char *)"pyheaptop"};
    int argc = 1;
    struct options options;

    read_text(text);
    while (rest != NULL && argc < 9)
        argv[argc++] = strsep(&rest, " ");
    optind = 0;
    struct pht_error *error = options_parse(argc, argv, &config, &options);
    ck_assert_msg(error == NULL, "%s", error != NULL ? error->text : "");
    options.process = NULL;
    free(words);
    return options;
}

START_TEST(settings_are_options)
{
    struct options options =
        parse("delay = 2.5\nscreen = types\nsort = rss\nmax-stop = 7\nno-types = yes\n"
              "mouse = no\nascii = yes\nstop = none\nlayout = /x\n",
              "1");

    ck_assert_uint_eq(options.delay_ms, 2500);
    ck_assert(!options.repeats);
    ck_assert_int_eq(options.screen, SCREEN_TYPES);
    ck_assert_str_eq(options.sort, "rss");
    ck_assert(!options.sorts_screens);
    ck_assert_uint_eq(options.max_stop_ms, 7);
    ck_assert(options.without_types);
    ck_assert(!options.mouse);
    ck_assert(options.ascii);
    ck_assert_int_eq(options.stop, PHT_STOP_NONE);
    ck_assert_str_eq(options.layout, "/x");
    ck_assert(!options.asks_report);
    ck_assert_ptr_null(options.screen_option);
    ck_assert_ptr_null(config.notes);
}
END_TEST

START_TEST(the_line_goes_before_the_file)
{
    struct options options = parse("delay = 10\nstop = none\nquiet = yes\nno-preview = yes\n",
                                   "-d 1 --stop=full -v --preview 1");

    ck_assert_uint_eq(options.delay_ms, 1000);
    ck_assert_int_eq(options.stop, PHT_STOP_FULL);
    ck_assert(options.verbose && !options.quiet);
    ck_assert_int_eq(options.preview, PREVIEW_ON);
}
END_TEST

START_TEST(types_that_are_asked_for_are_counted)
{
    ck_assert(!parse("no-types = yes\n", "--types 1").without_types);
    config_deinit(&config);
    ck_assert(parse("no-types = yes\n", "--family 1").without_types);
}
END_TEST

START_TEST(a_screen_that_is_a_setting_does_not_forbid_a_report)
{
    ck_assert(parse("color = always\nmouse = yes\n", "--json 1").json);
    ck_assert_ptr_null(config.notes);
}
END_TEST

START_TEST(the_environment_goes_between)
{
    setenv("NO_COLOR", "1", 1);
    ck_assert_int_eq(parse("color = always\n", "1").color, COLOR_NEVER);
    config_deinit(&config);
    ck_assert_int_eq(parse("color = never\n", "--color=always 1").color, COLOR_ALWAYS);
}
END_TEST

START_TEST(every_setting_is_taken)
{
    size_t count;
    const struct option_row *row = &option_rows(&count)[_i];
    char text[200];
    const char *value = row->argument == NULL ? "yes" : row->values != NULL ? row->values : "1";

    snprintf(text, sizeof(text), "%s = %.*s\n", row->name, (int)strcspn(value, " "), value);
    parse(text, "1");
    if (row->flags & OPTION_IS_SETTING)
        ck_assert_msg(config.notes == NULL, "%s", config.notes);
    else
        ck_assert_msg(strstr(config.notes, "is for the command line alone") != NULL, "%s",
                      config.notes);
}
END_TEST

static const struct bad_row {
    const char *text;
    const char *note;
} bad_rows[] = {
    {"\n\n\ncolour = never\n", "config:4: 'colour' is not a setting (ignored)\n"
                               "  try: color = never\n"},
    {"dely = 3\n", "config:1: 'dely' is not a setting (ignored)\n  try: delay = 3\n"},
    {"nonsense = 3\n", "config:1: 'nonsense' is not a setting (ignored)\n"},
    {" = 3\n", "config:1: '' is not a setting (ignored)\n"},
    {"output = x\n", "config:1: 'output' is for the command line alone (ignored)\n"},
    {"delay = soon\n", "config:1: --delay is 0.1 to 86400 seconds, not 'soon' (ignored)\n"},
    {"mouse = 1\n", "config:1: mouse is yes or no, not '1' (ignored)\n"},
    {"mouse =\n", "config:1: mouse is yes or no, not '' (ignored)\n"},
    {"sort = help\n", "config:1: 'help' is for the command line alone (ignored)\n"},
    {"\x1b[2J = \x1b[2J\n", "config:1: '\\x1b[2J' is not a setting (ignored)\n"},
    {"0123456789012345678901234567890123456789012345 = 1\n",
     "config:1: '01234567890123456789012345678901234567..' is not a setting (ignored)\n"},
};

START_TEST(what_is_wrong_is_noted_and_ignored)
{
    char wanted[300];

    ck_assert_int_eq(parse(bad_rows[_i].text, "1").command, COMMAND_REPORT);
    snprintf(wanted, sizeof(wanted), "pyheaptop: %s", bad_rows[_i].note);
    ck_assert_str_eq(config.notes, wanted);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *config_suite(void)
{
    Suite *suite = suite_create("cmd/config");
    TCase *tcase = tcase_create("config");
    size_t count;

    option_rows(&count);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_place_is_that_of_xdg);
    tcase_add_test(tcase, settings_are_names_and_values);
    tcase_add_test(tcase, a_line_without_a_value_is_noted);
    tcase_add_test(tcase, no_file_has_no_settings);
    tcase_add_test(tcase, the_home_folder_is_a_tilde);
    tcase_add_loop_test(tcase, what_others_may_write_is_not_used, 0, ROWS(shared_modes));
    tcase_add_test(tcase, what_belongs_to_another_user_is_not_used);
    tcase_add_test(tcase, only_a_regular_file_is_read);
    tcase_add_test(tcase, a_huge_file_is_not_used);
    tcase_add_test(tcase, bytes_of_any_kind_do_no_harm);
    tcase_add_test(tcase, settings_are_options);
    tcase_add_test(tcase, the_line_goes_before_the_file);
    tcase_add_test(tcase, types_that_are_asked_for_are_counted);
    tcase_add_test(tcase, a_screen_that_is_a_setting_does_not_forbid_a_report);
    tcase_add_test(tcase, the_environment_goes_between);
    tcase_add_loop_test(tcase, every_setting_is_taken, 0, (int)count);
    tcase_add_loop_test(tcase, what_is_wrong_is_noted_and_ignored, 0, ROWS(bad_rows));
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(config_suite)
