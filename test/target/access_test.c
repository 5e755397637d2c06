#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "support/proc_tree.h"
#include "support/suite.h"
#include "target/access.h"

/* ---- from facts to one cause -------------------------------------------------------------- */

/* No account has this number, so the texts show the number itself. */
#define NOBODYS_UID 3999999991u

/* The process is ours, dumpable, not traced; nothing but rights is missing. */
#define OURS .pid = 48213, .our_uid = 1001, .target_uid = 1001, .same_ids = true, .dumpable = true

static const struct explain_row {
    const char *case_name;
    struct pht_access_facts facts;
    enum pht_access_wish wish;
    enum pht_error_code code;
    const char *text;
    const char *why;
    const char *remedy;
} explain_rows[] = {
    {
        "owner",
        {.pid = 48213, .our_uid = NOBODYS_UID, .target_uid = 0, .dumpable = true},
        PHT_ACCESS_READ,
        PHT_ERROR_EPERM_OWNER,
        "pid 48213 cannot be read: it belongs to user 'root', you are '3999999991'",
        NULL,
        "sudo pyheaptop 48213",
    },
    {
        "one of its ids is not ours",
        {.pid = 48213, .our_uid = 0xfffffff1, .target_uid = 0xfffffff1, .dumpable = true},
        PHT_ACCESS_READ,
        PHT_ERROR_EPERM_OWNER,
        "pid 48213 cannot be read: it belongs to user '4294967281', you are '4294967281'",
        NULL,
        "sudo pyheaptop 48213",
    },
    {
        "yama 1",
        {OURS, .yama_scope = 1},
        PHT_ACCESS_READ,
        PHT_ERROR_EPERM_YAMA,
        "pid 48213 cannot be read: the kernel forbids tracing non-children",
        "kernel.yama.ptrace_scope is 1",
        "sudo pyheaptop 48213\n"
        "sudo sysctl kernel.yama.ptrace_scope=0    (until reboot, all processes)",
    },
    {
        "yama 2",
        {OURS, .yama_scope = 2},
        PHT_ACCESS_READ,
        PHT_ERROR_EPERM_YAMA,
        "pid 48213 cannot be read: only administrators may trace here",
        "kernel.yama.ptrace_scope is 2",
        "sudo pyheaptop 48213",
    },
    {
        "yama 3",
        {OURS, .yama_scope = 3},
        PHT_ACCESS_READ,
        PHT_ERROR_EPERM_YAMA,
        "pid 48213 cannot be read: tracing is switched off until reboot",
        "kernel.yama.ptrace_scope is 3, and no process can lower it",
        NULL,
    },
    {
        "yama 3 stops an administrator too",
        {.pid = 48213, .our_uid = 0, .can_ptrace = true, .dumpable = true, .yama_scope = 3},
        PHT_ACCESS_STOP,
        PHT_ERROR_EPERM_YAMA,
        "pid 48213 cannot be read: tracing is switched off until reboot",
        "kernel.yama.ptrace_scope is 3, and no process can lower it",
        NULL,
    },
    {
        "container",
        {.pid = 48213, .our_uid = 0, .target_uid = 1001, .dumpable = true},
        PHT_ACCESS_READ,
        PHT_ERROR_EPERM_CAPABILITY,
        "pid 48213 cannot be read, although you are root",
        "this container lacks CAP_SYS_PTRACE",
        "docker run --cap-add=SYS_PTRACE ...   or in Kubernetes\n"
        "     securityContext: {capabilities: {add: [SYS_PTRACE]}}\n"
        "run pyheaptop on the host: sudo pyheaptop 48213 (host pid)",
    },
    {
        "traced",
        {OURS, .tracer = 5012, .tracer_comm = "gdb"},
        PHT_ACCESS_STOP,
        PHT_ERROR_EPERM_TRACED,
        "pid 48213 cannot be stopped: gdb (pid 5012) is already tracing it",
        NULL,
        "pyheaptop --stop=none 48213    reads without stopping",
    },
    {
        "traced by a process that is gone",
        {OURS, .can_ptrace = true, .tracer = 5012, .yama_scope = 3},
        PHT_ACCESS_STOP,
        PHT_ERROR_EPERM_TRACED,
        "pid 48213 cannot be stopped: a process (pid 5012) is already tracing it",
        NULL,
        "pyheaptop --stop=none 48213    reads without stopping",
    },
    {
        "not dumpable",
        {.pid = 48213, .our_uid = 1001, .target_uid = 1001, .same_ids = true, .yama_scope = 1},
        PHT_ACCESS_READ,
        PHT_ERROR_EPERM_NOT_DUMPABLE,
        "pid 48213 cannot be read: it is protected against its own user",
        "it is not dumpable (set-uid, or prctl PR_SET_DUMPABLE)",
        "sudo pyheaptop 48213",
    },
    {
        "unknown, reading",
        {OURS},
        PHT_ACCESS_READ,
        PHT_ERROR_EPERM_UNKNOWN,
        "pid 48213 cannot be read: the kernel refuses it",
        "neither its owner, Yama, a capability nor a tracer explains it: a security\n"
        "module, a seccomp filter or another user namespace is left",
        NULL,
    },
    {
        "unknown, stopping",
        {.pid = 48213, .can_ptrace = true, .yama_scope = 2},
        PHT_ACCESS_STOP,
        PHT_ERROR_EPERM_UNKNOWN,
        "pid 48213 cannot be stopped: the kernel refuses it",
        "neither its owner, Yama, a capability nor a tracer explains it: a security\n"
        "module, a seccomp filter or another user namespace is left",
        NULL,
    },
    {
        "a tracer does not keep us from reading",
        {OURS, .yama_scope = 1, .tracer = 5012, .tracer_comm = "gdb"},
        PHT_ACCESS_READ,
        PHT_ERROR_EPERM_YAMA,
        "pid 48213 cannot be read: the kernel forbids tracing non-children",
        "kernel.yama.ptrace_scope is 1",
        "sudo pyheaptop 48213\n"
        "sudo sysctl kernel.yama.ptrace_scope=0    (until reboot, all processes)",
    },
};

static void check_text(const char *case_name, const char *found, const char *wanted)
{
    if (wanted == NULL)
        ck_assert_msg(found == NULL, "%s: not wanted: %s", case_name, found);
    else
        ck_assert_msg(found != NULL && strcmp(found, wanted) == 0, "%s: %s", case_name,
                      found != NULL ? found : "nothing");
}

START_TEST(each_cause_is_told_in_its_own_words)
{
    const struct explain_row *row = &explain_rows[_i];
    struct pht_error *error = pht_access_explain(&row->facts, row->wish);

    ck_assert_msg(error->code == row->code, "%s: %s", row->case_name, pht_error_id(error->code));
    check_text(row->case_name, error->text, row->text);
    check_text(row->case_name, error->why, row->why);
    check_text(row->case_name, error->remedy, row->remedy);
    pht_error_destroy(error);
}
END_TEST

/* ---- from /proc to facts ------------------------------------------------------------------ */

#define CAPABILITIES_OF_ROOT "000001ffffffffff"
#define CAPABILITIES_OF_A_CONTAINER "00000000a80425fb" /* Docker's default: no SYS_PTRACE */
#define SYS_PTRACE_ALONE "0000000000080000"
#define ALL_BUT_SYS_PTRACE "000001fffff7ffff"

static struct proc_tree tree;

static void write_capabilities(const char *effective)
{
    /* The other sets must not be taken for the effective one. */
    proc_tree_write(&tree, "self/status",
                    "Name:\tx\nCapInh:\t%s\nCapPrm:\t%s\nCapEff:\t%s\nCapBnd:\t%s\n",
                    CAPABILITIES_OF_ROOT, CAPABILITIES_OF_ROOT, effective, CAPABILITIES_OF_ROOT);
}

/* pid 42 is ours as far as its ids go; its files always are. */
static void setup(void)
{
    uid_t us = geteuid();

    proc_tree_init(&tree);
    proc_tree_process(&tree, &(struct proc_tree_process){
                                 .pid = 42, .comm = "x", .ruid = us, .euid = us, .suid = us});
    write_capabilities(CAPABILITIES_OF_A_CONTAINER);
}

static void teardown(void)
{
    proc_tree_deinit(&tree);
}

static struct pht_access_facts collect(void)
{
    struct pht_access_facts facts;

    memset(&facts, 0x5a, sizeof(facts));
    ck_assert(pht_access_collect(tree.fd, 42, geteuid(), &facts));
    return facts;
}

START_TEST(a_process_of_ours_has_nothing_in_the_way)
{
    struct pht_access_facts facts = collect();

    ck_assert_int_eq(facts.pid, 42);
    ck_assert_uint_eq(facts.our_uid, geteuid());
    ck_assert_uint_eq(facts.target_uid, geteuid());
    ck_assert(facts.same_ids);
    ck_assert(facts.dumpable);
    ck_assert(!facts.can_ptrace);
    ck_assert_int_eq(facts.yama_scope, 0);
    ck_assert_int_eq(facts.tracer, 0);
    ck_assert_str_eq(facts.tracer_comm, "");
}
END_TEST

static const struct capability_row {
    const char *effective;
    bool can_ptrace;
} capability_rows[] = {
    {"0000000000000000", false},       {CAPABILITIES_OF_A_CONTAINER, false},
    {ALL_BUT_SYS_PTRACE, false},       {SYS_PTRACE_ALONE, true},
    {CAPABILITIES_OF_ROOT, true},      {"", false},
    {"no capabilities at all", false},
};

START_TEST(only_the_effective_capability_counts)
{
    write_capabilities(capability_rows[_i].effective);
    ck_assert(collect().can_ptrace == capability_rows[_i].can_ptrace);
}
END_TEST

START_TEST(yama_is_read_where_there_is_one)
{
    proc_tree_write(&tree, "sys/kernel/yama/ptrace_scope", "%d\n", _i);
    ck_assert_int_eq(collect().yama_scope, _i);
}
END_TEST

static const struct id_row {
    int ruid, euid, suid; /* added to ours */
    bool same_ids;
    bool dumpable; /* by the owner of its files, who is us */
} id_rows[] = {
    {0, 0, 0, true, true},  {1, 0, 0, false, true},  {0, 1, 0, false, false},
    {0, 0, 1, false, true}, {7, 7, 7, false, false},
};

START_TEST(all_three_ids_must_be_ours)
{
    const struct id_row *row = &id_rows[_i];
    uid_t us = geteuid();

    proc_tree_process(&tree, &(struct proc_tree_process){.pid = 42,
                                                         .comm = "x",
                                                         .ruid = us + (uid_t)row->ruid,
                                                         .euid = us + (uid_t)row->euid,
                                                         .suid = us + (uid_t)row->suid});
    struct pht_access_facts facts = collect();
    ck_assert(facts.same_ids == row->same_ids);
    ck_assert(facts.dumpable == row->dumpable);
    ck_assert_uint_eq(facts.target_uid, us + (uid_t)row->euid);
}
END_TEST

START_TEST(files_of_another_owner_mean_not_dumpable)
{
    if (fchownat(tree.fd, "42/environ", 3999999991u, (gid_t)-1, 0) < 0)
        return; /* only root gives files away */
    ck_assert(!collect().dumpable);
}
END_TEST

static const struct tracer_row {
    const char *comm;
    const char *shown;
} tracer_rows[] = {
    {"gdb", "gdb"},
    {"a b)", "a b)"},
    {"\x1b[2J", "\\x1b[2J"},
    {"\xff\xff", "\\xff\\xff"},
};

START_TEST(a_tracer_is_named_in_printable_text)
{
    uid_t us = geteuid();

    proc_tree_process(
        &tree, &(struct proc_tree_process){
                   .pid = 42, .comm = "x", .ruid = us, .euid = us, .suid = us, .tracer = 5012});
    ck_assert_int_eq(collect().tracer, 5012);
    ck_assert_str_eq(collect().tracer_comm, "");
    proc_tree_write(&tree, "5012/comm", "%s\n", tracer_rows[_i].comm);
    ck_assert_int_eq(collect().tracer, 5012);
    ck_assert_str_eq(collect().tracer_comm, tracer_rows[_i].shown);
}
END_TEST

START_TEST(a_process_that_is_gone_has_no_facts)
{
    struct pht_access_facts facts;

    ck_assert(!pht_access_collect(tree.fd, 43, geteuid(), &facts));
    ck_assert_int_eq(unlinkat(tree.fd, "42/stat", 0), 0);
    ck_assert(!pht_access_collect(tree.fd, 42, geteuid(), &facts));
}
END_TEST

START_TEST(facts_that_cannot_be_read_are_harmless)
{
    ck_assert_int_eq(unlinkat(tree.fd, "self/status", 0), 0);
    ck_assert(!collect().can_ptrace);
    proc_tree_write(&tree, "self/status", "Name:\tx\n");
    ck_assert(!collect().can_ptrace);
    proc_tree_write(&tree, "sys/kernel/yama/ptrace_scope", "\n");
    ck_assert_int_eq(collect().yama_scope, 0);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *access_suite(void)
{
    Suite *suite = suite_create("target/access");
    TCase *explain = tcase_create("explain");
    TCase *facts = tcase_create("collect");

    tcase_add_loop_test(explain, each_cause_is_told_in_its_own_words, 0, ROWS(explain_rows));
    suite_add_tcase(suite, explain);
    tcase_add_checked_fixture(facts, setup, teardown);
    tcase_add_test(facts, a_process_of_ours_has_nothing_in_the_way);
    tcase_add_loop_test(facts, only_the_effective_capability_counts, 0, ROWS(capability_rows));
    tcase_add_loop_test(facts, yama_is_read_where_there_is_one, 0, 4);
    tcase_add_loop_test(facts, all_three_ids_must_be_ours, 0, ROWS(id_rows));
    tcase_add_test(facts, files_of_another_owner_mean_not_dumpable);
    tcase_add_loop_test(facts, a_tracer_is_named_in_printable_text, 0, ROWS(tracer_rows));
    tcase_add_test(facts, a_process_that_is_gone_has_no_facts);
    tcase_add_test(facts, facts_that_cannot_be_read_are_harmless);
    suite_add_tcase(suite, facts);
    return suite;
}

SUITE_MAIN(access_suite)
