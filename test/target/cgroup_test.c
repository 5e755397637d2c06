#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "support/proc_tree.h"
#include "support/suite.h"
#include "target/cgroup.h"

/* The tree is /proc, and below "mount" also what is mounted. */
static struct proc_tree tree;

static void setup(void)
{
    proc_tree_init(&tree);
    proc_tree_folder(&tree, "42");
}

static void teardown(void)
{
    proc_tree_deinit(&tree);
}

#define V2_LINE(root) "29 23 0:26 " root " %s/mount rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
#define V1_LINE(root, controllers)                                                                 \
    "35 24 0:30 " root " %s/mount rw,nosuid - cgroup cgroup rw," controllers "\n"

static struct pht_cgroup_memory read_memory(void)
{
    struct pht_cgroup_memory memory;
    _cleanup_close_ int process_fd = proc_tree_open(&tree, "42");

    memset(&memory, 0x5a, sizeof(memory));
    pht_cgroup_read(tree.fd, process_fd, &memory);
    return memory;
}

static void check_memory(uint64_t limit_bytes, uint64_t current_bytes)
{
    struct pht_cgroup_memory memory = read_memory();

    ck_assert(memory.known);
    ck_assert_uint_eq(memory.limit_bytes, limit_bytes);
    ck_assert_uint_eq(memory.current_bytes, current_bytes);
}

/* ---- v2 ----------------------------------------------------------------------------------- */

static void write_v2(const char *folder, const char *limit, const char *current)
{
    char name[200];

    snprintf(name, sizeof(name), "mount%s/memory.max", folder);
    proc_tree_write(&tree, name, "%s\n", limit);
    snprintf(name, sizeof(name), "mount%s/memory.current", folder);
    proc_tree_write(&tree, name, "%s\n", current);
}

START_TEST(v2_has_limit_and_use)
{
    proc_tree_write(&tree, "42/cgroup", "0::/system.slice/shop.service\n");
    proc_tree_write(&tree, "self/mountinfo", V2_LINE("/"), tree.path);
    write_v2("/system.slice/shop.service", "536870912", "123456789");
    write_v2("", "1", "2");
    check_memory(536870912, 123456789);
}
END_TEST

START_TEST(v2_max_is_no_limit)
{
    proc_tree_write(&tree, "42/cgroup", "0::/shop\n");
    proc_tree_write(&tree, "self/mountinfo", V2_LINE("/"), tree.path);
    write_v2("/shop", "max", "7");
    check_memory(UINT64_MAX, 7);
}
END_TEST

START_TEST(v2_paths_may_be_deep_and_odd)
{
    proc_tree_write(&tree, "42/cgroup", "0::/a b/c:d/e@1000.service/x\n");
    proc_tree_write(&tree, "self/mountinfo", V2_LINE("/"), tree.path);
    write_v2("/a b/c:d/e@1000.service/x", "4096", "4095");
    check_memory(4096, 4095);
}
END_TEST

START_TEST(a_container_sees_its_own_group_as_the_mount)
{
    proc_tree_write(&tree, "42/cgroup", "0::/docker/0123abcd\n");
    proc_tree_write(&tree, "self/mountinfo", V2_LINE("/docker/0123abcd"), tree.path);
    write_v2("", "4096", "100");
    check_memory(4096, 100);
}
END_TEST

START_TEST(a_group_below_the_mounted_one_is_found)
{
    proc_tree_write(&tree, "42/cgroup", "0::/docker/0123abcd/worker\n");
    proc_tree_write(&tree, "self/mountinfo", V2_LINE("/docker/0123abcd"), tree.path);
    write_v2("", "1", "1");
    write_v2("/worker", "4096", "100");
    check_memory(4096, 100);
}
END_TEST

START_TEST(a_private_namespace_shows_the_root_group)
{
    proc_tree_write(&tree, "42/cgroup", "0::/\n");
    proc_tree_write(&tree, "self/mountinfo", V2_LINE("/"), tree.path);
    write_v2("", "8192", "100");
    check_memory(8192, 100);
}
END_TEST

START_TEST(other_mounts_are_passed_over)
{
    proc_tree_write(&tree, "42/cgroup", "0::/shop\n");
    proc_tree_write(&tree, "self/mountinfo",
                    "not a line of mountinfo\n"
                    "21 1 254:0 / / rw,relatime - ext4 /dev/root rw\n"
                    "22 1 0:5 / %s rw - tmpfs tmpfs rw\n"
                    "30 23 0:26 /elsewhere %s/wrong rw - cgroup2 cgroup2 rw\n" V2_LINE("/"),
                    tree.path, tree.path, tree.path);
    write_v2("/shop", "4096", "100");
    check_memory(4096, 100);
}
END_TEST

START_TEST(v2_has_high_mark_peak_and_kills)
{
    proc_tree_write(&tree, "42/cgroup", "0::/shop\n");
    proc_tree_write(&tree, "self/mountinfo", V2_LINE("/"), tree.path);
    write_v2("/shop", "4096", "100");
    proc_tree_write(&tree, "mount/shop/memory.high", "2048\n");
    proc_tree_write(&tree, "mount/shop/memory.peak", "3000\n");
    proc_tree_write(&tree, "mount/shop/memory.events",
                    "low 0\nhigh 12\nmax 5\noom 4\noom_kill 3\noom_group_kill 1\n");
    struct pht_cgroup_memory memory = read_memory();
    ck_assert_uint_eq(memory.high_bytes, 2048);
    ck_assert_uint_eq(memory.peak_bytes, 3000);
    ck_assert_uint_eq(memory.oom_kills, 3);
    proc_tree_write(&tree, "mount/shop/memory.high", "max\n");
    ck_assert_uint_eq(read_memory().high_bytes, UINT64_MAX);
}
END_TEST

/* ---- v1 ----------------------------------------------------------------------------------- */

static void write_v1(const char *folder, const char *limit, const char *current)
{
    char name[200];

    snprintf(name, sizeof(name), "mount%s/memory.limit_in_bytes", folder);
    proc_tree_write(&tree, name, "%s\n", limit);
    snprintf(name, sizeof(name), "mount%s/memory.usage_in_bytes", folder);
    proc_tree_write(&tree, name, "%s\n", current);
}

#define V1_GROUPS                                                                                  \
    "12:cpu,cpuacct:/wrong\n"                                                                      \
    "5:hugetlb,memory:/shop/web\n"                                                                 \
    "1:name=systemd:/wrong\n"

START_TEST(v1_is_the_hierarchy_with_memory)
{
    proc_tree_write(&tree, "42/cgroup", V1_GROUPS);
    proc_tree_write(
        &tree, "self/mountinfo",
        "34 24 0:29 / %s/wrong rw - cgroup cgroup rw,cpu,cpuacct\n" V1_LINE("/", "hugetlb,memory"),
        tree.path, tree.path);
    write_v1("/shop/web", "268435456", "1000");
    check_memory(268435456, 1000);
}
END_TEST

START_TEST(v1_below_a_container_mount)
{
    proc_tree_write(&tree, "42/cgroup", V1_GROUPS);
    proc_tree_write(&tree, "self/mountinfo", V1_LINE("/shop", "memory"), tree.path);
    write_v1("/web", "4096", "1000");
    check_memory(4096, 1000);
}
END_TEST

START_TEST(v1_says_no_limit_with_a_huge_number)
{
    proc_tree_write(&tree, "42/cgroup", V1_GROUPS);
    proc_tree_write(&tree, "self/mountinfo", V1_LINE("/", "memory"), tree.path);
    write_v1("/shop/web", "9223372036854771712", "1000");
    check_memory(UINT64_MAX, 1000);
}
END_TEST

START_TEST(v1_has_peak_and_kills_but_no_high_mark)
{
    proc_tree_write(&tree, "42/cgroup", V1_GROUPS);
    proc_tree_write(&tree, "self/mountinfo", V1_LINE("/", "memory"), tree.path);
    write_v1("/shop/web", "4096", "1000");
    proc_tree_write(&tree, "mount/shop/web/memory.high", "1\n");
    proc_tree_write(&tree, "mount/shop/web/memory.max_usage_in_bytes", "3000\n");
    proc_tree_write(&tree, "mount/shop/web/memory.oom_control",
                    "oom_kill_disable 0\nunder_oom 1\noom_kill 7\n");
    struct pht_cgroup_memory memory = read_memory();
    ck_assert_uint_eq(memory.high_bytes, UINT64_MAX);
    ck_assert_uint_eq(memory.peak_bytes, 3000);
    ck_assert_uint_eq(memory.oom_kills, 7);
}
END_TEST

START_TEST(a_hybrid_system_keeps_memory_in_v1)
{
    proc_tree_write(&tree, "42/cgroup", V1_GROUPS "0::/user.slice\n");
    proc_tree_write(&tree, "self/mountinfo",
                    "29 23 0:26 / %s/unified rw - cgroup2 cgroup2 rw\n" V1_LINE("/", "memory"),
                    tree.path, tree.path);
    proc_tree_folder(&tree, "unified/user.slice");
    write_v1("/shop/web", "4096", "1000");
    check_memory(4096, 1000);
}
END_TEST

/* ---- nothing to tell ---------------------------------------------------------------------- */

static const struct absent_row {
    const char *case_name;
    const char *groups;
    const char *mounts;
} absent_rows[] = {
    {"no groups", "", V2_LINE("/")},
    {"garbage for groups", "0\n0:\nx:y\n\n", V2_LINE("/")},
    {"no memory controller", "3:cpu:/shop\n", V1_LINE("/", "memory")},
    {"a controller that only sounds like it", "3:memory2:/shop\n", V1_LINE("/", "memory")},
    {"not mounted", "0::/shop\n", ""},
    {"only another controller mounted", "5:memory:/shop\n", V1_LINE("/", "cpu")},
    {"v2 group, v1 mounted", "0::/shop\n", V1_LINE("/", "memory")},
    {"outside the mount", "0::/other\n", V2_LINE("/shop")},
    {"above the mount", "0::/\n", V2_LINE("/shop")},
    {"beside a mount whose name it begins with", "0::/shop2\n", V2_LINE("/shop")},
    {"outside the namespace", "0::/../mount/shop\n", V2_LINE("/")},
    {"parent of the namespace", "0::/..\n", V2_LINE("/")},
    {"removed", "0::/gone (deleted)\n", V2_LINE("/")},
};

START_TEST(what_cannot_be_found_is_unknown)
{
    const struct absent_row *row = &absent_rows[_i];

    proc_tree_write(&tree, "42/cgroup", "%s", row->groups);
    proc_tree_write(&tree, "self/mountinfo", row->mounts, tree.path); // NOLINT: ours
    write_v2("/shop", "4096", "100");
    write_v2("", "4096", "100");
    write_v2("2", "4096", "100");
    proc_tree_write(&tree, "memory.max", "4096\n");
    proc_tree_write(&tree, "memory.current", "4096\n");
    ck_assert_msg(!read_memory().known, "%s", row->case_name);
}
END_TEST

/* `text` is what memory.high, memory.peak and memory.events hold; NULL: they are missing. */
static const char *const odd_texts[] = {
    NULL,      "", "\n", "odd\n", "oom_kill\n", "oom_kill \n", "oom_kill x\n", "xoom_kill 3\n",
    "oom 4\n",
};

START_TEST(what_is_missing_or_odd_beside_limit_and_use_is_unknown)
{
    static const char *const names[] = {"memory.high", "memory.peak", "memory.events"};

    proc_tree_write(&tree, "42/cgroup", "0::/\n");
    proc_tree_write(&tree, "self/mountinfo", V2_LINE("/"), tree.path);
    write_v2("", "4096", "100");
    for (size_t i = 0; i < 3 && odd_texts[_i] != NULL; i++) {
        char name[64];
        snprintf(name, sizeof(name), "mount/%s", names[i]);
        proc_tree_write(&tree, name, "%s", odd_texts[_i]);
    }
    check_memory(4096, 100);
    struct pht_cgroup_memory memory = read_memory();
    ck_assert_uint_eq(memory.high_bytes, UINT64_MAX);
    ck_assert_uint_eq(memory.peak_bytes, UINT64_MAX);
    ck_assert_uint_eq(memory.oom_kills, UINT64_MAX);
}
END_TEST

START_TEST(missing_files_are_unknown)
{
    ck_assert(!read_memory().known);
    proc_tree_write(&tree, "42/cgroup", "0::/shop\n");
    ck_assert(!read_memory().known);
    proc_tree_write(&tree, "self/mountinfo", V2_LINE("/"), tree.path);
    ck_assert(!read_memory().known);
    proc_tree_write(&tree, "mount/shop/memory.max", "max\n");
    ck_assert(!read_memory().known);
    proc_tree_write(&tree, "mount/shop/memory.current", "odd\n");
    ck_assert(!read_memory().known);
    proc_tree_write(&tree, "mount/shop/memory.current", "1\n");
    ck_assert(read_memory().known);
}
END_TEST

static Suite *cgroup_suite(void)
{
    Suite *suite = suite_create("target/cgroup");
    TCase *tcase = tcase_create("cgroup");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, v2_has_limit_and_use);
    tcase_add_test(tcase, v2_max_is_no_limit);
    tcase_add_test(tcase, v2_paths_may_be_deep_and_odd);
    tcase_add_test(tcase, a_container_sees_its_own_group_as_the_mount);
    tcase_add_test(tcase, a_group_below_the_mounted_one_is_found);
    tcase_add_test(tcase, a_private_namespace_shows_the_root_group);
    tcase_add_test(tcase, other_mounts_are_passed_over);
    tcase_add_test(tcase, v2_has_high_mark_peak_and_kills);
    tcase_add_test(tcase, v1_has_peak_and_kills_but_no_high_mark);
    tcase_add_test(tcase, v1_is_the_hierarchy_with_memory);
    tcase_add_test(tcase, v1_below_a_container_mount);
    tcase_add_test(tcase, v1_says_no_limit_with_a_huge_number);
    tcase_add_test(tcase, a_hybrid_system_keeps_memory_in_v1);
    tcase_add_loop_test(tcase, what_cannot_be_found_is_unknown, 0,
                        (int)(sizeof(absent_rows) / sizeof(absent_rows[0])));
    tcase_add_loop_test(tcase, what_is_missing_or_odd_beside_limit_and_use_is_unknown, 0,
                        (int)(sizeof(odd_texts) / sizeof(odd_texts[0])));
    tcase_add_test(tcase, missing_files_are_unknown);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(cgroup_suite)
