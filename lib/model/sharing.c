/*
 * Fork copies page tables, so a page stands at the same address in the whole family, and whoever
 * writes to it first gets a frame of its own. Pages are compared a few at a time, in step for all
 * processes, where the target has any.
 */
#include "model/sharing.h"

#include <stdlib.h>

#include "base/cleanup.h"

#define BATCH_PAGES ((size_t)512)

struct sharing {
    const struct pht_family *family;
    size_t target; /* its place */
    struct pht_work *work;
    uint64_t rss_bytes;
    struct pht_owners *owners;
    struct pht_family_row *rows;
    uint64_t shared_bytes;         /* with anybody */
    struct pht_family_page *pages; /* BATCH_PAGES of each process */
    bool *known;                   /* of each process: its batch could be read */
};

static const struct pht_family_page *page_of(const struct sharing *sharing, size_t member,
                                             size_t page)
{
    return &sharing->pages[member * BATCH_PAGES + page];
}

/* Without frames, a page that nobody else maps is not shared; any other may be. */
static bool is_same(const struct sharing *sharing, const struct pht_family_page *one,
                    const struct pht_family_page *other)
{
    if (sharing->family->sees_frames)
        return one->frame == other->frame;
    return !one->exclusive && !other->exclusive;
}

static bool is_shared_with_target(const struct sharing *sharing, size_t member, size_t page)
{
    const struct pht_family_page *mine = page_of(sharing, member, page);
    const struct pht_family_page *targets = page_of(sharing, sharing->target, page);

    return member != sharing->target && mine->anonymous && targets->anonymous &&
           is_same(sharing, mine, targets);
}

static void count_shared(struct sharing *sharing, size_t page)
{
    bool by_any = false;

    for (size_t i = 0; i < sharing->family->count; i++) {
        if (!sharing->known[i] || !is_shared_with_target(sharing, i, page))
            continue;
        sharing->rows[i].shared_with_target_bytes += PHT_PAGE_BYTES;
        by_any = true;
    }
    sharing->shared_bytes += by_any ? PHT_PAGE_BYTES : 0;
}

static void count_copied(struct sharing *sharing, size_t member, size_t page, pht_addr addr)
{
    const struct pht_family_page *mine = page_of(sharing, member, page);
    struct pht_family_row *row = &sharing->rows[member];
    int parent = sharing->family->items[member].parent;

    if (!mine->anonymous || parent < 0 || !sharing->known[parent])
        return;
    const struct pht_family_page *parents = page_of(sharing, (size_t)parent, page);
    if (!parents->anonymous || is_same(sharing, mine, parents))
        return;
    row->copied_bytes += PHT_PAGE_BYTES;
    row->copied.bytes[pht_owners_page(sharing->owners, addr)] += PHT_PAGE_BYTES;
}

static void compare_batch(struct sharing *sharing, pht_addr addr, size_t count)
{
    for (size_t i = 0; i < sharing->family->count; i++)
        sharing->known[i] = pht_family_read_pages(sharing->family, i, addr, count,
                                                  &sharing->pages[i * BATCH_PAGES]);
    if (!sharing->known[sharing->target])
        return;
    for (size_t page = 0; page < count; page++) {
        count_shared(sharing, page);
        for (size_t i = 0; i < sharing->family->count; i++) {
            if (sharing->known[i])
                count_copied(sharing, i, page, addr + page * PHT_PAGE_BYTES);
        }
    }
}

static void compare_mapping(struct sharing *sharing, const struct pht_mapping *mapping)
{
    pht_addr at = pht_owners_next_page(sharing->owners, mapping->start, mapping->end);

    while (at < mapping->end) {
        size_t left = (size_t)((mapping->end - at) / PHT_PAGE_BYTES);
        size_t count = left < BATCH_PAGES ? left : BATCH_PAGES;
        compare_batch(sharing, at, count);
        if (!pht_work_advance(sharing->work, count * PHT_PAGE_BYTES))
            return;
        at = pht_owners_next_page(sharing->owners, at + count * PHT_PAGE_BYTES, mapping->end);
    }
}

/* ---- rows --------------------------------------------------------------------------------- */

/* The pages of a process may be hidden, or nobody be left to compare them with. */
static void begin_row(const struct pht_family *family, size_t i, struct pht_family_row *rows)
{
    struct pht_relative *relative = &family->items[i];
    bool is_known = relative->pagemap_fd >= 0;

    rows[i] = (struct pht_family_row){
        .pid = relative->pid,
        .ppid = relative->ppid,
        .comm = pht_take_ptr(relative->comm),
        .rss_bytes = relative->rss_bytes,
        .pss_bytes = relative->pss_bytes,
        .is_target = relative->is_target,
        .depth = relative->parent >= 0 ? rows[relative->parent].depth + 1 : 0,
        .shared_with_target_bytes = is_known && !relative->is_target ? 0 : PHT_UNKNOWN,
        .copied_bytes =
            is_known && relative->parent >= 0 && family->items[relative->parent].pagemap_fd >= 0
                ? 0
                : PHT_UNKNOWN,
    };
}

static bool compare_all(struct sharing *sharing, const struct pht_maps *maps)
{
    size_t count = sharing->family->count;
    _cleanup_free_ struct pht_family_page *pages = calloc(count * BATCH_PAGES, sizeof(*pages));
    _cleanup_free_ bool *known = calloc(count, sizeof(*known));

    if (pages == NULL || known == NULL)
        return false;
    sharing->pages = pages;
    sharing->known = known;
    pht_work_measure(sharing->work, sharing->rss_bytes, NULL);
    for (size_t i = 0; i < maps->count && pht_work_advance(sharing->work, 0); i++) {
        if (!maps->items[i].shared)
            compare_mapping(sharing, &maps->items[i]);
    }
    return true;
}

static bool fill_in(struct pht_family *family, struct pht_work *work, struct pht_report *report)
{
    struct sharing sharing = {.family = family,
                              .work = work,
                              .owners = report->owners,
                              .rss_bytes = report->kernel.rss_bytes};

    report->family = calloc(family->count, sizeof(*report->family));
    if (report->family == NULL)
        return false;
    report->family_count = family->count;
    for (size_t i = 0; i < family->count; i++) {
        begin_row(family, i, report->family);
        if (!family->items[i].is_target)
            continue;
        sharing.target = i;
        report->family[i].rss_bytes = report->kernel.rss_bytes;
        report->family[i].pss_bytes = report->kernel.pss_bytes;
    }
    sharing.rows = report->family;
    bool compared = compare_all(&sharing, &report->smaps.maps);
    report->family_shared_bytes = sharing.shared_bytes;
    return compared;
}

struct pht_error *pht_sharing_find(struct pht_target *target, struct pht_work *work,
                                   struct pht_report *report)
{
    struct pht_family family;
    struct pht_error *error = pht_work_begin(work, PHT_STAGE_FAMILY);

    if (error == NULL)
        error = pht_target_read_family(target, &family);
    if (error != NULL)
        return error;
    report->has_family = true;
    report->family_is_exact = family.sees_frames;
    bool filled = family.count < 2 || fill_in(&family, work, report);
    pht_family_deinit(&family);
    error = pht_work_check(work);
    return error != NULL || filled ? error : pht_error_no_memory();
}
