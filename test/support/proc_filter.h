/* A system call that is refused, as by the seccomp profile of a container. */
#ifndef PHT_TEST_SUPPORT_PROC_FILTER_H
#define PHT_TEST_SUPPORT_PROC_FILTER_H

#include <stdbool.h>

/*
 * From now on `number` fails with `error` in this process, for good: only for a process of the
 * test's own. False where filters cannot be had.
 */
bool proc_filter_refuse(int number, int error);

/* The same for ioctl(2) with this request alone. */
bool proc_filter_refuse_ioctl(unsigned request, int error);

#endif
