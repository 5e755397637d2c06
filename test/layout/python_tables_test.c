/* Which of the layouts that are compiled in is taken for an interpreter that only has symbols. */
#include <elf.h>
#include <string.h>
#include <unistd.h>

#include "layout/python_cache.h"
#include "layout/python_layout.h"
#include "layout/python_tables.h"
#include "support/elf_bytes.h"
#include "support/suite.h"

#define RUNTIME 0x7f0100

static char line[256];

static void keep_line(void *context, const char *text)
{
    (void)context;
    snprintf(line, sizeof(line), "%s", text);
}

static const struct pht_log log_lines = {.write = keep_line};

static struct pht_target *target; /* this process, which the image is no part of */
static struct pht_maps maps;
static struct pht_elf_image image;
static struct pht_python python;

static void setup(void)
{
    ck_assert_ptr_null(pht_target_open(getpid(), &log_lines, &target));
    ck_assert_ptr_null(pht_target_read_maps(target, &maps));
    line[0] = '\0';
    memset(&python, 0, sizeof(python));
}

static void teardown(void)
{
    pht_elf_image_close(&image);
    pht_maps_deinit(&maps);
    pht_target_destroy(target);
}

/* An image whose _PyRuntime has so many bytes. */
static void open_image(uint64_t runtime_bytes)
{
    const struct elf_bytes_symbol symbols[] = {
        {"_PyRuntime", RUNTIME, runtime_bytes},
    };
    const struct elf_bytes file = {.type = ET_DYN, .symbols = symbols, .symbol_count = 1};

    elf_bytes_open(&file, &image);
}

static struct pht_error *resolve(unsigned major, unsigned minor, unsigned micro)
{
    python.version = (struct pht_version){major, minor, micro};
    memset(&python.layout, 0x5a, sizeof(python.layout));
    python.layout_source = PHT_LAYOUT_NONE;
    return pht_python_tables_resolve(target, &maps, &image, &python);
}

static void check_refused(struct pht_error *error, const char *text)
{
    struct pht_python_layout nothing;

    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->code, PHT_ERROR_NO_LAYOUT);
    ck_assert_str_eq(error->text, text);
    pht_error_destroy(error);
    pht_python_layout_clear(&nothing);
    ck_assert_mem_eq(&python.layout, &nothing, sizeof(nothing));
    ck_assert_int_eq(python.layout_source, PHT_LAYOUT_NONE);
    ck_assert_str_eq(line, "");
}

#define NO_LAYOUT "no built-in layout for made-up (build-id none)"
#define NONE_FITS "no built-in layout that fits for made-up (build-id none)"

/* ---- rows --------------------------------------------------------------------------------- */

static void check_types(const struct pht_python *row)
{
    const struct pht_layout_table *table = &pht_python_layout_table;

    for (size_t i = 0; i < table->count; i++) {
        const struct pht_layout_field *field = &table->fields[i];
        if (pht_layout_is_of_type(field))
            ck_assert_msg(pht_layout_get(&python.layout, field) ==
                              pht_layout_get(&row->layout, field),
                          "%s of %s", field->name, row->version_text);
    }
}

/* From 3.12 on all that a walk needs is in _PyRuntime, which has a symbol. */
START_TEST(a_release_that_has_a_row_gets_it)
{
    struct pht_python row = {0};
    unsigned resolved = 0;

    for (size_t at = 0; pht_python_tables_next(&at, &row);) {
        if (row.layout.obmalloc_bytes == PHT_UNKNOWN)
            continue;
        open_image(row.layout.runtime_bytes);
        ck_assert_ptr_null(resolve(row.version.major, row.version.minor, row.version.micro));
        check_types(&row);
        ck_assert_uint_eq(python.layout.runtime, RUNTIME);
        ck_assert_uint_eq(python.layout.pymalloc_function, PHT_UNKNOWN);
        ck_assert_int_eq(python.layout_source, PHT_LAYOUT_TABLE);
        ck_assert_int_eq(python.symbol_source, PHT_SYMBOL_DYNSYM);
        pht_elf_image_close(&image);
        resolved++;
    }
    ck_assert_uint_ge(resolved, 6);
}
END_TEST

/* 3.13.0, .5 and .18 are built in, and each differs in the size of _PyRuntime. */
static const struct size_row {
    unsigned micro;
    uint64_t runtime_bytes;
    const char *line;
} size_rows[] = {
    {0, 283320, "made-up: types as in CPython 3.13.0"},
    {5, 283376, "made-up: types as in CPython 3.13.5"},
    {18, 283408, "made-up: types as in CPython 3.13.18"},
    {1, 283376, "made-up: types as in CPython 3.13.5"}, /* 3.13.0 is nearer */
    {17, 283376, "made-up: types as in CPython 3.13.5"},
    {30, 283320, "made-up: types as in CPython 3.13.0"},
};

START_TEST(the_size_of_the_runtime_says_more_than_the_version)
{
    const struct size_row *row = &size_rows[_i];

    open_image(row->runtime_bytes);
    ck_assert_ptr_null(resolve(3, 13, row->micro));
    ck_assert_uint_eq(python.layout.runtime_bytes, row->runtime_bytes);
    ck_assert_str_eq(line, row->line);
}
END_TEST

/* 3.9.2 and 3.9.18 are built in, with a _PyRuntime of one size. */
static const struct near_row {
    unsigned micro;
    const char *line;
} near_rows[] = {
    {0, "made-up: types as in CPython 3.9.2"},   {2, "made-up: types as in CPython 3.9.2"},
    {9, "made-up: types as in CPython 3.9.2"},   {11, "made-up: types as in CPython 3.9.18"},
    {18, "made-up: types as in CPython 3.9.18"}, {25, "made-up: types as in CPython 3.9.18"},
};

START_TEST(the_nearest_release_is_taken)
{
    const struct elf_bytes_symbol symbols[] = {
        {"_PyRuntime", RUNTIME, 656},
        {"usedpools", RUNTIME + 0x1000, 512},
        {"arenas", RUNTIME + 0x2000, 8},
        {"maxarenas", RUNTIME + 0x2008, 4},
    };
    const struct elf_bytes file = {.type = ET_DYN, .symbols = symbols, .symbol_count = 4};

    elf_bytes_open(&file, &image);
    ck_assert_ptr_null(resolve(3, 9, near_rows[_i].micro));
    ck_assert_str_eq(line, near_rows[_i].line);
    ck_assert_uint_eq(python.layout.usedpools, RUNTIME + 0x1000);
}
END_TEST

/* ---- none --------------------------------------------------------------------------------- */

static const struct refused_row {
    unsigned major, minor, micro;
    uint64_t runtime_bytes;
    bool debug_build, free_threaded;
} refused_rows[] = {
    {3, 13, 5, 283375, false, false}, /* a _PyRuntime that nobody knows */
    {3, 13, 5, 1, false, false},      {3, 13, 5, UINT64_MAX - 1, false, false},
    {3, 12, 5, 283376, false, false}, /* of another series */
    {3, 13, 5, 283376, true, false},  {3, 13, 5, 283376, false, true},
    {3, 11, 2, 166688, true, true},   {2, 6, 0, 0, false, false},
    {3, 5, 0, 0, false, false},       {3, 99, 0, 0, false, false},
    {4, 13, 5, 283376, false, false}, {0, 0, 0, 283376, false, false},
};

START_TEST(another_build_has_no_row)
{
    const struct refused_row *row = &refused_rows[_i];

    open_image(row->runtime_bytes);
    python.debug_build = row->debug_build;
    python.free_threaded = row->free_threaded;
    /* What has lasted in CPython is taken of any release; but there are no addresses. */
    bool has_any = (row->major == 2 || row->major == 3) && !row->free_threaded;
    check_refused(resolve(row->major, row->minor, row->micro), has_any ? NONE_FITS : NO_LAYOUT);
}
END_TEST

/* 3.11 has rows of both; neither has addresses without anything to scan. */
static const struct unfit_row {
    unsigned minor, micro;
    uint64_t runtime_bytes;
    bool debug_build;
} unfit_rows[] = {
    {11, 2, 166688, false}, {11, 2, 166688, true}, {11, 7, 166688, false},
    {9, 18, 656, false},    {6, 15, 0, false},
};

START_TEST(types_without_addresses_are_no_layout)
{
    const struct unfit_row *row = &unfit_rows[_i];

    open_image(row->runtime_bytes);
    python.debug_build = row->debug_build;
    check_refused(resolve(3, row->minor, row->micro), NONE_FITS);
}
END_TEST

START_TEST(an_image_without_symbols_has_no_layout)
{
    const struct elf_bytes file = {.type = ET_DYN};

    elf_bytes_open(&file, &image);
    check_refused(resolve(3, 13, 5), NONE_FITS);
    check_refused(resolve(2, 7, 18), NONE_FITS);
}
END_TEST

/* Variables that share a place with others contradict the declarations. */
START_TEST(addresses_that_contradict_each_other_are_no_layout)
{
    const struct elf_bytes_symbol symbols[] = {
        {"_PyRuntime", RUNTIME, 283376},
        {"interned", RUNTIME + 4, 8},
    };
    const struct elf_bytes file = {.type = ET_DYN, .symbols = symbols, .symbol_count = 2};

    elf_bytes_open(&file, &image);
    check_refused(resolve(3, 13, 5), NONE_FITS);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *python_tables_suite(void)
{
    Suite *suite = suite_create("layout/python_tables");
    TCase *rows = tcase_create("rows");
    TCase *none = tcase_create("none");

    tcase_add_checked_fixture(rows, setup, teardown);
    tcase_add_test(rows, a_release_that_has_a_row_gets_it);
    tcase_add_loop_test(rows, the_size_of_the_runtime_says_more_than_the_version, 0,
                        ROWS(size_rows));
    tcase_add_loop_test(rows, the_nearest_release_is_taken, 0, ROWS(near_rows));
    suite_add_tcase(suite, rows);
    tcase_add_checked_fixture(none, setup, teardown);
    tcase_add_loop_test(none, another_build_has_no_row, 0, ROWS(refused_rows));
    tcase_add_loop_test(none, types_without_addresses_are_no_layout, 0, ROWS(unfit_rows));
    tcase_add_test(none, an_image_without_symbols_has_no_layout);
    tcase_add_test(none, addresses_that_contradict_each_other_are_no_layout);
    suite_add_tcase(suite, none);
    return suite;
}

SUITE_MAIN(python_tables_suite)
