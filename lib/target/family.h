/* Processes that came from the same exec as a target, by fork alone. */
#ifndef PHT_LIB_TARGET_FAMILY_H
#define PHT_LIB_TARGET_FAMILY_H

#include "pyheaptop/target.h"

/* As pht_target_read_family(). `proc_fd` is /proc, `steward` may be NULL. */
struct pht_error *pht_family_find(int proc_fd, pid_t pid, struct pht_steward *steward,
                                  struct pht_family *ret);

/* As pht_family_read_pages(), of page maps that the kernel has. */
bool pht_family_read_pagemap(const struct pht_family *family, size_t member, pht_addr addr,
                             size_t count, struct pht_family_page *ret);

#endif
