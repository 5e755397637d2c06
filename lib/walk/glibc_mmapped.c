#include "walk/glibc_mmapped.h"

#include "base/checked.h"
#include "base/work.h"
#include "walk/field.h"

/* Pages that are looked at in one go: few where a chunk was just found, more and more otherwise. */
#define PAGES_MAX 256
#define PAGES_GROWTH 4

#define HEADER_BYTES PHT_CHUNK_HEADER_BYTES

/* Alignments that memalign() is asked for: from 32 bytes to 16 MiB. */
#define ALIGNMENTS 20

struct scan {
    struct pht_snapshot *snapshot;
    const struct pht_glibc_roots *roots;
    const struct pht_ranges *taken;
    struct pht_mmapped_chunks *found;
    uint64_t bytes;
    bool has_fastbins; /* up to 2.42 */
    bool looks_everywhere;
    bool out_of_memory;
    size_t pages;
    pht_addr addrs[PAGES_MAX];
    uint8_t results[PAGES_MAX];
    uint8_t headers[PAGES_MAX][HEADER_BYTES];
};

/*
 * True if the header at `chunk` is that of a chunk whose mapping begins at `start` and ends at
 * `end` or before.
 */
static bool is_mmapped(const struct scan *scan, const uint8_t *header, pht_addr chunk,
                       pht_addr start, pht_addr end, struct pht_mmapped_chunk *ret)
{
    uint64_t offset = pht_field_u64(header, 0), raw = pht_field_u64(header, 8);
    uint64_t bytes = pht_chunk_bytes(raw), total;

    if (!scan->has_fastbins)
        offset &= ~(uint64_t)1;
    if ((raw & PHT_CHUNK_FLAGS) != PHT_CHUNK_IS_MMAPPED || offset != chunk - start ||
        bytes < PHT_CHUNK_BYTES_MIN || !pht_add_fits(offset, bytes, &total) ||
        !pht_add_fits(total, scan->has_fastbins ? 0 : HEADER_BYTES, &total) ||
        total % PHT_PAGE_BYTES != 0 || total > end - start)
        return false;
    *ret = (struct pht_mmapped_chunk){.address = chunk, .start = start, .bytes = total};
    return true;
}

/* ---- aligned chunks ----------------------------------------------------------------------- */

/* memalign() takes the first place in the mapping that fits, behind a header. */
static bool find_aligned(struct scan *scan, pht_addr start, pht_addr end,
                         struct pht_mmapped_chunk *ret)
{
    uint8_t headers[ALIGNMENTS][HEADER_BYTES], results[ALIGNMENTS];
    pht_addr addrs[ALIGNMENTS];
    size_t count = 0;

    for (size_t i = 0; i < ALIGNMENTS; i++) {
        uint64_t alignment = (uint64_t)2 * PHT_CHUNK_ALIGNMENT << i;
        pht_addr chunk = pht_round_up(start + HEADER_BYTES, alignment) - HEADER_BYTES;
        if (chunk > start && chunk < end && (count == 0 || addrs[count - 1] != chunk))
            addrs[count++] = chunk;
    }
    pht_snapshot_gather(scan->snapshot, addrs, count, HEADER_BYTES, headers, results);
    for (size_t i = 0; i < count; i++) {
        if (results[i] == PHT_READ_OK && is_mmapped(scan, headers[i], addrs[i], start, end, ret))
            return true;
    }
    return false;
}

/* realloc() may have moved it since, so that it fits no more: any end of a page may be its place.
 */
static bool find_moved(struct scan *scan, pht_addr start, pht_addr end,
                       struct pht_mmapped_chunk *ret)
{
    uint8_t header[HEADER_BYTES];

    for (pht_addr page = start; page < end; page += PHT_PAGE_BYTES) {
        page = pht_snapshot_next_resident(scan->snapshot, page, end);
        pht_addr chunk = page + PHT_PAGE_BYTES - HEADER_BYTES;
        if (page < end &&
            pht_snapshot_read(scan->snapshot, chunk, header, sizeof(header)) == PHT_READ_OK &&
            is_mmapped(scan, header, chunk, start, end, ret))
            return true;
    }
    return false;
}

/* The chunk in the mapping that begins with `header`, at `start`. */
static bool find_chunk(struct scan *scan, const uint8_t *header, pht_addr start, pht_addr end,
                       struct pht_mmapped_chunk *ret)
{
    uint64_t offset = pht_field_u64(header, 0), raw = pht_field_u64(header, 8);
    uint64_t bytes = pht_chunk_bytes(raw);

    if ((raw & PHT_CHUNK_FLAGS) != PHT_CHUNK_IS_MMAPPED || offset > 1 ||
        bytes < PHT_CHUNK_BYTES_MIN || bytes > PHT_USER_ADDR_MAX)
        return false;
    if (find_aligned(scan, start, end, ret))
        return true;
    if (scan->looks_everywhere &&
        find_moved(scan, start,
                   end - start < bytes ? end : pht_round_up(start + bytes, PHT_PAGE_BYTES), ret))
        return true;
    return is_mmapped(scan, header, start, start, end, ret);
}

/* ---- all of them -------------------------------------------------------------------------- */

static bool is_complete(const struct scan *scan)
{
    return scan->found->count == scan->roots->params.mmapped_chunks &&
           scan->bytes == scan->roots->params.mmapped_bytes;
}

static void add(struct scan *scan, struct pht_mmapped_chunk chunk)
{
    chunk.resident_bytes =
        pht_snapshot_resident_bytes(scan->snapshot, chunk.start, chunk.start + chunk.bytes);
    scan->bytes += chunk.bytes;
    if (!pht_vec_push(scan->found, chunk))
        scan->out_of_memory = true;
}

/* How up to scan->pages resident pages from `at` on begin. */
static size_t gather(struct scan *scan, pht_addr at, pht_addr end)
{
    size_t count = 0;

    while (count < scan->pages) {
        at = pht_snapshot_next_resident(scan->snapshot, at, end);
        if (at >= end)
            break;
        scan->addrs[count++] = at;
        at += PHT_PAGE_BYTES;
    }
    pht_snapshot_gather(scan->snapshot, scan->addrs, count, HEADER_BYTES, scan->headers,
                        scan->results);
    return count;
}

/* Nothing in [at, end) is taken. */
static void scan_free_range(struct scan *scan, pht_addr at, pht_addr end)
{
    scan->pages = 1;
    while (at < end && !is_complete(scan) && !scan->out_of_memory &&
           pht_work_advance(pht_snapshot_work(scan->snapshot), 0)) {
        struct pht_mmapped_chunk chunk;
        size_t count = gather(scan, at, end), i = 0;
        if (count == 0)
            return;
        while (i < count && !(scan->results[i] == PHT_READ_OK &&
                              find_chunk(scan, scan->headers[i], scan->addrs[i], end, &chunk)))
            i++;
        if (i < count) {
            add(scan, chunk);
            at = chunk.start + chunk.bytes;
            scan->pages = 1;
        } else {
            at = scan->addrs[count - 1] + PHT_PAGE_BYTES;
            scan->pages =
                scan->pages < PAGES_MAX / PAGES_GROWTH ? scan->pages * PAGES_GROWTH : PAGES_MAX;
        }
    }
}

static void scan_mapping(struct scan *scan, pht_addr at, pht_addr end)
{
    while (at < end) {
        const struct pht_range *taken = pht_ranges_find(scan->taken, at);
        bool is_inside = taken != NULL && taken->start < end;
        pht_addr until = is_inside ? taken->start : end;
        if (at < until)
            scan_free_range(scan, at, until);
        at = is_inside ? taken->end : end;
    }
}

/*
 * Where the mappings end that follow each other from the one at `*i` on, which is left at the last
 * of them: madvise(2) and mlock(2) on a part of a chunk split its mapping.
 */
static pht_addr find_end(const struct pht_maps *maps, size_t *i)
{
    pht_addr end = maps->items[*i].end;

    while (*i + 1 < maps->count && maps->items[*i + 1].start == end &&
           pht_glibc_may_own(&maps->items[*i + 1]))
        end = maps->items[++*i].end;
    return end;
}

static void scan_all(struct scan *scan)
{
    scan->found->count = 0;
    scan->bytes = 0;
    for (size_t i = 0; i < pht_snapshot_maps(scan->snapshot)->count && !is_complete(scan); i++) {
        const struct pht_maps *maps = pht_snapshot_maps(scan->snapshot);
        if (!pht_glibc_may_own(&maps->items[i]))
            continue;
        pht_addr start = maps->items[i].start;
        scan_mapping(scan, start, find_end(maps, &i));
    }
}

bool pht_glibc_find_mmapped(struct pht_snapshot *snapshot, const struct pht_glibc_roots *roots,
                            const struct pht_ranges *taken, struct pht_mmapped_chunks *ret)
{
    struct scan *scan = calloc(1, sizeof(*scan));

    if (scan == NULL)
        return false;
    scan->snapshot = snapshot;
    scan->roots = roots;
    scan->taken = taken;
    scan->found = ret;
    scan->has_fastbins = roots->libc->layout.state_fastbins != PHT_UNKNOWN;
    scan_all(scan);
    if (!is_complete(scan) && !scan->out_of_memory) {
        scan->looks_everywhere = true;
        scan_all(scan);
    }
    bool done = !scan->out_of_memory;
    free(scan);
    return done;
}
