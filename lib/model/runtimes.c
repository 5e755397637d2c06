#include "model/runtimes.h"

#include "model/ledger.h"

struct pht_error *pht_runtimes_find(struct pht_target *target,
                                    const struct pht_report_options *options,
                                    struct pht_report *report)
{
    struct pht_maps maps;

    if (!(report->walks & (PHT_SECTION_PYMALLOC | PHT_SECTION_GLIBC)) &&
        !pht_ledger_is_wanted(report))
        return NULL;
    struct pht_error *error = pht_target_read_maps(target, &maps);
    if (error != NULL)
        return error;
    if ((report->walks & PHT_SECTION_PYMALLOC) && report->python == NULL)
        error = pht_python_find(target, &maps, &options->layout, &report->python);
    if (error == NULL && (report->walks & PHT_SECTION_GLIBC) && report->libc == NULL)
        error = pht_libc_find(target, &maps, &options->layout, &report->libc);
    if (error == NULL && pht_ledger_is_wanted(report))
        report->foreign_allocator_count =
            pht_foreign_allocators_find(target, &maps, report->foreign_allocators);
    pht_maps_deinit(&maps);
    return error;
}

bool pht_runtimes_know_pymalloc(const struct pht_report *report)
{
    return report->python != NULL && report->python->layout_source != PHT_LAYOUT_NONE &&
           !report->python->free_threaded;
}

bool pht_runtimes_know_glibc(const struct pht_report *report)
{
    return report->libc != NULL && report->libc->family == PHT_LIBC_GLIBC &&
           report->libc->layout_source != PHT_LAYOUT_NONE;
}

bool pht_runtimes_want_gc(const struct pht_report *report)
{
    return report->sections & PHT_SECTION_TYPES ||
           (report->sections & PHT_SECTION_FINDINGS && !report->without_types);
}

bool pht_runtimes_use_mimalloc(const struct pht_report *report)
{
    return report->object_allocator == PHT_ALLOCATOR_MIMALLOC ||
           report->object_allocator == PHT_ALLOCATOR_MIMALLOC_DEBUG ||
           (report->python != NULL && report->python->free_threaded);
}
