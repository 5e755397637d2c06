/* Files, their .bss, shared memory, and code that has no file. */
#include <elf.h>
#include <string.h>

#include "support/region_walk.h"
#include "support/suite.h"

#define PAGE ((pht_addr)PHT_PAGE_BYTES)
#define IMAGE ((pht_addr)0x7f1000000000)
#define CODE (IMAGE + 2 * PAGE)
#define DATA (IMAGE + 4 * PAGE)
#define DATA_END (DATA + 2 * PAGE)
#define BSS_END (DATA_END + 3 * PAGE)
#define BEHIND (DATA_END + 8 * PAGE)
#define LINK_MAP ((pht_addr)0x7f2000000000)
#define DEBUG (LINK_MAP + 4 * PAGE)
#define PROGRAM ((pht_addr)0x400000)

#define SPAN_AT 880 /* l_map_start in struct link_map of glibc 2.36 */

static struct region_walk walk;

static void setup(void)
{
    region_walk_init(&walk);
}

static void teardown(void)
{
    region_walk_deinit(&walk);
}

static Elf64_Phdr segment(uint64_t vaddr, uint64_t filesz, uint64_t memsz, uint32_t flags)
{
    return (Elf64_Phdr){.p_type = PT_LOAD,
                        .p_flags = flags,
                        .p_offset = vaddr,
                        .p_vaddr = vaddr,
                        .p_filesz = filesz,
                        .p_memsz = memsz};
}

static void put_headers(pht_addr at, const Elf64_Phdr *segments, size_t count)
{
    const Elf64_Ehdr header = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_DYN,
        .e_machine = EM_X86_64,
        .e_phoff = sizeof(header),
        .e_phentsize = sizeof(*segments),
        .e_phnum = (uint16_t)count,
    };

    fake_target_put(walk.fake, at, &header, sizeof(header));
    fake_target_put(walk.fake, at + sizeof(header), segments, count * sizeof(*segments));
}

/*
 * A library whose .bss ends in the middle of a page, and behind it memory of somebody else that
 * the kernel has merged with it.
 */
static void map_library(void)
{
    const Elf64_Phdr segments[] = {
        {.p_type = PT_PHDR, .p_vaddr = 64},
        segment(0, 0x1800, 0x1800, PF_R),
        segment(CODE - IMAGE, 0x2000, 0x2000, PF_R | PF_X),
        segment(DATA - IMAGE + 0x10, 0x1f00, 0x4c00, PF_R | PF_W),
    };

    region_walk_map_file(&walk, IMAGE, CODE, FAKE_READ_ONLY, 7, 0);
    region_walk_map_file(&walk, CODE, DATA, FAKE_READ_ONLY | FAKE_EXECUTABLE, 7, CODE - IMAGE);
    region_walk_map_file(&walk, DATA, DATA_END, FAKE_PRIVATE, 7, DATA - IMAGE);
    region_walk_map(&walk, DATA_END, BEHIND, FAKE_PRIVATE);
    put_headers(IMAGE, segments, 4);
}

static void check_bss(void)
{
    region_walk_check(&walk, PHT_REGION_BSS, DATA_END, BSS_END);
    region_walk_check_category(&walk, PHT_CATEGORY_FILES, BSS_END - IMAGE);
    region_walk_check_category(&walk, PHT_CATEGORY_UNATTRIBUTED, BEHIND - BSS_END);
}

static void check_no_bss(void)
{
    ck_assert_uint_eq(region_walk_count(&walk, PHT_REGION_BSS), 0);
    region_walk_check_category(&walk, PHT_CATEGORY_FILES, DATA_END - IMAGE);
    region_walk_check_category(&walk, PHT_CATEGORY_UNATTRIBUTED, BEHIND - DATA_END);
}

/* ---- mappings ------------------------------------------------------------------------------ */

START_TEST(a_file_owns_its_pages_and_shared_memory_its_own)
{
    region_walk_map_file(&walk, IMAGE, IMAGE + 4 * PAGE, FAKE_SHARED, 9, 4096);
    region_walk_map_file(&walk, CODE + 4 * PAGE, CODE + 6 * PAGE, FAKE_SHARED, 10, 0);
    fake_target_set_name(walk.fake, CODE + 4 * PAGE, "/dev/shm/psm_1234");
    region_walk_map_file(&walk, CODE + 6 * PAGE, CODE + 9 * PAGE, FAKE_SHARED, 11, 0);
    fake_target_set_name(walk.fake, CODE + 6 * PAGE, "/dev/zero");
    region_walk_map(&walk, CODE + 10 * PAGE, CODE + 11 * PAGE, FAKE_PRIVATE);
    region_walk_run(&walk);
    region_walk_check_category(&walk, PHT_CATEGORY_FILES, 4 * PAGE);
    region_walk_check_category(&walk, PHT_CATEGORY_SHARED_MEMORY, 5 * PAGE);
    region_walk_check_category(&walk, PHT_CATEGORY_UNATTRIBUTED, PAGE);
    ck_assert_uint_eq(walk.regions.count, 0);
}
END_TEST

START_TEST(what_is_claimed_stays_so)
{
    map_library();
    region_walk_begin(&walk);
    pht_owners_claim(walk.owned.owners, DATA_END + 16, DATA_END + 116, PHT_CATEGORY_MALLOC_UNOWNED);
    region_walk_run(&walk);
    region_walk_check_category(&walk, PHT_CATEGORY_MALLOC_UNOWNED, 100);
    region_walk_check_category(&walk, PHT_CATEGORY_FILES, BSS_END - IMAGE - 100);
}
END_TEST

START_TEST(what_the_kernel_maps_is_its_own)
{
    region_walk_map(&walk, IMAGE, IMAGE + 2 * PAGE, FAKE_READ_ONLY | FAKE_EXECUTABLE);
    fake_target_set_name(walk.fake, IMAGE, "[vdso]");
    region_walk_run(&walk);
    region_walk_check(&walk, PHT_REGION_KERNEL, IMAGE, IMAGE + 2 * PAGE);
    region_walk_check_category(&walk, PHT_CATEGORY_FILES, 2 * PAGE);
}
END_TEST

static void map_stack(unsigned kind)
{
    region_walk_map(&walk, 0x7ffc00000000, 0x7ffc00000000 + PAGE, kind);
    fake_target_set_name(walk.fake, 0x7ffc00000000, "[stack]");
}

START_TEST(memory_that_can_be_run_is_code)
{
    map_stack(FAKE_PRIVATE);
    region_walk_map(&walk, IMAGE, IMAGE + PAGE, FAKE_EXECUTABLE);
    region_walk_map(&walk, PROGRAM, PROGRAM + PAGE, FAKE_EXECUTABLE);
    fake_target_set_name(walk.fake, PROGRAM, "[heap]");
    region_walk_run(&walk);
    region_walk_check(&walk, PHT_REGION_CODE, IMAGE, IMAGE + PAGE);
    region_walk_check_category(&walk, PHT_CATEGORY_UNATTRIBUTED, PAGE);
}
END_TEST

/* All memory of such a program can be run. */
START_TEST(with_an_executable_stack_only_what_is_read_only_is_code)
{
    map_stack(FAKE_EXECUTABLE);
    region_walk_map(&walk, IMAGE, IMAGE + PAGE, FAKE_EXECUTABLE);
    region_walk_map(&walk, CODE, CODE + PAGE, FAKE_EXECUTABLE | FAKE_READ_ONLY);
    region_walk_run(&walk);
    region_walk_check(&walk, PHT_REGION_CODE, CODE, CODE + PAGE);
    region_walk_check_category(&walk, PHT_CATEGORY_UNATTRIBUTED, PAGE);
}
END_TEST

START_TEST(another_allocator_owns_what_is_left)
{
    map_library();
    map_stack(FAKE_PRIVATE);
    region_walk_map(&walk, PROGRAM, PROGRAM + PAGE, FAKE_PRIVATE);
    fake_target_set_name(walk.fake, PROGRAM, "[heap]");
    region_walk_map_file(&walk, PROGRAM + PAGE, PROGRAM + 2 * PAGE, FAKE_SHARED, 3, 0);
    walk.has_other_allocator = true;
    region_walk_run(&walk);
    region_walk_check_category(&walk, PHT_CATEGORY_OTHER_ALLOCATOR, BEHIND - BSS_END + PAGE);
    region_walk_check_category(&walk, PHT_CATEGORY_UNATTRIBUTED, 0);
    region_walk_check_category(&walk, PHT_CATEGORY_STACKS, PAGE);
}
END_TEST

/* ---- .bss ---------------------------------------------------------------------------------- */

START_TEST(bss_ends_where_its_segment_does)
{
    map_library();
    region_walk_run(&walk);
    check_bss();
}
END_TEST

/* A program that is linked to a fixed address, whose heap has merged with its .bss. */
START_TEST(bss_of_a_program_ends_where_its_segment_does)
{
    const Elf64_Phdr segments[] = {
        {.p_type = PT_LOAD,
         .p_flags = PF_R | PF_X,
         .p_vaddr = PROGRAM,
         .p_filesz = 0x1000,
         .p_memsz = 0x1000},
        {.p_type = PT_LOAD,
         .p_flags = PF_R | PF_W,
         .p_offset = 0x1000,
         .p_vaddr = PROGRAM + PAGE,
         .p_filesz = 0x1000,
         .p_memsz = 0x3000},
    };

    region_walk_map_file(&walk, PROGRAM, PROGRAM + PAGE, FAKE_READ_ONLY | FAKE_EXECUTABLE, 5, 0);
    region_walk_map_file(&walk, PROGRAM + PAGE, PROGRAM + 2 * PAGE, FAKE_PRIVATE, 5, PAGE);
    region_walk_map(&walk, PROGRAM + 2 * PAGE, PROGRAM + 9 * PAGE, FAKE_PRIVATE);
    fake_target_set_name(walk.fake, PROGRAM + 2 * PAGE, "[heap]");
    put_headers(PROGRAM, segments, 2);
    region_walk_run(&walk);
    region_walk_check(&walk, PHT_REGION_BSS, PROGRAM + 2 * PAGE, PROGRAM + 4 * PAGE);
}
END_TEST

START_TEST(a_segment_of_zeros_alone_is_bss)
{
    const Elf64_Phdr segments[] = {
        segment(0, 0x1000, 0x1000, PF_R | PF_X),
        segment(0x1000, 0, 0x2000, PF_R | PF_W),
    };

    region_walk_map_file(&walk, IMAGE, IMAGE + PAGE, FAKE_READ_ONLY | FAKE_EXECUTABLE, 5, 0);
    region_walk_map(&walk, IMAGE + PAGE, IMAGE + 5 * PAGE, FAKE_PRIVATE);
    put_headers(IMAGE, segments, 2);
    region_walk_run(&walk);
    region_walk_check(&walk, PHT_REGION_BSS, IMAGE + PAGE, IMAGE + 3 * PAGE);
}
END_TEST

/* Mapped whole to be read, with other memory behind. */
START_TEST(a_file_that_is_only_read_has_no_bss)
{
    const Elf64_Phdr segments[] = {
        segment(0, 0x1000, 0x1000, PF_R | PF_X),
        segment(0x8000, 0x100, 0x8000, PF_R | PF_W),
        segment(0x1000, 0, 0x2000, PF_R | PF_W),
    };

    region_walk_map_file(&walk, IMAGE, IMAGE + PAGE, FAKE_PRIVATE, 5, 0);
    region_walk_map(&walk, IMAGE + PAGE, IMAGE + 32 * PAGE, FAKE_PRIVATE);
    put_headers(IMAGE, segments, 3);
    region_walk_run(&walk);
    ck_assert_uint_eq(walk.regions.count, 0);
    region_walk_check_category(&walk, PHT_CATEGORY_UNATTRIBUTED, 31 * PAGE);
}
END_TEST

static void set_field(size_t offset, uint64_t value, size_t bytes)
{
    fake_target_put(walk.fake, IMAGE + offset, &value, bytes);
}

#define DATA_HEADER (sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr))

static const struct damage {
    size_t offset;
    uint64_t value;
    size_t bytes;
} damages[] = {
    {EI_MAG1, 'e', 1},
    {EI_CLASS, ELFCLASS32, 1},
    {offsetof(Elf64_Ehdr, e_phentsize), 32, 2},
    {offsetof(Elf64_Ehdr, e_phnum), 0, 2},
    {offsetof(Elf64_Ehdr, e_phnum), 65535, 2},
    {offsetof(Elf64_Ehdr, e_phnum), 72, 2},
    {offsetof(Elf64_Ehdr, e_phoff), UINT64_MAX - 63, 8},
    {offsetof(Elf64_Ehdr, e_phoff), PHT_PAGE_BYTES - 3 * sizeof(Elf64_Phdr), 8},
    {DATA_HEADER + offsetof(Elf64_Phdr, p_memsz), 0x1eff, 8},
    {DATA_HEADER + offsetof(Elf64_Phdr, p_memsz), UINT64_MAX, 8},
    {DATA_HEADER + offsetof(Elf64_Phdr, p_filesz), UINT64_MAX, 8},
    {DATA_HEADER + offsetof(Elf64_Phdr, p_vaddr), UINT64_MAX - 4095, 8},
    {DATA_HEADER + offsetof(Elf64_Phdr, p_vaddr), PHT_USER_ADDR_MAX, 8},
    {DATA_HEADER + offsetof(Elf64_Phdr, p_type), PT_NOTE, 4},
};

START_TEST(headers_that_lie_prove_nothing)
{
    map_library();
    set_field(damages[_i].offset, damages[_i].value, damages[_i].bytes);
    region_walk_run(&walk);
    check_no_bss();
}
END_TEST

START_TEST(bss_never_reaches_into_another_mapping)
{
    map_library();
    region_walk_map_file(&walk, BEHIND, BEHIND + PAGE, FAKE_PRIVATE, 99, 0);
    set_field(DATA_HEADER + offsetof(Elf64_Phdr, p_memsz), 1 << 30, 8);
    region_walk_run(&walk);
    region_walk_check(&walk, PHT_REGION_BSS, DATA_END, BEHIND);
}
END_TEST

/* ---- by the loader's list ------------------------------------------------------------------ */

static void put_span(pht_addr start, pht_addr end)
{
    region_walk_map(&walk, LINK_MAP, DEBUG + PAGE, FAKE_PRIVATE);
    walk.libc.threads = (struct pht_thread_layout){
        .known = true,
        .debug = DEBUG,
        .link_map_tls_offset = 1144,
        .pthread_list = 704,
    };
    fake_target_put_u64(walk.fake, DEBUG + 8, LINK_MAP);
    fake_target_put_u64(walk.fake, LINK_MAP, IMAGE);
    fake_target_put_u64(walk.fake, LINK_MAP + SPAN_AT, start);
    fake_target_put_u64(walk.fake, LINK_MAP + SPAN_AT + 8, end);
    fake_target_set_pages(walk.fake, IMAGE, IMAGE + PAGE, FAKE_ABSENT);
}

static void walk_by_list(pht_addr start, pht_addr end)
{
    map_library();
    put_span(start, end);
    region_walk_run(&walk);
}

START_TEST(without_headers_the_loader_tells_where_bss_ends)
{
    walk_by_list(IMAGE, BSS_END - 0x3f0);
    region_walk_check(&walk, PHT_REGION_BSS, DATA_END, BSS_END);
}
END_TEST

static const pht_addr wrong_spans[][2] = {
    {IMAGE, IMAGE},       {IMAGE, IMAGE - 1},
    {IMAGE, UINT64_MAX},  {IMAGE, DATA_END},
    {IMAGE + 1, BSS_END}, {CODE, BSS_END},
    {DATA_END, BSS_END},  {LINK_MAP, BSS_END},
    {0, BSS_END},         {IMAGE, IMAGE + (1ULL << 40)},
};

START_TEST(a_span_that_is_not_of_the_image_proves_nothing)
{
    walk_by_list(wrong_spans[_i][0], wrong_spans[_i][1]);
    ck_assert_uint_eq(region_walk_count(&walk, PHT_REGION_BSS), 0);
}
END_TEST

START_TEST(with_neither_bss_has_no_proven_end)
{
    map_library();
    fake_target_set_pages(walk.fake, IMAGE, IMAGE + PAGE, FAKE_ABSENT);
    region_walk_run(&walk);
    ck_assert_uint_eq(region_walk_count(&walk, PHT_REGION_BSS), 0);
    region_walk_check_category(&walk, PHT_CATEGORY_UNATTRIBUTED, BEHIND - DATA_END);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("walk/region_files");
    TCase *mappings = tcase_create("mappings"), *bss = tcase_create("bss");
    TCase *list = tcase_create("list");

    tcase_add_checked_fixture(mappings, setup, teardown);
    tcase_add_test(mappings, a_file_owns_its_pages_and_shared_memory_its_own);
    tcase_add_test(mappings, what_is_claimed_stays_so);
    tcase_add_test(mappings, what_the_kernel_maps_is_its_own);
    tcase_add_test(mappings, memory_that_can_be_run_is_code);
    tcase_add_test(mappings, with_an_executable_stack_only_what_is_read_only_is_code);
    tcase_add_test(mappings, another_allocator_owns_what_is_left);
    suite_add_tcase(suite, mappings);
    tcase_add_checked_fixture(bss, setup, teardown);
    tcase_add_test(bss, bss_ends_where_its_segment_does);
    tcase_add_test(bss, bss_of_a_program_ends_where_its_segment_does);
    tcase_add_test(bss, a_segment_of_zeros_alone_is_bss);
    tcase_add_test(bss, a_file_that_is_only_read_has_no_bss);
    tcase_add_loop_test(bss, headers_that_lie_prove_nothing, 0,
                        sizeof(damages) / sizeof(damages[0]));
    tcase_add_test(bss, bss_never_reaches_into_another_mapping);
    suite_add_tcase(suite, bss);
    tcase_add_checked_fixture(list, setup, teardown);
    tcase_add_test(list, without_headers_the_loader_tells_where_bss_ends);
    tcase_add_loop_test(list, a_span_that_is_not_of_the_image_proves_nothing, 0,
                        sizeof(wrong_spans) / sizeof(wrong_spans[0]));
    tcase_add_test(list, with_neither_bss_has_no_proven_end);
    suite_add_tcase(suite, list);
    return suite;
}

SUITE_MAIN(make_suite)
