#include "target/filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/*
 * The kernel's list goes on here where libseccomp 2.5 ends (Linux 6.0); more than half of the room
 * is free in Linux 6.18.
 */
#define NEWER_FIRST 451
#define NEWER_LAST 511

static unsigned add_condition(const struct pht_filter_condition *condition,
                              struct scmp_arg_cmp *ret)
{
    if (condition->mask == 0)
        return 0;
    *ret = SCMP_CMP64(condition->argument, SCMP_CMP_MASKED_EQ, condition->mask, condition->value);
    return 1;
}

static int add_rule(scmp_filter_ctx context, const struct pht_filter_rule *rule)
{
    struct scmp_arg_cmp conditions[2];

    if (rule->call < 0)
        return 0;
    unsigned count = add_condition(&rule->first, conditions);
    count += add_condition(&rule->second, &conditions[count]);
    return seccomp_rule_add_array(context, SCMP_ACT_ALLOW, rule->call, count, conditions);
}

/* Their flags are in memory, which a filter does not see; there is an older call for each. */
static int add_absent_calls(scmp_filter_ctx context)
{
    const int hidden[] = {SCMP_SYS(clone3), SCMP_SYS(openat2)};
    int status = 0;

    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]) && status == 0; i++)
        status = seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS), hidden[i], 0);
    for (int call = NEWER_FIRST; call <= NEWER_LAST && status == 0; call++)
        status = seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS), call, 0);
    return status;
}

static int add_all(scmp_filter_ctx context, const struct pht_filter_rule *rules, size_t count)
{
    /* A tree of comparisons, not a chain: reads of memory come by the thousand. */
    int status = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);

    for (size_t i = 0; i < count && status == 0; i++)
        status = add_rule(context, &rules[i]);
    return status == 0 ? add_absent_calls(context) : status;
}

static bool load(int fd, struct pht_filter *ret)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return false;
    size_t bytes = (size_t)status.st_size;
    size_t length = bytes / sizeof(*ret->code);
    if (length == 0 || length > BPF_MAXINSNS) {
        errno = E2BIG;
        return false;
    }
    *ret = (struct pht_filter){.code = malloc(bytes), .length = (unsigned short)length};
    return ret->code != NULL && pread(fd, ret->code, bytes, 0) == (ssize_t)bytes;
}

/* libseccomp writes its program into a file only. */
static bool export(scmp_filter_ctx context, struct pht_filter *ret)
{
    _cleanup_close_ int fd = memfd_create("filter", MFD_CLOEXEC);

    if (fd < 0)
        return false;
    int status = seccomp_export_bpf(context, fd);
    if (status < 0) {
        errno = -status;
        return false;
    }
    if (load(fd, ret))
        return true;
    pht_filter_deinit(ret);
    return false;
}

bool pht_filter_make(const struct pht_filter_rule *rules, size_t count, struct pht_filter *ret)
{
    *ret = (struct pht_filter){0};
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (context == NULL) {
        errno = ENOMEM;
        return false;
    }
    int status = add_all(context, rules, count);
    bool is_made = status == 0 && export(context, ret);
    int cause = status < 0 ? -status : errno;
    seccomp_release(context);
    errno = cause;
    return is_made;
}

void pht_filter_deinit(struct pht_filter *filter)
{
    free(filter->code);
    *filter = (struct pht_filter){0};
}

bool pht_filter_install(const struct pht_filter *filter)
{
    const struct sock_fprog program = {.len = filter->length, .filter = filter->code};

    return filter->code != NULL && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}
