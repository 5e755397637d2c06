/*
 * What a kind of target must be able to do. live.c has the one for a process; tests have theirs.
 * Contracts are those of the functions of the same name in pyheaptop/target.h.
 */
#ifndef PHT_LIB_TARGET_OPS_H
#define PHT_LIB_TARGET_OPS_H

#include "pyheaptop/target.h"

struct pht_target_ops {
    void (*destroy)(void *self);
    struct pht_error *(*check)(void *self);
    struct pht_error *(*read_environment)(void *self, char **ret, size_t *bytes);
    struct pht_error *(*read_maps)(void *self, struct pht_maps *ret);
    int (*open_mapped)(void *self, const struct pht_mapping *mapping);
    int (*open_path)(void *self, const char *path);
    void (*read)(void *self, struct pht_read *reads, size_t count);
    struct pht_error *(*scan_exclusive)(void *self, pht_addr start, pht_addr end,
                                        const uint64_t *resident, uint64_t *exclusive);
    struct pht_error *(*scan_pages)(void *self, pht_addr start, pht_addr end, uint64_t *resident,
                                    uint64_t *swapped);
    bool (*sees_zero_pages)(void *self);
    struct pht_error *(*stop)(void *self, uint64_t max_us, enum pht_stop_outcome *ret);
    struct pht_error *(*resume)(void *self, uint64_t *stopped_us, bool *expired);
    struct pht_error *(*read_smaps)(void *self, struct pht_smaps *ret);
    struct pht_error *(*read_counters)(void *self, struct pht_kernel_memory *ret);
    void (*read_cgroup_memory)(void *self, struct pht_cgroup_memory *ret);
    struct pht_error *(*read_family)(void *self, struct pht_family *ret);
    pid_t (*python_child)(void *self, char **command);
};

/*
 * Make a target of `self`. On success the target owns `self` (ops->destroy) and the strings of
 * `process`; on failure the caller still does.
 */
struct pht_error *pht_target_create(const struct pht_target_ops *ops, void *self,
                                    const struct pht_process *process, const struct pht_log *log,
                                    struct pht_target **ret);

/* What pht_target_steward() returns; NULL before. */
void pht_target_set_steward(struct pht_target *target, struct pht_steward *steward);

void pht_process_deinit(struct pht_process *process);

#endif
