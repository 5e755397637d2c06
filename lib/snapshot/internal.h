/* What the files of this stage share. */
#ifndef PHT_LIB_SNAPSHOT_INTERNAL_H
#define PHT_LIB_SNAPSHOT_INTERNAL_H

#include "pyheaptop/snapshot.h"
#include "snapshot/file_pages.h"
#include "snapshot/pace.h"
#include "snapshot/page_cache.h"

/* One read goes through at most this much: larger ones leave the processor's cache (peers.md). */
#define PHT_WINDOW_BYTES ((size_t)128 << 10)

struct pht_snapshot {
    struct pht_target *target;
    struct pht_work *work;
    struct pht_snapshot_options options;
    struct pht_maps maps;
    const struct pht_mapping *last_mapping;
    unsigned map_refreshes;
    struct pht_page_cache pages;
    struct pht_file_pages files;
    /* While roots are copied, residency is asked for each read: what was true before the stop
     * may not be true in it. */
    bool freezing;
    bool stopped;
    struct pht_snapshot_stats stats;
    struct pht_pace own_pace;
    struct pht_pace *pace; /* a branch keeps that of its snapshot */
};

/* `bytes` of the target were read. */
static inline void pht_snapshot_account(struct pht_snapshot *snapshot, uint64_t bytes)
{
    snapshot->stats.read_bytes += bytes;
    if (!snapshot->freezing && !snapshot->stopped)
        pht_pace_spend(snapshot->pace, bytes);
}

/* The private, readable mapping that holds `addr`, or NULL. Reads the maps anew on a miss. */
const struct pht_mapping *pht_snapshot_mapping(struct pht_snapshot *snapshot, pht_addr addr);

/* Whether that may be read the fast way; while roots are copied, nobody has looked. */
static inline bool pht_snapshot_is_exclusive(struct pht_snapshot *snapshot, pht_addr addr,
                                             uint64_t size)
{
    return !snapshot->freezing && pht_page_cache_is_exclusive(&snapshot->pages, addr, size);
}

struct pht_error *pht_snapshot_refresh_maps(struct pht_snapshot *snapshot);

#endif
