#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "support/proc_filter.h"
#include "support/suite.h"
#include "target/memory.h"

#define PAGES 64
#define BYTES (PAGES * PHT_PAGE_BYTES)
#define HOLE 40 /* not mapped in the child */

/* The child's memory is a copy of ours, but for the hole. */
static char *memory;
static pid_t child;
static struct pht_memory reader;

/* What the reads say of their pages. It changes how they are read, and not what is read. */
static enum {
    EXCLUSIVE_ALL,
    EXCLUSIVE_MIXED,
    EXCLUSIVE_NONE,
} exclusive;

static char wanted_byte(size_t at)
{
    return (char)(at * 31 + at / PHT_PAGE_BYTES);
}

static void setup(void)
{
    char path[32];

    exclusive = EXCLUSIVE_ALL;
    memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    for (size_t i = 0; i < BYTES; i++)
        memory[i] = wanted_byte(i);
    ck_assert_int_eq(munmap(memory + HOLE * PHT_PAGE_BYTES, PHT_PAGE_BYTES), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    snprintf(path, sizeof(path), "/proc/%d", child);
    _cleanup_close_ int process_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert(pht_memory_init(&reader, child, process_fd));
}

static void end_child(void)
{
    if (child <= 0)
        return;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    child = -1;
}

static void teardown(void)
{
    end_child();
    pht_memory_deinit(&reader);
    munmap(memory, BYTES);
}

static pht_addr address_of(size_t offset)
{
    return (uintptr_t)memory + offset;
}

/* How much of [offset, offset + size) comes before the hole or the end of the region. */
static uint32_t readable_bytes(size_t offset, uint32_t size)
{
    size_t hole = HOLE * PHT_PAGE_BYTES, stop = offset >= hole + PHT_PAGE_BYTES ? BYTES : hole;

    if (offset >= stop)
        return 0;
    return stop - offset < size ? (uint32_t)(stop - offset) : size;
}

/* Ranges of many sizes, all over the region, with some in the hole and some that run into it. */
#define RANGES 3000
#define RANGE_MAX 300

static struct {
    struct pht_read reads[RANGES];
    size_t offsets[RANGES];
    unsigned char buffers[RANGES][RANGE_MAX];
} batch;

static void prepare_batch(void)
{
    memset(batch.buffers, 0xee, sizeof(batch.buffers));
    for (size_t i = 0; i < RANGES; i++) {
        uint32_t size = 1 + (uint32_t)(i * 37 % RANGE_MAX);
        size_t offset = i * 7919 % (BYTES - RANGE_MAX);
        if (i % 97 == 5)
            offset = HOLE * PHT_PAGE_BYTES - size / 2;
        if (i % 97 == 6 || i == 0 || i == RANGES - 1)
            offset = HOLE * PHT_PAGE_BYTES + i;
        batch.offsets[i] = offset;
        batch.reads[i] = (struct pht_read){
            .addr = address_of(offset),
            .buffer = batch.buffers[i],
            .size = size,
            .got = 12345,
            .exclusive = exclusive == EXCLUSIVE_ALL || (exclusive == EXCLUSIVE_MIXED && i % 5 > 1),
        };
    }
}

static void check_range(size_t i)
{
    uint32_t size = batch.reads[i].size;
    uint32_t wanted = readable_bytes(batch.offsets[i], size);

    ck_assert_msg(batch.reads[i].got == wanted, "range %zu: %u of %u, not %u", i,
                  batch.reads[i].got, size, wanted);
    /* Bytes that were not had are as they were, and so is what lies behind the range. */
    for (uint32_t j = 0; j < RANGE_MAX; j++) {
        unsigned char byte = j < wanted ? (unsigned char)wanted_byte(batch.offsets[i] + j) : 0xee;
        /* A bare condition: every ck_assert writes a line to a file. */
        if (batch.buffers[i][j] != byte)
            ck_abort_msg("range %zu, byte %u", i, j);
    }
}

static void check_batch(void)
{
    prepare_batch();
    pht_memory_read(&reader, batch.reads, RANGES);
    for (size_t i = 0; i < RANGES; i++)
        check_range(i);
}

START_TEST(a_hole_costs_its_own_range_and_no_more)
{
    exclusive = _i;
    check_batch();
    ck_assert(!reader.no_vm_readv);
}
END_TEST

START_TEST(reading_through_the_file_gives_the_same)
{
    reader.no_vm_readv = true;
    check_batch();
}
END_TEST

START_TEST(a_refused_call_is_replaced_by_the_file_for_good)
{
    if (!proc_filter_refuse(SYS_process_vm_readv, _i == 0 ? EPERM : ENOSYS))
        return;
    check_batch();
    ck_assert(reader.no_vm_readv);
}
END_TEST

START_TEST(a_hole_among_full_batches_is_found)
{
    /* Holes at both sides of each border between two system calls. */
    static const size_t holes[] = {0, 1, 1022, 1023, 1024, 1025, 2046, 2047, 2048, 2999};

    exclusive = _i;
    prepare_batch();
    for (size_t i = 0; i < RANGES; i++) {
        batch.offsets[i] = i * 8;
        for (size_t j = 0; j < sizeof(holes) / sizeof(holes[0]); j++) {
            if (holes[j] == i)
                batch.offsets[i] = HOLE * PHT_PAGE_BYTES;
        }
        batch.reads[i].addr = address_of(batch.offsets[i]);
    }
    pht_memory_read(&reader, batch.reads, RANGES);
    for (size_t i = 0; i < RANGES; i++)
        check_range(i);
}
END_TEST

START_TEST(a_long_range_is_read_up_to_the_hole)
{
    _cleanup_free_ char *buffer = calloc(1, BYTES);
    struct pht_read read = {
        .addr = address_of(100), .buffer = buffer, .size = BYTES - 100, .exclusive = _i < 2};

    reader.no_vm_readv = _i == 1;
    pht_memory_read(&reader, &read, 1);
    ck_assert_uint_eq(read.got, HOLE * PHT_PAGE_BYTES - 100);
    for (size_t i = 0; i < read.got; i++)
        ck_assert_int_eq(buffer[i], wanted_byte(100 + i));
    ck_assert_int_eq(buffer[read.got], 0);
}
END_TEST

START_TEST(addresses_that_nobody_has_are_holes)
{
    static const pht_addr addresses[] = {
        0,
        1,
        4096,
        UINT64_MAX,
        UINT64_MAX - 7,
        UINT64_C(1) << 63,
        UINT64_C(0x7fffffffffffffff),
        UINT64_C(0xffff800000000000),
    };
    enum { COUNT = sizeof(addresses) / sizeof(addresses[0]) };
    struct pht_read reads[2 * COUNT];
    char buffers[2 * COUNT][8];

    reader.no_vm_readv = _i == 1;
    for (size_t i = 0; i < COUNT; i++) {
        reads[2 * i] = (struct pht_read){addresses[i], buffers[2 * i], 8, 99, _i < 2};
        reads[2 * i + 1] = (struct pht_read){address_of(i), buffers[2 * i + 1], 8, 99, _i < 2};
    }
    pht_memory_read(&reader, reads, 2 * COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        ck_assert_msg(reads[2 * i].got == 0, "address %llx", (unsigned long long)addresses[i]);
        ck_assert_msg(reads[2 * i + 1].got == 8, "after %llx", (unsigned long long)addresses[i]);
        ck_assert_int_eq(buffers[2 * i + 1][0], wanted_byte(i));
    }
}
END_TEST

/* pagemap(5): bit 63 is of pages that are there, bit 56 of those that nobody else maps. */
static unsigned pages_that_only_the_child_has(void)
{
    uint64_t entries[PAGES] = {0};
    unsigned count = 0;
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/pagemap", child);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t at = (off_t)((uintptr_t)memory / PHT_PAGE_BYTES * sizeof(entries[0]));
    ck_assert_int_eq(pread(fd, entries, sizeof(entries), at), sizeof(entries));
    for (size_t i = 0; i < PAGES; i++)
        count += entries[i] >> 63 == 1 && (entries[i] >> 56 & 1) == 1;
    return count;
}

START_TEST(what_fork_left_shared_stays_so)
{
    exclusive = EXCLUSIVE_NONE;
    check_batch();
    ck_assert_uint_eq(pages_that_only_the_child_has(), 0);
}
END_TEST

START_TEST(nothing_to_read_is_done_at_once)
{
    struct pht_read empty = {.addr = 1, .buffer = NULL, .size = 0, .got = 9};

    reader.no_vm_readv = _i == 1;
    pht_memory_read(&reader, NULL, 0);
    pht_memory_read(&reader, &empty, 1);
    ck_assert_uint_eq(empty.got, 0);
}
END_TEST

START_TEST(a_process_that_ended_gives_nothing)
{
    end_child();
    reader.no_vm_readv = _i == 1;
    prepare_batch();
    pht_memory_read(&reader, batch.reads, RANGES);
    for (size_t i = 0; i < RANGES; i++)
        ck_assert_uint_eq(batch.reads[i].got, 0);
}
END_TEST

START_TEST(a_process_that_is_not_there_cannot_be_opened)
{
    struct pht_memory none;
    _cleanup_close_ int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    ck_assert(!pht_memory_init(&none, child, fd));
    ck_assert_int_eq(errno, ENOENT);
    pht_memory_deinit(&none);
}
END_TEST

static Suite *memory_suite(void)
{
    Suite *suite = suite_create("target/memory");
    TCase *tcase = tcase_create("memory");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_hole_costs_its_own_range_and_no_more, 0, EXCLUSIVE_NONE + 1);
    tcase_add_test(tcase, reading_through_the_file_gives_the_same);
    tcase_add_loop_test(tcase, a_hole_among_full_batches_is_found, 0, EXCLUSIVE_NONE + 1);
    tcase_add_loop_test(tcase, a_long_range_is_read_up_to_the_hole, 0, 3);
    tcase_add_loop_test(tcase, addresses_that_nobody_has_are_holes, 0, 3);
    tcase_add_test(tcase, what_fork_left_shared_stays_so);
    tcase_add_loop_test(tcase, nothing_to_read_is_done_at_once, 0, 2);
    tcase_add_loop_test(tcase, a_process_that_ended_gives_nothing, 0, 2);
    tcase_add_test(tcase, a_process_that_is_not_there_cannot_be_opened);
    /* Last, because the filter stays where tests do not have processes of their own. */
    tcase_add_loop_test(tcase, a_refused_call_is_replaced_by_the_file_for_good, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(memory_suite)
