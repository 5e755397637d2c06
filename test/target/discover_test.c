/* Python processes, as a list to choose from shows them. */
#include "target/discover.h"

#include <unistd.h>

#include "support/proc_tree.h"
#include "support/suite.h"

static struct proc_tree tree;
static struct pht_candidates candidates;

static void setup(void)
{
    proc_tree_init(&tree);
    candidates = (struct pht_candidates){0};
    proc_tree_write(&tree, "uptime", "100000.25 1.0\n");
}

static void teardown(void)
{
    pht_candidates_deinit(&candidates);
    proc_tree_deinit(&tree);
}

/* A process that runs `exe`, started `ago` seconds ago, with a name that is hard to read. */
static void add(pid_t pid, pid_t ppid, const char *exe, unsigned long rss_pages, unsigned long ago)
{
    static const char command[] = "python\0app.py";
    char name[64];

    snprintf(name, sizeof(name), "%d/exe", pid);
    proc_tree_link(&tree, name, exe);
    snprintf(name, sizeof(name), "%d/comm", pid);
    proc_tree_write(&tree, name, "py) R 1\n");
    snprintf(name, sizeof(name), "%d/cmdline", pid);
    proc_tree_write_bytes(&tree, name, command, sizeof(command));
    snprintf(name, sizeof(name), "%d/statm", pid);
    proc_tree_write(&tree, name, "9999 %lu 1 1 0 1 0\n", rss_pages);
    snprintf(name, sizeof(name), "%d/stat", pid);
    proc_tree_write(&tree, name,
                    "%d (py) R 1) S %d 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 %lu 123 456\n",
                    pid, ppid, (100000 - ago) * (unsigned long)sysconf(_SC_CLK_TCK));
}

static void look(void)
{
    ck_assert_ptr_null(pht_discover(tree.fd, 1, &candidates));
    pht_discover_look(tree.fd, &candidates);
}

START_TEST(list_tells_what_can_be_read)
{
    add(70, 1, "/usr/bin/python3.11", 300, 60);
    proc_tree_write(&tree, "70/smaps_rollup",
                    "55d0-7ffc ---p 0 00:00 0 [rollup]\nRss:  1200 kB\nPss:   900 kB\n");
    look();
    ck_assert_uint_eq(candidates.count, 1);
    ck_assert_int_eq(candidates.items[0].ppid, 1);
    ck_assert_uint_eq(candidates.items[0].pss_bytes, 900 * 1024);
    ck_assert_uint_eq(candidates.items[0].uptime_seconds, 60);
    ck_assert_str_eq(candidates.items[0].version, "3.11");
    ck_assert_ptr_nonnull(candidates.items[0].user);
}
END_TEST

START_TEST(what_cannot_be_read_is_not_known)
{
    add(70, 1, "/opt/bin/python", 300, 60);
    proc_tree_write(&tree, "70/stat", "70 (python) S");
    look();
    ck_assert_int_eq(candidates.items[0].ppid, 0);
    ck_assert_uint_eq(candidates.items[0].pss_bytes, UINT64_MAX);
    ck_assert_uint_eq(candidates.items[0].uptime_seconds, UINT64_MAX);
    ck_assert_str_eq(candidates.items[0].version, "");
}
END_TEST

START_TEST(library_tells_the_version_of_others)
{
    add(70, 1, "/usr/sbin/uwsgi", 300, 60);
    proc_tree_write(&tree, "70/maps", "7f00-7f01 r-xp 0 00:00 1 /opt/lib/libpython3.13t.so.1.0\n");
    look();
    ck_assert_str_eq(candidates.items[0].version, "3.13");
}
END_TEST

static Suite *discover_suite(void)
{
    Suite *suite = suite_create("discover");
    TCase *tcase = tcase_create("discover");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, list_tells_what_can_be_read);
    tcase_add_test(tcase, what_cannot_be_read_is_not_known);
    tcase_add_test(tcase, library_tells_the_version_of_others);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(discover_suite)
