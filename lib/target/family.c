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
#include "target/discover.h"
#include "target/procfs.h"

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
        if (fd < 0 || !pht_discover_is_python(fd))
            continue;
        *command = pht_discover_command(fd);
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
