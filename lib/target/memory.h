/*
 * Reading a process's memory: process_vm_readv(2) where it does no harm, /proc/PID/mem for pages
 * that other processes map too, and where a filter refuses the first.
 */
#ifndef PHT_LIB_TARGET_MEMORY_H
#define PHT_LIB_TARGET_MEMORY_H

#include <stdatomic.h>

#include "pyheaptop/target.h"

/* Ranges a call; the kernel's limit (UIO_MAXIOV). */
#define PHT_MEMORY_BATCH 1024

struct pht_memory {
    pid_t pid;
    int mem_fd;              /* /proc/PID/mem; that it opens proves that we may read */
    atomic_bool no_vm_readv; /* several threads read */
};

/* False with errno set where the process may not be read (EACCES, EPERM) or is gone. */
bool pht_memory_init(struct pht_memory *memory, pid_t pid, int process_fd);
void pht_memory_deinit(struct pht_memory *memory);

void pht_memory_read(struct pht_memory *memory, struct pht_read *reads, size_t count);

#endif
