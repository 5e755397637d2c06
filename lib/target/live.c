/* A live process as a target. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "target/access.h"
#include "target/cgroup.h"
#include "target/family.h"
#include "target/mapped_file.h"
#include "target/maps.h"
#include "target/memory.h"
#include "target/ops.h"
#include "target/pages.h"
#include "target/procfs.h"
#include "target/python_child.h"
#include "target/smaps.h"
#include "target/stopping.h"

struct live {
    pid_t pid;
    int proc_fd;    /* /proc */
    int process_fd; /* /proc/PID */
    int pidfd;      /* -1 before Linux 5.3 */
    struct pht_procfs_status first;
    struct pht_memory memory;
    struct pht_pages pages;
    struct pht_stopping stopping;
    struct pht_steward *steward; /* NULL: this process may do it all */
};

static void live_destroy(void *self)
{
    struct live *live = self;

    if (live == NULL)
        return;
    pht_stopping_deinit(&live->stopping);
    pht_pages_deinit(&live->pages);
    pht_memory_deinit(&live->memory);
    if (live->pidfd >= 0)
        close(live->pidfd);
    if (live->process_fd >= 0)
        close(live->process_fd);
    if (live->proc_fd >= 0)
        close(live->proc_fd);
    free(live);
}

static void cleanup_live(struct live **live)
{
    live_destroy(*live);
}

static struct pht_error *no_such_process(pid_t pid)
{
    struct pht_error *error =
        pht_error_create(PHT_ERROR_NO_SUCH_PROCESS, "pid %d: no such process", pid);

    return pht_error_try(error, "pyheaptop                         "
                                "(lists the Python processes you can read)");
}

static struct pht_error *ended(pid_t pid)
{
    return pht_error_create(PHT_ERROR_EXITED_EARLY,
                            "pid %d ended while it was being read (no snapshot was finished)", pid);
}

static struct pht_error *execed(pid_t pid)
{
    struct pht_error *error =
        pht_error_create(PHT_ERROR_EXEC_DURING_SNAPSHOT,
                         "pid %d replaced its program while it was being read (exec)", pid);

    return pht_error_try(error, "pyheaptop %d    reads the program that runs now", pid);
}

static struct pht_error *refused(struct live *live, enum pht_access_wish wish)
{
    struct pht_access_facts facts;

    if (!pht_access_collect(live->proc_fd, live->pid, geteuid(), &facts))
        return ended(live->pid);
    return pht_access_explain(&facts, wish);
}

/* A process that ends gives its memory back first: for a moment it runs on without. */
static bool has_memory(int process_fd)
{
    _cleanup_free_ char *pages = pht_procfs_read(process_fd, "statm", NULL);

    return pages != NULL && strtoull(pages, NULL, 10) > 0;
}

/* Gone, or another process, or another program since it was opened. */
static struct pht_error *live_check(void *self)
{
    struct live *live = self;
    struct pollfd poller = {.fd = live->pidfd, .events = POLLIN};
    struct pht_procfs_status now;

    if (live->pidfd >= 0 && poll(&poller, 1, 0) > 0)
        return ended(live->pid);
    if (!pht_procfs_read_status(live->process_fd, &now) || now.state == 'Z' || now.state == 'X' ||
        now.start_time_ticks != live->first.start_time_ticks)
        return ended(live->pid);
    if (now.stack_start != live->first.stack_start)
        return has_memory(live->process_fd) ? execed(live->pid) : ended(live->pid);
    return NULL;
}

static struct pht_error *live_read_environment(void *self, char **ret, size_t *bytes)
{
    struct live *live = self;

    *bytes = 0;
    *ret = pht_procfs_read_environment(live->process_fd, bytes);
    return *ret == NULL && errno == ENOMEM ? pht_error_no_memory() : NULL;
}

/* Why a file of the process could not be read, from errno. */
static struct pht_error *unreadable(struct live *live)
{
    if (errno == ENOMEM)
        return pht_error_no_memory();
    if (errno == EACCES || errno == EPERM)
        return refused(live, PHT_ACCESS_READ);
    return ended(live->pid);
}

static struct pht_error *live_read_maps(void *self, struct pht_maps *ret)
{
    struct live *live = self;
    _cleanup_free_ char *text = pht_procfs_read(live->process_fd, "maps", NULL);

    if (text == NULL)
        return unreadable(live);
    if (!pht_maps_parse(text, ret))
        return pht_error_no_memory();
    text = NULL; /* is the mappings' now */
    return NULL;
}

static int live_open_mapped(void *self, const struct pht_mapping *mapping)
{
    struct live *live = self;

    return pht_mapped_file_open(live->process_fd, mapping);
}

static int live_open_path(void *self, const char *path)
{
    struct live *live = self;

    return pht_mapped_file_open_path(live->process_fd, path);
}

static void live_read(void *self, struct pht_read *reads, size_t count)
{
    struct live *live = self;

    pht_memory_read(&live->memory, reads, count);
}

static struct pht_error *explain_page_map(struct live *live)
{
    int cause = errno;
    struct pht_error *error = live_check(live);

    if (error != NULL)
        return error;
    return pht_error_create(PHT_ERROR_INTERNAL, "pid %d: cannot read its page map: %s", live->pid,
                            strerror(cause));
}

static struct pht_error *live_scan_pages(void *self, pht_addr start, pht_addr end,
                                         uint64_t *resident, uint64_t *swapped)
{
    struct live *live = self;

    return pht_pages_scan(&live->pages, start, end, resident, swapped) ? NULL
                                                                       : explain_page_map(live);
}

static struct pht_error *live_scan_exclusive(void *self, pht_addr start, pht_addr end,
                                             const uint64_t *resident, uint64_t *exclusive)
{
    struct live *live = self;

    return pht_pages_scan_exclusive(&live->pages, start, end, resident, exclusive)
               ? NULL
               : explain_page_map(live);
}

static bool live_sees_zero_pages(void *self)
{
    struct live *live = self;

    return pht_pages_see_zeros(&live->pages);
}

static struct pht_error *stop_error(struct live *live, enum pht_stopper_result result)
{
    if (result == PHT_STOPPER_REFUSED)
        return refused(live, PHT_ACCESS_STOP);
    if (result == PHT_STOPPER_EXITED)
        return ended(live->pid);
    if (result == PHT_STOPPER_EXECED)
        return execed(live->pid);
    return NULL;
}

static struct pht_error *live_stop(void *self, uint64_t max_us, enum pht_stop_outcome *ret)
{
    struct live *live = self;
    enum pht_stopper_result why;
    struct pht_error *error = pht_stopping_stop(&live->stopping, max_us, ret, &why);

    if (error != NULL)
        return error;
    return *ret == PHT_STOP_GAVE_UP ? stop_error(live, why) : NULL;
}

static struct pht_error *live_resume(void *self, uint64_t *stopped_us, bool *expired)
{
    struct live *live = self;

    pht_stopping_resume(&live->stopping, stopped_us, expired);
    return NULL;
}

static struct pht_error *live_read_smaps(void *self, struct pht_smaps *ret)
{
    struct live *live = self;
    _cleanup_free_ char *text = pht_procfs_read_walked(live->process_fd, "smaps");

    if (text == NULL)
        return unreadable(live);
    if (!pht_smaps_parse(text, ret))
        return pht_error_no_memory();
    text = NULL;
    return NULL;
}

static struct pht_error *live_read_counters(void *self, struct pht_kernel_memory *ret)
{
    struct live *live = self;
    struct pht_procfs_status status;

    if (!pht_procfs_read_status(live->process_fd, &status))
        return unreadable(live);
    ret->peak_rss_bytes = status.peak_rss_bytes;
    ret->minor_faults = status.minor_faults;
    ret->major_faults = status.major_faults;
    ret->is_stopped = status.state == 'T';
    return NULL;
}

static void live_read_cgroup_memory(void *self, struct pht_cgroup_memory *ret)
{
    struct live *live = self;

    pht_cgroup_read(live->proc_fd, live->process_fd, ret);
}

static struct pht_error *live_read_family(void *self, struct pht_family *ret)
{
    struct live *live = self;

    return pht_family_find(live->proc_fd, live->pid, live->steward, ret);
}

static pid_t live_python_child(void *self, char **command)
{
    struct live *live = self;

    return pht_python_child_find(live->proc_fd, live->pid, command);
}

static const struct pht_target_ops live_ops = {
    .destroy = live_destroy,
    .check = live_check,
    .read_environment = live_read_environment,
    .read_maps = live_read_maps,
    .open_mapped = live_open_mapped,
    .open_path = live_open_path,
    .read = live_read,
    .scan_pages = live_scan_pages,
    .scan_exclusive = live_scan_exclusive,
    .sees_zero_pages = live_sees_zero_pages,
    .stop = live_stop,
    .resume = live_resume,
    .read_smaps = live_read_smaps,
    .read_counters = live_read_counters,
    .read_cgroup_memory = live_read_cgroup_memory,
    .read_family = live_read_family,
    .python_child = live_python_child,
};

/* pidfd_open(2) takes no thread, so a thread's number is found out before it. */
static struct pht_error *check_is_process(int process_fd, pid_t pid)
{
    _cleanup_free_ char *status = pht_procfs_read(process_fd, "status", NULL);
    int process = 0;

    if (status == NULL)
        return no_such_process(pid);
    const char *line = strstr(status, "\nTgid:");
    if (line == NULL || sscanf(line, "\nTgid: %d", &process) != 1 || process == pid)
        return NULL;
    return pht_error_try(pht_error_create(PHT_ERROR_NO_SUCH_PROCESS,
                                          "pid %d is not a process, but a thread of pid %d", pid,
                                          process),
                         "pyheaptop %d", process);
}

static char *read_link(int process_fd, const char *name)
{
    char path[4096];
    ssize_t length = readlinkat(process_fd, name, path, sizeof(path) - 1);

    return strndup(path, length > 0 ? (size_t)length : 0);
}

static uint64_t uptime_seconds(int proc_fd, uint64_t start_time_ticks)
{
    _cleanup_free_ char *text = pht_procfs_read(proc_fd, "uptime", NULL);
    double now = text != NULL ? strtod(text, NULL) : 0;
    double started = (double)start_time_ticks / (double)sysconf(_SC_CLK_TCK);

    return now > started ? (uint64_t)(now - started) : 0;
}

static struct pht_error *describe(struct live *live, struct pht_process *ret)
{
    size_t command_bytes = 0;

    *ret = (struct pht_process){
        .pid = live->pid,
        .start_time_ticks = live->first.start_time_ticks,
        .uptime_seconds = uptime_seconds(live->proc_fd, live->first.start_time_ticks),
        .uid = live->first.euid,
        .threads = live->first.threads,
        .processors = live->first.processors,
        .comm = pht_procfs_read(live->process_fd, "comm", NULL),
        .command = pht_procfs_read(live->process_fd, "cmdline", &command_bytes),
        .exe = read_link(live->process_fd, "exe"),
    };
    ret->command_bytes = command_bytes;
    if (ret->comm == NULL || ret->command == NULL || ret->exe == NULL) {
        pht_process_deinit(ret);
        return errno == ENOMEM ? pht_error_no_memory() : no_such_process(live->pid);
    }
    ret->comm[strcspn(ret->comm, "\n")] = '\0';
    return NULL;
}

static struct pht_error *open_process(struct live *live)
{
    char path[16];

    live->proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (live->proc_fd < 0)
        return pht_error_create(PHT_ERROR_INTERNAL, "cannot open /proc: %s", strerror(errno));
    snprintf(path, sizeof(path), "%d", live->pid);
    live->process_fd = openat(live->proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (live->process_fd < 0)
        return no_such_process(live->pid);
    struct pht_error *error = check_is_process(live->process_fd, live->pid);
    if (error != NULL)
        return error;
    live->pidfd = (int)syscall(SYS_pidfd_open, live->pid, 0);
    if (!pht_procfs_read_status(live->process_fd, &live->first))
        return no_such_process(live->pid);
    if (live->first.state == 'Z' || live->first.state == 'X')
        return pht_error_create(PHT_ERROR_NO_SUCH_PROCESS,
                                "pid %d has ended; its parent has not collected it yet (zombie)",
                                live->pid);
    if (live->first.kernel_thread)
        return pht_error_create(PHT_ERROR_NOT_PYTHON,
                                "pid %d is not a Python process (a thread of the kernel)",
                                live->pid);
    return NULL;
}

struct pht_error *pht_target_open_through(pid_t pid, const struct pht_log *log,
                                          struct pht_steward *steward, struct pht_target **ret)
{
    _cleanup_(cleanup_live) struct live *live = malloc(sizeof(*live));

    if (live == NULL)
        return pht_error_no_memory();
    *live = (struct live){
        .pid = pid,
        .steward = steward,
        .proc_fd = -1,
        .process_fd = -1,
        .pidfd = -1,
        .memory = {.mem_fd = -1},
        .pages = {.pagemap_fd = -1},
    };
    struct pht_error *error = open_process(live);
    if (error != NULL)
        return error;
    live->stopping = (struct pht_stopping){.process_fd = live->process_fd, .steward = steward};
    if (!pht_memory_init(&live->memory, pid, live->process_fd) ||
        !pht_pages_init(&live->pages, live->process_fd, steward))
        return errno == EACCES || errno == EPERM ? refused(live, PHT_ACCESS_READ)
                                                 : no_such_process(pid);
    struct pht_process process;
    error = describe(live, &process);
    if (error != NULL)
        return error;
    error = pht_target_create(&live_ops, live, &process, log, ret);
    if (error != NULL) {
        pht_process_deinit(&process);
        return error;
    }
    live = NULL; /* is the target's now */
    pht_target_set_steward(*ret, steward);
    return NULL;
}

struct pht_error *pht_target_open(pid_t pid, const struct pht_log *log, struct pht_target **ret)
{
    return pht_target_open_through(pid, log, NULL, ret);
}
