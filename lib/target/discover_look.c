/* What a list of processes tells of each. Whatever cannot be read is not known. */
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "target/discover.h"
#include "target/procfs.h"

/* ---- status, stat, smaps_rollup ----------------------------------------------------------- */

static char *user_of(int process_fd)
{
    struct stat status;
    char number[16];

    if (fstat(process_fd, &status) != 0)
        return NULL;
    const struct passwd *entry = getpwuid(status.st_uid);
    snprintf(number, sizeof(number), "%u", status.st_uid);
    return strdup(entry != NULL ? entry->pw_name : number);
}

/* The fields behind the name, which may hold anything: "(a) b) R 1 ...". */
static bool read_stat(int process_fd, pid_t *ppid, uint64_t *start_ticks)
{
    _cleanup_free_ char *stat = pht_procfs_read(process_fd, "stat", NULL);
    const char *behind = stat != NULL ? strrchr(stat, ')') : NULL;

    return behind != NULL &&
           sscanf(behind + 1,
                  " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
                  "%" SCNu64,
                  ppid, start_ticks) == 2;
}

static uint64_t machine_uptime_seconds(int proc_fd)
{
    _cleanup_free_ char *text = pht_procfs_read(proc_fd, "uptime", NULL);

    return text != NULL ? (uint64_t)strtod(text, NULL) : 0;
}

static uint64_t read_pss(int process_fd)
{
    _cleanup_free_ char *text = pht_procfs_read(process_fd, "smaps_rollup", NULL);
    const char *line = text != NULL ? strstr(text, "\nPss:") : NULL;
    uint64_t kib;

    return line != NULL && sscanf(line, "\nPss: %" SCNu64 " kB", &kib) == 1 ? kib * 1024
                                                                            : UINT64_MAX;
}

/* ---- version ------------------------------------------------------------------------------ */

/* "python3.11", "libpython3.13t.so.1.0": what follows, digits with a dot between them. */
static void take_version(const char *name, char version[static 8])
{
    const char *python = strstr(name, "python");
    unsigned major, minor;

    if (python != NULL && sscanf(python, "python%1u.%2u", &major, &minor) == 2)
        snprintf(version, 8, "%u.%u", major, minor);
}

static void find_version(int process_fd, char version[static 8])
{
    char path[4096];
    ssize_t length = readlinkat(process_fd, "exe", path, sizeof(path) - 1);

    version[0] = '\0';
    if (length > 0) {
        path[length] = '\0';
        const char *slash = strrchr(path, '/');
        take_version(slash != NULL ? slash + 1 : path, version);
    }
    if (version[0] != '\0')
        return;
    _cleanup_free_ char *maps = pht_procfs_read(process_fd, "maps", NULL);
    const char *library = maps != NULL ? strstr(maps, "/libpython") : NULL;
    if (library != NULL)
        take_version(library, version);
}

/* ---- the whole ---------------------------------------------------------------------------- */

static void look(int proc_fd, uint64_t machine_seconds, struct pht_candidate *candidate)
{
    char name[16];
    uint64_t start_ticks;

    candidate->pss_bytes = candidate->uptime_seconds = UINT64_MAX;
    snprintf(name, sizeof(name), "%d", candidate->pid);
    _cleanup_close_ int process_fd = openat(proc_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (process_fd < 0)
        return;
    free(candidate->user);
    candidate->user = user_of(process_fd);
    candidate->pss_bytes = read_pss(process_fd);
    find_version(process_fd, candidate->version);
    if (!read_stat(process_fd, &candidate->ppid, &start_ticks))
        return;
    uint64_t started = start_ticks / (uint64_t)sysconf(_SC_CLK_TCK);
    candidate->uptime_seconds = machine_seconds > started ? machine_seconds - started : 0;
}

void pht_discover_look(int proc_fd, struct pht_candidates *candidates)
{
    uint64_t machine_seconds = machine_uptime_seconds(proc_fd);

    for (size_t i = 0; i < candidates->count; i++)
        look(proc_fd, machine_seconds, &candidates->items[i]);
}

void pht_candidates_look(struct pht_candidates *candidates)
{
    _cleanup_close_ int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (proc_fd >= 0)
        pht_discover_look(proc_fd, candidates);
}
