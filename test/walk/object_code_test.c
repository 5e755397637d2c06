/* Sizes and buffers of types, code, frames and generators. */
#include "support/measured_object.h"
#include "support/suite.h"

/* ---- types -------------------------------------------------------------------------------- */

START_TEST(classes_count_with_their_keys)
{
    static const struct {
        unsigned minor;
        uint64_t keys_at;
        unsigned log2;
        unsigned kind;
        uint64_t bytes;
    } rows[] = {
        {6, 856, 3, 0, 1064},  {8, 872, 3, 0, 1064},  {10, 872, 3, 0, 1072}, {11, 872, 6, 2, 1688},
        {12, 880, 6, 2, 1704}, {13, 880, 6, 2, 1712}, {14, 880, 6, 2, 1720}, {15, 888, 6, 2, 1728},
    };

    measured_begin(3, rows[_i].minor);
    pht_addr keys = measured_put_keys(rows[_i].log2, rows[_i].kind, 0, 7);
    measured_of(PHT_KIND_TYPE, 904, 40, true);
    measured_put(16, 3); /* slots: they count for nothing */
    measured_put(168, OBJECTS_HEAPTYPE | OBJECTS_READY);
    measured_put(176, 0x5000);
    measured_put(rows[_i].keys_at, keys);
    check_size(rows[_i].bytes);
    check_buffers(2);
    check_buffer(0, 0x5000, 0); /* its doc string */
    ck_assert_uint_eq(size.buffers.items[1].address, keys);
    ck_assert(size.buffers.items[1].is_shared);
    measured_end();
}
END_TEST

START_TEST(static_types)
{
    static const struct {
        unsigned major;
        unsigned minor;
        uint64_t bytes;
    } rows[] = {{2, 7, 872},  {3, 6, 400},  {3, 8, 416},  {3, 10, 408},
                {3, 11, 424}, {3, 12, 432}, {3, 13, 416}, {3, 15, 424}};

    measured_begin(rows[_i].major, rows[_i].minor);
    measured_of(PHT_KIND_TYPE, 872, 40, true);
    measured_put(168, OBJECTS_READY);
    measured_put(176, 0x5000);
    check_size(rows[_i].bytes);
    check_buffers(0);
    measured_end();
}
END_TEST

START_TEST(classes_of_python2_count_their_slots)
{
    measured_begin(2, 7);
    measured_of(PHT_KIND_TYPE, 872, 40, true);
    measured_put(168, OBJECTS_HEAPTYPE | OBJECTS_READY);
    check_size(904);
    measured_put(16, 2);
    check_size(984);
    measured_end();
}
END_TEST

/* ---- code and frames ---------------------------------------------------------------------- */

START_TEST(code_with_its_tables)
{
    measured_begin(3, 8);
    pht_addr cells = objects_alloc(objects, 64), bytecode = objects_alloc(objects, 64);
    pht_addr extra = objects_alloc(objects, 64);
    fake_target_put_u64(objects->fake, cells + 16, 2);
    fake_target_put_u64(objects->fake, bytecode + 16, 40);
    fake_target_put_u64(objects->fake, extra, 3);
    measured_of(PHT_KIND_CODE, 176, 0, false);
    check_size(176);
    check_buffers(0);
    measured_put(88, cells);
    measured_put(96, 0x5000); /* cell2arg */
    check_size(192);
    measured_put(48, bytecode);
    measured_put(152, 0x6000); /* opcache_map, opcache */
    measured_put(160, 0x7000);
    measured_put(168, (uint64_t)5 << 32); /* opcache_size, at 172 */
    check_size(192 + 20 + 5 * 32);
    measured_put(144, extra);
    check_size(192 + 20 + 5 * 32 + 32);
    check_buffers(4);
    measured_end();
}
END_TEST

START_TEST(code_that_has_its_bytecode_inside)
{
    measured_begin(3, 11);
    measured_of(PHT_KIND_CODE, 184, 2, false);
    measured_put(16, 12);
    check_size(208);
    measured_put(16, 13);
    check_size(216);
    measured_put(160, 0x5000);
    check_size(216);
    check_buffers(1);
    measured_end();
}
END_TEST

START_TEST(frames_by_what_their_code_needs)
{
    measured_begin(3, 8);
    pht_addr code = objects_alloc(objects, 192), cells = objects_alloc(objects, 32);
    fake_target_put_u64(objects->fake, cells + 16, 3);
    fake_target_put_u32(objects->fake, code + 32, 2); /* stacksize */
    measured_of(PHT_KIND_FRAME, 368, 8, true);
    measured_put(32, code);
    check_size(16 + 368 + 8); /* no tuples of cells */
    fake_target_put_u64(objects->fake, code + 80, cells);
    fake_target_put_u64(objects->fake, code + 88, cells);
    fake_target_put_u32(objects->fake, code + 28, 4); /* nlocals */
    check_size(16 + 368 + (2 + 4 + 6 - 1) * 8);
    measured_end();
}
END_TEST

START_TEST(frames_with_the_inner_frame_somewhere)
{
    measured_begin(3, 11);
    pht_addr code = objects_alloc(objects, 192), inner = objects_alloc(objects, 96);
    fake_target_put_u32(objects->fake, code + 68, 2); /* stacksize */
    fake_target_put_u64(objects->fake, inner + 32, code);
    measured_of(PHT_KIND_FRAME, 48, 8, true);
    measured_put(24, inner);
    check_size(152);
    fake_target_put_u32(objects->fake, code + 76, 4); /* nlocalsplus */
    check_size(184);
    measured_put(24, 0x123456789000);
    check_damage(136);
    measured_end();
}
END_TEST

START_TEST(generators_hold_their_frame)
{
    static const struct {
        unsigned minor;
        uint64_t code_at;
        uint64_t mark;
        uint64_t stacksize_at;
        uint32_t stacksize;
        uint64_t bytes;
    } rows[] = {{11, 16, 0, 68, 1, 176}, {12, 72, 0, 64, 2, 176}, {14, 72, 1, 64, 2, 184}};

    measured_begin(3, rows[_i].minor);
    pht_addr code = objects_alloc(objects, 192), needed = 0;
    fake_target_put_u32(objects->fake, code + rows[_i].stacksize_at, rows[_i].stacksize);
    measured_of(PHT_KIND_GENERATOR, 160, 0, true);
    measured_put(rows[_i].code_at, code | rows[_i].mark);
    check_size(rows[_i].bytes);
    const struct pht_object described = {
        .type = &type, .bytes = fake_target_bytes(objects->fake, object, 128), .size = 128};
    ck_assert(pht_object_needs(&objects->layout, &described, &needed));
    ck_assert_uint_eq(needed, code);
    measure_head(128, fake_target_bytes(objects->fake, code, PHT_OBJECT_MORE_BYTES));
    ck_assert_uint_eq(size.size_bytes, rows[_i].bytes);
    fake_target_put_u32(objects->fake, code + rows[_i].stacksize_at, UINT32_MAX);
    check_damage(rows[_i].bytes - 8 * rows[_i].stacksize);
    measured_end();
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("object_code");
    TCase *tcase = tcase_create("object_code");

    tcase_add_checked_fixture(tcase, NULL, measured_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, classes_count_with_their_keys, 0, 8);
    tcase_add_loop_test(tcase, static_types, 0, 8);
    tcase_add_test(tcase, classes_of_python2_count_their_slots);
    tcase_add_test(tcase, code_with_its_tables);
    tcase_add_test(tcase, code_that_has_its_bytecode_inside);
    tcase_add_test(tcase, frames_by_what_their_code_needs);
    tcase_add_test(tcase, frames_with_the_inner_frame_somewhere);
    tcase_add_loop_test(tcase, generators_hold_their_frame, 0, 3);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
