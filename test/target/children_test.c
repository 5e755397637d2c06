#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "support/proc_tree.h"
#include "support/suite.h"
#include "target/children.h"

static struct proc_tree tree;
static struct pht_pids found;

static void setup(void)
{
    proc_tree_init(&tree);
    found = (struct pht_pids){0};
}

static void teardown(void)
{
    free(found.items);
    proc_tree_deinit(&tree);
}

static void find(pid_t pid)
{
    struct pht_children children;

    ck_assert(pht_children_init(&children, tree.fd));
    ck_assert(pht_children_of(&children, pid, &found));
    pht_children_deinit(&children);
}

static bool has(pid_t pid)
{
    for (size_t i = 0; i < found.count; i++) {
        if (found.items[i] == pid)
            return true;
    }
    return false;
}

/* ---- as the kernel lists them ------------------------------------------------------------- */

START_TEST(children_of_all_threads_are_listed)
{
    proc_tree_write(&tree, "thread-self/children", "%s", "");
    proc_tree_write(&tree, "42/task/42/children", "50 51 ");
    proc_tree_write(&tree, "42/task/43/children", "52");
    proc_tree_write(&tree, "42/task/44/children", "%s", "");
    proc_tree_folder(&tree, "42/task/45");
    find(42);
    ck_assert_uint_eq(found.count, 3);
    ck_assert(has(50) && has(51) && has(52));
}
END_TEST

START_TEST(who_is_gone_has_no_children)
{
    proc_tree_write(&tree, "thread-self/children", "%s", "");
    find(42);
    ck_assert_uint_eq(found.count, 0);
}
END_TEST

START_TEST(what_is_no_pid_is_left_out)
{
    proc_tree_write(&tree, "thread-self/children", "%s", "");
    proc_tree_write(&tree, "42/task/42/children",
                    "x -7 0 4294967297 99999999999999999999 7x  50 \n");
    find(42);
    ck_assert_uint_eq(found.count, 1);
    ck_assert(has(50));
}
END_TEST

/* ---- as each names its parent ------------------------------------------------------------- */

static void write_stat(pid_t pid, const char *ppid)
{
    char name[32];

    snprintf(name, sizeof(name), "%d/stat", pid);
    proc_tree_write(&tree, name,
                    "%d (x) 1 (y) S %s 0 0 0 -1 0 0 0 0 0 1 2 3 4 20 0 1 0 5 6 7 8 9 10 11\n", pid,
                    ppid);
}

START_TEST(children_are_those_that_name_the_parent)
{
    write_stat(42, "1");
    write_stat(50, "42");
    write_stat(51, "42");
    write_stat(52, "50");
    write_stat(53, "4200");
    find(42);
    ck_assert_uint_eq(found.count, 2);
    ck_assert(has(50) && has(51));
}
END_TEST

START_TEST(others_in_proc_are_passed_over)
{
    write_stat(50, "42");
    write_stat(51, "-42");
    write_stat(52, "4294967338"); /* 42, if it were cut to 32 bits */
    proc_tree_write(&tree, "53/stat", "53 (damaged) S 42");
    proc_tree_folder(&tree, "54");
    proc_tree_write(&tree, "uptime", "1 2\n");
    proc_tree_write(&tree, "55x/stat",
                    "55 (x) S 42 0 0 0 -1 0 0 0 0 0 1 2 3 4 20 0 1 0 5 6 7 8 9 10 11\n");
    find(42);
    ck_assert_uint_eq(found.count, 1);
    ck_assert(has(50));
}
END_TEST

static Suite *children_suite(void)
{
    Suite *suite = suite_create("target/children");
    TCase *tcase = tcase_create("children");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, children_of_all_threads_are_listed);
    tcase_add_test(tcase, who_is_gone_has_no_children);
    tcase_add_test(tcase, what_is_no_pid_is_left_out);
    tcase_add_test(tcase, children_are_those_that_name_the_parent);
    tcase_add_test(tcase, others_in_proc_are_passed_over);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(children_suite)
