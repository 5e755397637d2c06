#include "support/malloc_layout.h"

#include <string.h>

/* As linked, in a made-up libc.so.6 that malloc_image.c maps. */
#define LINKED_MAIN_ARENA 0x1d2c80
#define LINKED_PARAMS 0x1d2340
#define LINKED_TCACHE_KEY 0x1d6508
#define LINKED_BREAK 0x1d6780

static const struct malloc_traits traits[MALLOC_VERSIONS] = {
    [MALLOC_2_17] = {.text = "2.17",
                     .tls_offset = 0x90,
                     .has_fastbins = true,
                     .has_chunks_flag = true},
    [MALLOC_2_27] = {.text = "2.27",
                     .tls_offset = 0x80,
                     .tcache_bins = 64,
                     .tcache_count = 7,
                     .counter_bytes = 1,
                     .has_fastbins = true},
    [MALLOC_2_31] = {.text = "2.31",
                     .tls_offset = 0xb0,
                     .tcache_bins = 64,
                     .tcache_count = 7,
                     .counter_bytes = 2,
                     .key = MALLOC_KEY_TCACHE,
                     .has_fastbins = true},
    [MALLOC_2_36] = {.text = "2.36",
                     .tls_offset = 0x90,
                     .tcache_bins = 64,
                     .tcache_count = 7,
                     .counter_bytes = 2,
                     .key = MALLOC_KEY_RANDOM,
                     .has_fastbins = true,
                     .mangles_links = true},
    [MALLOC_2_41] = {.text = "2.41",
                     .tls_offset = 0xb0,
                     .tcache_bins = 64,
                     .tcache_count = 7,
                     .counter_bytes = 2,
                     .key = MALLOC_KEY_RANDOM,
                     .has_fastbins = true,
                     .mangles_links = true},
    [MALLOC_2_42] = {.text = "2.42",
                     .tls_offset = 0x90,
                     .tcache_bins = 76,
                     .tcache_count = 7,
                     .counter_bytes = 2,
                     .key = MALLOC_KEY_RANDOM,
                     .has_fastbins = true,
                     .mangles_links = true,
                     .counts_free_slots = true},
    [MALLOC_2_43] = {.text = "2.43",
                     .tls_offset = 0x90,
                     .tcache_bins = 76,
                     .tcache_count = 16,
                     .counter_bytes = 2,
                     .key = MALLOC_KEY_RANDOM,
                     .mangles_links = true,
                     .counts_free_slots = true,
                     .has_dummy_tcache = true,
                     .maps_footer = true},
};

const struct malloc_traits *malloc_traits(enum malloc_version version)
{
    return &traits[version];
}

static void set_state(enum malloc_version version, struct pht_libc_layout *ret)
{
    uint64_t bins = version == MALLOC_2_17 ? 104 : version == MALLOC_2_43 ? 24 : 112;
    /* attached_threads, from 2.23 on, stands before system_mem. */
    uint64_t system_mem = bins + 2032 + 16 + 16 + (version == MALLOC_2_17 ? 0 : 8);

    ret->state_mutex = 0;
    ret->state_flags = 4;
    if (traits[version].has_fastbins) {
        ret->state_fastbins = bins - 96;
        ret->state_fastbins_bytes = 80;
    }
    ret->state_top = bins - 16;
    ret->state_bins = bins;
    ret->state_bins_bytes = 2032;
    ret->state_next = bins + 2032 + 16;
    ret->state_system_mem = system_mem;
    ret->state_max_system_mem = system_mem + 8;
    ret->state_bytes = system_mem + 16;
}

/* From n_mmaps on the members keep their order. */
static void set_params(enum malloc_version version, struct pht_libc_layout *ret)
{
    uint64_t n_mmaps = version < MALLOC_2_36 ? 40 : version < MALLOC_2_43 ? 60 : 68;
    uint64_t mmapped_mem = version < MALLOC_2_36 ? 56 : version < MALLOC_2_43 ? 80 : 88;

    ret->params_trim_threshold = 0;
    ret->params_top_pad = 8;
    ret->params_mmap_threshold = 16;
    ret->params_arena_max = 32;
    if (version >= MALLOC_2_36) {
        ret->params_thp_pagesize = version < MALLOC_2_43 ? 40 : 48;
        ret->params_hp_pagesize = ret->params_thp_pagesize + 8;
    }
    ret->params_n_mmaps = n_mmaps;
    ret->params_max_n_mmaps = n_mmaps + 8;
    ret->params_no_dyn_threshold = n_mmaps + 12;
    ret->params_mmapped_mem = mmapped_mem;
    ret->params_max_mmapped_mem = mmapped_mem + 8;
    ret->params_sbrk_base = mmapped_mem + (version == MALLOC_2_17 ? 24 : 16);
    ret->params_bytes = ret->params_sbrk_base + 8;
    if (version == MALLOC_2_17)
        return;
    ret->params_tcache_max_bytes = ret->params_sbrk_base + 16;
    ret->params_tcache_count = ret->params_sbrk_base + 24;
    ret->params_bytes += 32;
}

static void set_tcache(enum malloc_version version, struct pht_libc_layout *ret)
{
    uint64_t bins = traits[version].tcache_bins;
    uint64_t counters = bins * traits[version].counter_bytes;

    if (bins == 0)
        return;
    if (traits[version].counts_free_slots) {
        ret->tcache_slots = 0;
        ret->tcache_slots_bytes = counters;
    } else {
        ret->tcache_counts = 0;
        ret->tcache_counts_bytes = counters;
    }
    ret->tcache_entries = counters;
    ret->tcache_entries_bytes = 8 * bins;
    ret->tcache_bytes = counters + 8 * bins;
    if (traits[version].key != MALLOC_KEY_NONE)
        ret->tcache_entry_key = 8;
    ret->tcache = version < MALLOC_2_36 ? 0x40 : version == MALLOC_2_43 ? 0x20 : 0x48;
    if (traits[version].key == MALLOC_KEY_RANDOM)
        ret->tcache_key = LINKED_TCACHE_KEY;
}

void malloc_layout(enum malloc_version version, struct pht_libc_layout *ret)
{
    memset(ret, 0xff, sizeof(*ret));
    set_state(version, ret);
    ret->heap_arena = 0;
    ret->heap_prev = 8;
    ret->heap_size = 16;
    ret->heap_bytes = version < MALLOC_2_36 ? 32 : 48;
    set_params(version, ret);
    set_tcache(version, ret);
    ret->main_arena = LINKED_MAIN_ARENA;
    ret->params = LINKED_PARAMS;
    ret->current_break = LINKED_BREAK;
    /* Up to 2.22 threads keep their arena in another variable. */
    if (version != MALLOC_2_17)
        ret->thread_arena = version < MALLOC_2_36 || version == MALLOC_2_43 ? 0x50 : 0x58;
}

uint32_t malloc_bin_index(uint64_t bytes)
{
    static const struct {
        uint32_t shift;
        uint32_t max;
        uint32_t base;
    } steps[] = {{6, 48, 48}, {9, 20, 91}, {12, 10, 110}, {15, 4, 119}, {18, 2, 124}};

    if (bytes < 1024)
        return (uint32_t)(bytes / 16);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (bytes >> steps[i].shift <= steps[i].max)
            return steps[i].base + (uint32_t)(bytes >> steps[i].shift);
    }
    return 126;
}

uint32_t malloc_tcache_index(uint64_t bytes)
{
    if (bytes <= MALLOC_TCACHE_MAX)
        return (uint32_t)((bytes - MALLOC_CHUNK_MIN) / 16);
    return MALLOC_TCACHE_SMALL_BINS + (63 - (uint32_t)__builtin_clzll(bytes)) - 10;
}
