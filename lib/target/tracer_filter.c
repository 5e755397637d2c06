#include <fcntl.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/ptrace.h>

#include "target/tracer.h"

#define WHOLE_INT UINT32_MAX
#define WRITING (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND)

bool pht_tracer_make_filter(struct pht_filter *ret)
{
    static const struct pht_filter_rule rules[] = {
        {SCMP_SYS(ptrace), {0, UINT64_MAX, PTRACE_SEIZE}, {0}},
        {SCMP_SYS(ptrace), {0, UINT64_MAX, PTRACE_INTERRUPT}, {0}},
        {SCMP_SYS(ptrace), {0, UINT64_MAX, PTRACE_DETACH}, {0}},
        {SCMP_SYS(wait4), {0}, {0}},
        {SCMP_SYS(setitimer), {0}, {0}},
        {SCMP_SYS(clock_gettime), {0}, {0}},
        {SCMP_SYS(poll), {0}, {0}},
        {SCMP_SYS(ppoll), {0}, {0}},
        {SCMP_SYS(recvfrom), {0}, {0}},
        {SCMP_SYS(sendto), {4, UINT64_MAX, 0}, {0}},
        {SCMP_SYS(openat), {2, WRITING, O_RDONLY}, {0}},
        {SCMP_SYS(read), {0}, {0}},
        {SCMP_SYS(lseek), {0}, {0}},
        {SCMP_SYS(getdents64), {0}, {0}},
        {SCMP_SYS(close), {0}, {0}},
        {SCMP_SYS(rt_sigreturn), {0}, {0}},
        {SCMP_SYS(rt_sigprocmask), {0}, {0}},
        {SCMP_SYS(restart_syscall), {0}, {0}},
        {SCMP_SYS(exit), {0}, {0}},
        {SCMP_SYS(exit_group), {0}, {0}},
        /* Of sanitizers, in builds that have them. */
        {SCMP_SYS(mmap), {2, PROT_EXEC, 0}, {0}},
        {SCMP_SYS(munmap), {0}, {0}},
        {SCMP_SYS(write), {0, WHOLE_INT, 2}, {0}},
        {SCMP_SYS(getpid), {0}, {0}},
        {SCMP_SYS(gettid), {0}, {0}},
        {SCMP_SYS(sigaltstack), {0}, {0}},
    };

    return pht_filter_make(rules, sizeof(rules) / sizeof(rules[0]), ret);
}
