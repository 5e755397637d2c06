/* The process to look at where a wrapper of Python was asked about: a shell, sudo, a supervisor. */
#ifndef PHT_LIB_TARGET_PYTHON_CHILD_H
#define PHT_LIB_TARGET_PYTHON_CHILD_H

#include "pyheaptop/target.h"

/* As pht_target_python_child(). `proc_fd` is /proc. */
pid_t pht_python_child_find(int proc_fd, pid_t pid, char **command);

#endif
