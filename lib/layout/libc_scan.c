#include "layout/libc_scan.h"

#include "base/checked.h"

/* Chunks, and what passes for one in a bin: malloc.c, MALLOC_ALIGNMENT, bin_at(). */
#define CHUNK_ALIGNMENT 16
#define CHUNK_BYTES_MIN 32
#define CHUNK_FLAGS ((uint64_t)7)
#define CHUNK_FD 16
#define CHUNK_BK 24
#define BIN_BIAS 16

/* More arenas are a circle that misses the first. */
#define ARENAS_MAX 8192

/* Bits of malloc_state.flags: FASTCHUNKS, NONCONTIGUOUS, ARENA_CORRUPTION; of its mutex, 0 to 2. */
#define FLAGS_MAX 7
#define FLAG_NONCONTIGUOUS 2
#define MUTEX_MAX 2
#define ATTACHED_THREADS_MAX 65536

/* mp_ stands 0x900 to 0x9c0 bytes before main_arena in all builds that were looked at. */
#define PARAMS_DISTANCE_MAX 4096

/* What mp_ is linked with: DEFAULT_MMAP_THRESHOLD and so on, DEFAULT_MMAP_MAX. */
#define THRESHOLD 131072
#define MMAPS_MAX 65536

/* 76 bins of a tcache, up to 4 MiB; a counter has 16 bits. */
#define TCACHE_BINS_MAX 76
#define TCACHE_BYTES_MAX ((uint64_t)4 << 20)
#define TCACHE_COUNT_MAX UINT16_MAX

bool pht_libc_is_chunk_addr(pht_addr addr)
{
    return addr >= PHT_PAGE_BYTES && addr <= PHT_USER_ADDR_MAX && addr % CHUNK_ALIGNMENT == 0;
}

/* Huge pages are of a file that has no name anywhere. */
bool pht_libc_is_anonymous(const struct pht_module_data *data, pht_addr addr)
{
    const struct pht_mapping *mapping = pht_maps_find(data->maps, addr);

    return mapping != NULL && mapping->readable && mapping->writable && !mapping->shared &&
           (mapping->inode == 0 || strcmp(mapping->name, "/anon_hugepage") == 0);
}

static uint32_t half(const void *bytes, uint64_t offset)
{
    uint32_t value;

    memcpy(&value, (const char *)bytes + offset, sizeof(value));
    return value;
}

/* ---- main_arena --------------------------------------------------------------------------- */

/* One place that is looked at, and what it says if it is main_arena. */
struct sight {
    const struct pht_module_data *data;
    const struct pht_libc_layout *layout;
    pht_addr addr;
    const unsigned char *bytes;
    pht_addr top;
    pht_addr end; /* of top; 0 while the arena has no memory */
    uint64_t system_bytes;
    bool is_contiguous;
};

static bool is_closed(const struct pht_module_data *data, pht_addr self, pht_addr first,
                      pht_addr last, int *open)
{
    uint64_t back, forward;

    if (!pht_module_data_peek_u64(data, first + CHUNK_BK, &back) ||
        !pht_module_data_peek_u64(data, last + CHUNK_FD, &forward))
        return false;
    *open += back != self || forward != self;
    return back == self && forward == self;
}

/* While malloc is at work, some are open for a moment; most are not. */
static bool bins_hold(const struct sight *sight)
{
    const struct pht_libc_layout *layout = sight->layout;
    int closed = 0, open = 0;

    for (uint64_t offset = 0; offset < layout->state_bins_bytes; offset += 16) {
        pht_addr self = sight->addr + layout->state_bins + offset - BIN_BIAS;
        pht_addr first = pht_libc_word(sight->bytes, layout->state_bins + offset);
        pht_addr last = pht_libc_word(sight->bytes, layout->state_bins + offset + 8);
        if ((first == self && last == self) ||
            (sight->system_bytes == 0 && first == 0 && last == 0))
            continue;
        if (first == self || last == self || !pht_libc_is_chunk_addr(first) ||
            !pht_libc_is_chunk_addr(last))
            return false;
        closed += is_closed(sight->data, self, first, last, &open);
    }
    return open <= closed / 4;
}

bool pht_libc_is_thread_arena(const struct pht_module_data *data,
                              const struct pht_libc_layout *layout, pht_addr addr)
{
    pht_addr heap = addr - layout->heap_bytes;
    uint64_t arena;

    return pht_libc_is_chunk_addr(addr) && heap < addr && heap % PHT_PAGE_BYTES == 0 &&
           pht_module_data_peek_u64(data, heap + layout->heap_arena, &arena) && arena == addr;
}

static bool ring_closes(const struct sight *sight)
{
    const struct pht_libc_layout *layout = sight->layout;
    pht_addr next = pht_libc_word(sight->bytes, layout->state_next);

    for (int i = 0; i < ARENAS_MAX && next != sight->addr; i++) {
        if (!pht_libc_is_thread_arena(sight->data, layout, next) ||
            !pht_module_data_peek_u64(sight->data, next + layout->state_next, &next))
            return false;
    }
    return next == sight->addr;
}

/* Without memory, the first bin passes for it, once malloc was called. */
static bool top_holds(struct sight *sight)
{
    pht_addr initial = sight->addr + sight->layout->state_bins - BIN_BIAS;
    uint64_t raw;

    if (sight->system_bytes == 0)
        return sight->top == 0 || sight->top == initial;
    if (!pht_libc_is_chunk_addr(sight->top) ||
        !pht_module_data_peek_u64(sight->data, sight->top + 8, &raw))
        return false;
    uint64_t bytes = raw & ~CHUNK_FLAGS;
    sight->end = sight->top + bytes;
    return bytes >= CHUNK_BYTES_MIN && bytes <= sight->system_bytes &&
           sight->end % PHT_PAGE_BYTES == 0;
}

/* Behind next_free, or behind attached_threads, which an arena's memory is never as small as. */
static bool sums_hold(const struct sight *sight)
{
    const struct pht_libc_layout *layout = sight->layout;
    bool counts_threads = layout->state_system_mem - layout->state_next == 24;
    uint64_t before = pht_libc_word(sight->bytes, layout->state_system_mem - 8);
    uint64_t peak = pht_libc_word(sight->bytes, layout->state_max_system_mem);

    return sight->system_bytes <= PHT_USER_ADDR_MAX && sight->system_bytes <= peak &&
           (!counts_threads || before < ATTACHED_THREADS_MAX);
}

static bool is_main_arena(const struct pht_module_data *data, const struct pht_libc_layout *layout,
                          pht_addr addr, struct sight *ret)
{
    const unsigned char *bytes = pht_module_data_at(data, addr, layout->state_bytes);

    if (bytes == NULL || half(bytes, layout->state_flags) > FLAGS_MAX ||
        (layout->state_mutex != PHT_UNKNOWN && half(bytes, layout->state_mutex) > MUTEX_MAX))
        return false;
    *ret = (struct sight){
        .data = data,
        .layout = layout,
        .addr = addr,
        .bytes = bytes,
        .top = pht_libc_word(bytes, layout->state_top),
        .system_bytes = pht_libc_word(bytes, layout->state_system_mem),
        .is_contiguous = !(half(bytes, layout->state_flags) & FLAG_NONCONTIGUOUS),
    };
    return sums_hold(ret) && ring_closes(ret) && top_holds(ret) && bins_hold(ret);
}

static bool find_main_arena(const struct pht_module_data *data, uint64_t bias,
                            struct pht_libc_layout *layout, struct sight *ret)
{
    struct sight sight;
    int found = 0;

    if (layout->main_arena != PHT_UNKNOWN)
        return is_main_arena(data, layout, layout->main_arena + bias, ret);
    for (size_t i = 0; i < data->count; i++) {
        const struct pht_module_segment *segment = &data->segments[i];
        for (size_t offset = 0; offset < segment->size; offset += sizeof(uint64_t)) {
            if (is_main_arena(data, layout, segment->start + offset, &sight) && found++ == 0)
                *ret = sight;
        }
    }
    if (found == 1)
        layout->main_arena = ret->addr - bias;
    return found == 1;
}

/* ---- mp_ ---------------------------------------------------------------------------------- */

static bool is_page_size(uint64_t bytes)
{
    return bytes == 0 || (bytes >= PHT_PAGE_BYTES && pht_is_power_of_two(bytes));
}

static bool pages_hold(const unsigned char *bytes, const struct pht_libc_layout *layout)
{
    return layout->params_hp_pagesize == PHT_UNKNOWN ||
           (is_page_size(pht_libc_word(bytes, layout->params_thp_pagesize)) &&
            is_page_size(pht_libc_word(bytes, layout->params_hp_pagesize)));
}

/* arena_test stands before arena_max; users may set both. */
static bool limits_hold(const unsigned char *bytes, const struct pht_libc_layout *layout)
{
    uint64_t test = pht_libc_word(bytes, layout->params_arena_max - 8);

    return pht_libc_word(bytes, layout->params_mmap_threshold) <= PHT_USER_ADDR_MAX && test >= 1 &&
           test <= INT32_MAX && pht_libc_word(bytes, layout->params_arena_max) <= INT32_MAX;
}

static bool counters_hold(const unsigned char *bytes, const struct pht_libc_layout *layout)
{
    uint64_t mmapped = pht_libc_word(bytes, layout->params_mmapped_mem);

    return half(bytes, layout->params_n_mmaps) <= half(bytes, layout->params_max_n_mmaps) &&
           half(bytes, layout->params_max_n_mmaps) <= INT32_MAX &&
           half(bytes, layout->params_no_dyn_threshold) <= 1 &&
           mmapped <= pht_libc_word(bytes, layout->params_max_mmapped_mem) &&
           mmapped % CHUNK_ALIGNMENT == 0 && mmapped <= PHT_USER_ADDR_MAX;
}

/* tcache_bins, tcache_max_bytes and tcache_count, which stand behind sbrk_base if there are any. */
static bool are_tcache_params(const struct pht_module_data *data, pht_addr addr)
{
    const unsigned char *bytes = pht_module_data_at(data, addr, 24);
    uint64_t bins = bytes != NULL ? pht_libc_word(bytes, 0) : 0;

    return bins >= 1 && bins <= TCACHE_BINS_MAX && pht_libc_word(bytes, 8) <= TCACHE_BYTES_MAX &&
           pht_libc_word(bytes, 16) <= TCACHE_COUNT_MAX;
}

/* As it was linked: nobody has called malloc. */
static bool is_untouched(const unsigned char *bytes, const struct pht_libc_layout *layout)
{
    return pht_libc_word(bytes, layout->params_trim_threshold) == THRESHOLD &&
           pht_libc_word(bytes, layout->params_top_pad) == THRESHOLD &&
           pht_libc_word(bytes, layout->params_mmap_threshold) == THRESHOLD &&
           half(bytes, layout->params_n_mmaps + 4) == MMAPS_MAX &&
           pht_libc_word(bytes, layout->params_sbrk_base) == 0;
}

/* The arena's first memory, where that is no longer all of one piece. */
static bool is_first_memory(const struct pht_module_data *data, pht_addr base)
{
    uint64_t raw;

    return pht_libc_is_chunk_addr(base) && pht_libc_is_anonymous(data, base) &&
           pht_module_data_peek_u64(data, base + 8, &raw) &&
           (raw & ~CHUNK_FLAGS) >= CHUNK_BYTES_MIN;
}

static bool base_holds(const struct sight *main_arena, const unsigned char *bytes)
{
    uint64_t base = pht_libc_word(bytes, main_arena->layout->params_sbrk_base);

    if (main_arena->end == 0)
        return is_untouched(bytes, main_arena->layout);
    if (main_arena->is_contiguous)
        return base == main_arena->end - main_arena->system_bytes;
    return is_first_memory(main_arena->data, base);
}

static bool are_params(const struct sight *main_arena, pht_addr addr)
{
    const struct pht_libc_layout *layout = main_arena->layout;
    const unsigned char *bytes = pht_module_data_at(main_arena->data, addr, layout->params_bytes);
    bool has_tcache = layout->params_tcache_count != PHT_UNKNOWN;

    return bytes != NULL && base_holds(main_arena, bytes) && pages_hold(bytes, layout) &&
           limits_hold(bytes, layout) && counters_hold(bytes, layout) &&
           are_tcache_params(main_arena->data, addr + layout->params_sbrk_base + 8) == has_tcache;
}

static bool find_params(const struct sight *main_arena, uint64_t bias,
                        struct pht_libc_layout *layout)
{
    int found = 0;

    if (layout->params != PHT_UNKNOWN)
        return are_params(main_arena, layout->params + bias);
    for (uint64_t distance = layout->params_bytes; distance <= PARAMS_DISTANCE_MAX; distance += 8) {
        pht_addr addr = main_arena->addr - distance;
        if (are_params(main_arena, addr) && found++ == 0)
            layout->params = addr - bias;
    }
    return found == 1;
}

bool pht_libc_scan(const struct pht_module_data *data, uint64_t bias,
                   struct pht_libc_layout *layout)
{
    struct sight main_arena;

    return find_main_arena(data, bias, layout, &main_arena) &&
           find_params(&main_arena, bias, layout);
}
