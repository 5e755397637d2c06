#include "target/access.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "target/procfs.h"

/* Linux: include/uapi/linux/capability.h */
#define CAPABILITY_SYS_PTRACE 19

static bool has_ptrace_capability(int proc_fd)
{
    _cleanup_free_ char *status = pht_procfs_read(proc_fd, "self/status", NULL);
    uint64_t effective;

    if (status == NULL)
        return false;
    const char *line = strstr(status, "\nCapEff:");
    return line != NULL && sscanf(line, "\nCapEff: %" SCNx64, &effective) == 1 &&
           (effective >> CAPABILITY_SYS_PTRACE & 1) != 0;
}

static int read_yama_scope(int proc_fd)
{
    _cleanup_free_ char *scope = pht_procfs_read(proc_fd, "sys/kernel/yama/ptrace_scope", NULL);

    return scope == NULL ? 0 : atoi(scope);
}

static void read_comm(int proc_fd, pid_t pid, char *comm, size_t size)
{
    char path[32];

    snprintf(path, sizeof(path), "%d/comm", pid);
    _cleanup_free_ char *raw = pht_procfs_read(proc_fd, path, NULL);
    if (raw == NULL)
        return;
    _cleanup_free_ char *text = pht_text_printable(raw, strcspn(raw, "\n"));
    if (text != NULL)
        snprintf(comm, size, "%s", text);
}

bool pht_access_collect(int proc_fd, pid_t pid, uid_t our_uid, struct pht_access_facts *ret)
{
    struct pht_procfs_status status;
    struct stat owner;
    char path[32];

    *ret = (struct pht_access_facts){.pid = pid, .our_uid = our_uid};
    snprintf(path, sizeof(path), "%d", pid);
    _cleanup_close_ int process_fd = openat(proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (process_fd < 0 || !pht_procfs_read_status(process_fd, &status))
        return false;
    ret->can_ptrace = has_ptrace_capability(proc_fd);
    ret->target_uid = status.euid;
    ret->same_ids = status.ruid == our_uid && status.euid == our_uid && status.suid == our_uid;
    /* Folders of mode 0555 always show the owner; files show root for who is not dumpable. */
    ret->dumpable = fstatat(process_fd, "environ", &owner, 0) < 0 || owner.st_uid == status.euid;
    ret->yama_scope = read_yama_scope(proc_fd);
    ret->tracer = status.tracer;
    if (status.tracer > 0)
        read_comm(proc_fd, status.tracer, ret->tracer_comm, sizeof(ret->tracer_comm));
    return true;
}

static void user_name(uid_t uid, char name[static 40])
{
    const struct passwd *entry = getpwuid(uid);

    if (entry != NULL)
        snprintf(name, 40, "%s", entry->pw_name);
    else
        snprintf(name, 40, "%u", uid);
}

static struct pht_error *explain_tracer(const struct pht_access_facts *facts)
{
    struct pht_error *error = pht_error_create(
        PHT_ERROR_EPERM_TRACED, "pid %d cannot be stopped: %s (pid %d) is already tracing it",
        facts->pid, facts->tracer_comm[0] != '\0' ? facts->tracer_comm : "a process",
        facts->tracer);

    return pht_error_try(error, "pyheaptop --stop=none %d    reads without stopping", facts->pid);
}

static struct pht_error *explain_yama(const struct pht_access_facts *facts)
{
    const char *situation = "the kernel forbids tracing non-children";

    if (facts->yama_scope == 2)
        situation = "only administrators may trace here";
    if (facts->yama_scope >= 3)
        situation = "tracing is switched off until reboot";
    struct pht_error *error =
        pht_error_create(PHT_ERROR_EPERM_YAMA, "pid %d cannot be read: %s", facts->pid, situation);
    if (facts->yama_scope >= 3)
        return pht_error_because(error,
                                 "kernel.yama.ptrace_scope is 3, and no process can lower it");
    error = pht_error_because(error, "kernel.yama.ptrace_scope is %d", facts->yama_scope);
    if (facts->yama_scope == 2)
        return pht_error_try(error, "sudo pyheaptop %d", facts->pid);
    return pht_error_try(error,
                         "sudo pyheaptop %d\n"
                         "sudo sysctl kernel.yama.ptrace_scope=0    (until reboot, all processes)",
                         facts->pid);
}

static struct pht_error *explain_capability(const struct pht_access_facts *facts)
{
    struct pht_error *error = pht_error_create(
        PHT_ERROR_EPERM_CAPABILITY, "pid %d cannot be read, although you are root", facts->pid);

    error = pht_error_because(error, "this container lacks CAP_SYS_PTRACE");
    return pht_error_try(error,
                         "docker run --cap-add=SYS_PTRACE ...   or in Kubernetes\n"
                         "     securityContext: {capabilities: {add: [SYS_PTRACE]}}\n"
                         "run pyheaptop on the host: sudo pyheaptop %d (host pid)",
                         facts->pid);
}

static struct pht_error *explain_owner(const struct pht_access_facts *facts)
{
    char theirs[40], ours[40];

    user_name(facts->target_uid, theirs);
    user_name(facts->our_uid, ours);
    struct pht_error *error = pht_error_create(
        PHT_ERROR_EPERM_OWNER, "pid %d cannot be read: it belongs to user '%s', you are '%s'",
        facts->pid, theirs, ours);
    return pht_error_try(error, "sudo pyheaptop %d", facts->pid);
}

static struct pht_error *explain_dumpable(const struct pht_access_facts *facts)
{
    struct pht_error *error =
        pht_error_create(PHT_ERROR_EPERM_NOT_DUMPABLE,
                         "pid %d cannot be read: it is protected against its own user", facts->pid);

    error = pht_error_because(error, "it is not dumpable (set-uid, or prctl PR_SET_DUMPABLE)");
    return pht_error_try(error, "sudo pyheaptop %d", facts->pid);
}

struct pht_error *pht_access_explain(const struct pht_access_facts *facts,
                                     enum pht_access_wish wish)
{
    if (wish == PHT_ACCESS_STOP && facts->tracer > 0)
        return explain_tracer(facts);
    if (facts->yama_scope >= 3 || (facts->yama_scope == 2 && !facts->can_ptrace))
        return explain_yama(facts);
    if (!facts->can_ptrace) {
        if (facts->our_uid == 0)
            return explain_capability(facts);
        if (!facts->same_ids)
            return explain_owner(facts);
        if (!facts->dumpable)
            return explain_dumpable(facts);
        if (facts->yama_scope == 1)
            return explain_yama(facts);
    }
    return pht_error_because(
        pht_error_create(PHT_ERROR_EPERM_UNKNOWN, "pid %d cannot be %s: the kernel refuses it",
                         facts->pid, wish == PHT_ACCESS_STOP ? "stopped" : "read"),
        "neither its owner, Yama, a capability nor a tracer explains it: a security\n"
        "module, a seccomp filter or another user namespace is left");
}
