/* Relatives of a process. */
#ifndef PHT_LIB_TARGET_FAMILY_H
#define PHT_LIB_TARGET_FAMILY_H

#include "pyheaptop/target.h"

/* As pht_target_python_child(). `proc_fd` is /proc, `process_fd` the parent's directory there. */
pid_t pht_family_python_child(int proc_fd, int process_fd, char **command);

#endif
