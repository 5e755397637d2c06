/* The file of a report: whole, or as it was before. */
#include "cmd/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/suite.h"

static char folder[] = "/tmp/output_test.XXXXXX";
static struct output output;

/* Either we open the file, or a steward does. */
static bool has_steward;
static struct pht_steward *steward;

static void employ(const char *path)
{
    struct output_duty duty = {.path = path, .nameless_fd = -1};
    const struct pht_duties duties = {.of = {[PHT_DUTY_OUTPUT] = {output_perform, &duty}}};

    pht_steward_end(steward);
    steward = NULL;
    if (has_steward)
        ck_assert_ptr_null(pht_steward_begin(&duties, &steward));
}

static struct pht_error *open_output(const char *path)
{
    employ(path);
    return output_open(path, steward, &output);
}

static struct pht_error *open_growing(const char *path)
{
    employ(path);
    return output_open_growing(path, steward, &output);
}

static void setup(void)
{
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

/* Nothing is left but the files that a test names. */
static void teardown(void)
{
    static const char *const names[] = {"report", "link", "other", "pipe"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(names[i]);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(rmdir(folder), 0);
    pht_steward_end(steward);
    steward = NULL;
}

static void setup_with_steward(void)
{
    has_steward = true;
    setup();
}

/* overlayfs before Linux 6.1 has none, as some containers do. */
static bool has_nameless_files(void)
{
    int fd = open(".", O_WRONLY | O_TMPFILE, 0600);

    return fd >= 0 && close(fd) == 0;
}

static void put(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

static void check(const char *name, const char *text)
{
    char found[100] = "";
    FILE *file = fopen(name, "r");

    ck_assert_ptr_nonnull(file);
    found[fread(found, 1, sizeof(found) - 1, file)] = '\0';
    fclose(file);
    ck_assert_str_eq(found, text);
}

static void begin(const char *path)
{
    ck_assert_ptr_null(open_output(path));
    fputs("whole", output.file);
    fflush(output.file);
}

static void check_error(struct pht_error *error, const char *text)
{
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->code, PHT_ERROR_OUTPUT_FILE);
    ck_assert_msg(strstr(error->text, text) != NULL, "%s", error->text);
    pht_error_destroy(error);
}

START_TEST(has_no_name_until_it_is_whole)
{
    struct stat status;

    begin("report");
    ck_assert_int_eq(access("report", F_OK), has_nameless_files() ? -1 : 0);
    ck_assert_ptr_null(output_close(&output, true));
    check("report", "whole");
    ck_assert_int_eq(stat("report", &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0600);
}
END_TEST

START_TEST(replaces_another_at_once)
{
    put("report", "before");
    begin("./report");
    check("report", has_nameless_files() ? "before" : "whole");
    ck_assert_ptr_null(output_close(&output, true));
    check("report", "whole");
}
END_TEST

START_TEST(leaves_what_was_there_when_memory_was_short)
{
    put("report", "before");
    begin("report");
    struct pht_error *error = output_close(&output, false);
    ck_assert_int_eq(error->code, PHT_ERROR_NO_MEMORY);
    pht_error_destroy(error);
    check("report", has_nameless_files() ? "before" : "whole");
}
END_TEST

/* Its folder is gone by the time it is whole. */
START_TEST(says_so_when_it_gets_no_name)
{
    if (!has_nameless_files())
        return;
    ck_assert_int_eq(mkdir("gone", 0700), 0);
    begin("gone/report");
    ck_assert_int_eq(rmdir("gone"), 0);
    check_error(output_close(&output, true), "cannot write gone/report: No such file");
}
END_TEST

START_TEST(follows_no_link)
{
    put("other", "before");
    ck_assert_int_eq(symlink("other", "link"), 0);
    check_error(open_output("link"), "cannot write link: it is a symbolic link");
    check("other", "before");
}
END_TEST

START_TEST(a_device_stays_one)
{
    struct stat status;

    begin("/dev/null");
    ck_assert_ptr_null(output_close(&output, true));
    ck_assert_int_eq(stat("/dev/null", &status), 0);
    ck_assert(S_ISCHR(status.st_mode));
    ck_assert_ptr_null(open_output("/dev/full"));
    fputs("whole", output.file);
    check_error(output_close(&output, true), "cannot write the report: No space left on device");
}
END_TEST

START_TEST(a_pipe_is_written_to)
{
    char text[10] = "";

    ck_assert_int_eq(mkfifo("pipe", 0600), 0);
    int reader = open("pipe", O_RDONLY | O_NONBLOCK);
    ck_assert_int_ge(reader, 0);
    begin("pipe");
    ck_assert_ptr_null(output_close(&output, true));
    ck_assert_int_eq(read(reader, text, sizeof(text) - 1), 5);
    ck_assert_str_eq(text, "whole");
    close(reader);
}
END_TEST

static void append(const char *text)
{
    ck_assert_ptr_null(output_append(&output, text, strlen(text)));
}

START_TEST(what_grows_is_there_as_it_comes)
{
    put("report", "before");
    ck_assert_ptr_null(open_growing("report"));
    check("report", "");
    append("one\n");
    check("report", "one\n");
    append("two\n");
    check("report", "one\ntwo\n");
    ck_assert_ptr_null(output_close(&output, true));
    check("report", "one\ntwo\n");
}
END_TEST

START_TEST(what_cannot_be_appended_is_said)
{
    ck_assert_ptr_null(open_growing("/dev/full"));
    struct pht_error *error = output_append(&output, "one\n", 4);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->code, PHT_ERROR_OUTPUT_FILE);
    ck_assert_str_eq(error->text, "cannot write the report: No space left on device");
    pht_error_destroy(error);
    pht_error_destroy(output_close(&output, true));
}
END_TEST

static const char *const nowhere[] = {"missing/report", "missing/", "."};

START_TEST(a_file_that_cannot_be_is_refused)
{
    check_error(open_output(nowhere[_i]), nowhere[_i]);
    check_error(open_growing(nowhere[_i]), nowhere[_i]);
}
END_TEST

/* Whoever asks cannot choose what is opened. */
START_TEST(a_steward_opens_nothing_else)
{
    struct output_duty none = {.nameless_fd = -1}, one = {.path = "report", .nameless_fd = -1};
    struct pht_errand errand = {.request = "o/etc/passwd", .bytes = 12, .with = -1, .answer = -1};

    ck_assert_int_eq(output_perform(&one, &errand), EINVAL);
    errand.bytes = 0;
    ck_assert_int_eq(output_perform(&one, &errand), EINVAL);
    errand.bytes = 1;
    ck_assert_int_eq(output_perform(&none, &errand), EINVAL);
    ck_assert_int_eq(errand.answer, -1);
    ck_assert_int_lt(access("report", F_OK), 0);
}
END_TEST

static TCase *make_case(const char *name, void (*begin_case)(void))
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, begin_case, teardown);
    tcase_add_test(tcase, has_no_name_until_it_is_whole);
    tcase_add_test(tcase, replaces_another_at_once);
    tcase_add_test(tcase, leaves_what_was_there_when_memory_was_short);
    tcase_add_test(tcase, says_so_when_it_gets_no_name);
    tcase_add_test(tcase, follows_no_link);
    tcase_add_test(tcase, a_device_stays_one);
    tcase_add_test(tcase, a_pipe_is_written_to);
    tcase_add_test(tcase, what_grows_is_there_as_it_comes);
    tcase_add_test(tcase, what_cannot_be_appended_is_said);
    tcase_add_loop_test(tcase, a_file_that_cannot_be_is_refused, 0, 3);
    tcase_add_test(tcase, a_steward_opens_nothing_else);
    return tcase;
}

static Suite *make_suite(void)
{
    Suite *suite = suite_create("output");

    suite_add_tcase(suite, make_case("files", setup));
    suite_add_tcase(suite, make_case("files by a steward", setup_with_steward));
    return suite;
}

SUITE_MAIN(make_suite)
