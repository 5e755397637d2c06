/* Reports as files: whole, for the user alone, and never over another one. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/heap_report.h"
#include "support/suite.h"
#include "tui/export.h"

static struct pht_report *report;
static const char any_folder[] = "/tmp/pht-export-XXXXXX";
static char folder[sizeof(any_folder)];
static char name[PHT_EXPORT_NAME_MAX];
static struct pht_steward *steward;

static void setup(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
    memcpy(folder, any_folder, sizeof(folder));
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    report = heap_report_create();
}

/* Exports are the same whoever makes the files. */
static void begin_steward(int wanted)
{
    struct pht_export_duty exports = {0};
    const struct pht_duties duties = {.of = {[PHT_DUTY_EXPORT] = {pht_export_perform, &exports}}};

    steward = NULL;
    if (wanted)
        ck_assert_ptr_null(pht_steward_begin(&duties, &steward));
}

static void teardown(void)
{
    pht_steward_end(steward);
    steward = NULL;
    pht_report_destroy(report);
    unlink("pyheaptop-4711-20261122-140307.txt");
    unlink("pyheaptop-4711-20261122-140307.json");
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void export(void)
{
    ck_assert_ptr_null(pht_export(report, "0.1.0", steward, name));
}

static void check_file(const char *path, const char *beginning)
{
    char text[64] = "";
    struct stat status;
    FILE *file = fopen(path, "r");

    ck_assert_msg(file != NULL, "no %s", path);
    ck_assert_int_eq(fstat(fileno(file), &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
    ck_assert_uint_gt(status.st_size, 1000);
    ck_assert_ptr_nonnull(fgets(text, sizeof(text), file));
    ck_assert_msg(strncmp(text, beginning, strlen(beginning)) == 0, "%s: %s", path, text);
    fclose(file);
}

START_TEST(both_are_written_for_the_user_alone)
{
    mode_t before = umask(0);

    begin_steward(_i);
    export();
    umask(before);
    ck_assert_str_eq(name, "pyheaptop-4711-20261122-140307");
    check_file("pyheaptop-4711-20261122-140307.txt", "pyheaptop 0.1.0 report");
    check_file("pyheaptop-4711-20261122-140307.json", "{");
}
END_TEST

START_TEST(what_is_there_stays)
{
    const char *path =
        _i % 2 == 0 ? "pyheaptop-4711-20261122-140307.txt" : "pyheaptop-4711-20261122-140307.json";

    begin_steward(_i / 2);

    /* A link that waits for us must not lead us anywhere. */
    ck_assert_int_eq(symlink("/tmp/pht-export-elsewhere", path), 0);
    struct pht_error *error = pht_export(report, "0.1.0", steward, name);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->code, PHT_ERROR_OUTPUT_FILE);
    ck_assert_ptr_nonnull(strstr(error->text, "File exists"));
    pht_error_destroy(error);
    ck_assert_int_ne(access("/tmp/pht-export-elsewhere", F_OK), 0);
    /* Neither is half of the two left. */
    ck_assert_int_ne(access(_i % 2 == 0 ? "pyheaptop-4711-20261122-140307.json"
                                        : "pyheaptop-4711-20261122-140307.txt",
                            F_OK),
                     0);
}
END_TEST

/* A duty as the steward does it, and what it answers. */
static int perform(struct pht_export_duty *duty, const char *request, size_t bytes)
{
    struct pht_errand errand = {.request = request, .bytes = bytes, .with = -1, .answer = -1};

    int result = pht_export_perform(duty, &errand);
    if (errand.answer >= 0)
        close(errand.answer);
    return result;
}

#define PERFORM(duty, request) perform(duty, request, sizeof(request))

START_TEST(a_steward_makes_nothing_else)
{
    static const char *const others[] = {
        "c../pyheaptop-1-2.txt",
        "c/tmp/pyheaptop-1-2.txt",
        "cpyheaptop-1/2.txt",
        "cpyheaptop-1-2",
        "cpyheaptop-1-2.txt.sh",
        "cauthorized_keys",
        "c",
        "xpyheaptop-1-2.txt",
    };
    struct pht_export_duty duty = {0};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        ck_assert_int_eq(perform(&duty, others[i], strlen(others[i]) + 1), EINVAL);
    /* Not ended by NUL, and too long. */
    ck_assert_int_eq(perform(&duty, "cpyheaptop-1-2.txt", 18), EINVAL);
    char long_name[PHT_EXPORT_PATH_MAX + 1];
    memset(long_name, '1', sizeof(long_name));
    ck_assert_int_eq(perform(&duty, long_name, sizeof(long_name)), EINVAL);
}
END_TEST

START_TEST(a_steward_takes_back_its_own_alone)
{
    struct pht_export_duty duty = {0};

    ck_assert_int_eq(close(open("pyheaptop-1-2.txt", O_CREAT | O_WRONLY, 0600)), 0);
    ck_assert_int_eq(PERFORM(&duty, "rpyheaptop-1-2.txt"), EPERM);
    ck_assert_int_eq(PERFORM(&duty, "cpyheaptop-1-2.txt"), EEXIST);
    ck_assert_int_eq(unlink("pyheaptop-1-2.txt"), 0);
    ck_assert_int_eq(PERFORM(&duty, "cpyheaptop-1-2.txt"), 0);
    ck_assert_int_eq(PERFORM(&duty, "cpyheaptop-1-2.json"), 0);
    ck_assert_int_eq(PERFORM(&duty, "rpyheaptop-1-2.txt"), 0);
    ck_assert_int_eq(PERFORM(&duty, "rpyheaptop-1-2.json"), 0);
    ck_assert_int_ne(access("pyheaptop-1-2.txt", F_OK), 0);
}
END_TEST

static Suite *export_suite(void)
{
    Suite *suite = suite_create("export");
    TCase *tcase = tcase_create("export");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, both_are_written_for_the_user_alone, 0, 2);
    tcase_add_loop_test(tcase, what_is_there_stays, 0, 4);
    tcase_add_test(tcase, a_steward_makes_nothing_else);
    tcase_add_test(tcase, a_steward_takes_back_its_own_alone);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(export_suite)
