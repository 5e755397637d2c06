#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "support/proc_tree.h"
#include "support/suite.h"
#include "target/procfs.h"

static struct proc_tree tree;

static void setup(void)
{
    proc_tree_init(&tree);
}

static void teardown(void)
{
    proc_tree_deinit(&tree);
}

static bool read_status(struct pht_procfs_status *ret)
{
    _cleanup_close_ int fd = proc_tree_open(&tree, "42");

    errno = 0;
    return pht_procfs_read_status(fd, ret);
}

/* ---- whole files -------------------------------------------------------------------------- */

static const char *const comms[] = {
    "python3", "", "a b", "(", ")", ") (", ") R 1 2 3 (", "x) Z 0 0 0", "((()))", "ends )",
};

START_TEST(a_process_may_be_called_anything)
{
    struct pht_procfs_status status;

    proc_tree_process(
        &tree,
        &(struct proc_tree_process){
            .pid = 42, .comm = comms[_i], .ruid = 1001, .euid = 1002, .suid = 1003, .tracer = 77});
    ck_assert(read_status(&status));
    ck_assert_int_eq(status.state, 'S');
    ck_assert_uint_eq(status.minor_faults, 2101);
    ck_assert_uint_eq(status.major_faults, 13);
    ck_assert_uint_eq(status.threads, 9);
    ck_assert_uint_eq(status.start_time_ticks, 987654321);
    ck_assert_int_eq(status.ppid, 1);
    ck_assert_uint_eq(status.code_start, 1);
    ck_assert_uint_eq(status.stack_start, 140722551312345);
    ck_assert_uint_eq(status.ruid, 1001);
    ck_assert_uint_eq(status.euid, 1002);
    ck_assert_uint_eq(status.suid, 1003);
    ck_assert_int_eq(status.tracer, 77);
    ck_assert_uint_eq(status.peak_rss_bytes, 12345 << 10);
    ck_assert(!status.kernel_thread);
}
END_TEST

#define STAT_TAIL " 0 0 1 2 3 4 20 0 1 0 5 6 7 8 9 10 11 12 13\n"
#define STATUS "Name:\tx\nTracerPid:\t0\nUid:\t1\t2\t3\t4\n"

START_TEST(a_kernel_thread_is_told_by_its_flag)
{
    struct pht_procfs_status status;

    proc_tree_write(&tree, "42/status", STATUS);
    proc_tree_write(&tree, "42/stat", "42 (kworker) I 2 0 0 0 -1 69238880" STAT_TAIL);
    ck_assert(read_status(&status));
    ck_assert(status.kernel_thread);
    ck_assert_int_eq(status.state, 'I');
    ck_assert_uint_eq(status.peak_rss_bytes, UINT64_MAX);
}
END_TEST

static const char *const bad_stats[] = {
    "",
    "42",
    "42 (x",
    "42 (x)",
    "42 (x) ",
    "42 (x)S 1 2 3",
    "42 (x) S",
    "42 (x) S 1 2 3 4 5 6 7",
    "42 (x) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24",
    "42 (x) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 x 18 19 20 21 22 23 24 25 26",
    "42 (x) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 99999999999999999999 20 21 22 23 24 25",
};

START_TEST(a_damaged_stat_is_refused)
{
    struct pht_procfs_status status;

    proc_tree_write(&tree, "42/status", STATUS);
    proc_tree_write(&tree, "42/stat", "%s\n", bad_stats[_i]);
    ck_assert(!read_status(&status));
    ck_assert_int_eq(errno, EINVAL);
}
END_TEST

static const char *const bad_statuses[] = {
    "",
    "Name:\tx\n",
    "Uid:\n",
    "Uid:\t1\n",
    "Uid:\t1\t2\n",
    "Uid:\tx\ty\tz\n",
    "Name:\tUid:\t1\t2\t3\n",
    "Uid:\t1\t2\t3\nTracerPid:\n",
    "Uid:\t1\t2\t3\nTracerPid:\tnobody\n",
};

START_TEST(a_damaged_status_is_refused)
{
    struct pht_procfs_status status;

    proc_tree_write(&tree, "42/stat", "42 (x) S 1 0 0 0 -1 0" STAT_TAIL);
    proc_tree_write(&tree, "42/status", "%s", bad_statuses[_i]);
    ck_assert(!read_status(&status));
    ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(fields_that_old_kernels_lack_are_harmless)
{
    struct pht_procfs_status status;

    proc_tree_write(&tree, "42/stat", "42 (x) S 1 0 0 0 -1 0" STAT_TAIL);
    proc_tree_write(&tree, "42/status", "Uid:\t1\t2\t3\n");
    ck_assert(read_status(&status));
    ck_assert_int_eq(status.tracer, 0);
    ck_assert_uint_eq(status.peak_rss_bytes, UINT64_MAX);
}
END_TEST

START_TEST(missing_files_mean_that_the_process_is_gone)
{
    struct pht_procfs_status status;

    proc_tree_folder(&tree, "42");
    ck_assert(!read_status(&status));
    ck_assert_int_eq(errno, ENOENT);
    proc_tree_write(&tree, "42/stat", "42 (x) S 1 0 0 0 -1 0" STAT_TAIL);
    ck_assert(!read_status(&status));
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(our_own_status_is_read_from_the_kernel)
{
    struct pht_procfs_status status;
    _cleanup_close_ int fd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    ck_assert(pht_procfs_read_status(fd, &status));
    ck_assert_uint_eq(status.ruid, getuid());
    ck_assert_uint_eq(status.euid, geteuid());
    ck_assert_uint_ge(status.threads, 1);
    ck_assert_int_eq(status.state, 'R');
    ck_assert_uint_ge(status.stack_start, (uintptr_t)&status);
    ck_assert_uint_gt(status.peak_rss_bytes, 0);
    ck_assert_uint_ne(status.peak_rss_bytes, UINT64_MAX);
}
END_TEST

static const struct processors_row {
    const char *line;
    uint32_t count;
} processors_rows[] = {
    {"Cpus_allowed:\t1\n", 1},
    {"Cpus_allowed:\t3\n", 2},
    {"Cpus_allowed:\tff\n", 8},
    {"Cpus_allowed:\t00000000,ffffffff\n", 32},
    {"Cpus_allowed:\tf0,80000000,00000001\nCpus_allowed_list:\t0,63,68-71\n", 6},
    {"Cpus_allowed_list:\t0-3\nCpus_allowed:\t7", 3},
    {"Cpus_allowed:   2\n", 1},
    {"Cpus_allowed_list:\t0-3\n", 0},
    {"Cpus_allowed:\n", 0},
    {"Cpus_allowed:\t0\n", 0},
    {"Cpus_allowed:\tfg\n", 0},
    {"Cpus_allowed:\t-1\n", 0},
    {"Cpus_allowed:\t0x3\n", 0},
    {"", 0},
};

START_TEST(the_processors_of_its_mask_are_counted)
{
    struct pht_procfs_status status;

    proc_tree_write(&tree, "42/stat", "42 (x) S 1 0 0 0 -1 0" STAT_TAIL);
    proc_tree_write(&tree, "42/status", STATUS "%s", processors_rows[_i].line);
    ck_assert(read_status(&status));
    ck_assert_msg(status.processors == processors_rows[_i].count, "%u of \"%s\"", status.processors,
                  processors_rows[_i].line);
}
END_TEST

START_TEST(our_own_processors_are_those_that_we_may_run_on)
{
    struct pht_procfs_status status;
    cpu_set_t set;
    _cleanup_close_ int fd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    ck_assert_int_eq(sched_getaffinity(0, sizeof(set), &set), 0);
    ck_assert(pht_procfs_read_status(fd, &status));
    ck_assert_int_eq(status.processors, CPU_COUNT(&set));
}
END_TEST

/* ---- one field ---------------------------------------------------------------------------- */

static const struct field_row {
    const char *text;
    uint64_t bytes;
} field_rows[] = {
    {"VmHWM:     12345 kB\n", UINT64_C(12345) << 10},
    {"VmHWM:\t0 kB\n", 0},
    {"Name: x\nVmHWM: 7 kB", 7 << 10},
    {"XVmHWM: 7 kB\nVmHWM: 8 kB\n", 8 << 10},
    {"VmHWMX: 7 kB\nVmHWM: 8 kB\n", 8 << 10},
    {"Name:\tVmHWM: 7 kB\nVmHWM: 8 kB\n", 8 << 10},
    {"VmHWM: 18014398509481983 kB\n", UINT64_MAX - 1023},
    {"VmHWM: 18014398509481984 kB\n", UINT64_MAX},
    {"VmHWM: 99999999999999999999999 kB\n", UINT64_MAX},
    {"VmHWM: none\n", UINT64_MAX},
    {"VmHWM:", UINT64_MAX},
    {"VmHWM 7 kB\n", UINT64_MAX},
    {"VmRSS: 7 kB\n", UINT64_MAX},
    {"\n\n", UINT64_MAX},
    {"", UINT64_MAX},
};

START_TEST(a_field_is_found_by_its_whole_name)
{
    ck_assert_uint_eq(pht_procfs_kib_field(field_rows[_i].text, "VmHWM"), field_rows[_i].bytes);
}
END_TEST

/* ---- files -------------------------------------------------------------------------------- */

static const size_t sizes[] = {0, 1, 16382, 16383, 16384, 16385, 32767, 32768, 100000};

START_TEST(files_of_any_size_are_read_whole)
{
    size_t size = sizes[_i], got = SIZE_MAX;
    _cleanup_free_ char *bytes = malloc(size + 1);

    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)('a' + i % 23);
    proc_tree_write_bytes(&tree, "file", bytes, size);
    _cleanup_free_ char *text = pht_procfs_read(tree.fd, "file", &got);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(got, size);
    ck_assert_mem_eq(text, bytes, size);
    ck_assert_int_eq(text[size], '\0');
}
END_TEST

static const size_t limits[] = {1, 100, 16383, 16384, 40000, 99999, 100000, 100001, 200000};

START_TEST(of_a_file_no_more_is_read_than_was_asked_for)
{
    size_t size = 100000, got = SIZE_MAX;
    size_t wanted = limits[_i] < size ? limits[_i] : size;
    _cleanup_free_ char *bytes = malloc(size);

    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)('a' + i % 23);
    proc_tree_write_bytes(&tree, "file", bytes, size);
    _cleanup_free_ char *text = pht_procfs_read_start(tree.fd, "file", limits[_i], &got);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(got, wanted);
    ck_assert_mem_eq(text, bytes, wanted);
    ck_assert_int_eq(text[wanted], '\0');
}
END_TEST

START_TEST(what_is_no_file_cannot_be_read)
{
    proc_tree_folder(&tree, "folder");
    errno = 0;
    ck_assert_ptr_null(pht_procfs_read(tree.fd, "folder", NULL));
    ck_assert_int_eq(errno, EISDIR);
    ck_assert_ptr_null(pht_procfs_read(tree.fd, "absent", NULL));
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *procfs_status_suite(void)
{
    Suite *suite = suite_create("target/procfs: status");
    TCase *tcase = tcase_create("status");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_process_may_be_called_anything, 0, ROWS(comms));
    tcase_add_test(tcase, a_kernel_thread_is_told_by_its_flag);
    tcase_add_loop_test(tcase, a_damaged_stat_is_refused, 0, ROWS(bad_stats));
    tcase_add_loop_test(tcase, a_damaged_status_is_refused, 0, ROWS(bad_statuses));
    tcase_add_test(tcase, fields_that_old_kernels_lack_are_harmless);
    tcase_add_test(tcase, missing_files_mean_that_the_process_is_gone);
    tcase_add_test(tcase, our_own_status_is_read_from_the_kernel);
    tcase_add_loop_test(tcase, the_processors_of_its_mask_are_counted, 0, ROWS(processors_rows));
    tcase_add_test(tcase, our_own_processors_are_those_that_we_may_run_on);
    tcase_add_loop_test(tcase, a_field_is_found_by_its_whole_name, 0, ROWS(field_rows));
    tcase_add_loop_test(tcase, files_of_any_size_are_read_whole, 0, ROWS(sizes));
    tcase_add_loop_test(tcase, of_a_file_no_more_is_read_than_was_asked_for, 0, ROWS(limits));
    tcase_add_test(tcase, what_is_no_file_cannot_be_read);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(procfs_status_suite)
