/* What picklers, unpicklers and their stacks measure, and which buffers they own. */
#include <stdlib.h>
#include <string.h>

#include "support/measured_object.h"
#include "support/suite.h"

static pht_addr memo;

enum buffer { TABLE = 0x10000, MARKS = 0x20000 };

static void setup(void)
{
    measured_begin(3, 12);
    memo = objects_alloc(objects, 32);
}

static void teardown(void)
{
    measured_end();
    measured_teardown();
}

static void put(uint64_t offset, uint64_t value)
{
    fake_target_put_u64(objects->fake, object + offset, value);
}

static void measure(enum pht_kind kind, uint32_t basicsize, uint32_t itemsize)
{
    type = (struct pht_type){.kind = kind, .basicsize = basicsize, .itemsize = itemsize};
    measure_head(96, NULL);
}

/* ---- Pickler ------------------------------------------------------------------------------- */

static void put_memo(uint64_t mask, uint64_t allocated)
{
    put(16, memo);
    fake_target_put_u64(objects->fake, memo, mask);
    fake_target_put_u64(objects->fake, memo + 8, 100);
    fake_target_put_u64(objects->fake, memo + 16, allocated);
    fake_target_put_u64(objects->fake, memo + 24, TABLE);
}

START_TEST(picklers_count_their_memo)
{
    put_memo(255, 256);
    measure(PHT_KIND_PICKLER, 152, 0);
    ck_assert(!size.is_damaged);
    ck_assert_uint_eq(size.size_bytes, 152 + 32 + 4096);
    ck_assert_uint_eq(size.buffers.count, 2);
    check_buffer(0, memo, 32);
    check_buffer(1, TABLE, 4096);
    /* Of one that was not initialised. */
    put(16, 0);
    measure(PHT_KIND_PICKLER, 152, 0);
    ck_assert(!size.is_damaged);
    ck_assert_uint_eq(size.size_bytes, 152);
    ck_assert_uint_eq(size.buffers.count, 0);
}
END_TEST

START_TEST(memos_that_lie_are_damaged)
{
    if (_i == 0)
        put_memo(256, 256);
    else if (_i == 1)
        put_memo(199, 200);
    else if (_i == 2)
        put_memo(((uint64_t)1 << 50) - 1, (uint64_t)1 << 50);
    else
        put(16, 0x1000);
    measure(PHT_KIND_PICKLER, 152, 0);
    ck_assert(size.is_damaged);
}
END_TEST

/* ---- Unpickler ----------------------------------------------------------------------------- */

static const struct layout {
    uint32_t basicsize;
    uint32_t line;
    uint32_t read; /* its methods are objects, whose addresses stand right before the encoding */
    uint32_t encoding;
} layouts[] = {{256, 152, 184, 208}, /* 3.6 */
               {272, 152, 184, 224}, /* 3.8 */
               {264, 144, 176, 216}, /* 3.13.0 */
               {296, 152, 200, 240}, /* 3.14.10 */
               {304, 160, 208, 248} /* 3.15.2 */};

#define LAYOUTS (sizeof(layouts) / sizeof(layouts[0]))

static void put_unpickler(const struct layout *layout, pht_addr line, uint64_t marks)
{
    put(24, TABLE);
    put(32, 64);
    put(layout->line, line);
    for (uint32_t at = layout->read; at < layout->encoding; at += 8)
        put(at, OBJECTS_HEAP + 64);
    put(layout->encoding, objects_c_string(objects, "latin-1"));
    put(layout->encoding + 8, objects_c_string(objects, "strict"));
    put(layout->encoding + 16, marks > 0 ? MARKS : 0);
    put(layout->encoding + 24, marks);
    put(layout->encoding + 32, marks > 0 ? marks + 20 : 0);
    put(layout->encoding + 40, 3 | (uint64_t)1 << 32);
}

START_TEST(unpicklers_count_all_they_own)
{
    const struct layout *layout = &layouts[(size_t)_i % LAYOUTS];
    char text[2000];
    bool has_marks = (size_t)_i >= LAYOUTS;

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = 0;
    put_unpickler(layout, objects_c_string(objects, text), has_marks ? 7 : 0);
    measure(PHT_KIND_UNPICKLER, layout->basicsize, 0);
    ck_assert(!size.is_damaged);
    ck_assert_uint_eq(size.size_bytes,
                      layout->basicsize + 512 + (has_marks ? 27 * 8 : 0) + 2000 + 8 + 7);
    ck_assert_uint_eq(size.buffers.count, has_marks ? 5 : 4);
    check_buffer(0, TABLE, 512);
    if (has_marks)
        check_buffer(1, MARKS, 216);
}
END_TEST

START_TEST(unpickler_of_zeros_owns_nothing)
{
    measure(PHT_KIND_UNPICKLER, 272, 0);
    ck_assert(!size.is_damaged);
    ck_assert_uint_eq(size.size_bytes, 272);
    ck_assert_uint_eq(size.buffers.count, 0);
}
END_TEST

START_TEST(ends_that_lie_are_not_believed)
{
    static const struct {
        uint64_t offset;
        uint64_t value;
    } lies[] = {
        {8, 0}, {16, 0}, {24, 28}, {32, 0}, {32, 1 << 22}, {40, 6}, {40, (uint64_t)2 << 32}};

    put_unpickler(&layouts[1], 0, 7);
    put(224 + lies[_i].offset, lies[_i].value);
    measure(PHT_KIND_UNPICKLER, 272, 0);
    ck_assert_uint_eq(size.buffers.count, 1);
    check_buffer(0, TABLE, 512);
}
END_TEST

/* It runs out of what is mapped. */
START_TEST(lines_without_end_are_damage)
{
    put_unpickler(&layouts[1], OBJECTS_HEAP + OBJECTS_HEAP_BYTES - 700, 0);
    memset(fake_target_bytes(objects->fake, OBJECTS_HEAP + OBJECTS_HEAP_BYTES - 700, 700), 'x',
           700);
    measure(PHT_KIND_UNPICKLER, 272, 0);
    ck_assert(size.is_damaged);
}
END_TEST

/* ---- stack --------------------------------------------------------------------------------- */

START_TEST(stacks_own_their_items)
{
    put(16, 5);
    put(24, TABLE);
    put(48, 8);
    measure(PHT_KIND_PICKLE_STACK, 56, 8);
    ck_assert(!size.is_damaged);
    ck_assert_uint_eq(size.size_bytes, 56 + 40);
    ck_assert_uint_eq(size.buffers.count, 1);
    check_buffer(0, TABLE, 64);
    put(48, UINT64_MAX);
    measure(PHT_KIND_PICKLE_STACK, 56, 8);
    ck_assert(size.is_damaged);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("walk/object_pickle");
    TCase *tcase = tcase_create("pickle");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, picklers_count_their_memo);
    tcase_add_loop_test(tcase, memos_that_lie_are_damaged, 0, 4);
    tcase_add_loop_test(tcase, unpicklers_count_all_they_own, 0, 2 * LAYOUTS);
    tcase_add_test(tcase, unpickler_of_zeros_owns_nothing);
    tcase_add_loop_test(tcase, ends_that_lie_are_not_believed, 0, 7);
    tcase_add_test(tcase, lines_without_end_are_damage);
    tcase_add_test(tcase, stacks_own_their_items);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
