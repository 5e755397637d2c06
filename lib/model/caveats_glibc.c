#include "model/caveats.h"

#include "base/human.h"

#define COUNT(value) pht_human_count(value, (char[PHT_HUMAN_MAX]){0})

void pht_caveats_glibc_no_layout(struct pht_report *report)
{
    const struct pht_libc *libc = report->libc;

    if (libc == NULL) {
        pht_report_warn(report, "libc-none", NULL,
                        "no C library is mapped, so the program brings its malloc along: "
                        "no glibc figures");
        return;
    }
    if (libc->family == PHT_LIBC_MUSL) {
        pht_report_warn(report, "libc-musl", NULL,
                        "the C library is musl, whose malloc this version does not read: "
                        "no glibc figures");
        return;
    }
    if (libc->family != PHT_LIBC_GLIBC) {
        pht_report_warn(report, "libc-other", NULL,
                        "the C library %s is not glibc: no glibc figures",
                        libc->image != NULL ? libc->image : "");
        return;
    }
    const struct pht_error *cause = libc->layout_error;
    pht_report_warn(report, "no-libc-layout", cause != NULL ? cause->remedy : NULL,
                    "%s: no glibc figures", cause != NULL ? cause->text : "no layout of glibc");
}

void pht_caveats_glibc_unproven(struct pht_report *report, const struct pht_glibc_roots *roots)
{
    if (roots->unreadable)
        pht_report_warn(report, "libc-roots-unreadable", NULL,
                        "malloc's roots are in swap or cannot be read: no glibc figures");
    else
        pht_report_warn(report, "libc-layout-rejected", NULL,
                        "the layout of %s does not fit what is in memory: no glibc figures",
                        report->libc->image);
}

/* jemalloc and its like take the place of malloc; glibc's own then stays as it was linked. */
static void check_use(struct pht_report *report)
{
    const struct pht_glibc *glibc = report->glibc;

    if (glibc->totals.system_bytes == 0 && glibc->mmapped_count == 0)
        pht_report_warn(report, "glibc-unused", NULL,
                        "glibc's malloc was never used: another allocator serves the process, "
                        "and its memory is not split up");
}

static void check_chunks(struct pht_report *report)
{
    const struct pht_glibc *glibc = report->glibc;
    uint64_t torn = glibc->torn_chunks, damaged = glibc->damaged_chunks;
    uint64_t pages = glibc->swapped_pages, arenas = glibc->damaged_arenas;
    char unknown[PHT_HUMAN_MAX];

    if (torn > 0)
        pht_report_warn(report, "torn-chunks", pht_caveats_torn_remedy(report),
                        "%s chunk%s of malloc %s", COUNT(torn), pht_human_plural(torn),
                        pht_caveats_why_torn(report, torn));
    if (damaged > 0)
        pht_report_warn(report, "damaged-chunks", NULL,
                        "%s chunk%s of malloc make%s no sense, however often %s read",
                        COUNT(damaged), pht_human_plural(damaged), damaged == 1 ? "s" : "",
                        damaged == 1 ? "it is" : "they are");
    if (arenas > 0)
        pht_report_warn(report, "libc-damaged-arenas", NULL,
                        "%s arena%s of malloc contradict%s %s: left out", COUNT(arenas),
                        pht_human_plural(arenas), arenas == 1 ? "s" : "",
                        arenas == 1 ? "itself" : "themselves");
    if (pages > 0)
        pht_report_warn(report, "swapped-pages", NULL,
                        "%s page%s with headers of chunks %s in swap and stay%s there",
                        COUNT(pages), pht_human_plural(pages), pages == 1 ? "is" : "are",
                        pages == 1 ? "s" : "");
    if (glibc->totals.unknown_bytes > 0)
        pht_report_warn(report, "unknown-chunks", NULL,
                        "%s of malloc's arenas could not be walked: counted as unknown",
                        pht_human_bytes(glibc->totals.unknown_bytes, unknown));
}

/*
 * glibc 2.43, which gave up fastbins, counts 16 bytes too many with each realloc() of a mmapped
 * chunk that mremap(2) serves, and never loses them again.
 */
static bool counts_mmapped_bytes(const struct pht_libc *libc)
{
    return libc->layout.state_fastbins != PHT_UNKNOWN;
}

/* mp_ counts them, and no list names them: the walk has to find them all. */
static bool has_all_mmapped(const struct pht_report *report)
{
    const struct pht_glibc *glibc = report->glibc;
    const struct pht_malloc_params *params = &glibc->params;

    if (params->mmapped_chunks == PHT_UNKNOWN || params->mmapped_bytes == PHT_UNKNOWN)
        return true;
    return params->mmapped_chunks == glibc->mmapped_count &&
           (params->mmapped_bytes == glibc->mmapped_bytes || !counts_mmapped_bytes(report->libc));
}

static void check_mmapped(struct pht_report *report)
{
    const struct pht_glibc *glibc = report->glibc;

    if (!has_all_mmapped(report))
        pht_report_warn(report, "mmapped-mismatch", NULL,
                        "malloc counts %s mmapped chunk%s of %s bytes together, and %s of %s "
                        "bytes %s found",
                        COUNT(glibc->params.mmapped_chunks),
                        pht_human_plural(glibc->params.mmapped_chunks),
                        COUNT(glibc->params.mmapped_bytes), COUNT(glibc->mmapped_count),
                        COUNT(glibc->mmapped_bytes), glibc->mmapped_count == 1 ? "was" : "were");
}

static void check_threads(struct pht_report *report)
{
    if (!report->glibc->threads_known)
        pht_report_warn(report, "threads-unknown", NULL,
                        "the threads could not be listed: chunks in their tcaches may count as "
                        "in use");
}

bool pht_caveats_glibc(struct pht_report *report)
{
    const struct pht_glibc *glibc = report->glibc;

    if (glibc == NULL)
        return false;
    check_use(report);
    check_chunks(report);
    check_mmapped(report);
    check_threads(report);
    return glibc->torn_chunks == 0 && glibc->damaged_chunks == 0 && glibc->damaged_arenas == 0 &&
           glibc->swapped_pages == 0 && glibc->totals.unknown_bytes == 0 &&
           has_all_mmapped(report) && glibc->threads_known;
}
