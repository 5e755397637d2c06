#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "support/child.h"
#include "support/suite.h"
#include "target/procfs.h"
#include "target/smaps.h"

static struct pht_smaps parse(const char *text)
{
    struct pht_smaps smaps;
    char *copy = strdup(text);

    ck_assert_ptr_nonnull(copy);
    memset(&smaps, 0x5a, sizeof(smaps));
    ck_assert(pht_smaps_parse(copy, &smaps));
    return smaps;
}

static struct pht_kernel_memory sum(const char *text)
{
    /* Not zero before, and fields that smaps does not tell must stay. */
    struct pht_kernel_memory memory;
    struct pht_smaps smaps = parse(text);

    memset(&memory, 0x5a, sizeof(memory));
    pht_smaps_sum(&smaps, &memory);
    pht_smaps_deinit(&smaps);
    return memory;
}

static const char libc_mapping[] =
    "7f2b9c000000-7f2b9c021000 rw-p 00000000 fe:00 393233         /usr/lib/libc.so.6\n"
    "Size:                132 kB\n"
    "KernelPageSize:        4 kB\n"
    "Rss:                 100 kB\n"
    "Pss:                  45 kB\n"
    "Pss_Dirty:            31 kB\n"
    "Shared_Clean:         60 kB\n"
    "Shared_Dirty:          1 kB\n"
    "Private_Clean:         7 kB\n"
    "Private_Dirty:        32 kB\n"
    "Referenced:          100 kB\n"
    "Anonymous:            30 kB\n"
    "LazyFree:              0 kB\n"
    "AnonHugePages:         0 kB\n"
    "Swap:                  8 kB\n"
    "SwapPss:               5 kB\n"
    "THPeligible:           0\n"
    "ProtectionKey:         0\n"
    "VmFlags: rd wr mr mw me ac sd \n";

START_TEST(each_field_of_a_mapping_is_kept)
{
    struct pht_smaps smaps = parse(libc_mapping);
    const struct pht_mapping_memory *memory = &smaps.memory[0];

    ck_assert_uint_eq(smaps.maps.count, 1);
    ck_assert_uint_eq(smaps.maps.items[0].start, 0x7f2b9c000000);
    ck_assert_str_eq(smaps.maps.items[0].name, "/usr/lib/libc.so.6");
    ck_assert_uint_eq(memory->rss_bytes, 100 << 10);
    ck_assert_uint_eq(memory->pss_bytes, 45 << 10);
    ck_assert_uint_eq(memory->exclusive_bytes, 39 << 10);
    ck_assert_uint_eq(memory->shared_bytes, 61 << 10);
    ck_assert_uint_eq(memory->anonymous_bytes, 30 << 10);
    ck_assert_uint_eq(memory->swap_bytes, 8 << 10);
    ck_assert_uint_eq(memory->huge_bytes, 0);
    ck_assert(!memory->is_outside_rss);
    pht_smaps_deinit(&smaps);
    ck_assert_ptr_null(smaps.memory);
    ck_assert_ptr_null(smaps.maps.items);
}
END_TEST

START_TEST(each_field_of_a_mapping_goes_to_its_sum)
{
    struct pht_kernel_memory memory = sum(libc_mapping);

    ck_assert_uint_eq(memory.virtual_bytes, 132 << 10);
    ck_assert_uint_eq(memory.rss_bytes, 100 << 10);
    ck_assert_uint_eq(memory.anon_bytes, 30 << 10);
    ck_assert_uint_eq(memory.file_bytes, 70 << 10);
    ck_assert_uint_eq(memory.shmem_bytes, 0);
    ck_assert_uint_eq(memory.pss_bytes, 45 << 10);
    ck_assert_uint_eq(memory.uss_bytes, 39 << 10);
    ck_assert_uint_eq(memory.swap_bytes, 8 << 10);
    ck_assert_uint_eq(memory.huge_bytes, 0);
}
END_TEST

START_TEST(a_mapping_has_its_own_fields_only)
{
    struct pht_smaps smaps = parse("1000-3000 rw-p 00000000 00:00 0 \n"
                                   "Rss:    8 kB\n"
                                   "Private_Dirty:   4 kB\n"
                                   "3000-5000 rw-p 00000000 00:00 0 \n"
                                   "5000-7000 rw-p 00000000 00:00 0 \n"
                                   "Rss:    4 kB\n");

    ck_assert_uint_eq(smaps.maps.count, 3);
    ck_assert_uint_eq(smaps.memory[0].rss_bytes, 8 << 10);
    ck_assert_uint_eq(smaps.memory[0].exclusive_bytes, 4 << 10);
    ck_assert_uint_eq(smaps.memory[1].rss_bytes, 0);
    ck_assert_uint_eq(smaps.memory[2].rss_bytes, 4 << 10);
    ck_assert_uint_eq(smaps.memory[2].exclusive_bytes, 0);
    pht_smaps_deinit(&smaps);
}
END_TEST

/* ---- what RSS leaves out ------------------------------------------------------------------ */

static const struct flags_row {
    const char *fields;
    bool is_outside_rss;
} flags_rows[] = {
    {"VmFlags: rd wr mr mw me ht sd \n", true},
    {"VmFlags: rd wr sh mr mw me ms pf io de dd sd \n", true},
    {"VmFlags: io", true},
    {"VmFlags: rd pf\n", true},
    {"Rss:   0 kB\nVmFlags: rd wr io pf\n", true},
    {"VmFlags: rd wr mr mw me ac sd \n", false},
    {"VmFlags: rd mm sd \n", false},
    {"VmFlags: rdht htio iopf p f \n", false},
    {"VmFlags:\n", false},
    {"VmFlags\n", false},
    {"XVmFlags: io\n", false},
    {"", false},
    /* ordinary pages that a driver mapped, or copies that the process made by writing */
    {"Rss:   4 kB\nVmFlags: rd wr io mm \n", false},
};

START_TEST(huge_and_device_mappings_are_outside_rss)
{
    char text[200];

    snprintf(text, sizeof(text),
             "1000-9000 rw-p 00000000 00:00 1 x\n%s\n"
             "a000-b000 rw-p 00000000 00:00 0 \n"
             "VmFlags: rd wr \n",
             flags_rows[_i].fields);
    struct pht_smaps smaps = parse(text);
    ck_assert_uint_eq(smaps.maps.count, 2);
    ck_assert(smaps.memory[0].is_outside_rss == flags_rows[_i].is_outside_rss);
    ck_assert(!smaps.memory[1].is_outside_rss);
    pht_smaps_deinit(&smaps);
}
END_TEST

START_TEST(huge_pages_have_a_sum_of_their_own)
{
    static const char text[] = "200000-a00000 rw-p 00000000 00:10 77    /anon_hugepage (deleted)\n"
                               "Size:               8192 kB\n"
                               "Rss:                   0 kB\n"
                               "Shared_Hugetlb:     4096 kB\n"
                               "Private_Hugetlb:    2048 kB\n"
                               "VmFlags: rd wr mr mw me de ht sd \n";
    struct pht_kernel_memory memory = sum(text);
    struct pht_smaps smaps = parse(text);

    ck_assert_uint_eq(smaps.memory[0].huge_bytes, 6 << 20);
    ck_assert_uint_eq(memory.huge_bytes, 6 << 20);
    ck_assert_uint_eq(memory.rss_bytes, 0);
    ck_assert_uint_eq(memory.uss_bytes, 0);
    ck_assert_uint_eq(memory.virtual_bytes, 8 << 20);
    pht_smaps_deinit(&smaps);
}
END_TEST

/* ---- classes ------------------------------------------------------------------------------ */

START_TEST(fields_of_other_files_stay_as_they_are)
{
    struct pht_kernel_memory memory = sum(libc_mapping);

    ck_assert_uint_eq(memory.peak_rss_bytes, UINT64_C(0x5a5a5a5a5a5a5a5a));
    ck_assert_uint_eq(memory.minor_faults, UINT64_C(0x5a5a5a5a5a5a5a5a));
    ck_assert_uint_eq(memory.major_faults, UINT64_C(0x5a5a5a5a5a5a5a5a));
}
END_TEST

/* A mapping of 10 KiB resident, 3 of them anonymous. */
static const struct class_row {
    const char *name;
    bool shmem;
} class_rows[] = {
    {"", false},
    {"[heap]", false},
    {"[stack]", false},
    {"[anon:glibc: malloc]", false},
    {"/usr/bin/python3.11", false},
    {"/usr/bin/gone (deleted)", false},
    {"/home/memfd:x", false},
    {"/dev/shm", false},
    {"/dev/dri/card0", false},
    {"/dev/shm/sem.lock", true},
    {"/dev/shm/gone (deleted)", true},
    {"/dev/zero (deleted)", true},
    {"/memfd:pulseaudio (deleted)", true},
    {"/memfd:", true},
    {"/SYSV00001234 (deleted)", true},
    {"[anon_shmem:ring]", true},
};

START_TEST(pages_that_are_not_anonymous_are_shmem_or_file)
{
    char text[400];

    snprintf(text, sizeof(text),
             "1000-9000 rw-p 00000000 00:00 1 %s\n"
             "Rss:    10 kB\n"
             "Anonymous:     3 kB\n"
             "a000-b000 rw-p 00000000 00:00 0 \n"
             "Rss:    4 kB\n"
             "Anonymous:     4 kB\n",
             class_rows[_i].name);
    struct pht_kernel_memory memory = sum(text);
    ck_assert_uint_eq(memory.rss_bytes, 14 << 10);
    ck_assert_uint_eq(memory.anon_bytes, 7 << 10);
    ck_assert_uint_eq(memory.shmem_bytes, class_rows[_i].shmem ? 7 << 10 : 0);
    ck_assert_uint_eq(memory.file_bytes, class_rows[_i].shmem ? 0 : 7 << 10);
}
END_TEST

START_TEST(the_class_of_a_mapping_ends_with_it)
{
    struct pht_kernel_memory memory = sum("1000-2000 rw-s 00000000 00:01 1 /memfd:x (deleted)\n"
                                          "Rss:    1 kB\n"
                                          "Anonymous:     0 kB\n"
                                          "2000-3000 r--p 00000000 fe:00 2 /lib/x\n"
                                          "Rss:    2 kB\n"
                                          "Anonymous:     0 kB\n"
                                          "3000-4000 rw-s 00000000 00:01 1 /dev/zero (deleted)\n"
                                          "Rss:    4 kB\n"
                                          "Anonymous:     0 kB\n");

    ck_assert_uint_eq(memory.shmem_bytes, 5 << 10);
    ck_assert_uint_eq(memory.file_bytes, 2 << 10);
}
END_TEST

START_TEST(the_page_that_everybody_has_is_not_counted)
{
    static const char text[] =
        "7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0  [stack]\n"
        "Size:    132 kB\n"
        "Rss:       8 kB\n"
        "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0  [vsyscall]\n"
        "Size:      4 kB\n"
        "Rss:       4 kB\n"
        "VmFlags: ex io \n";
    struct pht_kernel_memory memory = sum(text);
    struct pht_smaps smaps = parse(text);

    ck_assert_uint_eq(memory.virtual_bytes, 132 << 10);
    ck_assert_uint_eq(memory.rss_bytes, 8 << 10);
    ck_assert_uint_eq(smaps.maps.count, 2);
    ck_assert_str_eq(smaps.maps.items[1].name, "[vsyscall]");
    ck_assert_uint_eq(smaps.memory[1].rss_bytes, 0);
    ck_assert(!smaps.memory[1].is_outside_rss);
    pht_smaps_deinit(&smaps);
}
END_TEST

/* ---- damage ------------------------------------------------------------------------------- */

START_TEST(a_mapping_that_is_left_out_takes_its_fields_along)
{
    struct pht_smaps smaps = parse("Rss:    4 kB\n"
                                   "4000-6000 rw-p 00000000 00:00 0 first\n"
                                   "Rss:    4 kB\n"
                                   "5000-7000 rw-p 00000000 00:00 0 overlaps\n"
                                   "Swap:   4 kB\n"
                                   "1000-2000 rw-p 00000000 00:00 0 backward\n"
                                   "Pss:    4 kB\n"
                                   "8000-7000 rw-p 00000000 00:00 0 inside out\n"
                                   "VmFlags: io\n"
                                   "6000-7000 rw-p 00000000 00:00 0 touches\n"
                                   "Rss:    4 kB\n"
                                   "not a mapping\n"
                                   "Swap:   4 kB\n");

    ck_assert_uint_eq(smaps.maps.count, 2);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_str_eq(smaps.maps.items[i].name, i == 0 ? "first" : "touches");
        ck_assert_uint_eq(smaps.memory[i].rss_bytes, 4 << 10);
        ck_assert_uint_eq(smaps.memory[i].swap_bytes, 0);
        ck_assert_uint_eq(smaps.memory[i].pss_bytes, 0);
        ck_assert(!smaps.memory[i].is_outside_rss);
    }
    pht_smaps_deinit(&smaps);
}
END_TEST

static const char *const bad_fields[] = {
    "Rss",
    "Rss:",
    "Rss:   many kB",
    "Rss:   99999999999999999999 kB",
    "Rss:   18446744073709551615 kB",
    "Rss:   18014398509481985 kB",
    "Rss:   -4 kB",
    "Rss :   4 kB",
    "RSS:   4 kB",
    "Unknown:   4 kB",
    /* more than is mapped */
    "Rss:   33 kB",
};

START_TEST(damaged_fields_are_zero)
{
    char text[200];

    snprintf(text, sizeof(text),
             "1000-9000 rw-p 00000000 00:00 0 \n"
             "%s\n"
             "Pss:    4 kB\n",
             bad_fields[_i]);
    struct pht_smaps smaps = parse(text);
    ck_assert_uint_eq(smaps.maps.count, 1);
    ck_assert_uint_eq(smaps.memory[0].rss_bytes, 0);
    ck_assert_uint_eq(smaps.memory[0].pss_bytes, 4 << 10);
    pht_smaps_deinit(&smaps);
}
END_TEST

START_TEST(as_much_as_is_mapped_is_kept)
{
    ck_assert_uint_eq(sum("1000-9000 rw-p 00000000 00:00 0 \nRss:  32 kB\n").rss_bytes, 32 << 10);
}
END_TEST

/* A kernel says each thing once. */
START_TEST(a_field_that_comes_twice_is_no_larger_than_its_mapping)
{
    struct pht_kernel_memory memory = sum("1000-9000 rw-p 00000000 00:00 0 \n"
                                          "Rss:            20 kB\n"
                                          "Rss:            20 kB\n"
                                          "Private_Clean:  20 kB\n"
                                          "Private_Dirty:  13 kB\n"
                                          "Private_Dirty:  12 kB\n");

    ck_assert_uint_eq(memory.rss_bytes, 20 << 10);
    ck_assert_uint_eq(memory.uss_bytes, 32 << 10);
}
END_TEST

/* Two mappings of half the address space each, and the first says twice that all is private. */
START_TEST(sums_do_not_wrap)
{
    struct pht_kernel_memory memory = sum("0-8000000000000000 rw-p 00000000 00:00 0 \n"
                                          "Private_Clean:   9007199254740992 kB\n"
                                          "Private_Dirty:   9007199254740992 kB\n"
                                          "Rss:             9007199254740992 kB\n"
                                          "8000000000000000-fffffffffffff000 rw-p 0 00:00 0 \n"
                                          "Rss:             9007199254740988 kB\n"
                                          "Private_Dirty:   4 kB\n");

    ck_assert_uint_eq(memory.uss_bytes, ((uint64_t)1 << 63) + 4096);
    ck_assert_uint_eq(memory.rss_bytes, UINT64_MAX - 4095);
    ck_assert_uint_eq(memory.virtual_bytes, UINT64_MAX - 4095);
}
END_TEST

START_TEST(nonsense_adds_nothing)
{
    struct pht_kernel_memory memory = sum("no smaps at all\n"
                                          "Rss\n"
                                          "Rss:\n"
                                          "Rss:   many kB\n"
                                          "Rss:   99999999999999999999 kB\n"
                                          "Rss:   18446744073709551615 kB\n"
                                          "Anonymous:\n"
                                          ":\n"
                                          "Unknown:   7 kB\n");

    ck_assert_uint_eq(memory.rss_bytes, 0);
    ck_assert_uint_eq(memory.anon_bytes, 0);
    ck_assert_uint_eq(memory.file_bytes, 0);
    ck_assert_uint_eq(memory.virtual_bytes, 0);
}
END_TEST

START_TEST(more_anonymous_than_resident_does_not_wrap)
{
    struct pht_kernel_memory memory = sum("1000-2000 r--p 00000000 fe:00 2 /lib/x\n"
                                          "Rss:    2 kB\n"
                                          "Anonymous:     4 kB\n");

    ck_assert_uint_eq(memory.file_bytes, 0);
    ck_assert_uint_eq(memory.anon_bytes, 4 << 10);
}
END_TEST

START_TEST(no_text_sums_to_zero)
{
    struct pht_kernel_memory memory = sum("");

    ck_assert_uint_eq(memory.rss_bytes, 0);
    ck_assert_uint_eq(memory.pss_bytes, 0);
    ck_assert_uint_eq(memory.uss_bytes, 0);
    ck_assert_uint_eq(memory.swap_bytes, 0);
    ck_assert_uint_eq(memory.virtual_bytes, 0);
}
END_TEST

/* ---- a process ---------------------------------------------------------------------------- */

static void rest(struct child *child)
{
    atomic_fetch_add(&child->counters->beats[0], 1);
    for (;;)
        pause();
}

/* The kernel's own sum of the same file: "Rss:     1234 kB". */
static uint64_t rollup(const struct child *child, const char *key)
{
    _cleanup_free_ char *text = pht_procfs_read(child->process_fd, "smaps_rollup", NULL);

    ck_assert_ptr_nonnull(text);
    return pht_procfs_kib_field(text, key);
}

START_TEST(the_sum_is_the_kernels_own)
{
    struct pht_target *target;
    struct pht_smaps smaps;
    struct pht_maps maps;
    struct pht_kernel_memory memory = {0};
    struct child child;

    child_init(&child);
    child_start(&child, rest);
    for (uint64_t end = pht_clock_us() + CHILD_PATIENCE_US;
         child_beats(&child) == 0 && pht_clock_us() < end;)
        usleep(200);
    child_wait_for_state(&child, 'S');
    ck_assert_ptr_null(pht_target_open(child.pid, NULL, &target));
    ck_assert_ptr_null(pht_target_read_smaps(target, &smaps));
    ck_assert_ptr_null(pht_target_read_maps(target, &maps));
    ck_assert_uint_eq(smaps.maps.count, maps.count);
    pht_smaps_sum(&smaps, &memory);
    ck_assert_ptr_null(pht_target_read_counters(target, &memory));

    _cleanup_free_ char *status = pht_procfs_read(child.process_fd, "status", NULL);
    ck_assert_ptr_nonnull(status);
    ck_assert_uint_eq(memory.virtual_bytes, pht_procfs_kib_field(status, "VmSize"));
    ck_assert_uint_eq(memory.peak_rss_bytes, pht_procfs_kib_field(status, "VmHWM"));
    ck_assert_uint_eq(memory.rss_bytes, rollup(&child, "Rss"));
    ck_assert_uint_eq(memory.anon_bytes, rollup(&child, "Anonymous"));
    /* What we write to meanwhile, and share with the child, becomes its own. */
    ck_assert_uint_le(memory.uss_bytes,
                      rollup(&child, "Private_Clean") + rollup(&child, "Private_Dirty"));
    ck_assert_uint_gt(memory.uss_bytes, 0);
    ck_assert_uint_gt(memory.rss_bytes, 0);
    ck_assert_uint_gt(memory.minor_faults, 0);
    ck_assert(!memory.is_stopped);
    kill(child.pid, SIGSTOP);
    child_wait_for_state(&child, 'T');
    ck_assert_ptr_null(pht_target_read_counters(target, &memory));
    ck_assert(memory.is_stopped);
    pht_maps_deinit(&maps);
    pht_smaps_deinit(&smaps);
    pht_target_destroy(target);
    child_deinit(&child);
}
END_TEST

START_TEST(smaps_of_a_process_that_ended_are_an_error)
{
    struct pht_target *target;
    struct pht_smaps smaps;
    struct pht_kernel_memory memory;
    struct child child;

    child_init(&child);
    child_start(&child, rest);
    ck_assert_ptr_null(pht_target_open(child.pid, NULL, &target));
    kill(child.pid, SIGKILL);
    child_check_can_be_collected(&child);
    struct pht_error *errors[] = {pht_target_read_smaps(target, &smaps),
                                  pht_target_read_counters(target, &memory)};
    for (int i = 0; i < 2; i++) {
        ck_assert_ptr_nonnull(errors[i]);
        ck_assert_int_eq(errors[i]->code, PHT_ERROR_EXITED_EARLY);
        pht_error_destroy(errors[i]);
    }
    pht_target_destroy(target);
    child_deinit(&child);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *smaps_suite(void)
{
    Suite *suite = suite_create("target/smaps");
    TCase *tcase = tcase_create("smaps");

    tcase_add_test(tcase, each_field_of_a_mapping_is_kept);
    tcase_add_test(tcase, each_field_of_a_mapping_goes_to_its_sum);
    tcase_add_test(tcase, a_mapping_has_its_own_fields_only);
    tcase_add_loop_test(tcase, huge_and_device_mappings_are_outside_rss, 0, ROWS(flags_rows));
    tcase_add_test(tcase, huge_pages_have_a_sum_of_their_own);
    tcase_add_test(tcase, fields_of_other_files_stay_as_they_are);
    tcase_add_loop_test(tcase, pages_that_are_not_anonymous_are_shmem_or_file, 0, ROWS(class_rows));
    tcase_add_test(tcase, the_class_of_a_mapping_ends_with_it);
    tcase_add_test(tcase, the_page_that_everybody_has_is_not_counted);
    tcase_add_test(tcase, a_mapping_that_is_left_out_takes_its_fields_along);
    tcase_add_loop_test(tcase, damaged_fields_are_zero, 0, ROWS(bad_fields));
    tcase_add_test(tcase, as_much_as_is_mapped_is_kept);
    tcase_add_test(tcase, a_field_that_comes_twice_is_no_larger_than_its_mapping);
    tcase_add_test(tcase, sums_do_not_wrap);
    tcase_add_test(tcase, nonsense_adds_nothing);
    tcase_add_test(tcase, more_anonymous_than_resident_does_not_wrap);
    tcase_add_test(tcase, no_text_sums_to_zero);
    tcase_add_test(tcase, the_sum_is_the_kernels_own);
    tcase_add_test(tcase, smaps_of_a_process_that_ended_are_an_error);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(smaps_suite)
