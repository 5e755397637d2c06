/*
 * Scope cleanup: a variable declared with one of these is released when it leaves its scope.
 * Ownership is handed on with pht_take_ptr(): `return pht_take_ptr(thing);`.
 */
#ifndef PHT_LIB_BASE_CLEANUP_H
#define PHT_LIB_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "pyheaptop/error.h"

#define _cleanup_(function) __attribute__((cleanup(function)))

static inline void pht_cleanup_free(void *pointer)
{
    free(*(void **)pointer);
}

static inline void pht_cleanup_close(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void pht_cleanup_fclose(FILE **file)
{
    if (*file != NULL)
        fclose(*file);
}

static inline void pht_cleanup_closedir(DIR **dir)
{
    if (*dir != NULL)
        closedir(*dir);
}

static inline void pht_cleanup_error(struct pht_error **error)
{
    pht_error_destroy(*error);
}

#define _cleanup_free_ _cleanup_(pht_cleanup_free)
#define _cleanup_close_ _cleanup_(pht_cleanup_close)
#define _cleanup_fclose_ _cleanup_(pht_cleanup_fclose)
#define _cleanup_closedir_ _cleanup_(pht_cleanup_closedir)
#define _cleanup_error_ _cleanup_(pht_cleanup_error)

/* The pointer's value; the variable itself becomes NULL and is not released. */
#define pht_take_ptr(pointer)                                                                      \
    ({                                                                                             \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    })

#endif
