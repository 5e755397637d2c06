#include "pyheaptop/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/arena_limit.h"
#include "model/capture.h"
#include "model/caveats.h"
#include "model/findings.h"
#include "model/ledger.h"
#include "model/mappings.h"
#include "model/runtimes.h"
#include "model/sharing.h"

void pht_report_destroy(struct pht_report *report)
{
    if (report == NULL)
        return;
    free(report->process.comm);
    free(report->process.command);
    free(report->process.exe);
    pht_python_destroy(report->python);
    pht_libc_destroy(report->libc);
    pht_pymalloc_destroy(report->pymalloc);
    pht_glibc_destroy(report->glibc);
    pht_objects_destroy(report->objects);
    free(report->gc);
    pht_ledger_drop(report);
    free(report->mappings);
    free(report->unattributed);
    for (size_t i = 0; i < report->family_count; i++)
        free(report->family[i].comm);
    free(report->family);
    pht_findings_clear(&report->findings);
    for (size_t i = 0; i < report->warnings.count; i++) {
        free(report->warnings.items[i].text);
        free(report->warnings.items[i].remedy);
    }
    free(report->warnings.items);
    free(report);
}

static void cleanup_report(struct pht_report **report)
{
    pht_report_destroy(*report);
}

static bool copy_process(const struct pht_process *from, struct pht_process *to)
{
    *to = *from;
    to->comm = strdup(from->comm);
    to->exe = strdup(from->exe);
    to->command = malloc(from->command_bytes + 1);
    if (to->comm == NULL || to->exe == NULL || to->command == NULL)
        return false;
    memcpy(to->command, from->command, from->command_bytes);
    to->command[from->command_bytes] = '\0';
    return true;
}

static void add_up_resident(struct pht_report *report)
{
    const struct pht_glibc *glibc = report->glibc;
    struct pht_malloc_resident *resident = &report->malloc_resident;

    for (size_t i = 0; i < glibc->arena_count; i++) {
        if (glibc->arenas[i].is_main)
            resident->main_arena_bytes += glibc->arenas[i].resident_bytes;
        else
            resident->thread_arenas_bytes += glibc->arenas[i].resident_bytes;
    }
    resident->mmapped_bytes = glibc->mmapped_resident_bytes;
    resident->total_bytes =
        resident->main_arena_bytes + resident->thread_arenas_bytes + resident->mmapped_bytes;
}

static void count_rereads(struct pht_report *report)
{
    report->rereads = PHT_UNKNOWN;
    if (report->pymalloc == NULL && report->glibc == NULL)
        return;
    report->rereads = report->pymalloc != NULL ? report->pymalloc->rereads : 0;
    report->rereads += report->glibc != NULL ? report->glibc->rereads : 0;
}

/* An environment that may not be read leaves no more than the source open. */
static void find_arena_limit(struct pht_target *target, struct pht_report *report)
{
    const struct pht_malloc_params *params = &report->glibc->params;
    _cleanup_free_ char *environment = NULL;
    size_t bytes = 0;

    if (params->arena_max != 0)
        pht_error_destroy(pht_target_read_environment(target, &environment, &bytes));
    report->arena_limit = pht_arena_limit(params, report->process.processors, environment, bytes);
}

static bool owns_memory(const struct pht_glibc *glibc)
{
    return glibc->totals.system_bytes > 0 || glibc->mmapped_count > 0 ||
           (glibc->params.mmapped_chunks != PHT_UNKNOWN && glibc->params.mmapped_chunks > 0);
}

static bool has_mimalloc_loaded(const struct pht_report *report)
{
    for (size_t i = 0; i < report->foreign_allocator_count; i++) {
        if (strcmp(report->foreign_allocators[i].name, "mimalloc") == 0)
            return true;
    }
    return false;
}

static void list_allocators(struct pht_report *report)
{
    if (report->pymalloc != NULL && report->pymalloc->totals.arenas > 0)
        report->allocators[report->allocator_count++] = "pymalloc";
    if (report->glibc != NULL && owns_memory(report->glibc))
        report->allocators[report->allocator_count++] = "glibc";
    for (size_t i = 0; i < report->foreign_allocator_count; i++)
        report->allocators[report->allocator_count++] = report->foreign_allocators[i].name;
    if (pht_runtimes_use_mimalloc(report) && !has_mimalloc_loaded(report))
        report->allocators[report->allocator_count++] = "mimalloc";
}

/* The ledger and the walkers that it needs; a list of mappings alone is asked of any process. */
static unsigned walks_for(unsigned sections)
{
    if (sections &
        (PHT_SECTION_CATEGORIES | PHT_SECTION_FAMILY | PHT_SECTION_TYPES | PHT_SECTION_FINDINGS))
        sections |= PHT_SECTION_PYMALLOC | PHT_SECTION_GLIBC | PHT_SECTION_TYPES;
    return sections;
}

/* What the kernel tells, at the moment of the ledger if there is one. */
static struct pht_error *read_kernel_memory(struct pht_target *target, struct pht_report *report)
{
    struct pht_error *error = NULL;

    if (report->smaps.maps.items == NULL)
        error = pht_target_read_smaps(target, &report->smaps);
    if (error != NULL)
        return error;
    pht_smaps_sum(&report->smaps, &report->kernel);
    pht_target_read_cgroup_memory(target, &report->cgroup);
    return pht_target_read_counters(target, &report->kernel);
}

static struct pht_error *add_up(struct pht_target *target, struct pht_work *work,
                                struct pht_report *report)
{
    if (report->owners == NULL && !(report->sections & PHT_SECTION_MAPS))
        return NULL;
    if (!pht_mappings_list(report))
        return pht_error_no_memory();
    if (report->owners == NULL)
        return NULL;
    if (!pht_ledger_add_up(report))
        return pht_error_no_memory();
    if (!(report->sections & (PHT_SECTION_FAMILY | PHT_SECTION_FINDINGS)))
        return NULL;
    return pht_sharing_find(target, work, report);
}

static bool is_from_file(const struct pht_report *report)
{
    return (report->python != NULL && report->python->carried) ||
           (report->libc != NULL && report->libc->carried);
}

struct pht_error *pht_report_take(struct pht_target *target,
                                  const struct pht_report_options *options, struct pht_report **ret)
{
    _cleanup_(cleanup_report) struct pht_report *report = calloc(1, sizeof(*report));
    struct pht_work work;
    struct pht_error *error;

    if (report == NULL || !copy_process(pht_target_process(target), &report->process))
        return pht_error_no_memory();
    report->sections = options->sections;
    report->walks = walks_for(options->sections);
    report->without_types = options->without_types;
    if (options->without_types) {
        report->sections &= ~(unsigned)PHT_SECTION_TYPES;
        report->walks &= ~(unsigned)PHT_SECTION_TYPES;
    }
    report->number = options->number;
    pht_work_init(&work, options->watch);
    error = pht_work_begin(&work, PHT_STAGE_LAYOUTS);
    if (error == NULL)
        error = pht_runtimes_find(target, options, report);
    if (error == NULL)
        error = pht_capture(target, options, &work, report);
    clock_gettime(CLOCK_REALTIME, &report->taken_at);
    report->is_layout_file_unused = options->layout.file != NULL && !is_from_file(report);
    if (error == NULL)
        error = pht_work_begin(&work, PHT_STAGE_SUMS);
    if (error == NULL)
        error = read_kernel_memory(target, report);
    if (error == NULL)
        error = add_up(target, &work, report);
    if (error == NULL) {
        error = pht_target_check(target);
    } else {
        /* Whatever failed, that the process is gone explains it better. */
        struct pht_error *gone = pht_target_check(target);
        if (gone != NULL) {
            pht_error_destroy(error);
            error = gone;
        }
    }
    if (error != NULL)
        return error;
    if (report->glibc != NULL) {
        add_up_resident(report);
        find_arena_limit(target, report);
    }
    count_rereads(report);
    list_allocators(report);
    pht_caveats_collect(report, target);
    if (options->sandbox_failure != NULL)
        pht_caveats_no_sandbox(report, options->sandbox_failure);
    if (!pht_findings_judge(report))
        return pht_error_no_memory();
    *ret = pht_take_ptr(report);
    return NULL;
}
