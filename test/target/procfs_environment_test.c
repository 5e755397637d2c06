#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
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

#define MIB ((size_t)1 << 20)

/* `size` bytes of variables of 16 bytes, their NULs included. */
static char *write_environment(size_t size)
{
    char *bytes = malloc(size);

    for (size_t i = 0; i < size; i++)
        bytes[i] = i % 16 == 15 ? '\0' : (char)('A' + i % 16);
    proc_tree_write_bytes(&tree, "environ", bytes, size);
    return bytes;
}

static const struct environment_row {
    size_t size;
    size_t wanted;
} environment_rows[] = {
    {0, 0},
    {16, 16},
    {20, 20}, /* the last one has no NUL */
    {MIB - 1, MIB - 1},
    {MIB, MIB},
    {MIB + 1, MIB},
    {MIB + 5000, MIB},
};

START_TEST(an_environment_is_read_as_it_is_given)
{
    const struct environment_row *row = &environment_rows[_i];
    size_t size = SIZE_MAX;
    _cleanup_free_ char *bytes = write_environment(row->size);
    _cleanup_free_ char *text = pht_procfs_read_environment(tree.fd, &size);

    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(size, row->wanted);
    if (size > 0)
        ck_assert_mem_eq(text, bytes, size);
    ck_assert_int_eq(text[size], '\0');
}
END_TEST

/* Of variables that are longer than what is read, only those before them are left. */
START_TEST(a_variable_that_is_cut_is_left_out)
{
    size_t size = SIZE_MAX;
    _cleanup_free_ char *bytes = write_environment(MIB + 16);

    memset(bytes + 48, 'x', MIB - 32);
    proc_tree_write_bytes(&tree, "environ", bytes, MIB + 16);
    _cleanup_free_ char *text = pht_procfs_read_environment(tree.fd, &size);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(size, 48);
    ck_assert_mem_eq(text, bytes, 48);

    memset(bytes, 'x', MIB + 16);
    proc_tree_write_bytes(&tree, "environ", bytes, MIB + 16);
    _cleanup_free_ char *nothing = pht_procfs_read_environment(tree.fd, &size);
    ck_assert_ptr_nonnull(nothing);
    ck_assert_uint_eq(size, 0);
}
END_TEST

START_TEST(our_own_environment_is_read_from_the_kernel)
{
    struct pht_target *target;
    char *text = NULL;
    size_t size = 0;

    ck_assert_ptr_null(pht_target_open(getpid(), NULL, &target));
    ck_assert_ptr_null(pht_target_read_environment(target, &text, &size));
    ck_assert_ptr_nonnull(text);
    _cleanup_free_ char *wanted = pht_procfs_read(AT_FDCWD, "/proc/self/environ", NULL);
    ck_assert_uint_gt(size, 0);
    ck_assert_mem_eq(text, wanted, size);
    ck_assert_uint_gt(pht_target_process(target)->processors, 0);
    free(text);
    pht_target_destroy(target);
}
END_TEST

START_TEST(an_environment_that_may_not_be_read_is_none)
{
    size_t size = 0;

    ck_assert_ptr_null(pht_procfs_read_environment(tree.fd, &size));
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *procfs_environment_suite(void)
{
    Suite *suite = suite_create("target/procfs: environment");
    TCase *tcase = tcase_create("environment");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, an_environment_is_read_as_it_is_given, 0, ROWS(environment_rows));
    tcase_add_test(tcase, a_variable_that_is_cut_is_left_out);
    tcase_add_test(tcase, our_own_environment_is_read_from_the_kernel);
    tcase_add_test(tcase, an_environment_that_may_not_be_read_is_none);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(procfs_environment_suite)
