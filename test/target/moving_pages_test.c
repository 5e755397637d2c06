/* Pages that the kernel moves, as a pagemap that the test writes shows them. */
#include "target/moving_pages.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "support/suite.h"
#include "target/pagemap.h"

#define PAGES 3000 /* more than are looked at at once */
#define WORDS ((PAGES + 63) / 64)

/* Types as a kernel with all its features has them, and as one without has them. */
#define FIRST_MIGRATION 24
#define LAST_MIGRATION 30

static struct pht_pages pages;
static uint64_t entries[PAGES];
static uint64_t resident[WORDS], swapped[WORDS];

static uint64_t swap_entry(unsigned type, uint64_t offset)
{
    return PHT_PAGEMAP_SWAPPED | type | offset << 5;
}

static void setup(void)
{
    pages = (struct pht_pages){.pagemap_fd = memfd_create("pagemap", MFD_CLOEXEC)};
    ck_assert_int_ge(pages.pagemap_fd, 0);
    memset(entries, 0, sizeof(entries));
    memset(resident, 0, sizeof(resident));
    memset(swapped, 0, sizeof(swapped));
}

static void teardown(void)
{
    pht_pages_deinit(&pages);
}

static void seem_swapped(size_t page)
{
    swapped[page / 64] |= UINT64_C(1) << page % 64;
}

static bool is_set(const uint64_t *bits, size_t page)
{
    return bits[page / 64] >> page % 64 & 1;
}

static void write_map(void)
{
    ck_assert_int_eq(pwrite(pages.pagemap_fd, entries, sizeof(entries), 0), sizeof(entries));
}

static void await(void)
{
    write_map();
    pht_moving_pages_await(&pages, 0, PAGES, resident, swapped);
}

static const struct {
    uint64_t entry;
    bool may_be_moving;
} rows[] = {
    {PHT_PAGEMAP_SWAPPED | FIRST_MIGRATION | 77 << 5, true},
    {PHT_PAGEMAP_SWAPPED | LAST_MIGRATION | 77 << 5, true},
    {PHT_PAGEMAP_SWAPPED, true}, /* the kernel hides type and place */
    {PHT_PAGEMAP_SWAPPED | 0 | 77 << 5, false},
    {PHT_PAGEMAP_SWAPPED | 22 | 77 << 5, false},
    {PHT_PAGEMAP_SWAPPED | PHT_PAGEMAP_GUARD | 31, false},
    {PHT_PAGEMAP_PRESENT | LAST_MIGRATION, false},
    {0, false},
};

START_TEST(an_entry_tells_what_may_be_moving)
{
    ck_assert(pht_page_may_be_moving(rows[_i].entry) == rows[_i].may_be_moving);
}
END_TEST

/* Between the scan and a second look they arrived, or went. */
START_TEST(what_has_arrived_is_resident)
{
    entries[1] = PHT_PAGEMAP_PRESENT | 42;
    entries[2999] = PHT_PAGEMAP_PRESENT | 43;
    seem_swapped(1);
    seem_swapped(2);
    seem_swapped(2999);
    await();
    ck_assert(is_set(resident, 1) && is_set(resident, 2999) && !is_set(resident, 2));
    for (size_t i = 0; i < WORDS; i++)
        ck_assert_uint_eq(swapped[i], 0);
    ck_assert_uint_eq(pages.waits, 0);
}
END_TEST

START_TEST(what_is_in_swap_is_not_waited_for)
{
    for (size_t i = 0; i < PAGES; i++) {
        entries[i] = swap_entry(0, 1 + i);
        seem_swapped(i);
    }
    await();
    for (size_t i = 0; i < PAGES; i++)
        ck_assert(is_set(swapped, i) && !is_set(resident, i));
    ck_assert_uint_eq(pages.waits, 0);
}
END_TEST

static void arrive(int signal)
{
    const uint64_t entry = PHT_PAGEMAP_PRESENT | 42;

    (void)signal;
    if (pwrite(pages.pagemap_fd, &entry, sizeof(entry), 1500 * sizeof(entry)) < 0)
        abort();
}

/* The waits take five milliseconds at least, on however busy a machine. */
START_TEST(what_is_moving_is_waited_for)
{
    const struct sigaction action = {.sa_handler = arrive};
    const struct itimerval soon = {.it_value = {.tv_usec = 2000}};

    entries[1500] = swap_entry(LAST_MIGRATION, 42);
    entries[3] = swap_entry(1, 42);
    seem_swapped(1500);
    seem_swapped(3);
    write_map();
    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
    pht_moving_pages_await(&pages, 0, PAGES, resident, swapped);
    ck_assert(is_set(resident, 1500) && !is_set(swapped, 1500));
    ck_assert(is_set(swapped, 3));
}
END_TEST

/* What never arrives costs the patience of all calls together, and remains where it seems to be. */
START_TEST(patience_ends)
{
    entries[7] = swap_entry(LAST_MIGRATION, 42);
    seem_swapped(7);
    for (int i = 0; i < 3; i++) {
        await();
        ck_assert(is_set(swapped, 7) && !is_set(resident, 7));
        ck_assert_uint_eq(pages.waits, PHT_PAGES_WAITS_MAX);
    }
}
END_TEST

START_TEST(a_map_that_cannot_be_read_changes_nothing)
{
    seem_swapped(7);
    close(pages.pagemap_fd);
    pages.pagemap_fd = -1;
    pht_moving_pages_await(&pages, 0, PAGES, resident, swapped);
    ck_assert(is_set(swapped, 7));
    ck_assert_uint_eq(pages.waits, 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("target/moving_pages");
    TCase *tcase = tcase_create("moving");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, an_entry_tells_what_may_be_moving, 0,
                        (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(tcase, what_has_arrived_is_resident);
    tcase_add_test(tcase, what_is_in_swap_is_not_waited_for);
    tcase_add_test(tcase, what_is_moving_is_waited_for);
    tcase_add_test(tcase, patience_ends);
    tcase_add_test(tcase, a_map_that_cannot_be_read_changes_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
