/* The list of processes to choose from. */
#include "tui/picker.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "support/golden.h"
#include "support/screens.h"
#include "support/suite.h"

static struct pht_picker *picker;
static char *text;

static const struct {
    pid_t pid, ppid;
    uint64_t rss, pss, up;
    const char *user, *version, *command, *name;
} rows[] = {
    {48214, 48213, 1620, 1520, 273000, "shop", "3.12", "celery worker -A shop", "celery"},
    {51002, 1, 212, 190, 7860, "shop", "3.11", "/usr/bin/gunicorn: worker /srv/api", "gunicorn"},
    {48213, 1, 1740, 1640, 273060, "shop", "3.12", "celery worker -A shop", "celery"},
    {48215, 48214, 20, UINT64_MAX, UINT64_MAX, NULL, "", "sh\x1b[31m -c 'python x'", "helper"},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static uint64_t mib(uint64_t value)
{
    return value == UINT64_MAX ? value : value << 20;
}

static char *names_of(const char *name)
{
    char *names = calloc(strlen(name) + 2, 1);

    ck_assert_ptr_nonnull(names);
    strcpy(names, name);
    return names;
}

static void take(size_t count, size_t hidden)
{
    struct pht_candidates candidates = {.count = count, .hidden = hidden};

    candidates.items = calloc(ROWS, sizeof(*candidates.items));
    ck_assert_ptr_nonnull(candidates.items);
    for (size_t i = 0; i < count; i++) {
        candidates.items[i] = (struct pht_candidate){
            .pid = rows[i].pid,
            .rss_bytes = mib(rows[i].rss),
            .command = strdup(rows[i].command),
            .names = names_of(rows[i].name),
            .ppid = rows[i].ppid,
            .user = rows[i].user != NULL ? strdup(rows[i].user) : NULL,
            .pss_bytes = mib(rows[i].pss),
            .uptime_seconds = rows[i].up,
        };
        strcpy(candidates.items[i].version, rows[i].version);
    }
    ck_assert(pht_picker_take(picker, &candidates));
}

static void setup(void)
{
    setlocale(LC_CTYPE, "C");
    picker = pht_picker_create(NULL, true);
    ck_assert_ptr_nonnull(picker);
    text = NULL;
}

static void teardown(void)
{
    pht_picker_destroy(picker);
    free(text);
}

static void draw(unsigned lines, unsigned columns)
{
    struct pht_canvas canvas;

    ck_assert(pht_canvas_init(&canvas, lines, columns, true));
    pht_picker_draw(picker, pht_canvas_area(&canvas));
    free(text);
    text = pht_canvas_text(&canvas);
    pht_canvas_deinit(&canvas);
    ck_assert_ptr_nonnull(text);
}

static enum pht_picker_result press(const char *keys)
{
    enum pht_picker_result result = PHT_PICKER_STAY;

    for (; *keys != '\0'; keys++)
        result = pht_picker_on_key(picker, *keys);
    return result;
}

START_TEST(list_reads_as_it_did)
{
    char file[64];

    take(ROWS, 3);
    draw(screen_sizes[_i][0], screen_sizes[_i][1]);
    snprintf(file, sizeof(file), "screen_picker_%ux%u.txt", screen_sizes[_i][1],
             screen_sizes[_i][0]);
    golden_check(text, file);
}
END_TEST

START_TEST(largest_is_first_and_its_children_follow)
{
    take(ROWS, 0);
    draw(24, 80);
    ck_assert_int_eq(pht_picker_pid(picker), 48213);
    press("j");
    ck_assert_int_eq(pht_picker_pid(picker), 48214);
    ck_assert_int_eq(press("jj"), PHT_PICKER_STAY);
    ck_assert_int_eq(pht_picker_pid(picker), 51002);
    ck_assert_int_eq(press("\n"), PHT_PICKER_OPEN);
}
END_TEST

START_TEST(keys_do_what_they_say)
{
    take(ROWS, 0);
    draw(24, 80);
    ck_assert_int_eq(press("r"), PHT_PICKER_REFRESH);
    ck_assert_int_eq(press("q"), PHT_PICKER_LEAVE);
    ck_assert_int_eq(press("\x1b"), PHT_PICKER_LEAVE);
    press("/guni\n");
    ck_assert_int_eq(pht_picker_pid(picker), 51002);
    press("\\celery\n");
    draw(24, 80);
    ck_assert_ptr_null(strstr(text, "gunicorn"));
    ck_assert_int_eq(press("\x1b"), PHT_PICKER_STAY);
    draw(24, 80);
    ck_assert_ptr_nonnull(strstr(text, "gunicorn"));
}
END_TEST

START_TEST(cursor_stays_with_its_process)
{
    take(ROWS, 0);
    draw(24, 80);
    press("jj");
    pid_t pid = pht_picker_pid(picker);
    draw(24, 80);
    press("s");
    ck_assert_int_eq(pht_picker_pid(picker), pid);
    take(ROWS, 0);
    ck_assert_int_eq(pht_picker_pid(picker), pid);
}
END_TEST

START_TEST(name_leaves_those_of_that_name)
{
    pht_picker_destroy(picker);
    picker = pht_picker_create("celery", true);
    take(ROWS, 0);
    draw(24, 80);
    ck_assert_ptr_nonnull(strstr(text, "2 Python processes called celery"));
    ck_assert_ptr_null(strstr(text, "gunicorn"));
}
END_TEST

START_TEST(empty_list_says_so)
{
    take(0, 2);
    draw(24, 80);
    ck_assert_ptr_nonnull(strstr(text, "No Python process"));
    ck_assert_ptr_nonnull(strstr(text, "2 more of other users"));
    ck_assert_int_eq(press("\n"), PHT_PICKER_STAY);
    ck_assert_int_eq(pht_picker_pid(picker), 0);
}
END_TEST

/* A parent that is its own child is no reason to hang. */
START_TEST(circles_of_parents_end)
{
    struct pht_candidates candidates = {.count = 2};

    candidates.items = calloc(2, sizeof(*candidates.items));
    ck_assert_ptr_nonnull(candidates.items);
    for (int i = 0; i < 2; i++)
        candidates.items[i] = (struct pht_candidate){
            .pid = 7 + i, .ppid = 8 - i, .command = strdup("x"), .names = names_of("x")};
    ck_assert(pht_picker_take(picker, &candidates));
    draw(24, 80);
    ck_assert_ptr_nonnull(strstr(text, "      7"));
    ck_assert_ptr_nonnull(strstr(text, "      8"));
}
END_TEST

static Suite *picker_suite(void)
{
    Suite *suite = suite_create("picker");
    TCase *tcase = tcase_create("picker");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, list_reads_as_it_did, 0, SCREEN_SIZES);
    tcase_add_test(tcase, largest_is_first_and_its_children_follow);
    tcase_add_test(tcase, keys_do_what_they_say);
    tcase_add_test(tcase, cursor_stays_with_its_process);
    tcase_add_test(tcase, name_leaves_those_of_that_name);
    tcase_add_test(tcase, empty_list_says_so);
    tcase_add_test(tcase, circles_of_parents_end);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(picker_suite)
