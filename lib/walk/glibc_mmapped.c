#include "walk/glibc_mmapped.h"

#include "base/checked.h"
#include "walk/field.h"

/* Pages that are looked at in one go: few where a chunk was just found, more and more otherwise. */
#define PAGES_MAX 256
#define PAGES_GROWTH 4

#define HEADER_BYTES PHT_CHUNK_HEADER_BYTES
#define TAIL_OFFSET (PHT_PAGE_BYTES - HEADER_BYTES)

struct scan {
    struct pht_snapshot *snapshot;
    const struct pht_glibc_roots *roots;
    const struct pht_ranges *taken;
    struct pht_mmapped_chunks *found;
    uint64_t bytes;
    bool has_fastbins; /* up to 2.42 */
    bool out_of_memory;
    size_t pages;
    pht_addr addrs[2 * PAGES_MAX]; /* of the first and the last header of each page */
    uint8_t results[2 * PAGES_MAX];
    uint8_t headers[2 * PAGES_MAX][HEADER_BYTES];
};

/*
 * True if the header at `chunk` is that of a chunk whose mapping begins in [from, chunk] and ends
 * at `end` or before.
 */
static bool is_mmapped(const struct scan *scan, const uint8_t *header, pht_addr chunk,
                       pht_addr from, pht_addr end, struct pht_mmapped_chunk *ret)
{
    uint64_t offset = pht_field_u64(header, 0), raw = pht_field_u64(header, 8);
    uint64_t bytes = raw & ~(uint64_t)PHT_CHUNK_FLAGS, total;

    if (!scan->has_fastbins)
        offset &= ~(uint64_t)1;
    if ((raw & PHT_CHUNK_FLAGS) != PHT_CHUNK_IS_MMAPPED || offset > chunk - from ||
        (chunk - offset) % PHT_PAGE_BYTES != 0 || bytes < PHT_CHUNK_BYTES_MIN ||
        !pht_add_fits(offset, bytes, &total) ||
        !pht_add_fits(total, scan->has_fastbins ? 0 : HEADER_BYTES, &total) ||
        total % PHT_PAGE_BYTES != 0 || total > end - (chunk - offset))
        return false;
    *ret = (struct pht_mmapped_chunk){.address = chunk, .start = chunk - offset, .bytes = total};
    return true;
}

/* memalign() for less than a page: the header stands somewhere in the mapping's first one. */
static bool find_inside(struct scan *scan, pht_addr page, pht_addr end,
                        struct pht_mmapped_chunk *ret)
{
    uint8_t bytes[PHT_PAGE_BYTES];

    if (pht_snapshot_read(scan->snapshot, page, bytes, sizeof(bytes)) != PHT_READ_OK)
        return false;
    for (size_t at = PHT_CHUNK_ALIGNMENT; at < TAIL_OFFSET; at += PHT_CHUNK_ALIGNMENT) {
        if (is_mmapped(scan, bytes + at, page + at, page, end, ret) && ret->start == page)
            return true;
    }
    return false;
}

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

/* The first and last headers of up to scan->pages resident pages from `at` on. */
static size_t gather(struct scan *scan, pht_addr at, pht_addr end)
{
    size_t count = 0;

    while (count < scan->pages) {
        at = pht_snapshot_next_resident(scan->snapshot, at, end);
        if (at >= end)
            break;
        scan->addrs[2 * count] = at;
        scan->addrs[2 * count + 1] = at + TAIL_OFFSET;
        count++;
        at += PHT_PAGE_BYTES;
    }
    pht_snapshot_gather(scan->snapshot, scan->addrs, 2 * count, HEADER_BYTES, scan->headers,
                        scan->results);
    return count;
}

/* The chunk whose header is in the i-th gathered page; its mapping begins at `from` or later. */
static bool find_in_page(struct scan *scan, size_t i, pht_addr from, pht_addr end,
                         struct pht_mmapped_chunk *ret)
{
    pht_addr page = scan->addrs[2 * i];

    for (size_t side = 2 * i; side < 2 * i + 2; side++) {
        if (scan->results[side] == PHT_READ_OK &&
            is_mmapped(scan, scan->headers[side], scan->addrs[side], from, end, ret) &&
            (side % 2 == 1 || ret->start == page))
            return true;
    }
    return page == from && find_inside(scan, page, end, ret);
}

/* Nothing in [at, end) is taken. */
static void scan_free_range(struct scan *scan, pht_addr at, pht_addr end)
{
    pht_addr next = at;

    scan->pages = 1;
    while (next < end && !is_complete(scan) && !scan->out_of_memory) {
        struct pht_mmapped_chunk chunk;
        size_t count = gather(scan, next, end), i = 0;
        if (count == 0)
            return;
        while (i < count && !find_in_page(scan, i, at, end, &chunk))
            i++;
        if (i < count) {
            add(scan, chunk);
            at = next = chunk.start + chunk.bytes;
            scan->pages = 1;
        } else {
            next = scan->addrs[2 * count - 2] + PHT_PAGE_BYTES;
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
    for (size_t i = 0; i < pht_snapshot_maps(snapshot)->count && !is_complete(scan); i++) {
        const struct pht_mapping *mapping = &pht_snapshot_maps(snapshot)->items[i];
        if (pht_glibc_may_own(mapping))
            scan_mapping(scan, mapping->start, mapping->end);
    }
    bool done = !scan->out_of_memory;
    free(scan);
    return done;
}
