#include "support/heap_findings.h"

#include <check.h>
#include <string.h>

#include "base/vec.h"
#include "model/findings.h"

static const struct pht_finding rows[] = {
    {
        .id = "pymalloc-slack",
        .severity = PHT_SEVERITY_HIGH,
        .bytes = 299 * PHT_MIB,
        .text = "299M (17% of RSS) is free memory inside pymalloc. Free blocks of size classes 64, "
                "128 and 80 hold 113M. 96 arenas are under 10% used: 3.31M in use keeps 96.0M from "
                "release.",
        .remedy = "recycle workers after peaks (--max-tasks-per-child)",
        .figures = {{"pymalloc_slack_bytes", 299 * PHT_MIB, NULL},
                    {"sparse_arenas", 96, NULL},
                    {"sparse_held_bytes", 96 * PHT_MIB, NULL}},
        .figure_count = 3,
    },
    {
        .id = "mmap-threshold-drift",
        .severity = PHT_SEVERITY_MEDIUM,
        .bytes = 124 * PHT_MIB,
        .text = "124M (7% of RSS) is free inside glibc and could go back, most of it in 2,351 "
                "chunks of 128K and more.",
        .remedy = "MALLOC_MMAP_THRESHOLD_=131072 in its environment",
        .figures = {{"trimmable_bytes", 124 * PHT_MIB, NULL},
                    {"trim_threshold_bytes", PHT_UNKNOWN, NULL}},
        .figure_count = 2,
    },
    {
        .id = "uncollectable",
        .severity = PHT_SEVERITY_INFO,
        .bytes = PHT_UNKNOWN,
        .text = "gc.garbage holds 3 objects.",
        .remedy = "look whether gc.DEBUG_SAVEALL is set",
        .figures = {{"garbage", 3, NULL}, {"type", 0, "shop.orders.Order.Line"}},
        .figure_count = 2,
    },
};

static char *copy(const char *text)
{
    char *copied = strdup(text);

    ck_assert_ptr_nonnull(copied);
    return copied;
}

void heap_findings_add(struct pht_report *report)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pht_finding finding = rows[i];
        finding.text = copy(finding.text);
        finding.remedy = copy(finding.remedy);
        for (size_t j = 0; j < finding.figure_count; j++) {
            if (finding.figures[j].text != NULL)
                finding.figures[j].text = copy(finding.figures[j].text);
        }
        ck_assert(pht_vec_push(&report->findings, finding));
    }
    report->findings.known = true;
    report->findings.live_bytes = 1185 * PHT_MIB;
}

void heap_findings_drop(struct pht_report *report)
{
    uint64_t live = report->findings.live_bytes;

    pht_findings_clear(&report->findings);
    report->findings.known = true;
    report->findings.live_bytes = live;
}
