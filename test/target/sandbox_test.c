/* The sandbox: what an attacker wants is refused, what the program needs is not. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "pyheaptop/target.h"
#include "support/suite.h"
#include "target/capabilities.h"
#include "target/procfs.h"
#include "target/tracer.h"

/* What a child may end with that is no errno. */
#define NO_SANDBOX 200
#define DONE 201

/* Run `attempt` in a child behind the sandbox; what it returns, or -signal. */
static int inside(int (*attempt)(void))
{
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(pht_sandbox_enter() ? attempt() : NO_SANDBOX);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* ---- refused ------------------------------------------------------------------------------ */

#define P(pointer) ((long)(uintptr_t)(pointer))
#define HERE AT_FDCWD

static char some_file[] = "/tmp/sandbox_test.file";
static char byte;
static struct iovec one_byte = {&byte, 1};

static const struct refused {
    const char *name;
    int call;
    long arguments[6];
    int error;
} calls[] = {
    {"execve", SYS_execve, {P("/bin/true"), 0, 0}, EPERM},
    {"execveat", SYS_execveat, {HERE, P("/bin/true"), 0, 0, 0}, EPERM},
    {"fork", SYS_fork, {0}, EPERM},
    {"vfork", SYS_vfork, {0}, EPERM},
    {"clone of a process", SYS_clone, {SIGCHLD, 0, 0, 0, 0}, EPERM},
    {"clone3", SYS_clone3, {0, 0}, ENOSYS},
    {"socket, internet", SYS_socket, {AF_INET, SOCK_STREAM, 0}, EPERM},
    {"socket, unix", SYS_socket, {AF_UNIX, SOCK_STREAM, 0}, EPERM},
    {"socket, netlink", SYS_socket, {AF_NETLINK, SOCK_RAW, 0}, EPERM},
    {"socketpair", SYS_socketpair, {AF_UNIX, SOCK_STREAM, 0, 0}, EPERM},
    {"connect", SYS_connect, {0, 0, 0}, EPERM},
    {"bind", SYS_bind, {0, 0, 0}, EPERM},
    {"sendto with an address", SYS_sendto, {0, 0, 0, 0, P(&byte), 1}, EPERM},
    {"ptrace attach", SYS_ptrace, {PTRACE_ATTACH, 1, 0, 0}, EPERM},
    {"ptrace seize", SYS_ptrace, {PTRACE_SEIZE, 1, 0, 0}, EPERM},
    {"ptrace traceme", SYS_ptrace, {PTRACE_TRACEME, 0, 0, 0}, EPERM},
    {"process_vm_writev", SYS_process_vm_writev, {1, P(&one_byte), 1, P(&one_byte), 1, 0}, EPERM},
    {"process_madvise", SYS_process_madvise, {0, 0, 0, 0, 0}, EPERM},
    {"kill another", SYS_kill, {1, 0}, EPERM},
    {"kill the group", SYS_kill, {0, 0}, EPERM},
    {"suspend all", SYS_kill, {-1, SIGTSTP}, EPERM},
    {"suspend another", SYS_kill, {1, SIGTSTP}, EPERM},
    {"kill all", SYS_kill, {-1, 0}, EPERM},
    {"tgkill another", SYS_tgkill, {1, 1, 0}, EPERM},
    {"pidfd_send_signal", SYS_pidfd_send_signal, {0, 0, 0, 0}, EPERM},
    {"pidfd_getfd", SYS_pidfd_getfd, {0, 0, 0}, EPERM},
    {"open to write", SYS_open, {P(some_file), O_WRONLY, 0}, EPERM},
    {"open to read and write", SYS_openat, {HERE, P(some_file), O_RDWR, 0}, EPERM},
    {"open with access 3", SYS_openat, {HERE, P(some_file), 3, 0}, EPERM},
    {"open and create", SYS_openat, {HERE, P(some_file), O_RDONLY | O_CREAT, 0600}, EPERM},
    {"open and truncate", SYS_openat, {HERE, P(some_file), O_RDONLY | O_TRUNC, 0}, EPERM},
    {"open nameless", SYS_openat, {HERE, P("/tmp"), O_TMPFILE | O_RDWR, 0600}, EPERM},
    {"creat", SYS_creat, {P(some_file), 0600}, EPERM},
    {"openat2", SYS_openat2, {HERE, P(some_file), 0, 0}, ENOSYS},
    {"open_by_handle_at", SYS_open_by_handle_at, {0, 0, 0}, EPERM},
    {"mkdir", SYS_mkdir, {P("/tmp/sandbox_test.folder"), 0700}, EPERM},
    {"mknod", SYS_mknod, {P("/tmp/sandbox_test.node"), 0, 0}, EPERM},
    {"unlink", SYS_unlink, {P(some_file)}, EPERM},
    {"unlinkat", SYS_unlinkat, {HERE, P(some_file), 0}, EPERM},
    {"rename", SYS_rename, {P(some_file), P("/tmp/sandbox_test.other")}, EPERM},
    {"link", SYS_link, {P(some_file), P("/tmp/sandbox_test.other")}, EPERM},
    {"linkat", SYS_linkat, {HERE, P(some_file), HERE, P("/tmp/sandbox_test.other"), 0}, EPERM},
    {"symlink", SYS_symlink, {P(some_file), P("/tmp/sandbox_test.other")}, EPERM},
    {"truncate", SYS_truncate, {P(some_file), 0}, EPERM},
    {"ftruncate", SYS_ftruncate, {1, 0}, EPERM},
    {"chmod", SYS_chmod, {P(some_file), 0777}, EPERM},
    {"fchmodat", SYS_fchmodat, {HERE, P(some_file), 0777}, EPERM},
    {"chown", SYS_chown, {P(some_file), 1, 1}, EPERM},
    {"utimensat", SYS_utimensat, {HERE, P(some_file), 0, 0}, EPERM},
    {"setxattr", SYS_setxattr, {P(some_file), P("user.a"), P("b"), 1, 0}, EPERM},
    {"chroot", SYS_chroot, {P("/")}, EPERM},
    {"mount", SYS_mount, {0, P("/"), 0, 0, 0}, EPERM},
    {"unshare", SYS_unshare, {0}, EPERM},
    {"setns", SYS_setns, {0, 0}, EPERM},
    {"bpf", SYS_bpf, {0, 0, 0}, EPERM},
    {"perf_event_open", SYS_perf_event_open, {0, 0, 0, 0, 0}, EPERM},
    {"userfaultfd", SYS_userfaultfd, {0}, EPERM},
    {"io_uring_setup", SYS_io_uring_setup, {1, 0}, EPERM},
    {"init_module", SYS_init_module, {0, 0, 0}, EPERM},
    {"keyctl", SYS_keyctl, {0, 0, 0, 0, 0}, EPERM},
    {"reboot", SYS_reboot, {0, 0, 0, 0}, EPERM},
    {"setuid", SYS_setuid, {0}, EPERM},
    {"capset", SYS_capset, {0, 0}, EPERM},
    {"seccomp", SYS_seccomp, {0, 0, 0}, EPERM},
    {"personality", SYS_personality, {0xffffffff}, EPERM},
    {"prctl, dumpable", SYS_prctl, {PR_SET_DUMPABLE, 0, 0, 0, 0}, EPERM},
    {"prlimit64 to set", SYS_prlimit64, {0, 0, P(&byte), 0}, EPERM},
    {"mmap of code", SYS_mmap, {0, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}, EPERM},
    {"mprotect to code", SYS_mprotect, {0, 0, PROT_READ | PROT_EXEC}, EPERM},
    {"memfd_create", SYS_memfd_create, {P("code"), 0}, EPERM},
    {"shmget", SYS_shmget, {0, 4096, 0}, EPERM},
    {"ioctl TIOCSTI", SYS_ioctl, {0, TIOCSTI, P(&byte)}, EPERM},
    {"a real-time priority", SYS_sched_setscheduler, {0, SCHED_FIFO, P(&byte)}, EPERM},
    {"setpriority", SYS_setpriority, {0, 1, 0}, EPERM},
    {"one that does not exist yet", 500, {0}, ENOSYS},
};

#define CALLS ((int)(sizeof(calls) / sizeof(calls[0])))

static const struct refused *wanted;

static int attempt_call(void)
{
    const long *a = wanted->arguments;

    if (syscall(wanted->call, a[0], a[1], a[2], a[3], a[4], a[5]) >= 0)
        return DONE;
    return errno;
}

START_TEST(what_an_attacker_wants_is_refused)
{
    wanted = &calls[_i];
    int fd = open(some_file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
    int outcome = inside(attempt_call);
    unlink(some_file);
    ck_assert_msg(outcome == wanted->error, "%s: %d, not %d", wanted->name, outcome, wanted->error);
}
END_TEST

/* Number 20 of 32-bit programs, getpid(2); a kernel without them has no such door. */
static int call_as_32_bit(void)
{
    long number = 20;

    __asm__ volatile("int $0x80" : "+a"(number) : : "memory");
    return DONE;
}

START_TEST(the_door_of_32_bit_programs_is_closed)
{
    ck_assert_int_lt(inside(call_as_32_bit), 0);
}
END_TEST

/* ---- allowed ------------------------------------------------------------------------------ */

static void *answer(void *argument)
{
    *(int *)argument = 42;
    return NULL;
}

static bool starts_threads(void)
{
    pthread_t thread;
    int number = 0;

    return pthread_create(&thread, NULL, answer, &number) == 0 && pthread_join(thread, NULL) == 0 &&
           number == 42;
}

static bool reads_other_memory(void)
{
    char copy = 0;
    struct iovec local = {&copy, 1};

    byte = 'b';
    return process_vm_readv(getppid(), &local, 1, &one_byte, 1, 0) == 1;
}

static bool reads_files(void)
{
    _cleanup_free_ char *status = pht_procfs_read(AT_FDCWD, "/proc/self/status", NULL);

    return status != NULL && access("/proc", R_OK) == 0;
}

static bool takes_and_gives_memory(void)
{
    void *large = malloc((size_t)32 << 20);
    bool taken = large != NULL && (large = realloc(large, (size_t)64 << 20)) != NULL;

    free(large);
    return taken;
}

static bool gives_way(void)
{
    struct pht_courtesy *courtesy = pht_courtesy_begin();

    pht_courtesy_end(courtesy);
    return courtesy != NULL;
}

static int need_all(void)
{
    if (!starts_threads())
        return 1;
    if (!reads_other_memory())
        return 2;
    if (!reads_files())
        return 3;
    if (!takes_and_gives_memory())
        return 4;
    return gives_way() ? DONE : 5;
}

START_TEST(what_a_report_needs_is_allowed)
{
    ck_assert_int_eq(inside(need_all), DONE);
}
END_TEST

static int fail_an_assertion(void)
{
    abort();
}

START_TEST(an_abort_ends_the_process)
{
    ck_assert_int_eq(inside(fail_an_assertion), -SIGABRT);
}
END_TEST

/* ---- privileges --------------------------------------------------------------------------- */

static uint64_t read_set(const char *status, const char *key)
{
    const char *line = strstr(status, key);
    uint64_t set;

    if (line == NULL || sscanf(line + strlen(key), " %" SCNx64, &set) != 1)
        return UINT64_MAX;
    return set;
}

static int check_privileges(void)
{
    const uint64_t allowed = PHT_CAPABILITY(CAP_SYS_PTRACE) | PHT_CAPABILITY(CAP_DAC_READ_SEARCH) |
                             PHT_CAPABILITY(CAP_SYS_NICE) | PHT_CAPABILITY(40);
    _cleanup_free_ char *status = pht_procfs_read(AT_FDCWD, "/proc/self/status", NULL);

    if (status == NULL || read_set(status, "\nNoNewPrivs:") != 1)
        return 1;
    if ((read_set(status, "\nCapPrm:") & ~allowed) != 0)
        return 2;
    if ((read_set(status, "\nCapEff:") & ~allowed) != 0)
        return 3;
    if (geteuid() == 0 && (read_set(status, "\nCapBnd:") & ~allowed) != 0)
        return 4;
    if (read_set(status, "\nCapInh:") != 0 || read_set(status, "\nCapAmb:") != 0)
        return 5;
    return DONE;
}

START_TEST(capabilities_are_given_up)
{
    if (!pht_capabilities_exist(PHT_CAPABILITY(40)))
        SKIP_TEST("before Linux 5.9 CAP_SYS_ADMIN is kept");
    ck_assert_int_eq(inside(check_privileges), DONE);
}
END_TEST

/* ---- the helper that traces --------------------------------------------------------------- */

static const struct refused tracer_calls[] = {
    {"poke", SYS_ptrace, {PTRACE_POKEDATA, 1, 0, 0}, EPERM},
    {"peek", SYS_ptrace, {PTRACE_PEEKDATA, 1, 0, 0}, EPERM},
    {"registers", SYS_ptrace, {PTRACE_SETREGSET, 1, 0, 0}, EPERM},
    {"attach", SYS_ptrace, {PTRACE_ATTACH, 1, 0, 0}, EPERM},
    {"kill", SYS_ptrace, {PTRACE_KILL, 1, 0, 0}, EPERM},
    {"seize nobody", SYS_ptrace, {PTRACE_SEIZE, INT32_MAX, 0, 0}, ESRCH},
    {"signal", SYS_kill, {1, 0}, EPERM},
    {"write memory", SYS_process_vm_writev, {1, 0, 0, 0, 0, 0}, EPERM},
    {"read memory", SYS_process_vm_readv, {1, 0, 0, 0, 0, 0}, EPERM},
    {"open to write", SYS_openat, {HERE, P("/proc/self/mem"), O_RDWR, 0}, EPERM},
    {"fork", SYS_fork, {0}, EPERM},
    {"thread", SYS_clone, {CLONE_THREAD, 0, 0, 0, 0}, EPERM},
    {"execve", SYS_execve, {P("/bin/true"), 0, 0}, EPERM},
    {"socket", SYS_socket, {AF_INET, SOCK_STREAM, 0}, EPERM},
};

#define TRACER_CALLS ((int)(sizeof(tracer_calls) / sizeof(tracer_calls[0])))

START_TEST(the_tracer_cannot_change_a_target)
{
    struct pht_filter filter;
    int status;

    wanted = &tracer_calls[_i];
    ck_assert(pht_tracer_make_filter(&filter));
    pid_t child = fork();
    if (child == 0)
        _exit(pht_filter_install(&filter) ? attempt_call() : NO_SANDBOX);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    pht_filter_deinit(&filter);
    ck_assert(WIFEXITED(status));
    ck_assert_msg(WEXITSTATUS(status) == wanted->error, "%s: %d", wanted->name,
                  WEXITSTATUS(status));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("target/sandbox");
    TCase *tcase = tcase_create("sandbox");

    tcase_add_loop_test(tcase, what_an_attacker_wants_is_refused, 0, CALLS);
    tcase_add_test(tcase, the_door_of_32_bit_programs_is_closed);
    tcase_add_test(tcase, what_a_report_needs_is_allowed);
    tcase_add_test(tcase, an_abort_ends_the_process);
    tcase_add_test(tcase, capabilities_are_given_up);
    tcase_add_loop_test(tcase, the_tracer_cannot_change_a_target, 0, TRACER_CALLS);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
