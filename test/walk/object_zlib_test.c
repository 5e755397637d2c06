/* What compressors and decompressors of zlib own. */
#include <stdlib.h>

#include "support/measured_object.h"
#include "support/suite.h"

static pht_addr state;
static pht_addr lock;

enum buffer { WINDOW = 0x10000, PREVIOUS = 0x20000, HEAD = 0x30000, PENDING = 0x40000 };

static void setup_version(unsigned minor)
{
    measured_begin(3, minor);
    state = objects_alloc(objects, 8192);
    lock = objects_alloc(objects, 32);
    fake_target_put_u64(objects->fake, object + 72, state);
    fake_target_put_u64(objects->fake, object + 160, lock);
}

static void setup(void)
{
    setup_version(12);
}

static void teardown(void)
{
    measured_end();
    measured_teardown();
}

static void put(uint64_t offset, uint64_t value)
{
    fake_target_put_u64(objects->fake, state + offset, value);
}

/* Two members of four bytes each. */
static void put_two(uint64_t offset, uint32_t first, uint32_t second)
{
    put(offset, first | (uint64_t)second << 32);
}

static void measure(enum pht_kind kind, uint32_t basicsize)
{
    type = (struct pht_type){.kind = kind, .basicsize = basicsize};
    measure_head(96, NULL);
    ck_assert(!size.is_damaged);
    ck_assert_uint_eq(size.size_bytes, basicsize);
}

/* ---- deflate ------------------------------------------------------------------------------- */

/* A window of 4,096 bytes and 512 hashes; zlib 1.2.9 and later, or before. */
static void put_deflate(bool is_old)
{
    unsigned at = is_old ? 16 : 0;

    put(0, object + 16);
    put(16, PENDING);
    put(24, 65536);
    if (is_old) {
        put_two(64, 0, 4096);
        put_two(72, 12, 4095);
    } else {
        put_two(80, 4096, 12);
        put_two(88, 4095, 0);
    }
    put(96 - at, WINDOW);
    put(104 - at, 8192);
    put(112 - at, PREVIOUS);
    put(120 - at, HEAD);
    put_two(128 - at, 77, 512);
    put_two(136 - at, 9, 511);
}

START_TEST(compressors_own_what_deflate_has)
{
    put_deflate(_i == 1);
    measure(PHT_KIND_ZLIB_COMPRESS, 168);
    ck_assert_uint_eq(size.buffers.count, 6);
    check_buffer(0, lock, 32);
    check_buffer(1, state, 0);
    check_buffer(2, WINDOW, 8192);
    check_buffer(3, PREVIOUS, 8192);
    check_buffer(4, HEAD, 1024);
    check_buffer(5, PENDING, 0);
}
END_TEST

/* The state is theirs, but what it holds is not known. */
START_TEST(states_of_other_libraries_are_not_followed)
{
    static const struct {
        uint64_t offset;
        uint64_t value;
    } lies[] = {
        {80, 4097 | (uint64_t)12 << 32},
        {80, 65536 | (uint64_t)16 << 32},
        {80, 4096 | (uint64_t)44 << 32},
        {88, 4096},
        {104, 4096},
        {128, (uint64_t)256 << 32},
        {136, 9 | (uint64_t)1023 << 32},
        {136, 17 | (uint64_t)511 << 32},
    };

    ck_assert_uint_lt((size_t)_i, sizeof(lies) / sizeof(lies[0]));
    put_deflate(false);
    put(lies[_i].offset, lies[_i].value);
    measure(PHT_KIND_ZLIB_COMPRESS, 168);
    ck_assert_uint_eq(size.buffers.count, 2);
    check_buffer(1, state, 0);
}
END_TEST

START_TEST(states_of_other_streams_are_not_theirs)
{
    put_deflate(false);
    if (_i == 0)
        put(0, object + 24);
    else
        fake_target_put_u64(objects->fake, object + 72, _i == 1 ? 0 : 0x1000);
    measure(PHT_KIND_ZLIB_COMPRESS, 168);
    ck_assert_uint_eq(size.buffers.count, 1);
    check_buffer(0, lock, 32);
}
END_TEST

/* From 3.15 on the lock is a byte of the object. */
START_TEST(locks_within_are_no_buffer)
{
    teardown();
    setup_version(15);
    put_deflate(false);
    measure(PHT_KIND_ZLIB_COMPRESS, 168);
    ck_assert_uint_eq(size.buffers.count, 5);
    check_buffer(0, state, 0);
}
END_TEST

/* ---- inflate ------------------------------------------------------------------------------- */

static void put_inflate(bool is_old)
{
    unsigned at = is_old ? 8 : 0;

    put(0, is_old ? 11 : object + 16);
    put_two(56 - at, 15, 32768);
    put_two(64 - at, 100, 100);
    put(72 - at, WINDOW);
    put(144 - at, state + 1368 - at);
}

START_TEST(decompressors_own_their_window)
{
    put_inflate(_i == 1);
    measure(PHT_KIND_ZLIB_DECOMPRESS, 168);
    ck_assert_uint_eq(size.buffers.count, 3);
    check_buffer(0, lock, 32);
    check_buffer(1, state, 0);
    check_buffer(2, WINDOW, 32768);
}
END_TEST

START_TEST(windows_that_lie_are_not_theirs)
{
    put_inflate(false);
    if (_i == 0)
        put_two(56, 15, 16384);
    else if (_i == 1)
        put_two(56, 47, 32768);
    else if (_i == 2)
        put_two(64, 32769, 100);
    else if (_i == 3)
        put_two(64, 100, 32769);
    else
        put(144, state + (_i == 4 ? 152 : 8000));
    measure(PHT_KIND_ZLIB_DECOMPRESS, 168);
    ck_assert_uint_eq(size.buffers.count, 2);
    check_buffer(1, state, 0);
}
END_TEST

START_TEST(old_states_must_lead_to_their_own_codes)
{
    put_inflate(true);
    put(136, _i == 0 ? state - 8 : 0);
    measure(PHT_KIND_ZLIB_DECOMPRESS, 168);
    ck_assert_uint_eq(size.buffers.count, 1);
}
END_TEST

START_TEST(decompressors_of_files_own_their_input)
{
    fake_target_put_u64(objects->fake, object + 136, lock);
    fake_target_put_u64(objects->fake, object + 152, HEAD);
    fake_target_put_u64(objects->fake, object + 160, 5000);
    put_inflate(false);
    measure(PHT_KIND_ZLIB_DECOMPRESSOR, 184);
    ck_assert_uint_eq(size.buffers.count, 4);
    check_buffer(0, lock, 32);
    check_buffer(1, state, 0);
    check_buffer(2, WINDOW, 32768);
    check_buffer(3, HEAD, 5000);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("walk/object_zlib");
    TCase *tcase = tcase_create("zlib");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, compressors_own_what_deflate_has, 0, 2);
    tcase_add_loop_test(tcase, states_of_other_libraries_are_not_followed, 0, 8);
    tcase_add_loop_test(tcase, states_of_other_streams_are_not_theirs, 0, 3);
    tcase_add_test(tcase, locks_within_are_no_buffer);
    tcase_add_loop_test(tcase, decompressors_own_their_window, 0, 2);
    tcase_add_loop_test(tcase, windows_that_lie_are_not_theirs, 0, 6);
    tcase_add_loop_test(tcase, old_states_must_lead_to_their_own_codes, 0, 2);
    tcase_add_test(tcase, decompressors_of_files_own_their_input);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
