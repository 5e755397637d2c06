/*
 * Opening files as a process sees them: through its root directory, and through its mappings
 * where the name leads nowhere any more.
 */
#ifndef PHT_LIB_TARGET_MAPPED_FILE_H
#define PHT_LIB_TARGET_MAPPED_FILE_H

#include "pyheaptop/target.h"

/* As pht_target_open_path() and pht_target_open_mapped(); `process_fd` is /proc/PID. */
int pht_mapped_file_open_path(int process_fd, const char *path);
int pht_mapped_file_open(int process_fd, const struct pht_mapping *mapping);

#endif
