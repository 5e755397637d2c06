#include "target/python_child.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "target/children.h"
#include "target/discover.h"

/* NULL if it is no Python, or gone. */
static char *python_command(int proc_fd, pid_t pid)
{
    char path[16];

    snprintf(path, sizeof(path), "%d", pid);
    _cleanup_close_ int fd = openat(proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && pht_discover_is_python(fd) ? pht_discover_command(fd) : NULL;
}

pid_t pht_python_child_find(int proc_fd, pid_t pid, char **command)
{
    struct pht_children children;
    struct pht_pids pids = {0};
    pid_t found = 0;

    *command = NULL;
    if (pht_children_init(&children, proc_fd)) {
        pht_children_of(&children, pid, &pids);
        pht_children_deinit(&children);
    }
    for (size_t i = 0; i < pids.count && found == 0; i++) {
        *command = python_command(proc_fd, pids.items[i]);
        if (*command != NULL)
            found = pids.items[i];
    }
    free(pids.items);
    return found;
}
