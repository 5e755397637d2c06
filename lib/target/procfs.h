/*
 * Text of /proc, read and parsed. A handle holds the directory of one process, so that a reused
 * pid cannot be mixed in half way: reads after the process is gone fail. Where /proc itself is
 * mounted is an argument, so that tests can lay out a tree of their own.
 */
#ifndef PHT_LIB_TARGET_PROCFS_H
#define PHT_LIB_TARGET_PROCFS_H

#include <stdbool.h>
#include <stddef.h>

#include "pyheaptop/target.h"

/* A whole file in memory, NUL-terminated after `size` bytes; caller frees. NULL and errno. */
char *pht_procfs_read(int directory_fd, const char *name, size_t *size);

/* The same of a file for which the kernel walks the memory of the process, a part at a time. */
char *pht_procfs_read_walked(int directory_fd, const char *name);

/* The same of its first `limit` bytes only. */
char *pht_procfs_read_start(int directory_fd, const char *name, size_t limit, size_t *size);

/* What is needed of stat(5) and status(5) to know a process. */
struct pht_procfs_status {
    pid_t ppid; /* 0: none that we can see */
    uint64_t start_time_ticks;
    uint64_t minor_faults;
    uint64_t major_faults;
    /* Where exec placed the code and the stack: others, another program. 0, or 1, if hidden. */
    uint64_t code_start;
    uint64_t stack_start;
    char state;
    uid_t ruid, euid, suid;
    pid_t tracer;
    uint32_t threads;
    uint32_t processors; /* of its first thread's affinity; 0 if it is not told */
    uint64_t peak_rss_bytes;
    bool kernel_thread;
};

/* False with errno set: ENOENT or ESRCH when the process is gone, EINVAL for a damaged file. */
bool pht_procfs_read_status(int process_fd, struct pht_procfs_status *ret);

/* Only what comes from stat(5); the rest is 0. */
bool pht_procfs_read_stat(int process_fd, struct pht_procfs_status *ret);

/* environ(5), at most a MiB of it in whole variables. NULL and errno where it cannot be read. */
char *pht_procfs_read_environment(int process_fd, size_t *size);

/* One line of a status-like file: "VmHWM:     12345 kB" -> 12641280. UINT64_MAX if absent. */
uint64_t pht_procfs_kib_field(const char *text, const char *key);

#endif
