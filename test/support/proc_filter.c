#include "support/proc_filter.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define UNLESS_SKIP(value, count) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (count))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))

static bool install(struct sock_filter *filter, unsigned short length)
{
    struct sock_fprog program = {.len = length, .filter = filter};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

bool proc_filter_refuse(int number, int error)
{
    struct sock_filter filter[] = {
        LOAD(nr),
        UNLESS_SKIP((unsigned)number, 1),
        RETURN(SECCOMP_RET_ERRNO | (unsigned)error),
        RETURN(SECCOMP_RET_ALLOW),
    };

    return install(filter, sizeof(filter) / sizeof(filter[0]));
}

bool proc_filter_refuse_ioctl(unsigned request, int error)
{
    struct sock_filter filter[] = {
        LOAD(nr),
        UNLESS_SKIP(SYS_ioctl, 3),
        LOAD(args[1]), /* the low half: both machines are little-endian */
        UNLESS_SKIP(request, 1),
        RETURN(SECCOMP_RET_ERRNO | (unsigned)error),
        RETURN(SECCOMP_RET_ALLOW),
    };

    return install(filter, sizeof(filter) / sizeof(filter[0]));
}
