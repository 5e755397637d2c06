#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "snapshot/internal.h"

/* New mappings appear while a target runs; one that makes them all the time is not chased. */
#define MAP_REFRESHES_MAX 8

static bool is_readable(const struct pht_mapping *mapping)
{
    return mapping->readable && !mapping->shared;
}

struct pht_error *pht_snapshot_refresh_maps(struct pht_snapshot *snapshot)
{
    struct pht_maps fresh;
    struct pht_error *error = pht_target_read_maps(snapshot->target, &fresh);

    if (error != NULL)
        return error;
    pht_maps_deinit(&snapshot->maps);
    snapshot->maps = fresh;
    snapshot->last_mapping = NULL;
    /* What was not mapped when the pages were asked for may be now. */
    pht_page_cache_clear(&snapshot->pages);
    return NULL;
}

static bool refresh_on_miss(struct pht_snapshot *snapshot)
{
    /* Not during a stop: a large process has megabytes of maps. */
    if (snapshot->freezing || snapshot->map_refreshes == MAP_REFRESHES_MAX)
        return false;
    snapshot->map_refreshes++;
    _cleanup_error_ struct pht_error *error = pht_snapshot_refresh_maps(snapshot);
    return error == NULL;
}

const struct pht_mapping *pht_snapshot_mapping(struct pht_snapshot *snapshot, pht_addr addr)
{
    const struct pht_mapping *mapping = snapshot->last_mapping;

    if (mapping == NULL || addr < mapping->start || addr >= mapping->end) {
        mapping = pht_maps_find(&snapshot->maps, addr);
        if (mapping == NULL && refresh_on_miss(snapshot))
            mapping = pht_maps_find(&snapshot->maps, addr);
        snapshot->last_mapping = mapping;
    }
    return mapping != NULL && is_readable(mapping) ? mapping : NULL;
}

void pht_snapshot_look_again(struct pht_snapshot *snapshot, pht_addr start, pht_addr end)
{
    const struct pht_mapping *mapping = pht_maps_find(&snapshot->maps, start);

    if (mapping != NULL && !mapping->readable)
        refresh_on_miss(snapshot);
    pht_page_cache_refresh(&snapshot->pages, pht_round_down(start, PHT_PAGE_BYTES),
                           pht_round_up(end, PHT_PAGE_BYTES));
}

/* A page of a file that is not loaded has the file's content, which is not ours to fault in. */
static bool is_file(const struct pht_mapping *mapping)
{
    return mapping->inode != 0;
}

/* States of up to 64 pages, asked for just now. */
struct fresh_pages {
    pht_addr start;
    uint64_t resident;
    uint64_t swapped;
};

static void scan_fresh(struct pht_snapshot *snapshot, pht_addr start, pht_addr end,
                       struct fresh_pages *ret)
{
    *ret = (struct fresh_pages){.start = start};
    struct pht_error *error =
        pht_target_scan_pages(snapshot->target, start, end, &ret->resident, &ret->swapped);
    if (error != NULL) {
        pht_error_destroy(error);
        *ret = (struct fresh_pages){.start = start};
    }
}

static enum pht_page_state page_state(struct pht_snapshot *snapshot,
                                      const struct fresh_pages *fresh, pht_addr page)
{
    if (!snapshot->freezing)
        return pht_page_cache_state(&snapshot->pages, page);
    size_t i = (size_t)((page - fresh->start) / PHT_PAGE_BYTES);
    if (fresh->resident >> i & 1)
        return PHT_PAGE_RESIDENT;
    return fresh->swapped >> i & 1 ? PHT_PAGE_SWAPPED : PHT_PAGE_ABSENT;
}

/*
 * The longest run of pages of one state from `addr` on, in one mapping and no longer than a
 * window. `*bytes` is cut to it.
 */
static enum pht_read_result next_run(struct pht_snapshot *snapshot, pht_addr addr, size_t *bytes,
                                     enum pht_page_state *state)
{
    const struct pht_mapping *mapping = pht_snapshot_mapping(snapshot, addr);
    pht_addr end, page = pht_round_down(addr, PHT_PAGE_BYTES);
    struct fresh_pages fresh = {0};

    if (mapping == NULL || !pht_add_fits(addr, *bytes, &end))
        return PHT_READ_UNMAPPED;
    if (end > mapping->end)
        end = mapping->end;
    if (end - addr > PHT_WINDOW_BYTES)
        end = addr + PHT_WINDOW_BYTES;
    if (snapshot->freezing)
        scan_fresh(snapshot, page, pht_round_up(end, PHT_PAGE_BYTES), &fresh);
    *state = page_state(snapshot, &fresh, page);
    for (page += PHT_PAGE_BYTES; page < end; page += PHT_PAGE_BYTES) {
        if (page_state(snapshot, &fresh, page) != *state)
            break;
    }
    *bytes = (size_t)((page < end ? page : end) - addr);
    if (*state == PHT_PAGE_SWAPPED)
        return PHT_READ_SWAPPED;
    return *state == PHT_PAGE_ABSENT && is_file(mapping) ? PHT_READ_ABSENT : PHT_READ_OK;
}

size_t pht_snapshot_read_some(struct pht_snapshot *snapshot, pht_addr addr, void *buffer,
                              size_t size, enum pht_read_result *why)
{
    char *out = buffer;
    size_t done = 0;

    *why = PHT_READ_OK;
    while (done < size) {
        size_t bytes = size - done;
        enum pht_page_state state;
        *why = next_run(snapshot, addr + done, &bytes, &state);
        if (*why != PHT_READ_OK)
            break;
        if (state == PHT_PAGE_ABSENT) {
            memset(out + done, 0, bytes);
        } else {
            struct pht_read read = {
                .addr = addr + done,
                .buffer = out + done,
                .size = (uint32_t)bytes,
                .exclusive = pht_snapshot_is_exclusive(snapshot, addr + done, bytes),
            };
            pht_target_read(snapshot->target, &read, 1);
            pht_snapshot_account(snapshot, read.got);
            if (read.got != read.size) {
                *why = PHT_READ_FAILED;
                return done + read.got;
            }
        }
        done += bytes;
    }
    return done;
}

enum pht_read_result pht_snapshot_read(struct pht_snapshot *snapshot, pht_addr addr, void *buffer,
                                       size_t size)
{
    enum pht_read_result why;

    pht_snapshot_read_some(snapshot, addr, buffer, size, &why);
    return why;
}

/* The rest of a run of pages of a file that are not loaded. */
static size_t read_file(struct pht_snapshot *snapshot, pht_addr addr, void *buffer, size_t size,
                        enum pht_read_result *why)
{
    enum pht_page_state state;
    size_t bytes = size;

    *why = next_run(snapshot, addr, &bytes, &state);
    if (*why != PHT_READ_ABSENT)
        return 0;
    size_t got = pht_file_pages_read(&snapshot->files, pht_snapshot_mapping(snapshot, addr), addr,
                                     buffer, bytes);
    if (got == bytes)
        *why = PHT_READ_OK;
    return got;
}

size_t pht_snapshot_read_as_loaded(struct pht_snapshot *snapshot, pht_addr addr, void *buffer,
                                   size_t size, enum pht_read_result *why)
{
    char *out = buffer;
    size_t done = pht_snapshot_read_some(snapshot, addr, out, size, why);

    while (done < size && *why == PHT_READ_ABSENT) {
        done += read_file(snapshot, addr + done, out + done, size - done, why);
        if (*why != PHT_READ_OK)
            break;
        done += pht_snapshot_read_some(snapshot, addr + done, out + done, size - done, why);
    }
    return done;
}
