#include "model/ledger.h"

#include <stdlib.h>

bool pht_ledger_is_wanted(const struct pht_report *report)
{
    return report->sections &
           (PHT_SECTION_CATEGORIES | PHT_SECTION_FAMILY | PHT_SECTION_TYPES | PHT_SECTION_FINDINGS);
}

void pht_ledger_drop(struct pht_report *report)
{
    pht_owners_destroy(report->owners);
    report->owners = NULL;
    pht_smaps_deinit(&report->smaps);
    free(report->regions.items);
    report->regions = (struct pht_regions){0};
}

bool pht_ledger_begin(struct pht_snapshot *snapshot, struct pht_report *report)
{
    report->owners = pht_owners_create(snapshot, &report->smaps);
    return report->owners != NULL;
}

static enum pht_evidence evidence_of(const struct pht_report *report, enum pht_category category)
{
    bool has_some = report->categories[category].bytes + report->categories[category].swapped_bytes;

    switch (category) {
    case PHT_CATEGORY_PYTHON_SMALL:
    case PHT_CATEGORY_PYMALLOC_SLACK:
        return report->pymalloc != NULL ? PHT_EVIDENCE_WALKED : PHT_EVIDENCE_NONE;
    case PHT_CATEGORY_PYTHON_LARGE:
        return has_some || report->objects != NULL ? PHT_EVIDENCE_WALKED : PHT_EVIDENCE_NONE;
    case PHT_CATEGORY_MALLOC_UNOWNED:
        /* Every chunk was visited, but an owner that was not found may still be one. */
        if (report->glibc != NULL && report->objects != NULL)
            return PHT_EVIDENCE_REMAINDER;
        return report->glibc != NULL ? PHT_EVIDENCE_WALKED : PHT_EVIDENCE_NONE;
    case PHT_CATEGORY_MALLOC_FREE:
    case PHT_CATEGORY_MALLOC_TOP:
    case PHT_CATEGORY_MALLOC_MMAPPED:
        return report->glibc != NULL ? PHT_EVIDENCE_WALKED : PHT_EVIDENCE_NONE;
    case PHT_CATEGORY_OTHER_ALLOCATOR:
        return has_some ? PHT_EVIDENCE_REMAINDER : PHT_EVIDENCE_NONE;
    case PHT_CATEGORY_FILES:
    case PHT_CATEGORY_STACKS:
    case PHT_CATEGORY_SHARED_MEMORY:
        return PHT_EVIDENCE_KERNEL;
    case PHT_CATEGORY_UNATTRIBUTED:
    case PHT_CATEGORIES:
        break;
    }
    return PHT_EVIDENCE_NONE;
}

/* ---- what is left ------------------------------------------------------------------------- */

static uint64_t unattributed_bytes(const struct pht_report_mapping *mapping)
{
    return mapping->owned->resident.bytes[PHT_CATEGORY_UNATTRIBUTED];
}

static uint64_t claimed_by_malloc(const struct pht_split *split)
{
    return split->bytes[PHT_CATEGORY_MALLOC_UNOWNED] + split->bytes[PHT_CATEGORY_MALLOC_FREE] +
           split->bytes[PHT_CATEGORY_MALLOC_TOP] + split->bytes[PHT_CATEGORY_MALLOC_MMAPPED];
}

static uint64_t claimed_by_pymalloc(const struct pht_split *split)
{
    return split->bytes[PHT_CATEGORY_PYTHON_SMALL] + split->bytes[PHT_CATEGORY_PYMALLOC_SLACK];
}

static const char *what_was_tried(const struct pht_report *report,
                                  const struct pht_report_mapping *mapping)
{
    const struct pht_split *split = &mapping->owned->resident;

    if (claimed_by_malloc(split) > 0)
        return "beside chunks of malloc";
    if (claimed_by_pymalloc(split) > 0)
        return "beside pools of pymalloc";
    if (report->glibc == NULL)
        return "malloc was not walked";
    if (report->pymalloc == NULL)
        return "pymalloc was not walked";
    return "no known chunk, arena, stack or table";
}

static int compare_unattributed(const void *a, const void *b)
{
    const struct pht_unattributed *left = a, *right = b;

    if (left->bytes != right->bytes)
        return left->bytes < right->bytes ? 1 : -1;
    return left->mapping < right->mapping ? -1 : left->mapping > right->mapping;
}

static bool list_unattributed(struct pht_report *report)
{
    report->unattributed = calloc(report->mapping_count + 1, sizeof(*report->unattributed));
    if (report->unattributed == NULL)
        return false;
    for (size_t i = 0; i < report->mapping_count; i++) {
        const struct pht_report_mapping *mapping = &report->mappings[i];
        if (unattributed_bytes(mapping) == 0)
            continue;
        report->unattributed[report->unattributed_count++] = (struct pht_unattributed){
            .mapping = i,
            .bytes = unattributed_bytes(mapping),
            .tried = what_was_tried(report, mapping),
        };
    }
    qsort(report->unattributed, report->unattributed_count, sizeof(*report->unattributed),
          compare_unattributed);
    return true;
}

/* ---- the sums ----------------------------------------------------------------------------- */

bool pht_ledger_add_up(struct pht_report *report)
{
    uint64_t rss = 0;

    for (size_t i = 0; i < report->mapping_count; i++) {
        const struct pht_owned_mapping *owned = report->mappings[i].owned;
        rss += owned->resident_bytes;
        for (int j = 0; j < PHT_CATEGORIES; j++) {
            report->categories[j].bytes += owned->resident.bytes[j];
            report->categories[j].swapped_bytes += owned->swapped.bytes[j];
        }
    }
    for (int j = 0; j < PHT_CATEGORIES; j++)
        report->categories[j].evidence = evidence_of(report, (enum pht_category)j);
    report->kernel.rss_bytes = rss;
    report->attributed_bytes = rss - report->categories[PHT_CATEGORY_UNATTRIBUTED].bytes;
    report->has_ledger = true;
    return list_unattributed(report);
}
