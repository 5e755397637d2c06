#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "support/proc_filter.h"
#include "support/proc_tree.h"
#include "support/suite.h"
#include "target/mapped_file.h"

/*
 * "42" is the process, "inner" its root. The same names exist outside of that root with another
 * content: beside it, and in our own root (/etc/passwd).
 */
static struct proc_tree tree;

static void setup(void)
{
    char inner[80];

    proc_tree_init(&tree);
    snprintf(inner, sizeof(inner), "%s/inner", tree.path);
    proc_tree_link(&tree, "42/root", inner);
    proc_tree_write(&tree, "secret", "outside");
    proc_tree_write(&tree, "inner/secret", "inside");
    proc_tree_write(&tree, "inner/etc/passwd", "inside");
    proc_tree_write(&tree, "inner/lib/a file.so", "inside");
}

static void teardown(void)
{
    proc_tree_deinit(&tree);
}

static int open_path(const char *path)
{
    _cleanup_close_ int process_fd = proc_tree_open(&tree, "42");

    errno = 0;
    return pht_mapped_file_open_path(process_fd, path);
}

static void check_content(int fd, const char *wanted)
{
    char text[32] = "";

    ck_assert_msg(fd >= 0, "%s", strerror(errno));
    ck_assert_int_ge(read(fd, text, sizeof(text) - 1), 0);
    ck_assert_str_eq(text, wanted);
    close(fd);
}

/* ---- open_path ---------------------------------------------------------------------------- */

static const char *const inside[] = {
    "/secret",        "/etc/passwd",
    "/lib/a file.so", "/lib/../etc/passwd",
    "/../secret",     "/../../../../../../../../etc/passwd",
    "/absolute",      "/upward",
    "/twice",         "/folder/passwd",
};

START_TEST(no_path_and_no_link_leaves_the_root)
{
    proc_tree_link(&tree, "inner/absolute", "/etc/passwd");
    proc_tree_link(&tree, "inner/upward", "../../../../../../../../../../etc/passwd");
    proc_tree_link(&tree, "inner/twice", "/absolute");
    proc_tree_link(&tree, "inner/folder", "/etc");
    check_content(open_path(inside[_i]), "inside");
}
END_TEST

static const struct refused_row {
    const char *path;
    int error;
} refused_rows[] = {
    {"/to-outside", ENOENT}, {"/leads/nowhere", ENOENT}, {"/loop", ELOOP},  {"", ENOENT},
    {"/", EINVAL},           {"/lib", EINVAL},           {"/fifo", EINVAL}, {"/to-fifo", EINVAL},
    {"/socket", EINVAL},     {"/device", EINVAL},
};

static void make_refused(void)
{
    char socket_path[100];

    proc_tree_write(&tree, "only-outside", "outside");
    proc_tree_link(&tree, "inner/to-outside", "../only-outside");
    proc_tree_link(&tree, "inner/leads", "/secret-folder");
    proc_tree_link(&tree, "inner/loop", "loop");
    ck_assert_int_eq(mkfifoat(tree.fd, "inner/fifo", 0600), 0);
    proc_tree_link(&tree, "inner/to-fifo", "/fifo");
    snprintf(socket_path, sizeof(socket_path), "%s/inner/socket", tree.path);
    ck_assert_int_eq(mknod(socket_path, S_IFSOCK | 0600, 0), 0);
    /* Only root makes devices: elsewhere a folder takes its place. */
    if (mknodat(tree.fd, "inner/device", S_IFCHR | 0600, makedev(1, 3)) < 0)
        proc_tree_folder(&tree, "inner/device");
}

START_TEST(what_is_no_regular_file_in_the_root_is_refused)
{
    make_refused();
    ck_assert_int_eq(open_path(refused_rows[_i].path), -1);
    ck_assert_int_eq(errno, refused_rows[_i].error);
}
END_TEST

START_TEST(a_name_from_our_own_root_is_found_in_the_target_s)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/inner/secret", tree.path);
    check_content(open_path(path), "inside");
    proc_tree_write(&tree, "innermost/secret", "outside");
    snprintf(path, sizeof(path), "%s/innermost/secret", tree.path);
    ck_assert_int_eq(open_path(path), -1);
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(a_process_without_a_root_has_no_files)
{
    ck_assert_int_eq(unlinkat(tree.fd, "42/root", 0), 0);
    ck_assert_int_eq(open_path("/secret"), -1);
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(files_are_open_for_reading_and_closed_on_exec)
{
    int fd = open_path("/secret");

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    close(fd);
}
END_TEST

START_TEST(a_process_in_a_root_of_its_own_is_kept_there)
{
    int ready[2];
    char path[32], inner[80];

    if (geteuid() != 0)
        return;
    snprintf(inner, sizeof(inner), "%s/inner", tree.path);
    proc_tree_link(&tree, "inner/absolute", "/etc/passwd");
    ck_assert_int_eq(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        char done = chroot(inner) == 0 ? 'y' : 'n';
        if (write(ready[1], &done, 1) == 1)
            pause();
        _exit(0);
    }
    char done = 'n';
    ck_assert_int_eq(read(ready[0], &done, 1), 1);
    snprintf(path, sizeof(path), "/proc/%d", child);
    _cleanup_close_ int process_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (done == 'y')
        check_content(pht_mapped_file_open_path(process_fd, "/absolute"), "inside");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ready[0]);
    close(ready[1]);
}
END_TEST

/* ---- open_mapped -------------------------------------------------------------------------- */

static struct pht_mapping mapping_of(const char *name, const char *file)
{
    struct stat status;

    ck_assert_int_eq(fstatat(tree.fd, file, &status, 0), 0);
    return (struct pht_mapping){
        .start = 0x7f2b9c000000, .end = 0x7f2b9c021000, .inode = status.st_ino, .name = name};
}

static int open_mapped(const struct pht_mapping *mapping)
{
    _cleanup_close_ int process_fd = proc_tree_open(&tree, "42");

    errno = 0;
    return pht_mapped_file_open(process_fd, mapping);
}

/* As the kernel does it: a link that leads to the file even when its name is gone. */
static void map_file(const char *file)
{
    char leads_to[100];

    snprintf(leads_to, sizeof(leads_to), "%s/%s", tree.path, file);
    proc_tree_link(&tree, "42/map_files/7f2b9c000000-7f2b9c021000", leads_to);
}

START_TEST(map_files_wins_over_the_name)
{
    struct pht_mapping mapping = mapping_of("/secret", "inner/secret");

    proc_tree_write(&tree, "mapped", "mapped");
    map_file("mapped");
    check_content(open_mapped(&mapping), "mapped");
    mapping.deleted = true;
    check_content(open_mapped(&mapping), "mapped");
}
END_TEST

START_TEST(a_mapped_device_is_not_opened)
{
    struct pht_mapping mapping = mapping_of("/secret", "inner/secret");

    proc_tree_link(&tree, "42/map_files/7f2b9c000000-7f2b9c021000", "/dev/null");
    mapping.deleted = true;
    ck_assert_int_eq(open_mapped(&mapping), -1);
}
END_TEST

START_TEST(without_map_files_the_name_is_followed_in_the_root)
{
    struct pht_mapping mapping = mapping_of("/secret", "inner/secret");

    check_content(open_mapped(&mapping), "inside");
}
END_TEST

START_TEST(a_name_that_leads_to_another_file_by_now_is_refused)
{
    struct pht_mapping mapping = mapping_of("/secret", "inner/etc/passwd");

    ck_assert_int_eq(open_mapped(&mapping), -1);
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(the_name_of_a_deleted_file_is_not_followed)
{
    struct pht_mapping mapping = mapping_of("/secret", "inner/secret");

    mapping.deleted = true;
    ck_assert_int_eq(open_mapped(&mapping), -1);
}
END_TEST

START_TEST(the_program_is_opened_by_its_own_link)
{
    struct pht_mapping mapping = mapping_of("/no longer there", "secret");
    char leads_to[100];

    snprintf(leads_to, sizeof(leads_to), "%s/secret", tree.path);
    proc_tree_link(&tree, "42/exe", leads_to);
    check_content(open_mapped(&mapping), "outside");
    mapping.deleted = true;
    check_content(open_mapped(&mapping), "outside");
    mapping = mapping_of("/secret", "inner/secret");
    check_content(open_mapped(&mapping), "inside");
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *mapped_file_suite(void)
{
    Suite *suite = suite_create("target/mapped_file");
    TCase *path = tcase_create("open_path");
    TCase *mapped = tcase_create("open");

    tcase_add_checked_fixture(path, setup, teardown);
    tcase_add_loop_test(path, no_path_and_no_link_leaves_the_root, 0, ROWS(inside));
    tcase_add_loop_test(path, what_is_no_regular_file_in_the_root_is_refused, 0,
                        ROWS(refused_rows));
    tcase_add_test(path, a_name_from_our_own_root_is_found_in_the_target_s);
    tcase_add_test(path, a_process_without_a_root_has_no_files);
    tcase_add_test(path, files_are_open_for_reading_and_closed_on_exec);
    tcase_add_test(path, a_process_in_a_root_of_its_own_is_kept_there);
    suite_add_tcase(suite, path);
    tcase_add_checked_fixture(mapped, setup, teardown);
    tcase_add_test(mapped, map_files_wins_over_the_name);
    tcase_add_test(mapped, a_mapped_device_is_not_opened);
    tcase_add_test(mapped, without_map_files_the_name_is_followed_in_the_root);
    tcase_add_test(mapped, a_name_that_leads_to_another_file_by_now_is_refused);
    tcase_add_test(mapped, the_name_of_a_deleted_file_is_not_followed);
    tcase_add_test(mapped, the_program_is_opened_by_its_own_link);
    suite_add_tcase(suite, mapped);
    return suite;
}

SUITE_MAIN(mapped_file_suite)
