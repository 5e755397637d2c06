/*
 * A list of the system calls that a process may make, for seccomp(2). The program for the kernel is
 * made in advance, so that it can be installed where nothing may be allocated: after a fork.
 */
#ifndef PHT_LIB_TARGET_FILTER_H
#define PHT_LIB_TARGET_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `argument` (from 0 on) has `value` in the bits of `mask`; anything if that is 0. */
struct pht_filter_condition {
    unsigned argument;
    uint64_t mask;
    uint64_t value;
};

/* Allowed if both hold. */
struct pht_filter_rule {
    int call; /* SCMP_SYS(); those that this machine does not have are left out */
    struct pht_filter_condition first;
    struct pht_filter_condition second;
};

struct pht_filter {
    struct sock_filter *code;
    unsigned short length;
};

/*
 * Any other call is EPERM: what a process without permission sees, which libraries can handle.
 * Those for which a C library has an older one to fall back to, and those that are newer than this
 * program, are ENOSYS. Calls of another architecture (int 0x80) end the process. False with errno
 * set.
 */
bool pht_filter_make(const struct pht_filter_rule *rules, size_t count, struct pht_filter *ret);
void pht_filter_deinit(struct pht_filter *filter);

/*
 * From now on, for all threads of this process; it and its children gain no privileges by exec any
 * more. A process may do this several times: what one filter refuses is refused. False with errno
 * set: the kernel has no filters (EINVAL, ENOSYS), or another filter forbids it (EPERM).
 */
bool pht_filter_install(const struct pht_filter *filter);

#endif
