/* The table of interned strings: it is listed, and stays with who has claimed it. */
#include "support/region_walk.h"
#include "support/suite.h"

#define PAGE ((pht_addr)PHT_PAGE_BYTES)
#define BIAS ((uint64_t)0x7f0000000000)
#define DATA ((pht_addr)0x7f1000000000)
#define STATIC (DATA + 64)
#define RUNTIME (DATA + 128)
#define HEAD 40
#define INTERPRETER (DATA + PAGE)
#define INTERNED 24
#define DICT (DATA + 2 * PAGE)
#define TABLE (DATA + 3 * PAGE)
#define DATA_END (DATA + 8 * PAGE)
#define STRINGS ((pht_addr)0x7f2000000000)

/* Of 64 slots; there is room for 42 entries. */
#define KEYS_HEAD 32
#define SLOTS 64
#define ENTRIES 20
#define TABLE_BYTES (KEYS_HEAD + SLOTS + 42 * 16)

static struct region_walk walk;

static void put(pht_addr addr, uint64_t value)
{
    fake_target_put_u64(walk.fake, addr, value);
}

/* Keys of 3.11: entries of two words, a deleted one among them. */
static void put_dict(pht_addr dict, pht_addr table)
{
    put(dict + 32, table);
    put(dict + 40, 0);
    put(table, 1);
    put(table + 8, 6 | 6 << 8 | 1 << 16);
    put(table + 16, 42 - ENTRIES);
    put(table + 24, ENTRIES);
    for (uint64_t i = 0; i < ENTRIES; i++) {
        put(table + KEYS_HEAD + SLOTS + 16 * i, i == 3 ? 0 : STRINGS + 64 * i);
        put(table + KEYS_HEAD + SLOTS + 16 * i + 8, i == 3 ? 0 : STRINGS + 64 * i);
    }
}

static void setup(void)
{
    region_walk_init(&walk);
    walk.python.bias = BIAS;
    walk.python.version = (struct pht_version){3, 11, 7};
    walk.python.layout.interned = STATIC - BIAS;
    region_walk_map(&walk, DATA, DATA_END, FAKE_PRIVATE);
    put(STATIC, DICT);
    put_dict(DICT, TABLE);
}

static void teardown(void)
{
    region_walk_deinit(&walk);
}

static size_t tables(void)
{
    region_walk_run(&walk);
    return region_walk_count(&walk, PHT_REGION_INTERNED);
}

START_TEST(the_table_of_a_static_is_listed_and_not_claimed)
{
    ck_assert_uint_eq(tables(), 1);
    region_walk_check(&walk, PHT_REGION_INTERNED, TABLE, TABLE + TABLE_BYTES);
    ck_assert_uint_eq(region_walk_get(&walk, PHT_REGION_INTERNED, 0)->resident_bytes, PAGE);
    for (int i = 0; i < PHT_CATEGORIES; i++) {
        if (i != PHT_CATEGORY_UNATTRIBUTED)
            region_walk_check_category(&walk, (enum pht_category)i, 0);
    }
}
END_TEST

/* Of three words, most of them not in use. */
START_TEST(the_table_of_2_7)
{
    walk.python.version = (struct pht_version){2, 7, 18};
    put(DICT + 32, 31);
    put(DICT + 40, TABLE);
    for (uint64_t i = 0; i < 32 * 3; i++)
        put(TABLE + 8 * i, 0);
    for (uint64_t i = 0; i < 32; i += 3) {
        put(TABLE + 24 * i + 8, STRINGS + 64 * i);
        put(TABLE + 24 * i + 16, STRINGS + 64 * i);
    }
    ck_assert_uint_eq(tables(), 1);
    region_walk_check(&walk, PHT_REGION_INTERNED, TABLE, TABLE + 32 * 24);
}
END_TEST

/* Of the main interpreter, and of two more, the first of which shares that of the main one. */
START_TEST(each_interpreter_has_one_or_shares_one)
{
    pht_addr other = DICT + 512, other_table = TABLE + PAGE;

    walk.python.version = (struct pht_version){3, 13, 0};
    walk.python.layout.interned = PHT_UNKNOWN;
    walk.python.layout.runtime = RUNTIME - BIAS;
    walk.python.layout.runtime_interpreters_head = HEAD;
    walk.python.layout.interp_next = 0;
    walk.python.layout.interp_interned = INTERNED;
    put_dict(other, other_table);
    put(RUNTIME + HEAD, INTERPRETER);
    for (uint64_t i = 0; i < 3; i++) {
        put(INTERPRETER + 512 * i, i < 2 ? INTERPRETER + 512 * (i + 1) : 0);
        put(INTERPRETER + 512 * i + INTERNED, i == 0 ? other : DICT);
    }
    ck_assert_uint_eq(tables(), 2);
    ck_assert_uint_eq(region_walk_get(&walk, PHT_REGION_INTERNED, 0)->start, TABLE);
    ck_assert_uint_eq(region_walk_get(&walk, PHT_REGION_INTERNED, 1)->start, other_table);
}
END_TEST

START_TEST(what_does_not_map_to_itself_is_another_dict)
{
    put(TABLE + KEYS_HEAD + SLOTS + 16 * 5 + 8, STRINGS);
    ck_assert_uint_eq(tables(), 0);
}
END_TEST

START_TEST(few_entries_prove_nothing)
{
    put(TABLE + 24, _i);
    ck_assert_uint_eq(tables(), _i > 8);
}
END_TEST

static const pht_addr strays[] = {0, 1, DATA_END, DATA_END - 8, UINT64_MAX, UINT64_MAX - 7};

START_TEST(a_dict_that_is_nowhere_is_left_out)
{
    put(STATIC, strays[_i]);
    ck_assert_uint_eq(tables(), 0);
}
END_TEST

START_TEST(a_table_that_is_nowhere_is_left_out)
{
    put(DICT + 32, strays[_i]);
    ck_assert_uint_eq(tables(), 0);
}
END_TEST

START_TEST(a_table_that_reaches_out_of_its_mapping_is_left_out)
{
    put(TABLE + 8, (uint64_t)40 | (uint64_t)42 << 8 | 1 << 16);
    ck_assert_uint_eq(tables(), 0);
}
END_TEST

START_TEST(no_symbol_no_table)
{
    walk.python.layout.interned = PHT_UNKNOWN;
    ck_assert_uint_eq(tables(), 0);
}
END_TEST

#define ROWS(array) (sizeof(array) / sizeof((array)[0]))

static Suite *make_suite(void)
{
    Suite *suite = suite_create("walk/region_interned");
    TCase *whole = tcase_create("whole"), *damaged = tcase_create("damaged");

    tcase_add_checked_fixture(whole, setup, teardown);
    tcase_add_test(whole, the_table_of_a_static_is_listed_and_not_claimed);
    tcase_add_test(whole, the_table_of_2_7);
    tcase_add_test(whole, each_interpreter_has_one_or_shares_one);
    tcase_add_test(whole, no_symbol_no_table);
    suite_add_tcase(suite, whole);
    tcase_add_checked_fixture(damaged, setup, teardown);
    tcase_add_test(damaged, what_does_not_map_to_itself_is_another_dict);
    tcase_add_loop_test(damaged, few_entries_prove_nothing, 0, 12);
    tcase_add_loop_test(damaged, a_dict_that_is_nowhere_is_left_out, 0, ROWS(strays));
    tcase_add_loop_test(damaged, a_table_that_is_nowhere_is_left_out, 0, ROWS(strays));
    tcase_add_test(damaged, a_table_that_reaches_out_of_its_mapping_is_left_out);
    suite_add_tcase(suite, damaged);
    return suite;
}

SUITE_MAIN(make_suite)
