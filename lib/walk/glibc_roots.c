/*
 * The roots of glibc malloc: its parameters, the ring of arenas, the heaps of each.
 *
 * Runs while the target is stopped, so it reads little and allocates nothing that an earlier run
 * has not allocated before.
 *
 * Invariants, each checked here:
 * - The ring of arenas begins and ends with main_arena.
 * - A bin is empty and points to itself (so that it looks like a chunk), or points to chunks.
 * - A thread's arena stands behind the heap_info of its first heap; all its heaps name it, are
 *   aligned to their largest size, and add up to system_mem.
 * - The top chunk lies in the newest heap.
 */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "walk/field.h"
#include "walk/glibc.h"

/* More arenas are a circle. glibc makes eight a processor at most. */
#define ARENAS_MAX 8192

/* arena.c: twice DEFAULT_MMAP_THRESHOLD_MAX; from 2.35 to 2.41 four huge pages, if it uses them. */
#define HEAP_MAX_BYTES ((uint64_t)64 << 20)
#define HUGE_PAGES_A_HEAP 4
/* Structs are no larger than this: their layout was checked when it was resolved. */
#define STRUCT_BYTES_MAX 4096

/* malloc_state.flags: the arena grew by something else than brk. */
#define FLAG_NONCONTIGUOUS 2

void pht_glibc_roots_init(struct pht_glibc_roots *roots, const struct pht_libc *libc)
{
    *roots = (struct pht_glibc_roots){.libc = libc};
}

void pht_glibc_roots_deinit(struct pht_glibc_roots *roots)
{
    free(roots->arenas.items);
    free(roots->heaps.items);
    free(roots->threads.items);
    *roots = (struct pht_glibc_roots){0};
}

bool pht_glibc_read_root(struct pht_snapshot *snapshot, struct pht_glibc_roots *roots,
                         pht_addr addr, void *value, size_t size)
{
    enum pht_read_result result = pht_snapshot_read(snapshot, addr, value, size);

    if (result != PHT_READ_OK && result != PHT_READ_ABSENT)
        roots->unreadable = true;
    return result == PHT_READ_OK;
}

/* ---- parameters --------------------------------------------------------------------------- */

static uint64_t word(const void *bytes, uint64_t offset)
{
    return offset == PHT_UNKNOWN ? PHT_UNKNOWN : pht_field_u64(bytes, offset);
}

static uint64_t half(const void *bytes, uint64_t offset)
{
    return offset == PHT_UNKNOWN ? PHT_UNKNOWN : pht_field_u32(bytes, offset);
}

static bool read_params(struct pht_snapshot *snapshot, struct pht_glibc_roots *roots)
{
    const struct pht_libc_layout *layout = &roots->libc->layout;
    char bytes[STRUCT_BYTES_MAX];

    if (!pht_glibc_read_root(snapshot, roots, layout->params + roots->libc->bias, bytes,
                             layout->params_bytes))
        return false;
    roots->params = (struct pht_malloc_params){
        .mmap_threshold_bytes = word(bytes, layout->params_mmap_threshold),
        .mmap_threshold_dynamic = half(bytes, layout->params_no_dyn_threshold) == 0,
        .trim_threshold_bytes = word(bytes, layout->params_trim_threshold),
        .top_pad_bytes = word(bytes, layout->params_top_pad),
        .arena_max = word(bytes, layout->params_arena_max),
        .thp_page_bytes = word(bytes, layout->params_thp_pagesize),
        .huge_page_bytes = word(bytes, layout->params_hp_pagesize),
        .tcache_max_bytes = word(bytes, layout->params_tcache_max_bytes),
        .tcache_count = word(bytes, layout->params_tcache_count),
        .mmapped_chunks = half(bytes, layout->params_n_mmaps),
        .mmapped_bytes = word(bytes, layout->params_mmapped_mem),
        .mmapped_peak_chunks = half(bytes, layout->params_max_n_mmaps),
        .mmapped_peak_bytes = word(bytes, layout->params_max_mmapped_mem),
        .sbrk_base = word(bytes, layout->params_sbrk_base),
    };
    return true;
}

/* Variables that only some versions have, and that malloc works without. */
static uint64_t read_variable(struct pht_snapshot *snapshot, struct pht_glibc_roots *roots,
                              uint64_t address)
{
    uint64_t value;

    if (address == PHT_UNKNOWN ||
        !pht_glibc_read_root(snapshot, roots, address + roots->libc->bias, &value, sizeof(value)))
        return 0;
    return value;
}

uint64_t pht_glibc_heap_max_bytes(const struct pht_glibc_roots *roots)
{
    uint64_t huge = roots->params.huge_page_bytes;
    bool follows_huge_pages = roots->libc->layout.tcache_slots == PHT_UNKNOWN;

    if (huge == PHT_UNKNOWN || !pht_is_power_of_two(huge) || huge > PHT_HUGE_PAGE_BYTES_MAX ||
        !follows_huge_pages)
        return HEAP_MAX_BYTES;
    return huge * HUGE_PAGES_A_HEAP;
}

/* ---- heaps of an arena -------------------------------------------------------------------- */

struct heap_info {
    pht_addr arena;
    pht_addr prev;
    uint64_t size;
};

static bool read_heap_info(struct pht_snapshot *snapshot, struct pht_glibc_roots *roots,
                           pht_addr heap, struct heap_info *ret)
{
    const struct pht_libc_layout *layout = &roots->libc->layout;
    char bytes[STRUCT_BYTES_MAX];

    if (!pht_glibc_read_root(snapshot, roots, heap, bytes, layout->heap_bytes))
        return false;
    ret->arena = pht_field_u64(bytes, layout->heap_arena);
    ret->prev = pht_field_u64(bytes, layout->heap_prev);
    ret->size = pht_field_u64(bytes, layout->heap_size);
    return true;
}

/* In the first heap the arena itself comes first. */
static pht_addr first_chunk(const struct pht_glibc_roots *roots, pht_addr heap, pht_addr arena)
{
    const struct pht_libc_layout *layout = &roots->libc->layout;

    if (arena == heap + layout->heap_bytes)
        return pht_round_up(arena + layout->state_bytes, PHT_CHUNK_ALIGNMENT);
    return heap + layout->heap_bytes;
}

static bool add_heap(struct pht_snapshot *snapshot, struct pht_glibc_roots *roots,
                     const struct pht_malloc_arena_root *arena, pht_addr at, struct heap_info *info)
{
    uint64_t max = pht_glibc_heap_max_bytes(roots);

    if (!pht_chunk_addr_is_sane(at) || at % max != 0 ||
        !read_heap_info(snapshot, roots, at, info) || info->arena != arena->address ||
        info->size > max || info->size % PHT_PAGE_BYTES != 0)
        return false;
    struct pht_malloc_heap heap = {
        .address = at,
        .start = first_chunk(roots, at, arena->address),
        .end = at + info->size,
    };
    return heap.start < heap.end && pht_vec_push(&roots->heaps, heap);
}

/* The newest heap holds top; each names the one before it, down to the one with the arena. */
static bool add_thread_heaps(struct pht_snapshot *snapshot, struct pht_glibc_roots *roots,
                             struct pht_malloc_arena_root *arena)
{
    pht_addr heap = pht_round_down(arena->top, pht_glibc_heap_max_bytes(roots));
    uint64_t bytes = 0;

    while (heap != 0) {
        struct heap_info info;
        if (!add_heap(snapshot, roots, arena, heap, &info))
            return false;
        const struct pht_malloc_heap *added = &roots->heaps.items[roots->heaps.count - 1];
        if (arena->heaps++ == 0 &&
            (arena->top < added->start || arena->top > added->end - PHT_CHUNK_BYTES_MIN))
            return false;
        bytes += info.size;
        heap = info.prev;
        if (bytes > arena->system_bytes)
            return false;
    }
    if (arena->heaps == 0)
        return false;
    const struct pht_malloc_heap *oldest = &roots->heaps.items[roots->heaps.count - 1];
    return arena->address == oldest->address + roots->libc->layout.heap_bytes &&
           bytes == arena->system_bytes;
}

/*
 * The main arena grows by brk from sbrk_base on. While that is contiguous all of it is known;
 * else the pieces are found when they are walked, and top's is the one that is known.
 */
static bool add_main_heap(struct pht_snapshot *snapshot, struct pht_glibc_roots *roots,
                          struct pht_malloc_arena_root *arena)
{
    uint64_t header[2];
    pht_addr end, base = roots->params.sbrk_base;

    if (arena->system_bytes == 0)
        return true;
    if (!pht_chunk_addr_is_sane(arena->top) ||
        !pht_glibc_read_root(snapshot, roots, arena->top, header, sizeof(header)))
        return false;
    uint64_t top_bytes = pht_chunk_bytes(header[1]);
    if (!pht_add_fits(arena->top, top_bytes, &end) || end > PHT_USER_ADDR_MAX ||
        end % PHT_PAGE_BYTES != 0 || top_bytes < PHT_CHUNK_BYTES_MIN)
        return false;
    if (arena->is_contiguous && (arena->top < base || end - base != arena->system_bytes))
        return false;
    struct pht_malloc_heap heap = {
        .address = base,
        .start = pht_round_up(base, PHT_CHUNK_ALIGNMENT),
        .end = end,
    };
    if (base > PHT_USER_ADDR_MAX || (arena->is_contiguous && heap.start >= heap.end))
        return false;
    arena->heaps = 1;
    return pht_vec_push(&roots->heaps, heap);
}

/* ---- arenas ------------------------------------------------------------------------------- */

/* Before its first use all of an arena is zeros. */
static bool bins_are_sane(const struct pht_libc_layout *layout, const char *bytes, pht_addr arena,
                          bool used)
{
    for (uint64_t offset = 0; offset < layout->state_bins_bytes; offset += 16) {
        pht_addr self = arena + layout->state_bins + offset - PHT_BIN_BIAS;
        pht_addr first = pht_field_u64(bytes, layout->state_bins + offset);
        pht_addr last = pht_field_u64(bytes, layout->state_bins + offset + 8);
        if ((first == self && last == self) || (!used && first == 0 && last == 0))
            continue;
        if (first == self || last == self || !pht_chunk_addr_is_sane(first) ||
            !pht_chunk_addr_is_sane(last))
            return false;
    }
    return true;
}

static void decode_fastbins(const struct pht_libc_layout *layout, const char *bytes,
                            struct pht_malloc_arena_root *arena)
{
    if (layout->state_fastbins == PHT_UNKNOWN)
        return;
    for (uint64_t i = 0; i < PHT_FASTBINS_MAX && i * 8 < layout->state_fastbins_bytes; i++)
        arena->fastbins[i] = pht_field_u64(bytes, layout->state_fastbins + i * 8);
}

/* False if what stands at `address` cannot be an arena. */
static bool decode_arena(const struct pht_libc_layout *layout, const char *bytes, pht_addr address,
                         struct pht_malloc_arena_root *ret)
{
    *ret = (struct pht_malloc_arena_root){
        .address = address,
        .top = pht_field_u64(bytes, layout->state_top),
        .system_bytes = pht_field_u64(bytes, layout->state_system_mem),
        .peak_system_bytes = pht_field_u64(bytes, layout->state_max_system_mem),
        .is_contiguous = !(pht_field_u32(bytes, layout->state_flags) & FLAG_NONCONTIGUOUS),
    };
    decode_fastbins(layout, bytes, ret);
    return ret->system_bytes <= PHT_USER_ADDR_MAX &&
           bins_are_sane(layout, bytes, address, ret->system_bytes > 0);
}

/*
 * An arena whose heaps do not hold together is kept, as damaged: its size is known, and it is one
 * of the ring. `*next` is untouched if there is no arena here at all.
 */
static bool add_arena(struct pht_snapshot *snapshot, struct pht_glibc_roots *roots,
                      pht_addr address, pht_addr *next)
{
    const struct pht_libc_layout *layout = &roots->libc->layout;
    bool is_main = roots->arenas.count == 0;
    struct pht_malloc_arena_root arena;
    char bytes[STRUCT_BYTES_MAX];

    if (!pht_glibc_read_root(snapshot, roots, address, bytes, layout->state_bytes) ||
        !decode_arena(layout, bytes, address, &arena)) {
        roots->damaged_arenas++;
        return false;
    }
    *next = pht_field_u64(bytes, layout->state_next);
    arena.first_heap = roots->heaps.count;
    bool holds = is_main ? add_main_heap(snapshot, roots, &arena)
                         : add_thread_heaps(snapshot, roots, &arena);
    if (!holds) {
        arena.is_damaged = true;
        roots->damaged_arenas++;
    }
    return pht_vec_push(&roots->arenas, arena) && holds;
}

static bool is_known_arena(const struct pht_glibc_roots *roots, pht_addr address)
{
    for (size_t i = 0; i < roots->arenas.count; i++) {
        if (roots->arenas.items[i].address == address)
            return true;
    }
    return false;
}

static bool freeze_arenas(struct pht_snapshot *snapshot, struct pht_glibc_roots *roots)
{
    pht_addr main_arena = roots->libc->layout.main_arena + roots->libc->bias;
    pht_addr next = 0;
    bool consistent = add_arena(snapshot, roots, main_arena, &next);

    roots->proven = roots->arenas.count == 1 && pht_chunk_addr_is_sane(next);
    if (!roots->proven)
        return false;
    while (next != main_arena) {
        size_t before = roots->arenas.count;
        if (before == ARENAS_MAX || !pht_chunk_addr_is_sane(next) || is_known_arena(roots, next)) {
            roots->damaged_arenas++;
            return false;
        }
        consistent = add_arena(snapshot, roots, next, &next) && consistent;
        if (roots->arenas.count == before)
            return false;
    }
    return consistent;
}

bool pht_glibc_freeze(struct pht_snapshot *snapshot, void *context)
{
    struct pht_glibc_roots *roots = context;
    const struct pht_libc_layout *layout = &roots->libc->layout;

    roots->arenas.count = roots->heaps.count = roots->threads.count = 0;
    roots->proven = roots->unreadable = false;
    roots->damaged_arenas = 0;
    roots->tcache_key = read_variable(snapshot, roots, layout->tcache_key);
    roots->current_break = read_variable(snapshot, roots, layout->current_break);
    roots->consistent = read_params(snapshot, roots) && freeze_arenas(snapshot, roots);
    if (roots->proven && !pht_glibc_freeze_threads(snapshot, roots))
        roots->consistent = false;
    return roots->consistent;
}
