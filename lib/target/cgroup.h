/* Limits, use and kills of the memory cgroup that a process is in; v1 and v2. */
#ifndef PHT_LIB_TARGET_CGROUP_H
#define PHT_LIB_TARGET_CGROUP_H

#include "pyheaptop/target.h"

/* `proc_fd` is /proc (its self/mountinfo says where the hierarchies are mounted). */
void pht_cgroup_read(int proc_fd, int process_fd, struct pht_cgroup_memory *ret);

#endif
