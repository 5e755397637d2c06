/* The screens from keys to cells, with a clock and reports of our own. */
#include <locale.h>
#include <string.h>
#include <time.h>

#include "support/golden.h"
#include "support/heap_report.h"
#include "support/screens.h"
#include "support/suite.h"
#include "tui/app.h"
#include "tui/chrome.h"
#include "tui/keymap.h"

#define SECOND ((uint64_t)1000000)
#define MIB ((uint64_t)1 << 20)
#define START (1000 * SECOND)

static struct pht_report *first; /* whose process the app keeps */
static struct pht_app_options options;
static struct pht_app *app;
static struct pht_canvas canvas;
static char *text;
static uint64_t now;

static void set_time(uint64_t us)
{
    now = us;
    pht_app_set_time(app, us, 1795356187 + (time_t)((us - START) / SECOND));
}

static void create(void)
{
    pht_app_destroy(app);
    app = pht_app_create(&options, &first->process);
    ck_assert_ptr_nonnull(app);
    set_time(START);
}

static void setup(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
    ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
    first = heap_report_create();
    options = (struct pht_app_options){.interval_us = 5 * SECOND, .is_ascii = true};
    text = NULL;
    app = NULL;
    create();
}

static void teardown(void)
{
    free(text);
    pht_app_destroy(app);
    pht_report_destroy(first);
}

static void show(unsigned rows, unsigned columns)
{
    free(text);
    ck_assert(pht_canvas_init(&canvas, rows, columns, options.is_ascii));
    pht_app_draw(app, &canvas);
    text = pht_canvas_text(&canvas);
    pht_canvas_deinit(&canvas);
}

static void check_holds(const char *wanted)
{
    ck_assert_msg(strstr(text, wanted) != NULL, "no '%s' in:\n%s", wanted, text);
}

static void check_lacks(const char *unwanted)
{
    ck_assert_msg(strstr(text, unwanted) == NULL, "'%s' in:\n%s", unwanted, text);
}

static void press(int key)
{
    pht_app_on_input(app, &(struct pht_input){.key = key});
}

static void check_order(enum pht_order wanted)
{
    ck_assert_int_eq(pht_app_next_order(app), wanted);
}

/* The snapshot that was ordered comes, as the fixture has it but for `grown_bytes` of objects. */
static void deliver(uint64_t grown_bytes)
{
    struct pht_report_options taken = {0};
    struct pht_report *report = heap_report_create();

    check_order(PHT_ORDER_TAKE);
    pht_app_prepare(app, &taken);
    report->number = taken.number;
    report->taken_at.tv_sec += (time_t)((now - START) / SECOND);
    report->kernel.rss_bytes += grown_bytes;
    report->categories[PHT_CATEGORY_PYTHON_SMALL].bytes += grown_bytes;
    pht_app_on_report(app, report, 1000);
}

static void break_off(enum pht_error_code code, const char *why)
{
    pht_app_on_failure(app, pht_error_create(code, "%s", why));
}

/* A first snapshot, and a screen that was drawn. */
static void start(void)
{
    deliver(0);
    show(24, 80);
}

/* ---- golden files ------------------------------------------------------------------------- */

static void check_golden(const char *name, unsigned rows, unsigned columns)
{
    char file[128];

    show(rows, columns);
    snprintf(file, sizeof(file), "screen_%s%s_%ux%u.txt", name, options.is_ascii ? "" : "_utf8",
             columns, rows);
    golden_check(text, file);
}

START_TEST(whole_screen_reads_as_it_did)
{
    options.is_ascii = _i == 0;
    create();
    deliver(0);
    set_time(START + 5 * SECOND);
    deliver(3 * MIB);
    set_time(START + 7 * SECOND);
    for (int i = 0; i < SCREEN_SIZES; i++)
        check_golden("app", screen_sizes[i][0], screen_sizes[i][1]);
}
END_TEST

START_TEST(roles_are_as_they_were)
{
    deliver(0);
    set_time(START + 5 * SECOND);
    deliver(3 * MIB);
    ck_assert(pht_canvas_init(&canvas, 24, 80, true));
    pht_app_draw(app, &canvas);
    char *roles = pht_canvas_roles(&canvas);
    golden_check(roles, "screen_app_roles_80x24.txt");
    free(roles);
    pht_canvas_deinit(&canvas);
}
END_TEST

START_TEST(help_reads_as_it_did)
{
    start();
    press('?');
    for (int i = 0; i < SCREEN_SIZES; i++)
        check_golden("help", screen_sizes[i][0], screen_sizes[i][1]);
}
END_TEST

/* ---- the first snapshot ------------------------------------------------------------------- */

START_TEST(kernel_figures_come_before_any_walk)
{
    struct pht_report *quick = heap_report_create();

    check_order(PHT_ORDER_TAKE);
    show(24, 80);
    check_holds("first snapshot");
    quick->sections = PHT_SECTION_KERNEL | PHT_SECTION_MAPS;
    quick->has_ledger = false;
    pht_app_on_report(app, quick, 0);
    pht_app_on_progress(app, &(struct pht_progress){PHT_STAGE_PYMALLOC, 620, 1000, "arenas"});
    show(24, 80);
    check_holds("RSS 1.70G");
    check_holds("anonymous memory");
    check_holds("walking pymalloc  62%  620 of 1,000 arenas");
    check_order(PHT_ORDER_NONE); /* the walk goes on */
}
END_TEST

START_TEST(first_snapshot_that_fails_ends_it)
{
    check_order(PHT_ORDER_TAKE);
    break_off(PHT_ERROR_NOT_PYTHON, "pid 4711 is not a Python process");
    check_order(PHT_ORDER_QUIT);
    struct pht_error *error = pht_app_take_failure(app);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->code, PHT_ERROR_NOT_PYTHON);
    pht_error_destroy(error);
    ck_assert_ptr_null(pht_app_take_failure(app));
}
END_TEST

START_TEST(later_failure_is_told_and_the_snapshot_stays)
{
    start();
    set_time(START + 5 * SECOND);
    check_order(PHT_ORDER_TAKE);
    break_off(PHT_ERROR_EPERM_TRACED, "pid 4711 cannot be stopped: gdb traces it");
    check_order(PHT_ORDER_NONE);
    show(24, 80);
    check_holds("cannot be stopped: gdb traces it");
    check_holds("Snapshot #1");
    set_time(START + 10 * SECOND);
    check_order(PHT_ORDER_TAKE);
}
END_TEST

/* ---- time --------------------------------------------------------------------------------- */

START_TEST(next_snapshot_is_taken_when_it_is_due)
{
    start();
    set_time(START + 5 * SECOND - 1);
    check_order(PHT_ORDER_NONE);
    ck_assert_uint_eq(pht_app_wake_us(app), START + 5 * SECOND);
    set_time(START + 5 * SECOND);
    deliver(0);
    show(24, 80);
    check_holds("Snapshot #2");
    set_time(START + 7 * SECOND);
    show(24, 80);
    check_holds("age 2s");
}
END_TEST

START_TEST(none_is_begun_while_one_is_taken)
{
    start();
    set_time(START + 5 * SECOND);
    check_order(PHT_ORDER_TAKE);
    set_time(START + 30 * SECOND);
    press('r');
    check_order(PHT_ORDER_NONE);
}
END_TEST

START_TEST(pause_is_a_word_and_takes_none_but_by_hand)
{
    start();
    press(' ');
    set_time(START + 60 * SECOND);
    check_order(PHT_ORDER_NONE);
    show(30, 100);
    check_holds("PAUSED");
    check_holds("age 1m 00s");
    check_holds("Space: resume");
    press('r');
    deliver(0);
    press(' ');
    set_time(START + 66 * SECOND);
    check_order(PHT_ORDER_TAKE);
}
END_TEST

START_TEST(interval_is_changed_by_keys)
{
    start();
    press('-');
    show(24, 80);
    check_holds("interval 2 s");
    set_time(START + 2 * SECOND);
    deliver(0);
    for (int i = 0; i < 5; i++)
        press('+');
    show(24, 80);
    check_holds("interval off: r takes a snapshot");
    set_time(START + 1000 * SECOND);
    check_order(PHT_ORDER_NONE);
}
END_TEST

START_TEST(raised_interval_is_told)
{
    struct pht_report_options taken = {0};

    check_order(PHT_ORDER_TAKE);
    pht_app_prepare(app, &taken);
    struct pht_report *report = heap_report_create();
    report->number = 1;
    set_time(START + SECOND);
    pht_app_on_report(app, report, 600000);
    show(24, 80);
    check_holds("raised to 12 s");
    show(30, 100);
    check_holds("raised to 12 s");
    show(30, 120);
    check_holds("interval raised to 12 s");
    set_time(START + 11 * SECOND);
    check_order(PHT_ORDER_NONE);
    set_time(START + 12 * SECOND);
    check_order(PHT_ORDER_TAKE);
}
END_TEST

static const struct {
    struct pht_snapshot_stats stats;
    const char *words;
} stops[] = {
    {{.stop = PHT_STOP_BRIEF, .stops = 1, .stopped_us = 850}, "target stopped 0.85 ms"},
    {{.stop = PHT_STOP_NONE}, "NO STOP"},
    {{.stop = PHT_STOP_NONE, .gave_up = true}, "STOP NOT HAD"},
    {{.stop = PHT_STOP_BRIEF, .stops = 1, .stopped_us = 20000, .expired = true},
     "STOP LIMIT  |  target stopped 20 ms"},
};

#define STOPS ((int)(sizeof(stops) / sizeof(stops[0])))

START_TEST(how_the_target_was_stopped_is_told)
{
    struct pht_report *report = heap_report_create();

    check_order(PHT_ORDER_TAKE);
    report->snapshot = stops[_i].stats;
    pht_app_on_report(app, report, 1000);
    show(30, 120);
    check_holds(stops[_i].words);
    for (int i = 0; i < STOPS; i++) {
        if (i != _i && strstr(stops[_i].words, stops[i].words) == NULL)
            check_lacks(stops[i].words);
    }
}
END_TEST

START_TEST(count_ends_snapshots_but_not_the_screens)
{
    options.count = 1;
    create();
    start();
    set_time(START + 100 * SECOND);
    check_order(PHT_ORDER_NONE);
}
END_TEST

/* ---- a long walk -------------------------------------------------------------------------- */

START_TEST(long_walk_shows_how_far_it_is_and_can_be_left)
{
    start();
    set_time(START + 5 * SECOND);
    check_order(PHT_ORDER_TAKE);
    show(24, 80);
    check_holds("Snapshot #1"); /* a short one shows nothing of itself */
    set_time(START + 6 * SECOND);
    pht_app_on_progress(app, &(struct pht_progress){PHT_STAGE_OBJECTS, 1 << 20, 4 << 20, NULL});
    show(24, 80);
    check_holds("counting objects  25%  1.00M of 4.00M");
    check_holds("Esc: keep snapshot #1");
    press(PHT_KEY_ESCAPE);
    check_order(PHT_ORDER_CANCEL);
    break_off(PHT_ERROR_CANCELLED, "cancelled");
    show(24, 80);
    check_holds("snapshot cancelled");
    check_holds("Snapshot #1");
}
END_TEST

/* ---- the end of the target ---------------------------------------------------------------- */

START_TEST(target_that_ends_leaves_its_last_snapshot)
{
    start();
    set_time(START + 3 * SECOND);
    break_off(PHT_ERROR_EXITED_EARLY, "pid 4711 ended");
    show(24, 80);
    check_holds("EXITED  pid 4711 ended");
    check_holds("Showing snapshot #1");
    set_time(START + 100 * SECOND);
    check_order(PHT_ORDER_NONE);
    press('r');
    check_order(PHT_ORDER_NONE);
    show(24, 80);
    check_holds("there is nothing more to read");
    show(10, 40);
    check_holds("EXITED");
    press('q');
    check_order(PHT_ORDER_QUIT);
    ck_assert_ptr_null(pht_app_take_failure(app));
}
END_TEST

/* ---- change ------------------------------------------------------------------------------- */

START_TEST(growth_is_against_the_first_snapshot_until_b)
{
    start();
    check_lacks("+");
    set_time(START + 5 * SECOND);
    deliver(8 * MIB);
    show(24, 80);
    check_holds("+8.00M\n"); /* of RSS, behind the bar */
    check_holds(" +8.00M\n  p  pymalloc slack");
    show(30, 100);
    check_holds("+8.00M since 14:03:07");
    press('b');
    show(24, 80);
    check_holds("snapshot #2 is the baseline");
    check_lacks("+8.00M");
    set_time(START + 10 * SECOND);
    deliver(6 * MIB);
    show(24, 80);
    check_holds("-2.00M");
}
END_TEST

START_TEST(baseline_that_was_given_is_not_replaced)
{
    pht_app_set_baseline(app, pht_figures_create(first));
    deliver(4 * MIB);
    show(24, 80);
    check_holds("+4.00M");
}
END_TEST

/* ---- keys --------------------------------------------------------------------------------- */

START_TEST(every_key_of_the_table_does_something)
{
    size_t count;
    const struct pht_binding *bindings = pht_keymap(&count);

    start();
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < PHT_KEYS_EACH_MAX && bindings[i].keys[j].key != PHT_KEY_NONE; j++) {
            press(bindings[i].keys[j].key);
            show(24, 80);
            check_lacks("no key");
            press(PHT_KEY_ESCAPE);
        }
    }
}
END_TEST

START_TEST(unknown_key_is_answered_once)
{
    start();
    press('K');
    show(24, 80);
    check_holds("no key K here, ? lists them");
    press(PHT_KEY_F0 + 7);
    show(24, 80);
    check_holds("no key F7 here");
    press('j');
    show(24, 80);
    check_lacks("no key");
}
END_TEST

START_TEST(screens_follow_digits_and_tab)
{
    static const char *const tabs[] = {"[1 Overview]", "[2 ", "[3 ", "[4 ", "[5 "};

    start();
    for (int i = 0; i < PHT_SCREENS; i++) {
        press('1' + i);
        show(24, 80);
        check_holds(tabs[i]);
    }
    press(PHT_KEY_TAB);
    show(24, 80);
    check_holds(tabs[0]);
    press(PHT_KEY_BACKTAB);
    show(24, 80);
    check_holds(tabs[4]);
}
END_TEST

START_TEST(orders_come_from_their_keys)
{
    static const struct {
        int key;
        enum pht_order order;
    } orders[] = {
        {'e', PHT_ORDER_EXPORT},
        {'p', PHT_ORDER_PICK},
        {'m', PHT_ORDER_MOUSE},
        {'q', PHT_ORDER_QUIT},
        {PHT_KEY_F10, PHT_ORDER_QUIT},
        {PHT_KEY_CONTROL('c'), PHT_ORDER_QUIT},
        {PHT_KEY_CONTROL('z'), PHT_ORDER_SUSPEND},
        {PHT_KEY_CONTROL('l'), PHT_ORDER_REDRAW},
    };

    start();
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        press(orders[i].key);
        check_order(orders[i].order);
        check_order(PHT_ORDER_NONE);
    }
    ck_assert(pht_app_wants_mouse(app));
}
END_TEST

START_TEST(units_change_everywhere)
{
    static const char *const rss[] = {"RSS 1,781,760K", "RSS 1,740M", "RSS 1,824,522,240",
                                      "RSS 1.70G"};

    start();
    for (int i = 0; i < 4; i++) {
        press('u');
        show(24, 80);
        check_holds(rss[i]);
    }
}
END_TEST

START_TEST(help_is_opened_closed_and_scrolled)
{
    start();
    press('?');
    show(24, 80);
    check_holds("[? Help]");
    check_holds("lines 1 to");
    press('G');
    show(24, 80);
    check_holds("Esc or ?: back");
    press(PHT_KEY_ESCAPE);
    show(24, 80);
    check_holds("[1 Overview]");
}
END_TEST

START_TEST(click_on_a_tab_goes_there)
{
    start();
    char *line = strstr(text, "3 Glibc");
    ck_assert_ptr_nonnull(line);
    unsigned column = 0;
    while (line[-1] != '\n') {
        line--;
        column++;
    }
    pht_app_on_input(app, &(struct pht_input){PHT_KEY_CLICK, 3, column});
    show(24, 80);
    check_holds("[3 Glibc]");
    pht_app_on_input(app, &(struct pht_input){PHT_KEY_CLICK, 23, 79});
    show(24, 80);
    check_holds("[3 Glibc]");
}
END_TEST

/* ---- sizes -------------------------------------------------------------------------------- */

START_TEST(any_size_follows_any_other)
{
    static const int keys[] = {'1', '2', '3', '4', '5', '?'};

    start();
    for (size_t key = 0; key < sizeof(keys) / sizeof(keys[0]); key++) {
        press(keys[key]);
        for (unsigned rows = 1; rows < 70; rows += 3) {
            for (unsigned columns = 1; columns < 220; columns += 7)
                show(rows, columns);
        }
    }
}
END_TEST

START_TEST(too_little_room_is_told_and_can_be_left)
{
    start();
    show(8, 32);
    check_holds("needs 40x10");
    show(9, 80);
    check_holds("80x9 is too small, 40x10 is enough (q: quit)");
    press('r');
    check_order(PHT_ORDER_NONE);
    press('q');
    check_order(PHT_ORDER_QUIT);
    show(10, 40);
    check_holds("RSS 1.70G");
}
END_TEST

/* ---- hostile names ------------------------------------------------------------------------ */

static const char *const names[] = {
    "\x1b]0;owned\x07\x1b[2J",   "tab\there\nand\rthere", "\xe4\xb8\xad\xe6\x96\x87\xe5\xad\x97",
    "e\xcc\x81\xcc\x81\xcc\x81", "\xe2\x80\xae\x64row",   "\xff\xfe",
};

#define NAMES ((int)(sizeof(names) / sizeof(names[0])))

START_TEST(name_of_a_process_does_no_harm_in_any_size)
{
    char command[4096] = "";

    while (strlen(command) + strlen(names[_i]) < sizeof(command) - 1)
        strcat(command, names[_i]);
    heap_report_set_command(first, command, strlen(command) + 1);
    heap_report_set(&first->process.comm, names[_i]);
    for (options.is_ascii = false;; options.is_ascii = true) {
        create();
        deliver(0);
        for (int i = 0; i < SCREEN_SIZES; i++) {
            show(screen_sizes[i][0], screen_sizes[i][1]);
            for (const char *at = text; *at != '\0'; at++)
                ck_assert((unsigned char)*at >= ' ' || *at == '\n');
            check_lacks("\xe2\x80\xae");
            check_holds("RSS");
        }
        if (options.is_ascii)
            break;
    }
}
END_TEST

static Suite *app_suite(void)
{
    Suite *suite = suite_create("app");
    TCase *tcase = tcase_create("app");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, whole_screen_reads_as_it_did, 0, 2);
    tcase_add_test(tcase, roles_are_as_they_were);
    tcase_add_test(tcase, help_reads_as_it_did);
    tcase_add_test(tcase, kernel_figures_come_before_any_walk);
    tcase_add_test(tcase, first_snapshot_that_fails_ends_it);
    tcase_add_test(tcase, later_failure_is_told_and_the_snapshot_stays);
    tcase_add_test(tcase, next_snapshot_is_taken_when_it_is_due);
    tcase_add_test(tcase, none_is_begun_while_one_is_taken);
    tcase_add_test(tcase, pause_is_a_word_and_takes_none_but_by_hand);
    tcase_add_test(tcase, interval_is_changed_by_keys);
    tcase_add_test(tcase, raised_interval_is_told);
    tcase_add_loop_test(tcase, how_the_target_was_stopped_is_told, 0, STOPS);
    tcase_add_test(tcase, count_ends_snapshots_but_not_the_screens);
    tcase_add_test(tcase, long_walk_shows_how_far_it_is_and_can_be_left);
    tcase_add_test(tcase, target_that_ends_leaves_its_last_snapshot);
    tcase_add_test(tcase, growth_is_against_the_first_snapshot_until_b);
    tcase_add_test(tcase, baseline_that_was_given_is_not_replaced);
    tcase_add_test(tcase, every_key_of_the_table_does_something);
    tcase_add_test(tcase, unknown_key_is_answered_once);
    tcase_add_test(tcase, screens_follow_digits_and_tab);
    tcase_add_test(tcase, orders_come_from_their_keys);
    tcase_add_test(tcase, units_change_everywhere);
    tcase_add_test(tcase, help_is_opened_closed_and_scrolled);
    tcase_add_test(tcase, click_on_a_tab_goes_there);
    tcase_add_test(tcase, any_size_follows_any_other);
    tcase_add_test(tcase, too_little_room_is_told_and_can_be_left);
    tcase_add_loop_test(tcase, name_of_a_process_does_no_harm_in_any_size, 0, NAMES);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(app_suite)
