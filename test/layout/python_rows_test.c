/*
 * The layouts that are compiled in: each is whole, and what is wrong in one by a word or a factor
 * of two is noticed, but for the fields that are named here.
 */
#include <string.h>

#include "layout/libc_cache.h"
#include "layout/libc_layout.h"
#include "layout/python_cache.h"
#include "layout/python_layout.h"
#include "layout/tables.h"
#include "support/suite.h"

static const struct pht_layout_table *const table = &pht_python_layout_table;

static bool is_believed(const struct pht_python_layout *layout)
{
    return pht_layout_is_sound(table, layout) && table->is_as_declared(layout);
}

/* ---- rows --------------------------------------------------------------------------------- */

static const struct pht_version versions[] = {
    {2, 7, 0},  {3, 6, 0},  {3, 7, 0},  {3, 8, 0},  {3, 9, 0},  {3, 10, 0},
    {3, 11, 0}, {3, 12, 0}, {3, 13, 0}, {3, 14, 0}, {3, 15, 0},
};

START_TEST(each_series_has_a_row)
{
    struct pht_python row = {0};
    size_t count = 0;

    for (size_t at = 0; pht_python_tables_next(&at, &row);)
        count += row.version.major == versions[_i].major &&
                 row.version.minor == versions[_i].minor && !row.debug_build;
    ck_assert_uint_gt(count, 0);
}
END_TEST

START_TEST(each_row_is_whole)
{
    struct pht_python row = {0};

    for (size_t at = 0; pht_python_tables_next(&at, &row);) {
        ck_assert_msg(is_believed(&row.layout), "%s", row.version_text);
        ck_assert_msg(row.layout.type_type != PHT_UNKNOWN, "%s", row.version_text);
        ck_assert_msg(row.layout_source == PHT_LAYOUT_DWARF, "%s", row.version_text);
    }
}
END_TEST

/* A kind that no record is of; its format is as long as others. */
static const struct pht_record_kind no_kind = {
    .format = "pyheaptop-layout 3",
    .suffix = ".layout",
    .properties = {"version", "free-threaded", "debug-build", "odd-process"},
    .table = &pht_python_layout_table,
};

static size_t count_records(const struct pht_record_kind *kind)
{
    struct pht_python_layout python;
    struct pht_libc_layout libc;
    struct pht_layout_record record = {.layout = kind == &pht_libc_record_kind ? (void *)&libc
                                                                               : (void *)&python};
    size_t count = 0, last = 0;

    for (size_t at = 0; pht_tables_next(&at, kind, &record); last = at, count++)
        ck_assert_uint_gt(at, last);
    return count;
}

START_TEST(records_of_a_kind_are_told_one_by_one)
{
    struct pht_python row = {0};
    size_t rows = 0, at = 0;

    while (pht_python_tables_next(&at, &row))
        rows++;
    ck_assert(!pht_python_tables_next(&at, &row)); /* the end stays the end */
    ck_assert_uint_eq(count_records(&pht_python_record_kind), rows);
    ck_assert_uint_ge(count_records(&pht_libc_record_kind), 4);
    ck_assert_uint_eq(count_records(&no_kind), 0);
}
END_TEST

/* ---- what is wrong ------------------------------------------------------------------------ */

/*
 * Nothing proves these: no member stands beside them whose offset is known. A field that is proved
 * one day is to leave this list.
 */
static const struct unproved {
    const char *name;
    bool is_proved_with_states; /* from 3.12 on */
} unproved[] = {
    {"interp_bytes", false},
    {"interp_next", true},
    {"interp_id", true},
    {"interp_obmalloc", false},
    {"interp_obmalloc_bytes", false},
    {"interp_threads_head", false},
    {"interp_interned", false},
    {"interp_gc", false},
    {"runtime_bytes", false},
    {"runtime_interpreters_head", true},
    {"runtime_interpreters_main", true},
    {"runtime_gc", false},
    {"thread_bytes", false},
    {"thread_next", false},
    {"thread_native_id", false},
    {"thread_frames", false},
    {"thread_spare_frames", false},
    {"gc_bytes", false},
};

#define UNPROVED (sizeof(unproved) / sizeof(unproved[0]))

static const struct unproved *find_unproved(const char *name)
{
    for (size_t i = 0; i < UNPROVED; i++) {
        if (strcmp(unproved[i].name, name) == 0)
            return &unproved[i];
    }
    return NULL;
}

/* How many of the wrong values are believed; members and sizes by a word, extents by a factor. */
static unsigned count_believed(const struct pht_python_layout *row,
                               const struct pht_layout_field *field)
{
    uint64_t value = pht_layout_get(row, field);
    const uint64_t wrong[] = {value + 8, value - 8, value * 2, value / 2};
    size_t count = field->kind == PHT_FIELD_EXTENT ? 4 : 2;
    unsigned believed = 0;

    for (size_t i = 0; i < count; i++) {
        struct pht_python_layout layout = *row;
        pht_layout_set(&layout, field, wrong[i]);
        believed += is_believed(&layout);
    }
    return believed;
}

static bool is_in_row(const struct pht_python_layout *row, const struct pht_layout_field *field)
{
    return pht_layout_is_of_type(field) && pht_layout_get(row, field) != PHT_UNKNOWN;
}

START_TEST(wrong_values_are_noticed)
{
    struct pht_python row = {0};

    for (size_t at = 0; pht_python_tables_next(&at, &row);) {
        bool has_states = row.layout.obmalloc_bytes != PHT_UNKNOWN;
        for (size_t i = 0; i < table->count; i++) {
            const struct pht_layout_field *field = &table->fields[i];
            const struct unproved *exception = find_unproved(field->name);
            if (!is_in_row(&row.layout, field) ||
                (exception != NULL && !(exception->is_proved_with_states && has_states)))
                continue;
            ck_assert_msg(count_believed(&row.layout, field) == 0, "%s of %s", field->name,
                          row.version_text);
        }
    }
}
END_TEST

/* Otherwise it would hide that a field is no longer proved. */
START_TEST(what_is_said_to_be_unproved_is)
{
    struct pht_python row = {0};
    unsigned believed = 0;

    for (size_t at = 0; pht_python_tables_next(&at, &row);) {
        for (size_t i = 0; i < table->count; i++) {
            const struct pht_layout_field *field = &table->fields[i];
            if (strcmp(field->name, unproved[_i].name) == 0 && is_in_row(&row.layout, field))
                believed += count_believed(&row.layout, field);
        }
    }
    ck_assert_msg(believed > 0, "%s", unproved[_i].name);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *python_rows_suite(void)
{
    Suite *suite = suite_create("layout/python_rows");
    TCase *rows = tcase_create("rows");
    TCase *wrong = tcase_create("wrong");

    tcase_add_loop_test(rows, each_series_has_a_row, 0, ROWS(versions));
    tcase_add_test(rows, each_row_is_whole);
    tcase_add_test(rows, records_of_a_kind_are_told_one_by_one);
    suite_add_tcase(suite, rows);
    tcase_add_test(wrong, wrong_values_are_noticed);
    tcase_add_loop_test(wrong, what_is_said_to_be_unproved_is, 0, (int)UNPROVED);
    suite_add_tcase(suite, wrong);
    return suite;
}

SUITE_MAIN(python_rows_suite)
