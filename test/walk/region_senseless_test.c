/*
 * Memory without any sense, full of pointers into itself: nothing that it says may be believed
 * further than it can be, and every list has to end.
 */
#include <elf.h>
#include <string.h>

#include "support/heap_random.h"
#include "support/region_walk.h"
#include "support/suite.h"

#define PAGE ((pht_addr)PHT_PAGE_BYTES)
#define FILE_START ((pht_addr)0x7f1000000000)
#define FILE_PAGES 4
#define MEMORY (FILE_START + FILE_PAGES * PAGE)
#define MEMORY_PAGES 64
#define END (MEMORY + MEMORY_PAGES * PAGE)
#define SEEDS 200

static struct region_walk walk;
static struct heap_random source;

static uint64_t below(uint32_t limit)
{
    return heap_random_below(&source, limit);
}

static pht_addr anywhere(void)
{
    return FILE_START + below((uint32_t)(END - FILE_START) / 8) * 8;
}

static uint64_t any_word(pht_addr at)
{
    switch (below(10)) {
    case 0:
        return 0;
    case 1:
        return at; /* as a struct pthread has it */
    case 2:
        return below(64) * PAGE;
    case 3:
        return UINT64_MAX - below(8192);
    case 4:
        return below(4096);
    case 5:
    case 6:
        return FILE_START + below(FILE_PAGES + MEMORY_PAGES) * PAGE;
    default:
        return anywhere();
    }
}

static void fill(pht_addr start, pht_addr end)
{
    for (pht_addr at = start; at < end; at += 8)
        fake_target_put_u64(walk.fake, at, any_word(at));
}

static void put_headers(void)
{
    Elf64_Ehdr header = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_phoff = sizeof(header),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = (uint16_t)below(70),
    };

    fake_target_put(walk.fake, FILE_START, &header, sizeof(header));
    for (unsigned i = 0; i < 60; i++)
        fake_target_put_u32(walk.fake, FILE_START + sizeof(header) + i * sizeof(Elf64_Phdr),
                            PT_LOAD);
}

static void set_layouts(void)
{
    walk.libc.threads = (struct pht_thread_layout){
        .known = true,
        .stack_lists = {anywhere(), anywhere()},
        .stack_cache = anywhere(),
        .pthread_bytes = 2368,
        .pthread_list = below(100) * 8,
        .pthread_tid = below(100) * 8,
        .debug = anywhere(),
        .link_map_tls_offset = below(150) * 8,
    };
    walk.libc.layout.random = anywhere();
    walk.libc.layout.random_bytes = 40;
    walk.python.layout.runtime = anywhere();
    walk.python.layout.runtime_interpreters_head = 40;
    walk.python.layout.interp_next = 0;
    walk.python.layout.interp_threads_head = 16;
    walk.python.layout.thread_next = below(32) * 8;
    walk.python.layout.thread_frames = 232;
    walk.python.layout.thread_spare_frames = 240;
    walk.python.layout.frames_bytes = 32;
    walk.python.layout.frames_previous = 0;
    walk.python.layout.frames_size = 8;
    walk.python.layout.arena_object_bytes = 48;
    walk.python.layout.arena_map_root = anywhere();
    walk.python.layout.arena_map_root_bytes = 8192;
    walk.python.layout.arena_map_mid_bytes = 8192;
    walk.python.layout.arena_map_bot_bytes = 2048;
}

static void add_roots(void)
{
    const struct pht_pymalloc_root state = {
        .usedpools = anywhere(), .arenas_addr = anywhere(), .maxarenas = (uint32_t)below(4096)};

    ck_assert(pht_vec_push(&walk.pymalloc.states, state));
    for (int i = 0; i < 3; i++) {
        const struct pht_malloc_thread_root thread = {.tid = i, .pthread = anywhere()};
        ck_assert(pht_vec_push(&walk.glibc.threads, thread));
    }
}

START_TEST(senseless_memory_is_left_alone)
{
    source.state = (uint64_t)_i;
    region_walk_init(&walk);
    region_walk_map_file(&walk, FILE_START, MEMORY, FAKE_PRIVATE, 5, 0);
    region_walk_map(&walk, MEMORY, END, FAKE_PRIVATE);
    fill(FILE_START, END);
    put_headers();
    set_layouts();
    add_roots();
    for (int i = 0; i < 4; i++) {
        pht_addr page = MEMORY + below(MEMORY_PAGES) * PAGE;
        fake_target_set_pages(walk.fake, page, page + 1, below(2) ? FAKE_SWAPPED : FAKE_ABSENT);
    }
    walk.has_other_allocator = below(2);
    region_walk_run(&walk);
    for (size_t i = 0; i < walk.regions.count; i++) {
        const struct pht_region *region = &walk.regions.items[i];
        if (region->start >= region->end || region->start < FILE_START || region->end > END)
            ck_abort_msg("a region where there is nothing");
    }
    region_walk_deinit(&walk);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("walk/region_senseless");
    TCase *any = tcase_create("any");

    tcase_add_loop_test(any, senseless_memory_is_left_alone, 0, SEEDS);
    suite_add_tcase(suite, any);
    return suite;
}

SUITE_MAIN(make_suite)
