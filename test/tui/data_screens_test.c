/* The four screens of data: what they say in any room, that they add up, where keys lead. */
#include <stdlib.h>
#include <string.h>

#include "support/heap_ledger.h"
#include "support/heap_objects.h"
#include "support/heap_report.h"
#include "support/screen_sums.h"
#include "support/screens.h"
#include "support/suite.h"
#include "tui/malloc_rows.h"
#include "tui/maps_rows.h"
#include "tui/pymalloc_rows.h"
#include "tui/types_rows.h"

static struct pht_report *report;
static struct pht_view view;
static struct pht_figures *before, *after;
static struct pht_diff diff;
static char *text;

static void setup(void)
{
    report = heap_report_create();
    view = (struct pht_view){.report = report, .is_ascii = true};
    before = after = NULL;
    text = NULL;
}

static void teardown(void)
{
    free(text);
    if (view.change != NULL) {
        pht_change_destroy((struct pht_change *)view.change);
        pht_diff_deinit(&diff);
        pht_figures_destroy(before);
        pht_figures_destroy(after);
    }
    pht_report_destroy(report);
}

/* As if some types and a size class had had less, and one type that is gone had had more. */
static void add_baseline(void)
{
    struct pht_report *older = heap_report_create();

    older->objects->types[0].objects -= 31204;
    older->objects->types[0].size_bytes -= 9541000;
    older->objects->types[1].objects += 310;
    older->objects->types[1].size_bytes += 20500;
    heap_objects_rename(&older->objects->types[4], "shop", "Cart");
    older->objects->types[4].address += 0x1000;
    older->pymalloc->classes[2].live_blocks -= 1000;
    before = pht_figures_create(older);
    pht_report_destroy(older);
    after = pht_figures_create(report);
    ck_assert(before != NULL && after != NULL);
    ck_assert(pht_diff_make(before, after, &diff));
    view.change = pht_change_create(&diff);
    ck_assert_ptr_nonnull(view.change);
}

/* A heap of many arenas, from empty to full. */
static void add_arenas(uint64_t count)
{
    struct pht_pymalloc *pymalloc = report->pymalloc;

    free(pymalloc->arenas);
    pymalloc->arenas = calloc(count, sizeof(*pymalloc->arenas));
    ck_assert_ptr_nonnull(pymalloc->arenas);
    for (uint64_t i = 0; i < count; i++)
        pymalloc->arenas[i] = (struct pht_arena){
            .address = 0x7f2b00000000 + i * pymalloc->arena_bytes,
            .pools_used = i % 64,
            .pools_free = 64 - i % 64,
            .live_bytes = (i * 7919 % 1001) * pymalloc->arena_bytes / 1000,
            .resident_bytes = pymalloc->arena_bytes,
            .live_blocks = 1 + i * 31 % 2000,
        };
    pymalloc->totals.arenas = count;
    pymalloc->totals.total_bytes = count * pymalloc->arena_bytes;
}

static struct pht_focus *add_focus(enum pht_focus_kind kind, uint64_t number)
{
    struct pht_focus *focus = calloc(1, sizeof(*focus));

    ck_assert_ptr_nonnull(focus);
    focus->on = (struct pht_census_focus){kind, number};
    focus->types = calloc(3, sizeof(*focus->types));
    focus->sizes = calloc(3, sizeof(*focus->sizes));
    ck_assert(focus->types != NULL && focus->sizes != NULL);
    report->objects->focus = focus;
    return focus;
}

static void add_focus_types(enum pht_focus_kind kind, uint64_t number)
{
    struct pht_focus *focus = add_focus(kind, number);

    focus->types[0] = (struct pht_focus_type){0, {700, 44800}, {0, 0}};
    focus->types[1] = (struct pht_focus_type){2, {10, 640}, {120, 7680}};
    focus->types[2] = (struct pht_focus_type){3, {1, 64}, {0, 0}};
    focus->type_count = 3;
    focus->unowned = (struct pht_tally){4, 256};
    focus->blocks = (struct pht_tally){835, 53440};
}

static void add_focus_sizes(uint64_t number)
{
    struct pht_focus *focus = add_focus(PHT_FOCUS_TYPE, number);

    focus->sizes[0] = (struct pht_focus_size){64, 127, {500, 32000}};
    focus->sizes[1] = (struct pht_focus_size){128, 255, {40, 8000}};
    focus->sizes[2] = (struct pht_focus_size){1 << 20, (2 << 20) - 1, {1, 1500000}};
    focus->size_count = 3;
    focus->in_blocks = (struct pht_tally){540, 44000};
    focus->in_chunks = (struct pht_tally){1, 1500016};
}

static void draw(const struct pht_screen *screen, unsigned rows, unsigned columns, const int *keys,
                 size_t key_count)
{
    free(text);
    text = screen_text(screen, &view, keys, key_count, rows, columns);
}

static void check_holds(const char *wanted)
{
    ck_assert_msg(strstr(text, wanted) != NULL, "no '%s' in:\n%s", wanted, text);
}

static void check_lacks(const char *unwanted)
{
    ck_assert_msg(strstr(text, unwanted) == NULL, "'%s' in:\n%s", unwanted, text);
}

/* ---- golden files ------------------------------------------------------------------------- */

static const struct pht_screen *const screens[] = {&pht_screen_pymalloc, &pht_screen_glibc,
                                                   &pht_screen_types, &pht_screen_maps};

#define SCREENS ((int)(sizeof(screens) / sizeof(screens[0])))

START_TEST(screens_read_as_they_did)
{
    add_baseline();
    add_arenas(300);
    screen_check(screens[_i], &view, NULL, 0, screens[_i]->name);
}
END_TEST

/* Names may hold anything that UTF-8 has. */
START_TEST(screens_read_as_they_did_in_utf8)
{
    heap_objects_rename(&report->objects->types[1], "shop",
                        "Bestell\xc3\xbc"
                        "bersicht\xe6\xb3\xa8\xe6\x96\x87");
    view.is_ascii = false;
    screen_check(screens[_i], &view, NULL, 0, screens[_i]->name);
}
END_TEST

START_TEST(what_keys_open_reads_as_it_did)
{
    static const struct {
        const struct pht_screen *screen;
        const char *name;
        int keys[2];
    } rows[] = {
        {&pht_screen_pymalloc, "pymalloc_arenas", {'a', 'j'}},
        {&pht_screen_pymalloc, "pymalloc_class", {'j', PHT_KEY_ENTER}},
        {&pht_screen_glibc, "glibc_arena", {'j', PHT_KEY_ENTER}},
        {&pht_screen_types, "types_modules", {'t', 'j'}},
        {&pht_screen_types, "types_changed", {'z', 'j'}},
        {&pht_screen_types, "types_sizes", {'g', PHT_KEY_ENTER}},
        {&pht_screen_maps, "maps_mapping", {'j', PHT_KEY_ENTER}},
        {&pht_screen_maps, "maps_family", {'f', 'j'}},
    };

    add_baseline();
    if (rows[_i].screen == &pht_screen_pymalloc)
        add_focus_types(PHT_FOCUS_SIZE_CLASS, 48);
    else
        add_focus_sizes(report->objects->types[0].address);
    screen_check(rows[_i].screen, &view, rows[_i].keys, 2, rows[_i].name);
}
END_TEST

/* ---- sums --------------------------------------------------------------------------------- */

START_TEST(size_classes_add_up)
{
    add_baseline();
    view.units = PHT_UNITS_BYTES;
    const struct pht_table_source source = pht_class_source(&view);
    static const size_t columns[] = {PHT_CLASS_POOLS, PHT_CLASS_BLOCKS, PHT_CLASS_LIVE,
                                     PHT_CLASS_FREE, PHT_CLASS_CHANGE};
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
        screen_check_sum(&source, columns[i], pht_class_total, 0, 0);
}
END_TEST

START_TEST(arenas_add_up)
{
    add_arenas(40);
    view.units = PHT_UNITS_BYTES;
    const struct pht_table_source source = pht_arena_source(&view);
    static const size_t columns[] = {PHT_ARENA_POOLS, PHT_ARENA_FREE_POOLS, PHT_ARENA_BLOCKS,
                                     PHT_ARENA_LIVE, PHT_ARENA_RSS};
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
        screen_check_sum(&source, columns[i], pht_arena_total, 0, 0);
}
END_TEST

START_TEST(arenas_of_malloc_add_up)
{
    view.units = PHT_UNITS_BYTES;
    const struct pht_table_source source = pht_malloc_arena_source(&view);
    for (size_t column = PHT_MALLOC_ARENA_SYSTEM; column <= PHT_MALLOC_ARENA_TRIM; column++)
        screen_check_sum(&source, column, pht_malloc_arena_total, 0, 0);
    screen_check_sum(&source, PHT_MALLOC_ARENA_HEAPS, pht_malloc_arena_total, 0, 0);
}
END_TEST

START_TEST(kinds_of_free_chunks_add_up)
{
    view.units = PHT_UNITS_BYTES;
    const struct pht_free_rows rows = {&view, &report->glibc->arenas[0]};
    const struct pht_table_source source = pht_free_source(&rows);
    screen_check_sum(&source, PHT_FREE_CHUNKS, pht_free_total, 0, 0);
    screen_check_sum(&source, PHT_FREE_BYTES, pht_free_total, 0, 0);
    screen_check_sum(&source, PHT_FREE_PAGES, pht_free_total, 0, 0);
}
END_TEST

/* By type and by module: the same sums, and those of types that are gone are among the changes. */
START_TEST(types_add_up)
{
    struct pht_types_rows rows = {0};

    add_baseline();
    view.units = PHT_UNITS_BYTES;
    ck_assert(pht_types_rows_fill(&rows, &view, _i == 1, _i == 2));
    const struct pht_table_source source = pht_types_source(&rows);
    if (_i < 2) {
        screen_check_sum(&source, PHT_TYPES_OBJECTS, pht_types_line, 2, PHT_TYPES_LINE_TOTAL);
        screen_check_sum(&source, PHT_TYPES_SIZE, pht_types_line, 2, PHT_TYPES_LINE_TOTAL);
        screen_check_sum(&source, PHT_TYPES_TAKEN, pht_types_line, 2, PHT_TYPES_LINE_TOTAL);
    }
    screen_check_sum(&source, PHT_TYPES_MORE_OBJECTS, pht_types_line, 2, PHT_TYPES_LINE_TOTAL);
    screen_check_sum(&source, PHT_TYPES_MORE_BYTES, pht_types_line, 2, PHT_TYPES_LINE_TOTAL);
    pht_types_rows_deinit(&rows);
}
END_TEST

START_TEST(mappings_add_up)
{
    struct pht_maps_rows rows = {0};

    view.units = PHT_UNITS_BYTES;
    ck_assert(pht_maps_rows_fill(&rows, &view));
    const struct pht_table_source source = pht_maps_source(&rows);
    for (size_t column = PHT_MAP_SIZE; column <= PHT_MAP_SWAP; column++)
        screen_check_sum(&source, column, pht_maps_total, 0, 0);
    pht_maps_rows_deinit(&rows);
}
END_TEST

/* ---- keys --------------------------------------------------------------------------------- */

/* Enter asks for the snapshot that looks closely, and says so until it is there. */
START_TEST(focus_is_asked_for_until_a_snapshot_has_it)
{
    static const int keys[] = {PHT_KEY_ENTER};
    struct pht_report_options options = {.number = 1};
    struct pht_action action = {0};
    void *state = pht_screen_pymalloc.create();

    pht_screen_pymalloc.update(state, &view);
    pht_screen_pymalloc.want(state, &options);
    ck_assert_int_eq(options.census.focus.kind, PHT_FOCUS_NONE);
    ck_assert(pht_screen_pymalloc.on_key(state, &view, PHT_KEY_ENTER, &action));
    ck_assert_int_eq(action.kind, PHT_ACTION_TAKE);
    pht_screen_pymalloc.want(state, &options);
    ck_assert_int_eq(options.census.focus.kind, PHT_FOCUS_SIZE_CLASS);
    ck_assert_uint_eq(options.census.focus.number, 48);
    ck_assert(pht_screen_pymalloc.back(state));
    options.census.focus.kind = PHT_FOCUS_NONE;
    pht_screen_pymalloc.want(state, &options);
    ck_assert_int_eq(options.census.focus.kind, PHT_FOCUS_NONE);
    pht_screen_pymalloc.destroy(state);
    draw(&pht_screen_pymalloc, 20, 80, keys, 1);
    check_holds("next snapshot looks at it");
}
END_TEST

START_TEST(snapshot_of_something_else_is_not_taken_for_it)
{
    static const int keys[] = {PHT_KEY_ENTER};

    add_focus_types(PHT_FOCUS_SIZE_CLASS, 64);
    draw(&pht_screen_pymalloc, 20, 80, keys, 1);
    check_holds("blocks of 48 bytes");
    check_holds("next snapshot looks at it");
}
END_TEST

START_TEST(arena_is_named_by_its_address_after_x)
{
    static const int keys[] = {'a'};

    draw(&pht_screen_pymalloc, 20, 80, keys, 1);
    check_holds("arena 3");
    check_lacks("7f2b9c400000");
    view.show_addresses = true;
    draw(&pht_screen_pymalloc, 20, 80, keys, 1);
    check_holds("7f2b9c400000");
}
END_TEST

START_TEST(relative_is_opened)
{
    static const int keys[] = {'f', 'g', 'o'};
    struct pht_action action = {0};
    void *state = pht_screen_maps.create();

    pht_screen_maps.update(state, &view);
    for (size_t i = 0; i < 3; i++)
        pht_screen_maps.on_key(state, &view, keys[i], &action);
    ck_assert_int_eq(action.kind, PHT_ACTION_OPEN);
    ck_assert_int_eq(action.pid, 4700);
    pht_screen_maps.destroy(state);
}
END_TEST

START_TEST(type_that_is_gone_has_no_sizes)
{
    struct pht_action action = {0};
    struct pht_table_source source;
    void *state = pht_screen_types.create();

    add_baseline();
    pht_screen_types.update(state, &view);
    struct pht_table *table = pht_screen_types.table(state, &source);
    ck_assert(pht_table_search(table, &source, "shop.Cart", 0));
    pht_screen_types.on_key(state, &view, PHT_KEY_ENTER, &action);
    ck_assert_int_eq(action.kind, PHT_ACTION_NONE);
    ck_assert_str_ne(action.message, "");
    pht_screen_types.destroy(state);
}
END_TEST

/* ---- what is not there -------------------------------------------------------------------- */

START_TEST(missing_parts_say_why)
{
    ck_assert(pht_report_warn(report, "pymalloc-off", "unset PYTHONMALLOC",
                              "PYTHONMALLOC=malloc in the target: no pymalloc"));
    heap_report_drop_pymalloc(report);
    heap_report_drop_glibc(report);
    draw(&pht_screen_pymalloc, 20, 80, NULL, 0);
    check_holds("PYTHONMALLOC=malloc in the target");
    check_holds("unset PYTHONMALLOC");
    draw(&pht_screen_glibc, 20, 80, NULL, 0);
    check_holds("Nothing is known of malloc's arenas");
    draw(&pht_screen_types, 20, 80, NULL, 0);
    check_holds("Nothing is known of Python's objects");
}
END_TEST

START_TEST(parts_that_are_being_walked_say_so)
{
    report->sections = PHT_SECTION_KERNEL | PHT_SECTION_MAPS;
    heap_report_drop_pymalloc(report);
    heap_report_drop_glibc(report);
    heap_ledger_drop(report);
    for (int i = 0; i < 3; i++) {
        draw(screens[i], 20, 80, NULL, 0);
        check_holds("Looking at");
    }
    draw(&pht_screen_maps, 20, 80, NULL, 0);
    check_holds("[heap]");
}
END_TEST

/* Escapes, tabs, and what turns the direction of text, cut by width. */
START_TEST(names_cannot_harm_the_terminal)
{
    char name[512];

    memset(name, 'x', sizeof(name));
    memcpy(name, "\x1b[31m\t\xe2\x80\xae", 9);
    name[sizeof(name) - 1] = '\0';
    heap_objects_rename(&report->objects->types[0], "sh\x07op", name);
    heap_report_set(&report->family[0].comm, "ma\x1b]0;x\x07ster");
    view.is_ascii = false;
    for (int i = 0; i < SCREENS; i++) {
        draw(screens[i], 20, 60, NULL, 0);
        for (const char *at = text; *at != '\0'; at++)
            ck_assert(*at == '\n' || (unsigned char)*at >= ' ');
        check_lacks("\xe2\x80\xae");
    }
}
END_TEST

/* No size that a terminal can have is too small to draw on, and none is drawn beyond. */
START_TEST(any_room_is_enough)
{
    static const int keys[][2] = {{'g', 'g'}, {'a', 'f'}, {'j', PHT_KEY_ENTER}};

    add_baseline();
    add_arenas(1000);
    add_focus_types(PHT_FOCUS_SIZE_CLASS, 160);
    for (unsigned rows = 4; rows < 40; rows += 3) {
        for (unsigned columns = 40; columns < 140; columns += 11) {
            for (int i = 0; i < SCREENS; i++) {
                size_t chosen = (rows + columns) % 3;
                bool has_key = chosen != 1 || i == 0 || i == 3;
                int only[] = {chosen == 1 ? keys[1][i == 3] : keys[chosen][0], keys[chosen][1]};
                draw(screens[i], rows, columns, only, has_key ? (chosen == 1 ? 1 : 2) : 0);
            }
        }
    }
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, screens_read_as_they_did, 0, SCREENS);
    tcase_add_loop_test(tcase, screens_read_as_they_did_in_utf8, 0, SCREENS);
    tcase_add_loop_test(tcase, what_keys_open_reads_as_it_did, 0, 8);
    tcase_add_test(tcase, size_classes_add_up);
    tcase_add_test(tcase, arenas_add_up);
    tcase_add_test(tcase, arenas_of_malloc_add_up);
    tcase_add_test(tcase, kinds_of_free_chunks_add_up);
    tcase_add_loop_test(tcase, types_add_up, 0, 3);
    tcase_add_test(tcase, mappings_add_up);
    tcase_add_test(tcase, focus_is_asked_for_until_a_snapshot_has_it);
    tcase_add_test(tcase, snapshot_of_something_else_is_not_taken_for_it);
    tcase_add_test(tcase, arena_is_named_by_its_address_after_x);
    tcase_add_test(tcase, relative_is_opened);
    tcase_add_test(tcase, type_that_is_gone_has_no_sizes);
    tcase_add_test(tcase, missing_parts_say_why);
    tcase_add_test(tcase, parts_that_are_being_walked_say_so);
    tcase_add_test(tcase, names_cannot_harm_the_terminal);
    tcase_add_test(tcase, any_room_is_enough);
}

static Suite *data_screens_suite(void)
{
    Suite *suite = suite_create("data screens");
    TCase *tcase = tcase_create("screens");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    add_tests(tcase);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(data_screens_suite)
