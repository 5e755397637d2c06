#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "target/procfs.h"

static struct pht_kernel_memory sum(const char *text)
{
    /* Not zero before, and fields that smaps does not tell must stay. */
    struct pht_kernel_memory memory;
    char *copy = strdup(text);

    ck_assert_ptr_nonnull(copy);
    memset(&memory, 0x5a, sizeof(memory));
    pht_procfs_sum_smaps(copy, &memory);
    free(copy);
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
}
END_TEST

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
    struct pht_kernel_memory memory =
        sum("7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0  [stack]\n"
            "Size:    132 kB\n"
            "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0  [vsyscall]\n"
            "Size:      4 kB\n");

    ck_assert_uint_eq(memory.virtual_bytes, 132 << 10);
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

static Suite *procfs_smaps_suite(void)
{
    Suite *suite = suite_create("target/procfs: smaps");
    TCase *tcase = tcase_create("smaps");

    tcase_add_test(tcase, each_field_of_a_mapping_goes_to_its_sum);
    tcase_add_test(tcase, fields_of_other_files_stay_as_they_are);
    tcase_add_loop_test(tcase, pages_that_are_not_anonymous_are_shmem_or_file, 0,
                        (int)(sizeof(class_rows) / sizeof(class_rows[0])));
    tcase_add_test(tcase, the_class_of_a_mapping_ends_with_it);
    tcase_add_test(tcase, the_page_that_everybody_has_is_not_counted);
    tcase_add_test(tcase, nonsense_adds_nothing);
    tcase_add_test(tcase, more_anonymous_than_resident_does_not_wrap);
    tcase_add_test(tcase, no_text_sums_to_zero);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(procfs_smaps_suite)
