/* Sizes and buffers of lists, sets, bytearrays, arrays and deques. */
#include "support/measured_object.h"
#include "support/suite.h"

/* ---- containers --------------------------------------------------------------------------- */

START_TEST(lists_own_an_array)
{
    measured_begin(3, 8);
    measured_of(PHT_KIND_LIST, 40, 0, true);
    check_size(56);
    check_buffers(0);
    measured_put(16, 3);
    measured_put(24, 0x5000);
    measured_put(32, 4);
    check_size(88);
    check_buffers(1);
    check_buffer(0, 0x5000, 32);
    measured_put(32, UINT64_MAX); /* while it is sorted */
    measured_put(24, 0);
    check_damage(56);
    check_buffers(0);
    measured_end();
}
END_TEST

START_TEST(sets_own_a_table_when_they_grow)
{
    measured_begin(_i == 0 ? 2 : 3, _i == 0 ? 7 : 13);
    measured_of(PHT_KIND_SET, 200, 0, true);
    measured_put(32, 7);
    measured_put(40, object + (_i == 0 ? 56 : 64));
    check_size(_i == 0 ? 232 : 216);
    check_buffers(0);
    measured_put(32, 31);
    measured_put(40, 0x5000);
    check_size((_i == 0 ? 232 : 216) + 512);
    check_buffer(0, 0x5000, 512);
    measured_end();
}
END_TEST

START_TEST(bytearrays_own_their_bytes)
{
    measured_begin(3, 8);
    measured_of(PHT_KIND_BYTEARRAY, 56, 0, false);
    check_size(56);
    measured_put(24, 4);
    measured_put(32, 0x5000);
    measured_put(40, 0x5001); /* where it begins by now */
    check_size(60);
    check_buffer(0, 0x5000, 4);
    measured_end();
    measured_begin(2, 7);
    measured_of(PHT_KIND_BYTEARRAY, 48, 0, false);
    measured_put(32, 4);
    measured_put(40, 0x5000);
    check_size(52);
    check_buffer(0, 0x5000, 4);
    measured_end();
    measured_begin(3, 15);
    measured_of(PHT_KIND_BYTEARRAY, 64, 0, false);
    check_size(64);
    measured_put(24, 3);
    measured_put(32, 0x5020);
    measured_put(56, 0x5000);
    check_size(100);
    check_buffers(0);
    measured_end();
}
END_TEST

START_TEST(arrays_by_the_size_of_their_items)
{
    measured_begin(3, 10);
    pht_addr description = objects_alloc(objects, 64);
    fake_target_put_u64(objects->fake, description, 'd' | (uint64_t)8 << 32);
    measured_of(PHT_KIND_ARRAY, 64, 0, true);
    measured_put(24, 0x5000);
    measured_put(32, 2);
    measured_put(40, description);
    check_size(96);
    check_buffer(0, 0x5000, 16);
    fake_target_put_u64(objects->fake, description, (uint64_t)17 << 32);
    check_damage(80);
    measured_put(40, 0x123456789000);
    check_damage(80);
    measured_end();
}
END_TEST

START_TEST(an_array_whose_description_is_not_loaded)
{
    pht_addr image = OBJECTS_HEAP + OBJECTS_HEAP_BYTES;

    measured_begin(3, 10);
    fake_target_map(objects->fake, image, image + 4096, FAKE_FILE | FAKE_READ_ONLY);
    fake_target_put_u64(objects->fake, image, 'd' | (uint64_t)8 << 32);
    objects->fake->has_files = true;
    measured_of(PHT_KIND_ARRAY, 64, 0, true);
    measured_put(24, 0x5000);
    measured_put(32, 2);
    measured_put(40, image);
    check_size(96);
    check_buffer(0, 0x5000, 16);
    measured_end();
}
END_TEST

/* ---- deque -------------------------------------------------------------------------------- */

/* Blocks in a row, each 608 bytes behind the other; the last one leads back to the first. */
static pht_addr put_blocks(unsigned count, uint64_t next, uint64_t last)
{
    pht_addr blocks = objects_alloc(objects, 608 * count);

    for (unsigned i = 0; i < count; i++) {
        fake_target_put_u64(objects->fake, blocks + 608 * i + next,
                            blocks + 608 * ((i + 1) % count));
        fake_target_put_u64(objects->fake, blocks + 608 * i + last,
                            blocks + 608 * ((i + count - 1) % count));
    }
    return blocks;
}

START_TEST(deques_own_their_blocks)
{
    static const struct {
        unsigned major;
        unsigned minor;
        uint64_t next;
        uint32_t basicsize;
        uint64_t length_at;
        uint64_t first_at;
        uint64_t slots;
        uint64_t empty;
    } rows[] = {
        {2, 7, 496, 80, 48, 16, 62, 624},
        {3, 6, 520, 80, 16, 24, 64, 640},
        {3, 8, 520, 80, 16, 24, 64, 624},
        {3, 11, 520, 216, 16, 24, 64, 760},
    };

    measured_begin(rows[_i].major, rows[_i].minor);
    uint64_t slots = rows[_i].slots, block_bytes = (slots + 2) * 8;
    pht_addr blocks = put_blocks(3, rows[_i].next, rows[_i].major == 2 ? 504 : 0);
    measured_of(PHT_KIND_DEQUE, rows[_i].basicsize, 0, true);
    measured_put(rows[_i].first_at, blocks);
    measured_put(rows[_i].first_at + 16, slots / 2); /* where it begins in its first block */
    check_size(rows[_i].empty);
    check_buffers(1);
    check_buffer(0, blocks, block_bytes);
    measured_put(rows[_i].length_at, 2 * slots + slots / 2);
    check_size(rows[_i].empty + 2 * block_bytes);
    check_buffers(3);
    check_buffer(2, blocks + 2 * 608, block_bytes);
    if (rows[_i].minor == 11) {
        measured_put(72, 2);
        measured_put(80, 0x5000);
        measured_put(88, 0x6000);
        measured_put(96, 0x7000); /* not one of those two */
        check_size(rows[_i].empty + 2 * block_bytes);
        check_buffers(5);
        check_buffer(4, 0x6000, block_bytes);
        measured_put(72, UINT64_MAX);
        measure_head(1024, NULL);
        ck_assert_uint_le(size.buffers.count, 3 + 16);
    }
    measured_end();
}
END_TEST

START_TEST(deques_that_lie)
{
    measured_begin(3, 8);
    measured_of(PHT_KIND_DEQUE, 80, 0, true);
    pht_addr blocks = put_blocks(4, 520, 0);
    measured_put(24, blocks);
    measured_put(40, 1000);
    check_damage(96);
    check_buffers(0);
    measured_put(40, 0);
    measured_put(16, (uint64_t)1 << 40); /* more blocks than there are, in a circle */
    measure_head(1024, NULL);
    ck_assert(size.is_damaged);
    check_buffers(5);
    fake_target_put_u64(objects->fake, blocks + 608 * 3 + 520, blocks + 608); /* like a rho */
    measure_head(1024, NULL);
    ck_assert(size.is_damaged);
    check_buffers(5);
    measured_put(24, 0x123456789000);
    measure_head(1024, NULL);
    ck_assert(size.is_damaged);
    check_buffers(1);
    measured_end();
}
END_TEST

static uint64_t handed_over;

static void take_many(void *context, const struct pht_object_buffer *buffers, size_t count)
{
    ck_assert_ptr_eq(context, &handed_over);
    for (size_t i = 0; i < count; i++)
        ck_assert_uint_eq(buffers[i].address, buffers[0].address + 608 * i);
    handed_over += count;
}

START_TEST(long_chains_are_handed_over_in_parts)
{
    measured_begin(3, 8);
    measured_of(PHT_KIND_DEQUE, 80, 0, true);
    measured_put(24, put_blocks(2500, 520, 0));
    measured_put(16, 2500 * 64);
    handed_over = 0;
    size.on_many = take_many;
    size.context = &handed_over;
    measure_head(1024, NULL);
    ck_assert(!size.is_damaged);
    ck_assert_uint_eq(handed_over, 2 * PHT_OBJECT_BUFFERS_MANY);
    check_buffers(2500 - handed_over);
    ck_assert_uint_eq(size.steps, 2500);
    size.steps = (uint64_t)1 << 24;
    measure_head(1024, NULL);
    ck_assert(size.is_damaged);
    check_buffers(1);
    measured_end();
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("object_items");
    TCase *tcase = tcase_create("object_items");

    tcase_add_checked_fixture(tcase, NULL, measured_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, lists_own_an_array);
    tcase_add_loop_test(tcase, sets_own_a_table_when_they_grow, 0, 2);
    tcase_add_test(tcase, bytearrays_own_their_bytes);
    tcase_add_test(tcase, arrays_by_the_size_of_their_items);
    tcase_add_test(tcase, an_array_whose_description_is_not_loaded);
    tcase_add_loop_test(tcase, deques_own_their_blocks, 0, 4);
    tcase_add_test(tcase, deques_that_lie);
    tcase_add_test(tcase, long_chains_are_handed_over_in_parts);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
