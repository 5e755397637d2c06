/* Bytes from the target, and errors, are valid JSON whatever they hold. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/json_report.h"
#include "support/suite.h"

/* ---- names from a hostile target ---------------------------------------------------------- */

static const struct {
    const char *name;
    const char *expected;
} names[] = {
    {"plain", "plain"},
    {"", ""},
    {"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"caf\xc3\xa9", "caf\xc3\xa9"},
    {"cut \xc3", "cut \xef\xbf\xbd"},
    {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"\xf0\x9f\x90\x8d", "\xf0\x9f\x90\x8d"},
    {"a\tb\nc\rd", "a\tb\nc\rd"},
    {"\x1b[31mred\a", "\x1b[31mred\a"},
    {"\x01\x1f\x7f", "\x01\x1f\x7f"},
    {"\"quoted\\\" {}", "\"quoted\\\" {}"},
    {"</script>", "</script>"},
};

#define NAMES ((int)(sizeof(names) / sizeof(names[0])))

/* What a terminal would act on, should the JSON be shown on one. */
static bool has_raw_controls(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (*at < 0x20 && *at != '\n')
            return true;
    }
    return false;
}

START_TEST(hostile_names_are_valid_json)
{
    heap_report_set(&report->process.comm, names[_i].name);
    heap_report_set(&report->process.exe, names[_i].name);
    heap_report_set_command(report, names[_i].name, strlen(names[_i].name) + 1);
    heap_report_set(&report->python->image, names[_i].name);
    pht_report_warn(report, "id", names[_i].name, "%s", names[_i].name);
    write_report();
    heap_json_check_text(root, "target.comm", names[_i].expected);
    heap_json_check_text(root, "target.exe", names[_i].expected);
    heap_json_check_text(root, "target.command.0", names[_i].expected);
    heap_json_check_text(root, "runtime.image", names[_i].expected);
    heap_json_check_text(root, "warnings.0.text", names[_i].expected);
    heap_json_check_text(root, "warnings.0.remedy", names[_i].expected);
    ck_assert(!has_raw_controls(written));
}
END_TEST

START_TEST(any_bytes_in_a_command_are_valid_json)
{
    char bytes[512];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * (2 * (size_t)_i + 1) + (i >> 8));
    heap_report_set_command(report, bytes, sizeof(bytes));
    write_report();
    ck_assert(!has_raw_controls(written));
    ck_assert_uint_ge(json_array_size(heap_json_get(root, "target.command")), 1);
}
END_TEST

/* U+0080 to U+009F steer a terminal as ESC does: U+009B is CSI. */
START_TEST(c1_controls_do_not_stand_in_the_json_as_they_are)
{
    heap_report_set(&report->process.comm, "a\xc2\x9b;31mred");
    write_report();
    heap_json_check_text(root, "target.comm", "a\xc2\x9b;31mred");
    ck_assert_ptr_null(strstr(written, "\xc2\x9b"));
}
END_TEST

/* ---- memory that is short ------------------------------------------------------------------ */

static unsigned long allocations, failing_allocation; /* 0: none fails */

static void *allocate(size_t size)
{
    return ++allocations == failing_allocation ? NULL : malloc(size);
}

/* True if it says that the report was written. */
static bool write_failing_at(unsigned long allocation, size_t *size)
{
    FILE *file = open_memstream(&written, size);

    ck_assert_ptr_nonnull(file);
    allocations = 0;
    failing_allocation = allocation;
    bool is_written = pht_json_report_write(report, "1.2.3", file);
    fclose(file);
    return is_written;
}

/*
 * At some places of the whole, and at all of the last, when it is put into words. A few are of no
 * consequence: the report is whole then.
 */
START_TEST(memory_shortage_leaves_no_half_of_a_report)
{
    json_malloc_t usual_malloc;
    json_free_t usual_free;
    size_t whole, size;

    json_get_alloc_funcs(&usual_malloc, &usual_free);
    json_set_alloc_funcs(allocate, free);
    ck_assert(write_failing_at(0, &whole));
    free(written);
    unsigned long all = allocations, step = all / 50;
    for (unsigned long at = 1; at <= all; at += at + 200 < all ? step : 1) {
        bool is_written = write_failing_at(at, &size);
        ck_assert_msg(size == (is_written ? whole : 0),
                      "%zu of %zu bytes without the %lu. allocation", size, whole, at);
        free(written);
    }
    written = NULL;
    json_set_alloc_funcs(usual_malloc, usual_free);
}
END_TEST

/* ---- errors ------------------------------------------------------------------------------- */

static void write_error(struct pht_error *error)
{
    size_t size;
    FILE *file = open_memstream(&written, &size);

    ck_assert_ptr_nonnull(file);
    ck_assert(pht_json_error_write(error, file));
    fclose(file);
    root = heap_json_parse(written, size);
    pht_error_destroy(error);
}

START_TEST(error_has_id_text_and_remedy)
{
    struct pht_error *error = pht_error_create(PHT_ERROR_EPERM_YAMA, "pid %d: refused", 42);

    write_error(pht_error_try(error, "sudo pyheaptop 42"));
    heap_json_check_text(root, "schema", "pyheaptop.error");
    heap_json_check_text(root, "schema_version", "1.0");
    heap_json_check_text(root, "error.id", "eperm-yama");
    heap_json_check_text(root, "error.text", "pid 42: refused");
    heap_json_check_text(root, "error.remedy", "sudo pyheaptop 42");
    heap_json_check_null(root, "error.why");
}
END_TEST

START_TEST(error_without_remedy_has_null_for_one)
{
    write_error(pht_error_because(pht_error_create(PHT_ERROR_NOT_PYTHON, "no"), "it is perl"));
    heap_json_check_null(root, "error.remedy");
    heap_json_check_text(root, "error.why", "it is perl");
}
END_TEST

START_TEST(memory_shortage_is_an_error_like_others)
{
    write_error(pht_error_no_memory());
    heap_json_check_text(root, "error.id", pht_error_id(PHT_ERROR_NO_MEMORY));
}
END_TEST

START_TEST(error_of_several_lines_and_odd_bytes_is_valid_json)
{
    write_error(pht_error_create(PHT_ERROR_INTERNAL, "one\ntwo \xff \"three\""));
    heap_json_check_text(root, "error.text", "one\ntwo \xef\xbf\xbd \"three\"");
}
END_TEST

static Suite *json_text_suite(void)
{
    Suite *suite = suite_create("json_text");
    TCase *tcase = tcase_create("json_text");

    tcase_add_checked_fixture(tcase, json_report_setup, json_report_teardown);
    tcase_add_loop_test(tcase, hostile_names_are_valid_json, 0, NAMES);
    tcase_add_loop_test(tcase, any_bytes_in_a_command_are_valid_json, 0, 16);
    tcase_add_test(tcase, c1_controls_do_not_stand_in_the_json_as_they_are);
    tcase_add_test(tcase, memory_shortage_leaves_no_half_of_a_report);
    tcase_add_test(tcase, error_has_id_text_and_remedy);
    tcase_add_test(tcase, error_without_remedy_has_null_for_one);
    tcase_add_test(tcase, memory_shortage_is_an_error_like_others);
    tcase_add_test(tcase, error_of_several_lines_and_odd_bytes_is_valid_json);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(json_text_suite)
