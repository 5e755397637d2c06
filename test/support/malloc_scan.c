#include "support/malloc_scan.h"

#include <check.h>

#include "layout/libc_layout.h"

/* As malloc_image.c maps the library. */
#define DATA_OFFSET 0x1d0000
#define DATA_BYTES 0x10000
#define TLS_BYTES 0x90

#define READS_MAX 60000

uint64_t malloc_scan_word(struct malloc_heap *heap, pht_addr addr)
{
    return fake_target_u64(heap->fake, addr);
}

void malloc_scan_put(struct malloc_heap *heap, pht_addr addr, uint64_t value)
{
    fake_target_put_u64(heap->fake, addr, value);
}

pht_addr malloc_scan_main_arena(const struct malloc_heap *heap)
{
    return heap->libc.bias + heap->libc.layout.main_arena;
}

pht_addr malloc_scan_params(const struct malloc_heap *heap)
{
    return heap->libc.bias + heap->libc.layout.params;
}

enum pht_libc_fit malloc_scan_try_from(struct malloc_heap *heap,
                                       const struct pht_libc_layout *types,
                                       const struct pht_libc *known, struct pht_libc *ret)
{
    struct pht_module_data data;
    struct pht_maps maps;

    ck_assert_ptr_null(pht_target_read_maps(heap->fake->target, &maps));
    data = (struct pht_module_data){.target = heap->fake->target, .maps = &maps};
    ck_assert(pht_module_data_add(&data, heap->libc.bias + DATA_OFFSET, DATA_BYTES));
    *ret = *known;
    enum pht_libc_fit fit = pht_libc_release_try(&data, TLS_BYTES, types, ret);
    pht_module_data_deinit(&data);
    pht_maps_deinit(&maps);
    ck_assert_msg(heap->fake->forbidden_reads == 0, "read of 0x%lx, which was not to be touched",
                  (unsigned long)heap->fake->first_forbidden);
    return fit;
}

enum pht_libc_fit malloc_scan_try(struct malloc_heap *heap, const struct pht_libc_layout *types,
                                  struct pht_libc *ret)
{
    struct pht_libc known = heap->libc;

    pht_libc_layout_clear(&known.layout);
    known.layout.current_break = heap->libc.layout.current_break;
    return malloc_scan_try_from(heap, types, &known, ret);
}

enum pht_libc_fit malloc_scan_try_own(struct malloc_heap *heap, struct pht_libc *ret)
{
    return malloc_scan_try(heap, &heap->libc.layout, ret);
}

void malloc_scan_check_fits(struct malloc_heap *heap)
{
    struct pht_libc libc;

    ck_assert_int_ne(malloc_scan_try_own(heap, &libc), PHT_LIBC_FIT_NONE);
}

void malloc_scan_check_does_not_fit(struct malloc_heap *heap)
{
    struct pht_libc libc;
    uint64_t before = heap->fake->read_count;

    ck_assert_int_eq(malloc_scan_try_own(heap, &libc), PHT_LIBC_FIT_NONE);
    ck_assert_uint_le(heap->fake->read_count - before, READS_MAX);
}

enum pht_libc_fit malloc_scan_whole(const struct malloc_heap *heap)
{
    return heap->options.version == MALLOC_2_17 ? PHT_LIBC_FIT_ARENAS : PHT_LIBC_FIT_ALL;
}

bool malloc_scan_has_tcached(const struct malloc_heap *heap)
{
    for (uint32_t i = 0; i < heap->arena_count; i++) {
        if (malloc_heap_count(heap, i, MALLOC_TCACHE) > 0)
            return true;
    }
    return false;
}

void malloc_scan_check(const struct malloc_heap *heap, const struct pht_libc_layout *found)
{
    const struct pht_libc_layout *layout = &heap->libc.layout;

    ck_assert_uint_eq(found->main_arena, layout->main_arena);
    ck_assert_uint_eq(found->params, layout->params);
    ck_assert_uint_eq(found->tcache, layout->tcache);
    ck_assert_uint_eq(found->thread_arena, layout->thread_arena);
    ck_assert_uint_eq(found->current_break, layout->current_break);
    ck_assert_uint_eq(found->tcache_key,
                      malloc_scan_has_tcached(heap) ? layout->tcache_key : PHT_UNKNOWN);
}
