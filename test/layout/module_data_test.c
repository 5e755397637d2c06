/* An image's variables in a target made of bytes, which counts each page that is touched in vain.
 */
#include <elf.h>
#include <string.h>

#include "layout/module_data.h"
#include "support/elf_bytes.h"
#include "support/fake_target.h"
#include "support/suite.h"

#define PAGE ((pht_addr)PHT_PAGE_BYTES)
#define BIAS 0x7f0000000000
#define DATA 0x2e10 /* as linked, of .data and .bss */
#define DATA_BYTES (7 * PAGE)
#define START (BIAS + 0x2000) /* of its first page */
#define PAGES 8
#define HEAP 0x10000000

static struct fake_target *fake;
static struct pht_maps maps;
static struct pht_module_data data;

static void setup(void)
{
    fake = fake_target_create();
    fake_target_map(fake, HEAP, HEAP + 100 * PAGE, FAKE_PRIVATE);
}

static void teardown(void)
{
    pht_module_data_deinit(&data);
    pht_maps_deinit(&maps);
    fake_target_destroy(fake);
}

static void read_segments(const struct elf_bytes_segment *segments, size_t count)
{
    const struct elf_bytes file = {.type = ET_DYN, .segments = segments, .segment_count = count};
    struct pht_elf_image image;

    elf_bytes_open(&file, &image);
    image.bias = BIAS;
    ck_assert_ptr_null(pht_target_read_maps(fake->target, &maps));
    ck_assert(pht_module_data_read(fake->target, &maps, &image, &data));
    pht_elf_image_close(&image);
    ck_assert_uint_eq(fake->forbidden_reads, 0);
}

/* Each word of the target's variables is its own address. */
static void put_words(pht_addr start, pht_addr end)
{
    fake_target_set_pages(fake, start, end, FAKE_RESIDENT);
    for (pht_addr at = start; at < end; at += 8)
        fake_target_put_u64(fake, at, at);
}

static void read_image(void)
{
    static const struct elf_bytes_segment segments[] = {
        {.flags = PF_R | PF_X, .size = 0x1000},
        {.type = PT_DYNAMIC, .flags = PF_R | PF_W, .address = DATA, .size = 64},
        {.flags = PF_R | PF_W, .address = DATA, .size = DATA_BYTES},
    };

    read_segments(segments, 3);
}

static bool has_word(pht_addr addr)
{
    const unsigned char *bytes = pht_module_data_at(&data, addr, 8);
    uint64_t word;

    if (bytes == NULL)
        return false;
    memcpy(&word, bytes, sizeof(word));
    ck_assert_uint_eq(word, addr);
    return true;
}

/* ---- reading ------------------------------------------------------------------------------ */

START_TEST(a_segment_is_read_in_whole_pages)
{
    fake_target_map(fake, START, START + PAGES * PAGE, FAKE_FILE);
    put_words(START, START + PAGES * PAGE);
    read_image();
    ck_assert_uint_eq(data.count, 1);
    ck_assert_uint_eq(data.segments[0].start, START);
    ck_assert_uint_eq(data.segments[0].size, PAGES * PAGE);
    for (pht_addr at = START; at < START + PAGES * PAGE; at += 8)
        ck_assert(has_word(at));
    ck_assert_uint_eq(fake->read_count, 1);
    ck_assert(!has_word(START - 8));
    ck_assert(!has_word(START + PAGES * PAGE));
}
END_TEST

/* Absent, in swap, resident: neither of the former is read, and each run of others at once. */
START_TEST(what_is_not_resident_is_zeros_and_none)
{
    static const unsigned char zeros[PHT_PAGE_BYTES];
    static const enum fake_page pages[PAGES] = {FAKE_ABSENT,   FAKE_RESIDENT, FAKE_RESIDENT,
                                                FAKE_SWAPPED,  FAKE_ABSENT,   FAKE_RESIDENT,
                                                FAKE_RESIDENT, FAKE_RESIDENT};

    fake_target_map(fake, START, START + PAGES * PAGE, FAKE_FILE);
    put_words(START, START + PAGES * PAGE);
    for (size_t i = 0; i < PAGES; i++)
        fake_target_set_pages(fake, START + i * PAGE, START + i * PAGE + 1, pages[i]);
    read_image();
    for (size_t i = 0; i < PAGES; i++) {
        ck_assert(has_word(START + i * PAGE) == (pages[i] == FAKE_RESIDENT));
        ck_assert((memcmp(data.segments[0].bytes + i * PAGE, zeros, PAGE) != 0) ==
                  (pages[i] == FAKE_RESIDENT));
    }
    ck_assert_uint_eq(fake->read_count, 2);
}
END_TEST

static const struct across_row {
    pht_addr offset;
    size_t size;
    bool known;
} across_rows[] = {
    {PAGE, 2 * PAGE, true},
    {PAGE, 2 * PAGE + 1, false},
    {PAGE - 1, 2, false},
    {PAGE, 1, true},
    {3 * PAGE - 8, 8, true},
    {3 * PAGE - 8, 9, false},
    {3 * PAGE - 4, 8, false},
    {4 * PAGE - 4, 8, false},
    {PAGE, 0, false},
    {PAGES * PAGE - 8, 8, true},
    {PAGES * PAGE - 8, 9, false},
    {PAGES * PAGE, 1, false},
    {PAGE, PAGES *PAGE, false},
    {PAGE, SIZE_MAX, false},
    {PAGE, SIZE_MAX - START, false},
    {UINT64_MAX - START, 1, false},
    {UINT64_MAX - START, 2, false},
};

START_TEST(bytes_are_known_where_all_their_pages_are)
{
    const struct across_row *row = &across_rows[_i];

    fake_target_map(fake, START, START + PAGES * PAGE, FAKE_FILE);
    put_words(START, START + PAGES * PAGE);
    fake_target_set_pages(fake, START, START + PAGE, FAKE_ABSENT);
    fake_target_set_pages(fake, START + 3 * PAGE, START + 5 * PAGE, FAKE_SWAPPED);
    read_image();
    ck_assert((pht_module_data_at(&data, START + row->offset, row->size) != NULL) == row->known);
}
END_TEST

/* The loader leaves a segment in several mappings: relocated and read-only, .data, .bss. */
START_TEST(a_segment_lies_in_several_mappings)
{
    fake_target_map(fake, START, START + PAGE, FAKE_FILE | FAKE_READ_ONLY);
    fake_target_map(fake, START + PAGE, START + 3 * PAGE, FAKE_FILE);
    fake_target_map(fake, START + 5 * PAGE, START + 12 * PAGE, FAKE_PRIVATE);
    put_words(START, START + PAGE);
    put_words(START + 2 * PAGE, START + 3 * PAGE);
    put_words(START + 5 * PAGE, START + 12 * PAGE);
    read_image();
    for (size_t i = 0; i < PAGES; i++)
        ck_assert(has_word(START + i * PAGE) == (i != 1 && i != 3 && i != 4));
    ck_assert(!has_word(START + 9 * PAGE));
}
END_TEST

static const unsigned other_kinds[] = {FAKE_SHARED, FAKE_UNREADABLE, FAKE_SHARED | FAKE_FILE};

START_TEST(other_mappings_are_never_read)
{
    fake_target_map(fake, START, START + PAGE, FAKE_PRIVATE);
    fake_target_map(fake, START + PAGE, START + PAGES * PAGE, other_kinds[_i]);
    put_words(START, START + PAGES * PAGE);
    read_image();
    for (size_t i = 0; i < PAGES; i++)
        ck_assert(has_word(START + i * PAGE) == (i == 0));
}
END_TEST

START_TEST(where_pages_cannot_be_told_none_is_read)
{
    fake_target_map(fake, START, START + PAGES * PAGE, FAKE_FILE);
    put_words(START, START + PAGES * PAGE);
    fake->scans_fail = true;
    read_image();
    ck_assert(!has_word(START));
    ck_assert_uint_eq(fake->read_count, 0);
}
END_TEST

static void unmap_half(struct fake_target *target, uint64_t number, pht_addr addr, void *context)
{
    (void)addr;
    (void)context;
    if (number == 1)
        fake_target_cut(target, START, START + 4 * PAGE);
}

START_TEST(what_is_unmapped_meanwhile_is_not_resident)
{
    fake_target_map(fake, START, START + PAGES * PAGE, FAKE_FILE);
    put_words(START, START + PAGES * PAGE);
    fake->on_read = unmap_half;
    read_image();
    for (size_t i = 0; i < PAGES; i++)
        ck_assert(has_word(START + i * PAGE) == (i < 4));
}
END_TEST

/* ---- damaged files ------------------------------------------------------------------------ */

#define RW (PF_R | PF_W)

static const struct damage_row {
    struct elf_bytes_segment segment;
    size_t count;
} damage_rows[] = {
    {{.flags = RW, .address = DATA, .size = DATA_BYTES}, 1},
    {{.flags = PF_R, .address = DATA, .size = DATA_BYTES}, 0},
    {{.flags = RW, .address = DATA, .size = 0}, 0},
    {{.flags = RW, .address = DATA, .size = (uint64_t)64 << 20}, 1},
    {{.flags = RW, .address = DATA, .size = ((uint64_t)64 << 20) + 1}, 0},
    {{.flags = RW, .address = DATA, .size = UINT64_MAX}, 0},
    {{.flags = RW, .address = UINT64_MAX, .size = 16}, 1}, /* one byte in front of the bias */
    {{.flags = RW, .address = UINT64_MAX - BIAS, .size = 16}, 0},
    {{.flags = RW, .address = PHT_USER_ADDR_MAX - BIAS, .size = 16}, 0},
    {{.flags = RW, .address = PHT_USER_ADDR_MAX - BIAS - 4095, .size = 4095}, 1},
    {{.flags = RW, .address = (uint64_t)1 << 63, .size = 4096}, 0},
};

START_TEST(segments_that_cannot_be_are_passed_over)
{
    fake_target_map(fake, START, START + PAGES * PAGE, FAKE_FILE);
    put_words(START, START + PAGES * PAGE);
    read_segments(&damage_rows[_i].segment, 1);
    ck_assert_uint_eq(data.count, damage_rows[_i].count);
    for (size_t i = 0; i < data.count; i++)
        ck_assert(data.segments[i].start % PAGE == 0 && data.segments[i].size % PAGE == 0);
}
END_TEST

START_TEST(no_more_segments_are_read_than_there_is_room_for)
{
    struct elf_bytes_segment segments[40];

    fake_target_map(fake, START, START + PAGES * PAGE, FAKE_FILE);
    put_words(START, START + PAGES * PAGE);
    for (size_t i = 0; i < 40; i++)
        segments[i] =
            (struct elf_bytes_segment){.flags = RW, .address = 0x2000 + i % 8 * PAGE, .size = PAGE};
    read_segments(segments, 40);
    ck_assert_uint_eq(data.count, PHT_MODULE_SEGMENTS);
    ck_assert(has_word(START + (PHT_MODULE_SEGMENTS - 1) * PAGE));
    ck_assert(!has_word(START + PHT_MODULE_SEGMENTS * PAGE));
}
END_TEST

START_TEST(a_file_without_segments_has_no_variables)
{
    uint64_t word;

    read_segments(NULL, 0);
    ck_assert_uint_eq(data.count, 0);
    ck_assert(!has_word(START));
    put_words(HEAP, HEAP + PAGE);
    ck_assert(pht_module_data_peek_u64(&data, HEAP, &word));
}
END_TEST

/* ---- peeking ------------------------------------------------------------------------------ */

static void read_heap(void)
{
    fake_target_map(fake, START, START + PAGES * PAGE, FAKE_FILE);
    put_words(START, START + PAGES * PAGE);
    put_words(HEAP, HEAP + 90 * PAGE);
    fake_target_set_pages(fake, HEAP + PAGE, HEAP + PAGE + 1, FAKE_ABSENT);
    fake_target_set_pages(fake, HEAP + 3 * PAGE, HEAP + 3 * PAGE + 1, FAKE_SWAPPED);
    fake_target_map(fake, HEAP + 200 * PAGE, HEAP + 201 * PAGE, FAKE_SHARED);
    fake_target_map(fake, HEAP + 201 * PAGE, HEAP + 202 * PAGE, FAKE_UNREADABLE);
    fake_target_map(fake, HEAP + 202 * PAGE, HEAP + 203 * PAGE, FAKE_FILE | FAKE_EXECUTABLE);
    fake_target_map(fake, HEAP + 203 * PAGE, HEAP + 204 * PAGE, FAKE_PRIVATE);
    for (size_t i = 200; i < 204; i++)
        put_words(HEAP + i * PAGE, HEAP + (i + 1) * PAGE);
    read_image();
    fake_target_reset_record(fake);
}

static const struct peek_row {
    pht_addr addr;
    size_t size;
    bool known;
} peek_rows[] = {
    {HEAP, 8, true},
    {HEAP + PAGE - 8, 8, true},
    {HEAP + PAGE - 8, 9, false}, /* into an absent page */
    {HEAP + PAGE, 8, false},
    {HEAP + 2 * PAGE - 8, 9, false}, /* out of it */
    {HEAP + 2 * PAGE, PAGE, true},
    {HEAP + 3 * PAGE - 1, 2, false}, /* into swap */
    {HEAP + 3 * PAGE, 1, false},
    {HEAP + 5 * PAGE - 4, 8, true}, /* across two pages */
    {HEAP + 4 * PAGE, 64 * PAGE, true},
    {HEAP + 4 * PAGE + 8, 64 * PAGE - 8, true},
    {HEAP + 4 * PAGE, 64 * PAGE + 1, false}, /* more than is peeked at once */
    {HEAP + 4 * PAGE + 8, 64 * PAGE, false},
    {HEAP + 90 * PAGE, 8, false},
    {HEAP + 100 * PAGE - 8, 16, false},
    {HEAP + 100 * PAGE, 8, false},     /* not mapped */
    {HEAP + 200 * PAGE, 8, false},     /* shared */
    {HEAP + 201 * PAGE, 8, false},     /* not to be read */
    {HEAP + 202 * PAGE, 8, true},      /* a private page of a file, which the target made its own */
    {HEAP + 203 * PAGE - 4, 8, false}, /* across two mappings */
    {0, 8, false},
    {8, 8, false},
    {PHT_USER_ADDR_MAX - 7, 8, false},
    {PHT_USER_ADDR_MAX, 8, false},
    {UINT64_MAX - 7, 8, false},
    {UINT64_MAX, 8, false},
    {HEAP, SIZE_MAX, false},
    {HEAP, SIZE_MAX - HEAP, false},
};

START_TEST(other_memory_is_read_where_it_is_resident_and_private)
{
    const struct peek_row *row = &peek_rows[_i];
    static unsigned char buffer[64 * PHT_PAGE_BYTES];

    read_heap();
    ck_assert(pht_module_data_peek(&data, row->addr, buffer, row->size) == row->known);
    ck_assert_uint_eq(fake->forbidden_reads, 0);
    ck_assert_uint_eq(fake->read_count, row->known);
    for (size_t i = 0; row->known && i < row->size; i++)
        ck_assert(buffer[i] == *(unsigned char *)fake_target_bytes(fake, row->addr + i, 1));
}
END_TEST

START_TEST(what_is_of_the_image_is_not_read_again)
{
    uint64_t word;
    uint32_t half;

    read_heap();
    ck_assert(pht_module_data_peek_u64(&data, START + PAGE - 4, &word));
    ck_assert_uint_eq(word, (START + PAGE - 8) >> 32 | (START + PAGE) << 32);
    ck_assert(pht_module_data_peek_u32(&data, START + PAGE, &half));
    ck_assert_uint_eq(half, (uint32_t)(START + PAGE));
    ck_assert_uint_eq(fake->read_count, 0);
}
END_TEST

static void unmap_page(struct fake_target *target, uint64_t number, pht_addr addr, void *context)
{
    (void)number;
    (void)addr;
    (void)context;
    fake_target_cut(target, HEAP, HEAP + 5 * PAGE);
}

START_TEST(a_read_that_falls_short_is_none)
{
    uint64_t words[1024];

    read_heap();
    fake->on_read = unmap_page;
    ck_assert(!pht_module_data_peek(&data, HEAP + 4 * PAGE, words, sizeof(words)));
    ck_assert_uint_eq(fake->read_count, 1);
    ck_assert(pht_module_data_peek(&data, HEAP + 4 * PAGE, words, PAGE));
}
END_TEST

START_TEST(where_pages_cannot_be_told_none_is_peeked_at)
{
    uint64_t word;

    read_heap();
    fake->scans_fail = true;
    ck_assert(!pht_module_data_peek_u64(&data, HEAP, &word));
    ck_assert_uint_eq(fake->read_count, 0);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *module_data_suite(void)
{
    Suite *suite = suite_create("layout/module_data");
    TCase *reading = tcase_create("reading");
    TCase *peeking = tcase_create("peeking");

    tcase_add_checked_fixture(reading, setup, teardown);
    tcase_add_test(reading, a_segment_is_read_in_whole_pages);
    tcase_add_test(reading, what_is_not_resident_is_zeros_and_none);
    tcase_add_loop_test(reading, bytes_are_known_where_all_their_pages_are, 0, ROWS(across_rows));
    tcase_add_test(reading, a_segment_lies_in_several_mappings);
    tcase_add_loop_test(reading, other_mappings_are_never_read, 0, ROWS(other_kinds));
    tcase_add_test(reading, where_pages_cannot_be_told_none_is_read);
    tcase_add_test(reading, what_is_unmapped_meanwhile_is_not_resident);
    tcase_add_loop_test(reading, segments_that_cannot_be_are_passed_over, 0, ROWS(damage_rows));
    tcase_add_test(reading, no_more_segments_are_read_than_there_is_room_for);
    tcase_add_test(reading, a_file_without_segments_has_no_variables);
    suite_add_tcase(suite, reading);
    tcase_add_checked_fixture(peeking, setup, teardown);
    tcase_add_loop_test(peeking, other_memory_is_read_where_it_is_resident_and_private, 0,
                        ROWS(peek_rows));
    tcase_add_test(peeking, what_is_of_the_image_is_not_read_again);
    tcase_add_test(peeking, a_read_that_falls_short_is_none);
    tcase_add_test(peeking, where_pages_cannot_be_told_none_is_peeked_at);
    suite_add_tcase(suite, peeking);
    return suite;
}

SUITE_MAIN(module_data_suite)
