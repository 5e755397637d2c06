/* Pointers in files, in their bytes or in a table of relocations. */
#include <elf.h>
#include <string.h>

#include "layout/initial_data.h"
#include "support/elf_bytes.h"
#include "support/suite.h"

#if defined(__x86_64__)
#define RELATIVE R_X86_64_RELATIVE
#else
#define RELATIVE R_AARCH64_RELATIVE
#endif

#define DATA 0x5000
#define BSS (DATA + sizeof(data))
#define DYNAMIC 0x6000
#define TABLE 0x10000
#define MANY 2000 /* relocations, more than are read at once */

static uint64_t data[8] = {0x1234, 0, 0, 0, 0, 0, 0, 0x5678};
static Elf64_Dyn dynamic[8];
static Elf64_Rela table[MANY];
static struct pht_elf_image image;

/* The last words of the table are relocated, and one in the middle. */
static void setup(void)
{
    static const Elf64_Dyn entries[] = {
        {DT_NEEDED, {.d_val = 1}},   {DT_RELASZ, {.d_val = sizeof(table)}},
        {DT_RELA, {.d_ptr = TABLE}}, {DT_RELAENT, {.d_val = sizeof(Elf64_Rela)}},
        {DT_NULL, {.d_val = 0}},
    };

    memcpy(dynamic, entries, sizeof(entries));
    for (size_t i = 0; i < MANY; i++)
        table[i] = (Elf64_Rela){DATA + 0x8000 + 8 * i, ELF64_R_INFO(0, RELATIVE), 0x77};
    table[MANY / 2] = (Elf64_Rela){DATA + 8, ELF64_R_INFO(0, RELATIVE), 0x4000};
    table[MANY - 1] = (Elf64_Rela){DATA + 16, ELF64_R_INFO(0, RELATIVE), 0x4010};
    table[0] = (Elf64_Rela){DATA + 24, ELF64_R_INFO(5, RELATIVE + 1), 0x4020}; /* of a symbol */
}

static void open_image(void)
{
    const struct elf_bytes_segment segments[] = {
        {.flags = PF_R, .address = TABLE, .bytes = table, .byte_count = sizeof(table)},
        {.flags = PF_R | PF_W,
         .address = DATA,
         .size = sizeof(data) + 64,
         .bytes = data,
         .byte_count = sizeof(data)},
        {.flags = PF_R, .address = DYNAMIC, .bytes = dynamic, .byte_count = sizeof(dynamic)},
        {.type = PT_DYNAMIC, .address = DYNAMIC, .bytes = dynamic, .byte_count = sizeof(dynamic)},
    };
    const struct elf_bytes file = {.type = ET_DYN, .segments = segments, .segment_count = 4};

    elf_bytes_open(&file, &image);
}

static void teardown(void)
{
    pht_elf_image_close(&image);
}

static const struct word_row {
    uint64_t address;
    bool known;
    uint64_t value;
} word_rows[] = {
    {DATA, true, 0x1234},      /* in the bytes */
    {DATA + 8, true, 0x4000},  /* in the table */
    {DATA + 16, true, 0x4010}, /* its last entry */
    {DATA + 24, true, 0},      /* the loader looks a symbol up */
    {DATA + 32, true, 0},      {DATA + 56, true, 0x5678}, {BSS, false, 0},
    {BSS - 4, false, 0},       {DATA - 8, false, 0},      {UINT64_MAX - 3, false, 0},
};

START_TEST(a_word_is_as_the_loader_left_it)
{
    const struct word_row *row = &word_rows[_i];
    uint64_t value = 0;

    open_image();
    ck_assert(pht_initial_u64(&image, row->address, &value) == row->known);
    ck_assert_uint_eq(value, row->value);
}
END_TEST

static const struct dynamic_row {
    unsigned entry;
    Elf64_Dyn now;
    bool relocated; /* the words of both entries */
} dynamic_rows[] = {
    {0, {DT_NULL, {.d_val = 0}}, false},
    {1, {DT_RELASZ, {.d_val = 0}}, false},
    {1, {DT_RELASZ, {.d_val = (MANY / 2 + 1) * sizeof(Elf64_Rela)}}, false},
    {1, {DT_RELASZ, {.d_val = UINT64_MAX}}, false},
    {1, {DT_RELASZ, {.d_val = (uint64_t)1 << 40}}, false},
    {1, {DT_RELASZ, {.d_val = sizeof(Elf64_Rela) * MANY + 23}}, true},
    {1, {DT_DEBUG, {.d_val = 0}}, false},
    {2, {DT_RELA, {.d_ptr = 0}}, false},
    {2, {DT_RELA, {.d_ptr = UINT64_MAX - 15}}, false},
    {2, {DT_RELA, {.d_ptr = TABLE - 8}}, false},
    {4, {DT_DEBUG, {.d_val = 0}}, true}, /* nothing ends the section but its end */
};

START_TEST(damaged_tables_relocate_nothing)
{
    const struct dynamic_row *row = &dynamic_rows[_i];
    uint64_t value = 1;

    dynamic[row->entry] = row->now;
    open_image();
    ck_assert(pht_initial_u64(&image, DATA + 16, &value));
    ck_assert_uint_eq(value, row->relocated ? 0x4010 : 0);
}
END_TEST

START_TEST(a_file_without_segments_has_no_words)
{
    const struct elf_bytes file = {.type = ET_DYN};
    uint64_t value;

    elf_bytes_open(&file, &image);
    ck_assert(!pht_initial_u64(&image, DATA, &value));
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *initial_data_suite(void)
{
    Suite *suite = suite_create("layout/initial_data");
    TCase *tcase = tcase_create("initial data");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_word_is_as_the_loader_left_it, 0, ROWS(word_rows));
    tcase_add_loop_test(tcase, damaged_tables_relocate_nothing, 0, ROWS(dynamic_rows));
    tcase_add_test(tcase, a_file_without_segments_has_no_words);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(initial_data_suite)
