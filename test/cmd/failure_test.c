#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/failure.h"
#include "support/suite.h"

/* What failure_tell() writes, and returns. */
struct told {
    char on_stderr[2000];
    char on_stdout[2000];
    int code;
};

static void read_back(FILE *file, char *text, size_t size)
{
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

static struct told tell(struct pht_error *error, bool json)
{
    struct told told;
    FILE *files[] = {tmpfile(), tmpfile()};
    int saved[] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};

    fflush(stdout);
    ck_assert_ptr_nonnull(files[0]);
    ck_assert_ptr_nonnull(files[1]);
    dup2(fileno(files[0]), STDOUT_FILENO);
    dup2(fileno(files[1]), STDERR_FILENO);
    told.code = failure_tell(error, json);
    fflush(stdout);
    for (int i = 0; i < 2; i++) {
        dup2(saved[i], STDOUT_FILENO + i);
        close(saved[i]);
    }
    read_back(files[0], told.on_stdout, sizeof(told.on_stdout));
    read_back(files[1], told.on_stderr, sizeof(told.on_stderr));
    return told;
}

static const int exit_codes[] = {
    [PHT_ERROR_NO_MEMORY] = 1,
    [PHT_ERROR_INTERNAL] = 1,
    [PHT_ERROR_USAGE] = 2,
    [PHT_ERROR_OUTPUT_FILE] = 2,
    [PHT_ERROR_FROM_FILE] = 2,
    [PHT_ERROR_NO_SUCH_PROCESS] = 3,
    [PHT_ERROR_EXITED_EARLY] = 3,
    [PHT_ERROR_EXEC_DURING_SNAPSHOT] = 3,
    [PHT_ERROR_NOT_PYTHON] = 4,
    [PHT_ERROR_PYTHON_CHILD] = 4,
    [PHT_ERROR_PYPY] = 4,
    [PHT_ERROR_NOT_INITIALISED] = 4,
    [PHT_ERROR_EPERM_OWNER] = 5,
    [PHT_ERROR_EPERM_YAMA] = 5,
    [PHT_ERROR_EPERM_CAPABILITY] = 5,
    [PHT_ERROR_EPERM_NOT_DUMPABLE] = 5,
    [PHT_ERROR_EPERM_TRACED] = 5,
    [PHT_ERROR_EPERM_UNKNOWN] = 5,
    [PHT_ERROR_UNSUPPORTED_ARCH] = 6,
    [PHT_ERROR_NO_LAYOUT] = 6,
    [PHT_ERROR_TERMINAL] = 2,
    [PHT_ERROR_CANCELLED] = 130,
    [PHT_ERROR_INCOMPLETE] = 8,
};
#define CODES ((int)(sizeof(exit_codes) / sizeof(exit_codes[0])))

START_TEST(every_code_has_the_exit_code_of_the_catalogue)
{
    struct told told = tell(pht_error_create((enum pht_error_code)_i, "text"), false);

    ck_assert_int_eq(CODES, PHT_ERROR_INCOMPLETE + 1);
    ck_assert_int_eq(told.code, exit_codes[_i]);
    ck_assert_str_eq(told.on_stderr, "pyheaptop: text\n");
    ck_assert_str_eq(told.on_stdout, "");
}
END_TEST

static const struct layout_row {
    const char *text;
    const char *why;
    const char *remedy;
    const char *wanted;
} layout_rows[] = {
    {"pid 9: no such process", NULL, NULL, "pyheaptop: pid 9: no such process\n"},
    {"text", "cause", "remedy",
     "pyheaptop: text\n"
     "  why: cause\n"
     "  try: remedy\n"},
    {"first line\nsecond line", NULL, NULL,
     "pyheaptop: first line\n"
     "  second line\n"},
    {"text", "cause that\ngoes on", NULL,
     "pyheaptop: text\n"
     "  why: cause that\n"
     "       goes on\n"},
    {"text", NULL, "one way\nanother way\na third",
     "pyheaptop: text\n"
     "  try: one way\n"
     "   or: another way\n"
     "   or: a third\n"},
    {"text", NULL, "docker run ...   or\n     securityContext\nrun it on the host",
     "pyheaptop: text\n"
     "  try: docker run ...   or\n"
     "       securityContext\n"
     "   or: run it on the host\n"},
    {"100%s of %d", "%n", "%s", "pyheaptop: 100%s of %d\n  why: %n\n  try: %s\n"},
    {"", NULL, NULL, "pyheaptop: \n"},
};

START_TEST(cause_and_remedies_have_lines_of_their_own)
{
    const struct layout_row *row = &layout_rows[_i];
    struct pht_error *error = pht_error_create(PHT_ERROR_USAGE, "%s", row->text);

    if (row->why != NULL)
        error = pht_error_because(error, "%s", row->why);
    if (row->remedy != NULL)
        error = pht_error_try(error, "%s", row->remedy);
    ck_assert_str_eq(tell(error, false).on_stderr, row->wanted);
}
END_TEST

START_TEST(json_goes_to_stdout_and_text_to_stderr_all_the_same)
{
    struct pht_error *error = pht_error_create(PHT_ERROR_EPERM_YAMA, "pid 9 cannot be \"read\"");
    struct told told = tell(pht_error_try(error, "sudo"), true);

    ck_assert_int_eq(told.code, 5);
    ck_assert_str_eq(told.on_stderr, "pyheaptop: pid 9 cannot be \"read\"\n  try: sudo\n");
    ck_assert_ptr_nonnull(strstr(told.on_stdout, "eperm-yama"));
    ck_assert_ptr_nonnull(strstr(told.on_stdout, "pid 9 cannot be \\\"read\\\""));
    ck_assert_int_eq(told.on_stdout[0], '{');
    ck_assert_int_eq(told.on_stdout[strlen(told.on_stdout) - 1], '\n');
}
END_TEST

START_TEST(running_out_of_memory_is_told_too)
{
    struct told told = tell(pht_error_no_memory(), false);

    ck_assert_int_eq(told.code, 1);
    ck_assert_str_eq(told.on_stderr, "pyheaptop: out of memory\n");
}
END_TEST

START_TEST(what_was_left_out_is_named_and_no_json)
{
    struct pht_report report = {.complete = true};

    ck_assert_ptr_null(failure_of_incomplete(&report));
    report.complete = false;
    ck_assert(pht_report_warn(&report, "torn-pools", NULL, "%d pools", 3));
    ck_assert(pht_report_warn(&report, "swapped-pages", NULL, "%d pages", 9));
    struct told told = tell(failure_of_incomplete(&report), true);
    ck_assert_int_eq(told.code, 8);
    ck_assert_str_eq(told.on_stdout, "");
    ck_assert_str_eq(told.on_stderr, "pyheaptop: something had to be left out of the report\n"
                                     "  why: torn-pools, swapped-pages\n");
    for (size_t i = 0; i < report.warnings.count; i++)
        free(report.warnings.items[i].text);
    free(report.warnings.items);
}
END_TEST

static Suite *failure_suite(void)
{
    Suite *suite = suite_create("cmd/failure");
    TCase *tcase = tcase_create("failure");

    tcase_add_loop_test(tcase, every_code_has_the_exit_code_of_the_catalogue, 0, CODES);
    tcase_add_loop_test(tcase, cause_and_remedies_have_lines_of_their_own, 0,
                        (int)(sizeof(layout_rows) / sizeof(layout_rows[0])));
    tcase_add_test(tcase, json_goes_to_stdout_and_text_to_stderr_all_the_same);
    tcase_add_test(tcase, what_was_left_out_is_named_and_no_json);
    tcase_add_test(tcase, running_out_of_memory_is_told_too);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(failure_suite)
