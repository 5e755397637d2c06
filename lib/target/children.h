/* Which processes are whose children: as the kernel lists them, else by the parent each names. */
#ifndef PHT_LIB_TARGET_CHILDREN_H
#define PHT_LIB_TARGET_CHILDREN_H

#include "pyheaptop/target.h"

struct pht_pids {
    pid_t *items;
    size_t count;
    size_t capacity;
};

struct pht_children {
    int proc_fd;
    bool listed; /* there is task/TID/children (CONFIG_PROC_CHILDREN) */
    struct pht_child {
        uint64_t ppid;
        pid_t pid;
    } * items; /* by parent; everybody, unless they are listed */
    size_t count;
};

/* *Keeps* `proc_fd`, which is /proc. False when memory is short. */
bool pht_children_init(struct pht_children *children, int proc_fd);
void pht_children_deinit(struct pht_children *children);

/* Append the children of `pid`, none if it has ended. False when memory is short. */
bool pht_children_of(const struct pht_children *children, pid_t pid, struct pht_pids *ret);

#endif
