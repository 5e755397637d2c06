#include "pyheaptop/target.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "target/ops.h"

struct pht_target {
    const struct pht_target_ops *ops;
    void *self;
    struct pht_process process;
    const struct pht_log *log;
    struct pht_steward *steward;
};

struct pht_error *pht_target_create(const struct pht_target_ops *ops, void *self,
                                    const struct pht_process *process, const struct pht_log *log,
                                    struct pht_target **ret)
{
    struct pht_target *target = malloc(sizeof(*target));

    if (target == NULL)
        return pht_error_no_memory();
    *target = (struct pht_target){.ops = ops, .self = self, .process = *process, .log = log};
    *ret = target;
    return NULL;
}

void pht_target_destroy(struct pht_target *target)
{
    if (target == NULL)
        return;
    target->ops->destroy(target->self);
    pht_process_deinit(&target->process);
    free(target);
}

void pht_process_deinit(struct pht_process *process)
{
    free(process->comm);
    free(process->command);
    free(process->exe);
    *process = (struct pht_process){0};
}

const struct pht_process *pht_target_process(const struct pht_target *target)
{
    return &target->process;
}

void pht_target_set_steward(struct pht_target *target, struct pht_steward *steward)
{
    target->steward = steward;
}

struct pht_steward *pht_target_steward(const struct pht_target *target)
{
    return target->steward;
}

void pht_target_note(const struct pht_target *target, const char *format, ...)
{
    char line[512];
    va_list arguments;

    if (target->log == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    target->log->write(target->log->context, line);
}

struct pht_error *pht_target_check(struct pht_target *target)
{
    return target->ops->check(target->self);
}

struct pht_error *pht_target_read_environment(struct pht_target *target, char **ret, size_t *bytes)
{
    return target->ops->read_environment(target->self, ret, bytes);
}

struct pht_error *pht_target_read_maps(struct pht_target *target, struct pht_maps *ret)
{
    return target->ops->read_maps(target->self, ret);
}

int pht_target_open_mapped(struct pht_target *target, const struct pht_mapping *mapping)
{
    return target->ops->open_mapped(target->self, mapping);
}

int pht_target_open_path(struct pht_target *target, const char *path)
{
    return target->ops->open_path(target->self, path);
}

void pht_target_read(struct pht_target *target, struct pht_read *reads, size_t count)
{
    target->ops->read(target->self, reads, count);
}

struct pht_error *pht_target_scan_exclusive(struct pht_target *target, pht_addr start, pht_addr end,
                                            const uint64_t *resident, uint64_t *exclusive)
{
    return target->ops->scan_exclusive(target->self, start, end, resident, exclusive);
}

struct pht_error *pht_target_scan_pages(struct pht_target *target, pht_addr start, pht_addr end,
                                        uint64_t *resident, uint64_t *swapped)
{
    return target->ops->scan_pages(target->self, start, end, resident, swapped);
}

bool pht_target_sees_zero_pages(const struct pht_target *target)
{
    return target->ops->sees_zero_pages(target->self);
}

struct pht_error *pht_target_stop(struct pht_target *target, uint64_t max_us,
                                  enum pht_stop_outcome *ret)
{
    return target->ops->stop(target->self, max_us, ret);
}

struct pht_error *pht_target_resume(struct pht_target *target, uint64_t *stopped_us, bool *expired)
{
    return target->ops->resume(target->self, stopped_us, expired);
}

struct pht_error *pht_target_read_smaps(struct pht_target *target, struct pht_smaps *ret)
{
    return target->ops->read_smaps(target->self, ret);
}

struct pht_error *pht_target_read_counters(struct pht_target *target, struct pht_kernel_memory *ret)
{
    return target->ops->read_counters(target->self, ret);
}

void pht_target_read_cgroup_memory(struct pht_target *target, struct pht_cgroup_memory *ret)
{
    target->ops->read_cgroup_memory(target->self, ret);
}

struct pht_error *pht_target_read_family(struct pht_target *target, struct pht_family *ret)
{
    return target->ops->read_family(target->self, ret);
}

pid_t pht_target_python_child(struct pht_target *target, char **command)
{
    return target->ops->python_child(target->self, command);
}
