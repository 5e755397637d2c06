#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "support/proc_filter.h"
#include "support/suite.h"
#include "target/pages.h"

/* PAGEMAP_SCAN; the build host's headers may be too old to have it. */
#define SCAN_IOCTL _IOC(_IOC_READ | _IOC_WRITE, 'f', 16, 96)
#define GUARD_INSTALL 102 /* MADV_GUARD_INSTALL, Linux 6.13 */

/* ---- entries ------------------------------------------------------------------------------ */

#define PRESENT (UINT64_C(1) << 63)
#define SWAPPED (UINT64_C(1) << 62)
#define FILE_PAGE (UINT64_C(1) << 61)
#define EXCLUSIVE (UINT64_C(1) << 56)
#define SOFT_DIRTY (UINT64_C(1) << 55)
#define GUARD (UINT64_C(1) << 58)

static const struct entry_row {
    uint64_t entry;
    uint64_t zero_frame;
    bool resident;
    bool swapped;
} entry_rows[] = {
    {0, 0, false, false},
    {0, 77, false, false},
    {PRESENT | 42, 0, true, false},
    {PRESENT | 42, 77, true, false},
    {PRESENT | 77, 77, false, false},
    {PRESENT | 77, 0, true, false},
    /* the kernel hides frames: 0 is not the frame of zeros */
    {PRESENT, 0, true, false},
    {PRESENT, 77, true, false},
    /* the bits above the frame are not part of it */
    {PRESENT | FILE_PAGE | EXCLUSIVE | SOFT_DIRTY | 42, 77, true, false},
    {PRESENT | FILE_PAGE | EXCLUSIVE | SOFT_DIRTY | 77, 77, false, false},
    {PRESENT | ((UINT64_C(1) << 55) - 1), 77, true, false},
    /* in swap: the low bits are its place there, not a frame */
    {SWAPPED | 42, 77, false, true},
    {SWAPPED | 77, 77, false, true},
    {SWAPPED | FILE_PAGE | SOFT_DIRTY | 7, 0, false, true},
    {FILE_PAGE | EXCLUSIVE | SOFT_DIRTY | 42, 0, false, false},
    /* a guard page looks as if it were in swap */
    {SWAPPED | GUARD | 42, 0, false, false},
    {SWAPPED | GUARD | SOFT_DIRTY, 77, false, false},
    {GUARD, 0, false, false},
};

START_TEST(an_entry_is_resident_swapped_or_neither)
{
    const struct entry_row *row = &entry_rows[_i];
    bool resident = !row->resident, swapped = !row->swapped;

    pht_pages_decode(row->entry, row->zero_frame, &resident, &swapped);
    ck_assert(resident == row->resident);
    ck_assert(swapped == row->swapped);
}
END_TEST

/* ---- our own pages ------------------------------------------------------------------------ */

/* More pages than pagemap is read at once, and more runs than a scan returns at once. */
#define PAGES 5003
#define WORDS ((PAGES + 63) / 64)

enum state {
    UNTOUCHED,
    ZERO,
    WRITTEN,
};

/* Short runs that start at every bit of a word, then one of many words. */
static enum state wanted_state(size_t page)
{
    if (page >= 3100 && page < 4201)
        return WRITTEN;
    if (page % 3 == 0)
        return WRITTEN;
    return page % 3 == 1 ? ZERO : UNTOUCHED;
}

static char *map_pattern(void)
{
    char *memory = mmap(NULL, PAGES * PHT_PAGE_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    ck_assert_ptr_ne(memory, MAP_FAILED);
    ck_assert_int_eq(madvise(memory, PAGES * PHT_PAGE_BYTES, MADV_NOHUGEPAGE), 0);
    for (size_t i = 0; i < PAGES; i++) {
        volatile char *page = memory + i * PHT_PAGE_BYTES;
        if (wanted_state(i) == WRITTEN)
            *page = 1;
        else if (wanted_state(i) == ZERO)
            (void)*page;
    }
    return memory;
}

static void open_pages(struct pht_pages *pages)
{
    _cleanup_close_ int fd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    ck_assert(pht_pages_init(pages, fd, NULL));
}

static bool bit(const uint64_t *bits, size_t i)
{
    return (bits[i / 64] >> i % 64 & 1) != 0;
}

static void check_pattern(struct pht_pages *pages, const char *memory)
{
    uint64_t resident[WORDS], swapped[WORDS];
    bool zero_is_resident = !pht_pages_see_zeros(pages);

    memset(resident, 0xff, sizeof(resident));
    memset(swapped, 0xff, sizeof(swapped));
    ck_assert(pht_pages_scan(pages, (uintptr_t)memory, (uintptr_t)memory + PAGES * PHT_PAGE_BYTES,
                             resident, swapped));
    for (size_t i = 0; i < PAGES; i++) {
        enum state state = wanted_state(i);
        bool wanted = state == WRITTEN || (state == ZERO && zero_is_resident);
        ck_assert_msg(bit(resident, i) == wanted, "page %zu", i);
        ck_assert_msg(!bit(swapped, i), "page %zu", i);
    }
    for (size_t i = PAGES; i < WORDS * 64; i++)
        ck_assert(!bit(resident, i) && !bit(swapped, i));
}

START_TEST(the_scan_sees_which_pages_were_touched)
{
    char *memory = map_pattern();
    struct pht_pages pages;

    open_pages(&pages);
    if (!pages.no_scan) {
        ck_assert(pht_pages_see_zeros(&pages));
        check_pattern(&pages, memory);
    }
    pht_pages_deinit(&pages);
    munmap(memory, PAGES * PHT_PAGE_BYTES);
}
END_TEST

START_TEST(pagemap_without_frames_counts_pages_of_zeros)
{
    char *memory = map_pattern();
    struct pht_pages pages;

    open_pages(&pages);
    pages.no_scan = true;
    pages.zero_frame = 0;
    ck_assert(!pht_pages_see_zeros(&pages));
    check_pattern(&pages, memory);
    pht_pages_deinit(&pages);
    munmap(memory, PAGES * PHT_PAGE_BYTES);
}
END_TEST

START_TEST(a_kernel_without_the_scan_is_asked_through_pagemap)
{
    char *memory = map_pattern();
    struct pht_pages pages;

    if (!proc_filter_refuse_ioctl(SCAN_IOCTL, ENOTTY))
        return;
    open_pages(&pages);
    ck_assert(pages.no_scan);
    if (geteuid() == 0 && pages.zero_frame == 0) /* root in a container sees no frames */
        ck_assert(!pht_pages_see_zeros(&pages));
    check_pattern(&pages, memory);
    pht_pages_deinit(&pages);
    munmap(memory, PAGES * PHT_PAGE_BYTES);
}
END_TEST

/* Scans `from` up to `to` of the pages at `memory` in both ways. */
static void check_agreement(struct pht_pages *pages, const char *memory, size_t from, size_t to)
{
    uint64_t resident[2][WORDS] = {0}, swapped[2][WORDS] = {0};
    pht_addr start = (uintptr_t)memory + from * PHT_PAGE_BYTES;
    pht_addr end = (uintptr_t)memory + to * PHT_PAGE_BYTES;

    pages->no_scan = false;
    ck_assert(pht_pages_scan(pages, start, end, resident[0], swapped[0]));
    pages->no_scan = true;
    ck_assert(pht_pages_scan(pages, start, end, resident[1], swapped[1]));
    for (size_t i = 0; i < to - from; i++) {
        bool zero = wanted_state(from + i) == ZERO && pages->zero_frame == 0;
        ck_assert_msg(zero || bit(resident[0], i) == bit(resident[1], i), "page %zu", from + i);
        ck_assert_msg(bit(swapped[0], i) == bit(swapped[1], i), "page %zu", from + i);
    }
}

START_TEST(both_ways_agree_on_every_part_of_a_range)
{
    static const size_t ends[] = {1, 2, 63, 64, 65, 127, 128, 129, 1000, PAGES};
    char *memory = map_pattern();
    struct pht_pages pages;

    open_pages(&pages);
    if (pages.no_scan) {
        pht_pages_deinit(&pages);
        return;
    }
    /* Some of it is not mapped, some is neither mapped to a page nor free to be. */
    ck_assert_int_eq(munmap(memory + 70 * PHT_PAGE_BYTES, 9 * PHT_PAGE_BYTES), 0);
    if (!pages.no_guard)
        madvise(memory + 90 * PHT_PAGE_BYTES, 5 * PHT_PAGE_BYTES, GUARD_INSTALL);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        check_agreement(&pages, memory, 0, ends[i]);
        check_agreement(&pages, memory, ends[i] / 2, ends[i]);
    }
    pht_pages_deinit(&pages);
    munmap(memory, PAGES * PHT_PAGE_BYTES);
}
END_TEST

/* Bits that are set among the first `count` of both maps together. */
static size_t count_bits(const uint64_t *resident, const uint64_t *swapped, size_t count)
{
    size_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += bit(resident, i) || bit(swapped, i);
    return sum;
}

/* Of both ways to ask; each knows guard pages since another version of the kernel. */
START_TEST(guard_pages_are_neither_resident_nor_swapped)
{
    enum { COUNT = 130, GUARDED = 70 };
    uint64_t resident[3], swapped[3];
    struct pht_pages pages;
    char *memory = mmap(NULL, COUNT * PHT_PAGE_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(memory, MAP_FAILED);
    memset(memory, 1, COUNT * PHT_PAGE_BYTES);
    if (madvise(memory, GUARDED * PHT_PAGE_BYTES, GUARD_INSTALL) < 0)
        SKIP_TEST("this kernel has no guard pages");
    open_pages(&pages);
    if (_i == 0 && pages.no_guard)
        SKIP_TEST("this kernel does not tell guard pages in a scan");
    pages.no_scan = _i != 0;
    ck_assert(pht_pages_scan(&pages, (uintptr_t)memory, (uintptr_t)memory + COUNT * PHT_PAGE_BYTES,
                             resident, swapped));
    /* Since 6.15; the scan has been taught it later, so it tells whether pagemap knows. */
    if (_i == 1 && pages.no_guard && bit(swapped, 0))
        SKIP_TEST("this kernel does not tell guard pages in pagemap");
    ck_assert_uint_eq(count_bits(resident, swapped, COUNT), COUNT - GUARDED);
    ck_assert_uint_eq(count_bits(resident, swapped, GUARDED), 0);
    ck_assert_uint_eq(swapped[1] | swapped[2], 0);
    pht_pages_deinit(&pages);
    munmap(memory, COUNT * PHT_PAGE_BYTES);
}
END_TEST

START_TEST(a_scan_that_does_not_know_guard_pages_is_asked_without)
{
    char *memory = map_pattern();
    struct pht_pages pages;

    open_pages(&pages);
    if (pages.no_scan)
        SKIP_TEST("this kernel has no scan");
    pages.no_guard = true;
    check_pattern(&pages, memory);
    uint64_t resident[2], swapped[2];
    if (madvise(memory, 64 * PHT_PAGE_BYTES, GUARD_INSTALL) == 0) {
        ck_assert(pht_pages_scan(&pages, (uintptr_t)memory, (uintptr_t)memory + 64 * PHT_PAGE_BYTES,
                                 resident, swapped));
        ck_assert_uint_eq(resident[0], 0);
    }
    pht_pages_deinit(&pages);
    munmap(memory, PAGES * PHT_PAGE_BYTES);
}
END_TEST

START_TEST(what_is_not_mapped_is_not_resident)
{
    char *memory = map_pattern();
    struct pht_pages pages;
    uint64_t resident[2], swapped[2];

    ck_assert_int_eq(munmap(memory, PAGES * PHT_PAGE_BYTES), 0);
    open_pages(&pages);
    for (int i = 0; i < 2; i++, pages.no_scan = true) {
        ck_assert(pht_pages_scan(&pages, (uintptr_t)memory,
                                 (uintptr_t)memory + 100 * PHT_PAGE_BYTES, resident, swapped));
        ck_assert_uint_eq(resident[0] | resident[1] | swapped[0] | swapped[1], 0);
    }
    pht_pages_deinit(&pages);
}
END_TEST

START_TEST(a_process_that_is_not_there_has_no_pagemap)
{
    struct pht_pages pages;
    _cleanup_close_ int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    ck_assert(!pht_pages_init(&pages, fd, NULL));
    ck_assert_int_eq(errno, ENOENT);
    pht_pages_deinit(&pages);
}
END_TEST

/* Until the child ends, or writes to its own. */
START_TEST(pages_that_fork_shares_are_not_exclusive)
{
    char *memory = map_pattern();
    uint64_t resident[WORDS], swapped[WORDS], exclusive[3][WORDS];
    pht_addr start = (uintptr_t)memory, end = start + PAGES * PHT_PAGE_BYTES;
    struct pht_pages pages;

    open_pages(&pages);
    ck_assert(pht_pages_scan(&pages, start, end, resident, swapped));
    ck_assert(pht_pages_scan_exclusive(&pages, start, end, resident, exclusive[0]));
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    ck_assert(pht_pages_scan_exclusive(&pages, start, end, resident, exclusive[1]));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    ck_assert(pht_pages_scan_exclusive(&pages, start, end, resident, exclusive[2]));
    for (size_t i = 0; i < PAGES; i++) {
        bool is_written = wanted_state(i) == WRITTEN;
        ck_assert_msg(bit(exclusive[0], i) == is_written, "page %zu before", i);
        ck_assert_msg(!bit(exclusive[1], i), "page %zu with a child", i);
        ck_assert_msg(bit(exclusive[2], i) == is_written, "page %zu after it", i);
    }
    /* Parts without a page are not asked for. */
    memset(resident, 0, sizeof(resident));
    ck_assert(pht_pages_scan_exclusive(&pages, start, end, resident, exclusive[0]));
    for (size_t i = 0; i < PAGES; i++)
        ck_assert(!bit(exclusive[0], i));
    pht_pages_deinit(&pages);
    munmap(memory, PAGES * PHT_PAGE_BYTES);
}
END_TEST

static Suite *pages_suite(void)
{
    Suite *suite = suite_create("target/pages");
    TCase *tcase = tcase_create("pages");

    tcase_add_loop_test(tcase, an_entry_is_resident_swapped_or_neither, 0,
                        (int)(sizeof(entry_rows) / sizeof(entry_rows[0])));
    tcase_add_test(tcase, the_scan_sees_which_pages_were_touched);
    tcase_add_test(tcase, pagemap_without_frames_counts_pages_of_zeros);
    tcase_add_test(tcase, pages_that_fork_shares_are_not_exclusive);
    tcase_add_test(tcase, both_ways_agree_on_every_part_of_a_range);
    tcase_add_loop_test(tcase, guard_pages_are_neither_resident_nor_swapped, 0, 2);
    tcase_add_test(tcase, a_scan_that_does_not_know_guard_pages_is_asked_without);
    tcase_add_test(tcase, what_is_not_mapped_is_not_resident);
    tcase_add_test(tcase, a_process_that_is_not_there_has_no_pagemap);
    /* Last, because its filter stays where tests do not have processes of their own. */
    tcase_add_test(tcase, a_kernel_without_the_scan_is_asked_through_pagemap);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(pages_suite)
