#include "layout/libc_declared.h"

#include "base/checked.h"
#include "layout/libc_layout.h"

/* 127 bins of two pointers each; four words that tell which of them are not empty. */
#define BINS_BYTES 2032
#define BINMAP_BYTES 16
#define FASTBINS_BYTES 80

/* getrandom.c: five words, see walk/region_random.c */
#define RANDOM_BYTES 40

/*
 * mutex, flags, have_fastchunks (2.27 to 2.42, with a hole behind it), fastbinsY (up to 2.42), top,
 * last_remainder, bins, binmap, next, next_free, attached_threads (since 2.23), system_mem,
 * max_system_mem
 */
static void declare_state(unsigned minor, struct pht_libc_layout *ret)
{
    uint64_t at = minor >= 27 && minor <= 42 ? 16 : 8;

    ret->state_mutex = 0;
    ret->state_flags = 4;
    if (minor <= 42) {
        ret->state_fastbins = at;
        ret->state_fastbins_bytes = FASTBINS_BYTES;
        at += FASTBINS_BYTES;
    }
    ret->state_top = at;
    ret->state_bins = at + 16;
    ret->state_bins_bytes = BINS_BYTES;
    ret->state_next = ret->state_bins + BINS_BYTES + BINMAP_BYTES;
    ret->state_system_mem = ret->state_next + (minor >= 23 ? 24 : 16);
    ret->state_max_system_mem = ret->state_system_mem + 8;
    ret->state_bytes = ret->state_system_mem + 16;
}

/* ar_ptr, prev, size, mprotect_size; since 2.35 pagesize, and padding */
static void declare_heap(unsigned minor, struct pht_libc_layout *ret)
{
    ret->heap_arena = 0;
    ret->heap_prev = 8;
    ret->heap_size = 16;
    ret->heap_bytes = minor >= 35 ? 48 : 32;
}

/*
 * trim_threshold, top_pad, mmap_threshold, arena_test, arena_max, thp_mode (since 2.43),
 * thp_pagesize, hp_pagesize, hp_flags (all three since 2.35), n_mmaps, n_mmaps_max, max_n_mmaps,
 * no_dyn_threshold, mmapped_mem, max_mmapped_mem, max_total_mem (up to 2.23), sbrk_base, and since
 * 2.26 tcache_bins, tcache_max_bytes, tcache_count, tcache_unsorted_limit (up to 2.43)
 */
static void declare_params(unsigned minor, struct pht_libc_layout *ret)
{
    uint64_t at = minor >= 43 ? 48 : 40;

    ret->params_trim_threshold = 0;
    ret->params_top_pad = 8;
    ret->params_mmap_threshold = 16;
    ret->params_arena_max = 32;
    if (minor >= 35) {
        ret->params_thp_pagesize = at;
        ret->params_hp_pagesize = at + 8;
        at += 20;
    }
    ret->params_n_mmaps = at;
    ret->params_max_n_mmaps = at + 8;
    ret->params_no_dyn_threshold = at + 12;
    ret->params_mmapped_mem = pht_round_up(at + 16, 8);
    ret->params_max_mmapped_mem = ret->params_mmapped_mem + 8;
    ret->params_sbrk_base = ret->params_mmapped_mem + (minor <= 23 ? 24 : 16);
    ret->params_bytes = ret->params_sbrk_base + 8;
    if (minor < 26)
        return;
    ret->params_tcache_max_bytes = ret->params_sbrk_base + 16;
    ret->params_tcache_count = ret->params_sbrk_base + 24;
    ret->params_bytes = ret->params_sbrk_base + (minor <= 43 ? 40 : 32);
}

/* Since 2.26 counts, of one byte each up to 2.29, or since 2.42 num_slots; entries. */
static void declare_tcache(unsigned minor, struct pht_libc_layout *ret)
{
    uint64_t bins = minor >= 42 ? 76 : 64;
    uint64_t counters = minor >= 30 ? 2 * bins : bins;

    if (minor < 26)
        return;
    if (minor >= 42) {
        ret->tcache_slots = 0;
        ret->tcache_slots_bytes = counters;
    } else {
        ret->tcache_counts = 0;
        ret->tcache_counts_bytes = counters;
    }
    ret->tcache_entries = counters;
    ret->tcache_entries_bytes = 8 * bins;
    ret->tcache_bytes = counters + 8 * bins;
    if (minor >= 29)
        ret->tcache_entry_key = 8;
}

void pht_libc_declared(unsigned minor, struct pht_libc_layout *ret)
{
    pht_libc_layout_clear(ret);
    declare_state(minor, ret);
    declare_heap(minor, ret);
    declare_params(minor, ret);
    declare_tcache(minor, ret);
    if (minor >= 41)
        ret->random_bytes = RANDOM_BYTES;
}
