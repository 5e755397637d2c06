#include "base/work.h"

#include <stddef.h>

const char *pht_stage_name(enum pht_stage stage)
{
    static const char *const names[] = {
        [PHT_STAGE_LAYOUTS] = "finding layouts",     [PHT_STAGE_ROOTS] = "copying roots",
        [PHT_STAGE_PAGES] = "reading mappings",      [PHT_STAGE_PYMALLOC] = "walking pymalloc",
        [PHT_STAGE_OBJECTS] = "counting objects",    [PHT_STAGE_MALLOC] = "walking malloc",
        [PHT_STAGE_REGIONS] = "looking at the rest", [PHT_STAGE_SUMS] = "adding up",
        [PHT_STAGE_FAMILY] = "comparing the family",
    };

    return names[stage];
}

void pht_work_init(struct pht_work *work, const struct pht_watch *watch)
{
    *work = (struct pht_work){.watch = watch, .owner = pthread_self()};
}

static bool is_cancelled(const struct pht_work *work)
{
    return atomic_load_explicit(&work->is_cancelled, memory_order_relaxed);
}

/* Other threads that work see what the owner was answered. */
static bool tell(struct pht_work *work)
{
    if (work->watch != NULL && !is_cancelled(work) && pthread_equal(work->owner, pthread_self())) {
        work->progress.done = atomic_load_explicit(&work->done, memory_order_relaxed);
        if (!work->watch->tell(work->watch->context, &work->progress))
            atomic_store_explicit(&work->is_cancelled, true, memory_order_relaxed);
    }
    return !is_cancelled(work);
}

struct pht_error *pht_work_check(const struct pht_work *work)
{
    return work != NULL && is_cancelled(work)
               ? pht_error_create(PHT_ERROR_CANCELLED, "the report was called off")
               : NULL;
}

struct pht_error *pht_work_begin(struct pht_work *work, enum pht_stage stage)
{
    if (work == NULL)
        return NULL;
    atomic_store(&work->done, 0);
    work->progress = (struct pht_progress){.stage = stage};
    tell(work);
    return pht_work_check(work);
}

bool pht_work_measure(struct pht_work *work, uint64_t total, const char *unit)
{
    if (work == NULL)
        return true;
    work->progress.total = total;
    work->progress.unit = unit;
    return tell(work);
}

bool pht_work_advance(struct pht_work *work, uint64_t done)
{
    if (work == NULL)
        return true;
    atomic_fetch_add_explicit(&work->done, done, memory_order_relaxed);
    return tell(work);
}

/* Never back: a walk that repairs itself takes some steps twice. */
bool pht_work_reach(struct pht_work *work, uint64_t done)
{
    if (work == NULL)
        return true;
    if (done > atomic_load_explicit(&work->done, memory_order_relaxed))
        atomic_store_explicit(&work->done, done, memory_order_relaxed);
    return tell(work);
}
