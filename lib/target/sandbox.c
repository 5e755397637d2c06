/*
 * What the process that parses may do. It reads files, it reads memory, it has threads; whatever
 * else is needed the steward does (target/steward.c). Linux: seccomp(2), capabilities(7).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "pyheaptop/target.h"
#include "target/capabilities.h"
#include "target/filter.h"

#ifndef CAP_CHECKPOINT_RESTORE
#define CAP_CHECKPOINT_RESTORE 40 /* Linux 5.9 */
#endif

/* O_TMPFILE without the O_DIRECTORY that is part of it. */
#define TMPFILE (O_TMPFILE & ~O_DIRECTORY)
#define WRITING (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | TMPFILE)

#define PAGEMAP_SCAN_IOCTL 0xc0606610U
#define WHOLE_INT UINT32_MAX

#define ALLOW(name)                                                                                \
    {                                                                                              \
        .call = SCMP_SYS(name)                                                                     \
    }
#define ALLOW_BITS(name, argument, mask, value)                                                    \
    {                                                                                              \
        .call = SCMP_SYS(name), .first = { argument, mask, value }                                 \
    }
#define ALLOW_INT(name, argument, value)                                                           \
    {                                                                                              \
        .call = SCMP_SYS(name), .first = { argument, WHOLE_INT, (uint32_t)(value) }                \
    }

static const struct pht_filter_rule reading[] = {
    ALLOW(read),
    ALLOW(readv),
    ALLOW(pread64),
    ALLOW(process_vm_readv),
    ALLOW(lseek),
    ALLOW(close),
    ALLOW(close_range),
    ALLOW(fstat),
    ALLOW(stat),
    ALLOW(lstat),
    ALLOW(newfstatat),
    ALLOW(statx),
    ALLOW(statfs),
    ALLOW(fstatfs),
    ALLOW(access),
    ALLOW(faccessat),
    ALLOW(faccessat2),
    ALLOW(readlink),
    ALLOW(readlinkat),
    ALLOW(getdents64),
    ALLOW(getcwd),
    ALLOW(pidfd_open),
    ALLOW(kcmp),
    ALLOW(fadvise64),
    ALLOW_BITS(open, 1, WRITING, O_RDONLY),
    ALLOW_BITS(openat, 2, WRITING, O_RDONLY),
    ALLOW_INT(ioctl, 1, PAGEMAP_SCAN_IOCTL),
};

/* Standard output and error, the screen, and the helpers' sockets. Never TIOCSTI. */
static const struct pht_filter_rule talking[] = {
    ALLOW(write),
    ALLOW(writev),
    ALLOW_INT(ioctl, 1, TCGETS),
    ALLOW_INT(ioctl, 1, TCSETS),
    ALLOW_INT(ioctl, 1, TCSETSW),
    ALLOW_INT(ioctl, 1, TCSETSF),
    ALLOW_INT(ioctl, 1, TCFLSH),
    ALLOW_INT(ioctl, 1, TIOCGWINSZ),
    ALLOW_INT(ioctl, 1, TIOCGPGRP),
    ALLOW_INT(ioctl, 1, FIONREAD),
    ALLOW(poll),
    ALLOW(ppoll),
    ALLOW(select),
    ALLOW(pselect6),
    ALLOW(pipe2),
    ALLOW(eventfd2),
    ALLOW(signalfd4),
    ALLOW(sendmsg),
    ALLOW(recvmsg),
    ALLOW(recvfrom),
    ALLOW(shutdown),
    ALLOW_BITS(sendto, 4, UINT64_MAX, 0),
    ALLOW(dup),
    ALLOW(dup2),
    ALLOW(dup3),
    ALLOW_INT(fcntl, 1, F_DUPFD),
    ALLOW_INT(fcntl, 1, F_DUPFD_CLOEXEC),
    ALLOW_INT(fcntl, 1, F_GETFD),
    ALLOW_INT(fcntl, 1, F_SETFD),
    ALLOW_INT(fcntl, 1, F_GETFL),
    ALLOW_INT(fcntl, 1, F_SETFL),
};

/* No code is made or loaded. */
static const struct pht_filter_rule memory[] = {
    ALLOW(brk),
    ALLOW_BITS(mmap, 2, PROT_EXEC, 0),
    ALLOW_BITS(mprotect, 2, PROT_EXEC, 0),
    ALLOW(mremap),
    ALLOW(munmap),
    ALLOW(madvise),
};

/* Threads, but no processes. Nobody but us gets a signal, and nothing a real-time priority. */
static const struct pht_filter_rule running[] = {
    ALLOW_BITS(clone, 0, CLONE_THREAD, CLONE_THREAD),
    ALLOW(set_robust_list),
    ALLOW(rseq),
    ALLOW(futex),
    ALLOW(gettid),
    ALLOW(getpid),
    ALLOW(getppid),
    ALLOW(getuid),
    ALLOW(geteuid),
    ALLOW(getgid),
    ALLOW(getegid),
    ALLOW(getpgrp),
    ALLOW(getrandom),
    ALLOW(uname),
    ALLOW(sysinfo),
    ALLOW(getrusage),
    ALLOW(getrlimit),
    ALLOW_BITS(prlimit64, 2, UINT64_MAX, 0),
    ALLOW_INT(prctl, 0, PR_SET_NAME),
    ALLOW_INT(prctl, 0, PR_SET_VMA),
    ALLOW(clock_gettime),
    ALLOW(clock_getres),
    ALLOW(clock_nanosleep),
    ALLOW(nanosleep),
    ALLOW(gettimeofday),
    ALLOW(time),
    ALLOW(rt_sigaction),
    ALLOW(rt_sigprocmask),
    ALLOW(rt_sigreturn),
    ALLOW(rt_sigpending),
    ALLOW(rt_sigtimedwait),
    ALLOW(rt_sigsuspend),
    ALLOW(sigaltstack),
    ALLOW(pause),
    ALLOW(restart_syscall),
    ALLOW(setitimer),
    ALLOW(wait4),
    ALLOW(waitid),
    ALLOW(sched_yield),
    ALLOW(sched_getscheduler),
    ALLOW(sched_getparam),
    ALLOW(sched_getaffinity),
    ALLOW_INT(sched_setscheduler, 1, SCHED_OTHER),
    ALLOW_INT(sched_setscheduler, 1, SCHED_BATCH),
    ALLOW_INT(sched_setscheduler, 1, SCHED_IDLE),
    ALLOW(exit),
    ALLOW(exit_group),
};

static const struct {
    const struct pht_filter_rule *rules;
    size_t count;
} groups[] = {
    {reading, sizeof(reading) / sizeof(reading[0])},
    {talking, sizeof(talking) / sizeof(talking[0])},
    {memory, sizeof(memory) / sizeof(memory[0])},
    {running, sizeof(running) / sizeof(running[0])},
};

#define OF_OURSELVES 4
#define RULES_MAX                                                                                  \
    ((sizeof(reading) + sizeof(talking) + sizeof(memory) + sizeof(running)) /                      \
         sizeof(struct pht_filter_rule) +                                                          \
     OF_OURSELVES)

static bool make_filter(struct pht_filter *ret)
{
    /* An abort, raise(3), and a screen that suspends the job that it is. */
    const struct pht_filter_rule ourselves[OF_OURSELVES] = {
        ALLOW_INT(kill, 0, getpid()),
        {SCMP_SYS(kill), {0, WHOLE_INT, 0}, {1, WHOLE_INT, SIGTSTP}},
        ALLOW_INT(tgkill, 0, getpid()),
        ALLOW_INT(tkill, 0, getpid()),
    };
    struct pht_filter_rule all[RULES_MAX];
    size_t count = 0;

    for (size_t group = 0; group < sizeof(groups) / sizeof(groups[0]); group++) {
        for (size_t i = 0; i < groups[group].count; i++)
            all[count++] = groups[group].rules[i];
    }
    for (size_t i = 0; i < OF_OURSELVES; i++)
        all[count++] = ourselves[i];
    return pht_filter_make(all, count, ret);
}

/*
 * Memory and files of any process, the way back from SCHED_IDLE, and deleted files that are mapped
 * (map_files), which before Linux 5.9 is CAP_SYS_ADMIN's. Page frames are CAP_SYS_ADMIN's as well,
 * and the steward opens what shows them.
 */
static uint64_t needed_capabilities(void)
{
    const uint64_t files = PHT_CAPABILITY(CAP_CHECKPOINT_RESTORE);

    return PHT_CAPABILITY(CAP_SYS_PTRACE) | PHT_CAPABILITY(CAP_DAC_READ_SEARCH) |
           PHT_CAPABILITY(CAP_SYS_NICE) |
           (pht_capabilities_exist(files) ? files : PHT_CAPABILITY(CAP_SYS_ADMIN));
}

bool pht_sandbox_enter(void)
{
    struct pht_filter filter;

    if (!pht_capabilities_keep(needed_capabilities()) || !make_filter(&filter))
        return false;
    bool is_inside = pht_filter_install(&filter);
    int cause = errno;
    pht_filter_deinit(&filter);
    errno = cause;
    return is_inside;
}
