/*
 * A folder of made-up files, usually laid out like /proc, that is removed again. A failed test
 * leaves its tree behind.
 */
#ifndef PHT_TEST_SUPPORT_PROC_TREE_H
#define PHT_TEST_SUPPORT_PROC_TREE_H

#include <stddef.h>
#include <sys/types.h>

struct proc_tree {
    char path[64];
    int fd;
};

void proc_tree_init(struct proc_tree *tree);
void proc_tree_deinit(struct proc_tree *tree);

/* Folders on the way are made. An existing file is replaced. */
void proc_tree_write(const struct proc_tree *tree, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void proc_tree_write_bytes(const struct proc_tree *tree, const char *name, const void *bytes,
                           size_t size);
void proc_tree_link(const struct proc_tree *tree, const char *name, const char *leads_to);
void proc_tree_folder(const struct proc_tree *tree, const char *name);

/* A descriptor of a folder in the tree; the caller closes it. */
int proc_tree_open(const struct proc_tree *tree, const char *name);

/* Files of a process as a kernel of today writes them, in the folder `pid`. */
struct proc_tree_process {
    pid_t pid;
    const char *comm;
    uid_t ruid, euid, suid;
    pid_t tracer;
};

void proc_tree_process(const struct proc_tree *tree, const struct proc_tree_process *process);

#endif
