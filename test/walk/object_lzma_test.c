/* What compressors and decompressors of lzma own. */
#include <stdlib.h>

#include "support/measured_object.h"
#include "support/suite.h"

#define CODE ((pht_addr)0x7f1300000000)
#define OTHER_CODE ((pht_addr)0x7f1400000000)

static pht_addr lock;
static pht_addr internal;
static pht_addr coders[10];

enum buffer { LZ_LZMA = 0x10000, BUFFER = 0x20000, HASH = 0x30000, SON = 0x40000, INPUT = 0x50000 };

static void put(pht_addr addr, uint64_t value)
{
    fake_target_put_u64(objects->fake, addr, value);
}

static void map_code(pht_addr start)
{
    fake_target_map(objects->fake, start, start + PHT_PAGE_BYTES,
                    FAKE_FILE | FAKE_READ_ONLY | FAKE_EXECUTABLE);
    fake_target_set_pages(objects->fake, start, start + PHT_PAGE_BYTES, FAKE_RESIDENT);
}

static void setup(void)
{
    char first;

    measured_begin(3, 12);
    lock = objects_alloc(objects, 32);
    internal = objects_alloc(objects, 112);
    for (size_t i = 0; i < sizeof(coders) / sizeof(coders[0]); i++)
        coders[i] = objects_alloc(objects, 512);
    map_code(CODE);
    map_code(OTHER_CODE);
    /* What is mapped is read anew for memory that was not. */
    ck_assert_int_eq(pht_snapshot_read(objects->snapshot, CODE, &first, sizeof(first)),
                     PHT_READ_OK);
    put(object + 88, object + 16);
    put(object + 96, internal);
    put(object + 184, lock);
}

static void teardown(void)
{
    measured_end();
    measured_teardown();
}

static void measure(enum pht_kind kind, uint32_t basicsize)
{
    type = (struct pht_type){.kind = kind, .basicsize = basicsize};
    measure_head(96, NULL);
    ck_assert(!size.is_damaged);
    ck_assert_uint_eq(size.size_bytes, basicsize);
}

static void check_buffer_from(size_t i, pht_addr address, uint64_t bytes)
{
    check_buffer(i, address, bytes);
    ck_assert_uint_eq(size.buffers.items[i].source, PHT_BUFFER_RAW);
}

static void put_link(pht_addr at, pht_addr coder, uint64_t id)
{
    put(at, coder);
    put(at + 8, id);
    put(at + 16, CODE + 16);
    put(at + 24, CODE + 32);
    put(at + 32, CODE + 48);
}

/* Of liblzma 5.4 on, or before. */
static void put_encoder(pht_addr coder, bool is_old)
{
    pht_addr finder = coder + (is_old ? 32 : 40);

    put(coder, coders[9]);
    put(coder + 8, CODE + 64);
    put(coder + 16, CODE + 80);
    put(coder + 24, CODE + 96);
    put(finder, BUFFER);
    put(finder + 8, 1000000);
    put(finder + 24, 500);
    put(finder + 32, 600 | (uint64_t)700 << 32);
    put(finder + 48, CODE + 128);
    put(finder + 56, CODE + 144);
    put(finder + 64, HASH);
    put(finder + 72, SON);
    put(finder + 104, (uint64_t)66560 << 32);
    put(finder + 112, 262145);
    put(coders[9] + 8, LZ_LZMA);
}

/* A stream, a block, LZMA2. */
static void put_compressor(bool is_old)
{
    put_link(internal, coders[0], UINT64_MAX);
    put_link(coders[0] + 8, coders[1], UINT64_MAX);
    put_link(coders[1], coders[2], 0x21);
    put_encoder(coders[2], is_old);
}

START_TEST(compressors_own_their_coders)
{
    put_compressor(_i == 1);
    measure(PHT_KIND_LZMA_COMPRESSOR, 192);
    ck_assert_uint_eq(size.buffers.count, 10);
    check_buffer_from(0, lock, 32);
    check_buffer_from(1, internal, 0);
    check_buffer_from(2, coders[0], 0);
    check_buffer_from(3, coders[1], 0);
    check_buffer_from(4, coders[2], 0);
    check_buffer_from(5, coders[9], 0);
    check_buffer_from(6, LZ_LZMA, 0);
    check_buffer_from(7, BUFFER, 0);
    check_buffer_from(8, HASH, 266240);
    check_buffer_from(9, SON, 1048580);
    /* Only LZMA2 has another one within. */
    put(coders[1] + 8, 0x4000000000000001);
    measure(PHT_KIND_LZMA_COMPRESSOR, 192);
    ck_assert_uint_eq(size.buffers.count, 9);
    check_buffer_from(6, BUFFER, 0);
}
END_TEST

START_TEST(finders_that_lie_are_not_followed)
{
    static const struct {
        uint64_t offset;
        uint64_t value;
    } lies[] = {
        {8, OTHER_CODE}, {16, OTHER_CODE},      {40 + 8, 699},
        {40 + 24, 701},  {40 + 48, OTHER_CODE}, {40 + 56, 0},
    };

    put_compressor(false);
    put(coders[2] + lies[_i].offset, lies[_i].value);
    measure(PHT_KIND_LZMA_COMPRESSOR, 192);
    /* It looks like a link to its inner coder then, which is its own. */
    bool is_link = _i != 1;
    ck_assert_uint_eq(size.buffers.count, is_link ? 6 : 5);
    if (is_link)
        check_buffer_from(5, coders[9], 0);
}
END_TEST

START_TEST(links_into_other_code_are_not_followed)
{
    put_compressor(false);
    put(coders[0] + 8 + 16 + 8 * (pht_addr)_i, OTHER_CODE + 16);
    measure(PHT_KIND_LZMA_COMPRESSOR, 192);
    ck_assert_uint_eq(size.buffers.count, 3);
}
END_TEST

START_TEST(streams_without_proof_own_nothing)
{
    put_compressor(false);
    if (_i == 0)
        put(object + 88, object);
    else if (_i == 1)
        put(object + 96, 0x1000);
    else
        put(internal + 24, _i == 2 ? 0 : internal);
    measure(PHT_KIND_LZMA_COMPRESSOR, 192);
    ck_assert_uint_eq(size.buffers.count, 1);
}
END_TEST

START_TEST(chains_have_an_end)
{
    put_link(internal, coders[0], 3);
    put_link(coders[0], coders[0], 3);
    measure(PHT_KIND_LZMA_COMPRESSOR, 192);
    ck_assert_uint_eq(size.buffers.count, 2 + 8);
}
END_TEST

/* The mappings are read anew in the middle of the chain. */
START_TEST(coders_in_memory_that_is_new_are_followed)
{
    const pht_addr fresh = 0x7f1500000000;

    fake_target_map(objects->fake, fresh, fresh + PHT_PAGE_BYTES, FAKE_PRIVATE);
    fake_target_set_pages(objects->fake, fresh, fresh + PHT_PAGE_BYTES, FAKE_RESIDENT);
    put_link(internal, fresh, 0x21);
    put_encoder(fresh, false);
    measure(PHT_KIND_LZMA_COMPRESSOR, 192);
    ck_assert_uint_eq(size.buffers.count, 8);
    check_buffer_from(2, fresh, 0);
    check_buffer_from(7, SON, 1048580);
}
END_TEST

START_TEST(decompressors_own_their_dictionary_and_input)
{
    put(object + 200, INPUT);
    put(object + 208, 5000);
    put(object + 216, lock);
    put_link(internal, coders[0], 0x21);
    put(coders[0], BUFFER);
    put(coders[0] + 8, UINT64_MAX);
    put(coders[0] + 32, 1 << 20);
    put(coders[0] + 48, coders[9]);
    put(coders[0] + 56, CODE + 64);
    put(coders[0] + 80, CODE + 80);
    put(coders[9] + 8, LZ_LZMA);
    measure(PHT_KIND_LZMA_DECOMPRESSOR, 224);
    ck_assert_uint_eq(size.buffers.count, 7);
    check_buffer_from(1, internal, 0);
    check_buffer_from(2, coders[0], 0);
    check_buffer_from(3, coders[9], 0);
    check_buffer_from(4, LZ_LZMA, 0);
    check_buffer_from(5, BUFFER, 0);
    ck_assert_uint_eq(size.buffers.items[6].address, INPUT);
    ck_assert_uint_eq(size.buffers.items[6].bytes, 5000);
    /* What is no dictionary is left alone. */
    put(coders[0] + (_i == 0 ? 56 : 32), _i == 0 ? OTHER_CODE : UINT64_MAX);
    measure(PHT_KIND_LZMA_DECOMPRESSOR, 224);
    ck_assert_uint_eq(size.buffers.count, 4);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("walk/object_lzma");
    TCase *tcase = tcase_create("lzma");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, compressors_own_their_coders, 0, 2);
    tcase_add_loop_test(tcase, finders_that_lie_are_not_followed, 0, 6);
    tcase_add_loop_test(tcase, links_into_other_code_are_not_followed, 0, 3);
    tcase_add_loop_test(tcase, streams_without_proof_own_nothing, 0, 4);
    tcase_add_test(tcase, chains_have_an_end);
    tcase_add_test(tcase, coders_in_memory_that_is_new_are_followed);
    tcase_add_loop_test(tcase, decompressors_own_their_dictionary_and_input, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
