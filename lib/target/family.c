#include "target/family.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "target/procfs.h"

/* By name only: good enough for a hint, and it needs no right to read the child. */
static bool looks_like_python(int process_fd)
{
    char path[4096];
    ssize_t length = readlinkat(process_fd, "exe", path, sizeof(path) - 1);

    if (length > 0) {
        path[length] = '\0';
        const char *slash = strrchr(path, '/');
        if (slash != NULL && strncmp(slash + 1, "python", 6) == 0)
            return true;
    }
    _cleanup_free_ char *maps = pht_procfs_read(process_fd, "maps", NULL);
    return maps != NULL && strstr(maps, "/libpython") != NULL;
}

static char *command_line(int process_fd)
{
    size_t size = 0;
    _cleanup_free_ char *raw = pht_procfs_read(process_fd, "cmdline", &size);

    if (raw == NULL)
        return NULL;
    while (size > 0 && raw[size - 1] == '\0')
        size--;
    for (size_t i = 0; i < size; i++) {
        if (raw[i] == '\0')
            raw[i] = ' ';
    }
    return pht_text_printable(raw, size < 60 ? size : 60);
}

/* task/TID/children lists the children that this thread made: "4712 4713 ". */
static pid_t python_child_of_thread(int proc_fd, int task_fd, const char *tid, char **command)
{
    _cleanup_free_ char *path = pht_text_format("%s/children", tid);
    _cleanup_free_ char *children = path != NULL ? pht_procfs_read(task_fd, path, NULL) : NULL;
    char *rest = children, *child;

    while (rest != NULL && (child = strsep(&rest, " ")) != NULL) {
        if (child[0] == '\0')
            continue;
        _cleanup_close_ int fd = openat(proc_fd, child, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || !looks_like_python(fd))
            continue;
        *command = command_line(fd);
        if (*command != NULL)
            return (pid_t)atoi(child);
    }
    return 0;
}

pid_t pht_family_python_child(int proc_fd, int process_fd, char **command)
{
    int task_fd = openat(process_fd, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *task = task_fd >= 0 ? fdopendir(task_fd) : NULL;
    const struct dirent *entry;

    if (task == NULL) {
        if (task_fd >= 0)
            close(task_fd);
        return 0;
    }
    while ((entry = readdir(task)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        pid_t child = python_child_of_thread(proc_fd, dirfd(task), entry->d_name, command);
        if (child > 0)
            return child;
    }
    return 0;
}
