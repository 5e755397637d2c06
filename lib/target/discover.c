#include "target/discover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "base/vec.h"
#include "target/procfs.h"

/* Names are looked for among so many arguments: "python -m celery -A shop worker". */
#define NAMED_ARGUMENTS 4

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

bool pht_discover_is_python(int process_fd)
{
    char path[4096];
    ssize_t length = readlinkat(process_fd, "exe", path, sizeof(path) - 1);

    if (length <= 0)
        return false;
    path[length] = '\0';
    if (strncmp(base_name(path), "python", 6) == 0)
        return true;
    _cleanup_free_ char *maps = pht_procfs_read(process_fd, "maps", NULL);
    return maps != NULL && strstr(maps, "/libpython") != NULL;
}

char *pht_discover_command(int process_fd)
{
    size_t size = 0;
    _cleanup_free_ char *raw = pht_procfs_read(process_fd, "cmdline", &size);

    return raw != NULL ? pht_text_arguments(raw, size) : NULL;
}

/* statm: size resident shared ..., in pages. */
static uint64_t resident_bytes(int process_fd)
{
    _cleanup_free_ char *statm = pht_procfs_read(process_fd, "statm", NULL);
    uint64_t pages;

    if (statm == NULL || sscanf(statm, "%*s %" SCNu64, &pages) != 1)
        return 0;
    return pages * PHT_PAGE_BYTES;
}

static char *collect_names(int process_fd)
{
    size_t command_size = 0, comm_size = 0;
    _cleanup_free_ char *comm = pht_procfs_read(process_fd, "comm", &comm_size);
    _cleanup_free_ char *command = pht_procfs_read(process_fd, "cmdline", &command_size);
    _cleanup_free_ char *names = malloc(comm_size + command_size + 3);

    if (comm == NULL || command == NULL || names == NULL)
        return NULL;
    comm[strcspn(comm, "\n")] = '\0';
    char *out = stpcpy(names, comm) + 1;
    const char *end = command + command_size;
    int taken = 0;
    for (const char *at = command; at < end && taken < NAMED_ARGUMENTS; at += strlen(at) + 1) {
        const char *name = base_name(at);
        if (at[0] != '-' && name[0] != '\0')
            out = stpcpy(out, name) + 1;
        taken++;
    }
    *out = '\0';
    return pht_take_ptr(names);
}

static bool describe(int process_fd, pid_t pid, struct pht_candidate *ret)
{
    *ret = (struct pht_candidate){
        .pid = pid,
        .rss_bytes = resident_bytes(process_fd),
        .command = pht_discover_command(process_fd),
        .names = collect_names(process_fd),
    };
    if (ret->command != NULL && ret->names != NULL)
        return true;
    free(ret->command);
    free(ret->names);
    return false;
}

static int by_size(const void *a, const void *b)
{
    const struct pht_candidate *left = a, *right = b;

    if (left->rss_bytes != right->rss_bytes)
        return left->rss_bytes < right->rss_bytes ? 1 : -1;
    return left->pid < right->pid ? -1 : 1;
}

void pht_candidates_deinit(struct pht_candidates *candidates)
{
    for (size_t i = 0; i < candidates->count; i++) {
        free(candidates->items[i].command);
        free(candidates->items[i].names);
        free(candidates->items[i].user);
    }
    free(candidates->items);
    *candidates = (struct pht_candidates){0};
}

/* Of processes that are not ours the kernel tells the name alone. */
static bool is_hidden_python(int process_fd)
{
    char path[8];

    if (readlinkat(process_fd, "exe", path, sizeof(path)) >= 0 || errno != EACCES)
        return false;
    _cleanup_free_ char *comm = pht_procfs_read(process_fd, "comm", NULL);
    return comm != NULL && strncmp(comm, "python", 6) == 0;
}

struct pht_error *pht_discover(int proc_fd, pid_t except, struct pht_candidates *ret)
{
    PHT_VEC(struct pht_candidate) found = {0};
    int fd = openat(proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *proc = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;
    size_t hidden = 0;

    if (proc == NULL) {
        if (fd >= 0)
            close(fd);
        return pht_error_create(PHT_ERROR_INTERNAL, "cannot list processes: %s", strerror(errno));
    }
    while ((entry = readdir(proc)) != NULL) {
        struct pht_candidate candidate;
        pid_t pid = (pid_t)atoi(entry->d_name);
        if (pid <= 0 || pid == except)
            continue;
        _cleanup_close_ int process_fd =
            openat(proc_fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (process_fd >= 0)
            hidden += is_hidden_python(process_fd);
        if (process_fd < 0 || !pht_discover_is_python(process_fd) ||
            !describe(process_fd, pid, &candidate))
            continue;
        if (!pht_vec_push(&found, candidate)) {
            free(candidate.command);
            free(candidate.names);
            break;
        }
    }
    if (found.count > 0)
        qsort(found.items, found.count, sizeof(found.items[0]), by_size);
    *ret = (struct pht_candidates){.items = found.items, .count = found.count, .hidden = hidden};
    return NULL;
}

struct pht_error *pht_candidates_find(struct pht_candidates *ret)
{
    _cleanup_close_ int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (proc_fd < 0)
        return pht_error_create(PHT_ERROR_INTERNAL, "cannot open /proc: %s", strerror(errno));
    return pht_discover(proc_fd, getpid(), ret);
}

bool pht_candidate_is_called(const struct pht_candidate *candidate, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = candidate->names; *at != '\0'; at += strlen(at) + 1) {
        if (strncmp(at, name, length) == 0 &&
            (at[length] == '\0' || strcmp(at + length, ".py") == 0))
            return true;
    }
    return false;
}
