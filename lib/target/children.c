#include "target/children.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sorted.h"
#include "base/text.h"
#include "base/vec.h"
#include "target/procfs.h"

/* NULL and errno. */
static DIR *open_folder(int directory_fd, const char *path)
{
    int fd = openat(directory_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;

    if (folder == NULL && fd >= 0)
        close(fd);
    return folder;
}

/* 0 if it is none. */
static pid_t parse_pid(const char *text)
{
    char *end;
    long pid = strtol(text, &end, 10);

    return end != text && *end == '\0' && pid > 0 && pid <= INT_MAX ? (pid_t)pid : 0;
}

/* Everybody, with one look at each: that costs less than to look again for each parent. */
static bool list_all(struct pht_children *children)
{
    PHT_VEC(struct pht_child) found = {0};
    _cleanup_closedir_ DIR *proc = open_folder(children->proc_fd, ".");
    const struct dirent *entry;

    while (proc != NULL && (entry = readdir(proc)) != NULL) {
        struct pht_procfs_status status;
        pid_t pid = parse_pid(entry->d_name);
        if (pid <= 0)
            continue;
        _cleanup_close_ int fd =
            openat(children->proc_fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || !pht_procfs_read_stat(fd, &status) || status.ppid <= 0)
            continue;
        if (!pht_vec_push(&found,
                          ((struct pht_child){.ppid = (uint64_t)status.ppid, .pid = pid}))) {
            free(found.items);
            return false;
        }
    }
    pht_sort(found.items, found.count, sizeof(*found.items));
    children->items = found.items;
    children->count = found.count;
    return true;
}

bool pht_children_init(struct pht_children *children, int proc_fd)
{
    *children = (struct pht_children){
        .proc_fd = proc_fd,
        .listed = faccessat(proc_fd, "thread-self/children", F_OK, 0) == 0,
    };
    return children->listed || list_all(children);
}

void pht_children_deinit(struct pht_children *children)
{
    free(children->items);
    *children = (struct pht_children){.proc_fd = -1};
}

/* task/TID/children has the children that this thread made: "4712 4713 ". */
static bool add_listed(int task_fd, const char *tid, struct pht_pids *ret)
{
    _cleanup_free_ char *path = pht_text_format("%s/children", tid);
    if (path == NULL)
        return false;
    _cleanup_free_ char *text = pht_procfs_read(task_fd, path, NULL);
    if (text == NULL)
        return errno != ENOMEM;
    char *rest = text, *word;
    while ((word = strsep(&rest, " ")) != NULL) {
        pid_t pid = parse_pid(word);
        if (pid > 0 && !pht_vec_push(ret, pid))
            return false;
    }
    return true;
}

static bool add_of_threads(int proc_fd, pid_t pid, struct pht_pids *ret)
{
    char path[32];
    const struct dirent *entry;

    snprintf(path, sizeof(path), "%d/task", pid);
    _cleanup_closedir_ DIR *task = open_folder(proc_fd, path);
    while (task != NULL && (entry = readdir(task)) != NULL) {
        if (entry->d_name[0] != '.' && !add_listed(dirfd(task), entry->d_name, ret))
            return false;
    }
    return true;
}

bool pht_children_of(const struct pht_children *children, pid_t pid, struct pht_pids *ret)
{
    if (children->listed)
        return add_of_threads(children->proc_fd, pid, ret);
    size_t i =
        pht_sorted_find(children->items, children->count, sizeof(*children->items), (uint64_t)pid);
    for (; i < children->count && children->items[i].ppid == (uint64_t)pid; i++) {
        if (!pht_vec_push(ret, children->items[i].pid))
            return false;
    }
    return true;
}
