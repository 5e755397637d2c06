#include <string.h>

#include "layout/symbols.h"
#include "support/elf_fixture.h"
#include "support/suite.h"

static const char *const paths[] = {ELF_FIXTURE("plain"), ELF_FIXTURE("lto")};

static struct elf_fixture fixture;

static struct pht_symbol find(uint32_t type, const char *name)
{
    struct pht_symbol symbol = {.name = name};

    pht_symbols_find(fixture.image.elf, type, &symbol, 1);
    return symbol;
}

START_TEST(a_static_with_a_name_of_its_own_is_found)
{
    if (!elf_fixture_open(&fixture, paths[_i]))
        return;
    struct pht_symbol symbol = find(SHT_SYMTAB, "usedpools");
    ck_assert_uint_eq(symbol.matches, 1);
    ck_assert_uint_eq(symbol.size, 64 * sizeof(void *));
    ck_assert_uint_eq(symbol.address, elf_fixture_address(&fixture, "fixture_usedpools"));
    elf_fixture_close(&fixture);
}
END_TEST

START_TEST(statics_that_share_a_name_are_counted)
{
    if (!elf_fixture_open(&fixture, paths[_i]))
        return;
    ck_assert_uint_eq(find(SHT_SYMTAB, "arenas").matches, 2);
    ck_assert_uint_eq(find(SHT_SYMTAB, "maxarenas").matches, 2);
    elf_fixture_close(&fixture);
}
END_TEST

START_TEST(a_name_that_the_linker_made_longer_is_matched)
{
    struct pht_symbol plain = {.name = "fixture_renamed"};
    struct pht_symbol whole = {.name = "fixture_renamed.lto_priv.7"};
    unsigned value = 0;

    ck_assert(elf_fixture_open(&fixture, paths[0]));
    pht_symbols_find(fixture.image.elf, SHT_DYNSYM, &plain, 1);
    pht_symbols_find(fixture.image.elf, SHT_DYNSYM, &whole, 1);
    ck_assert_uint_eq(plain.matches, 1);
    ck_assert_uint_eq(whole.matches, 0);
    ck_assert(pht_elf_image_read(&fixture.image, plain.address, &value, sizeof(value)));
    ck_assert_uint_eq(value, 1);
    elf_fixture_close(&fixture);
}
END_TEST

START_TEST(the_dynamic_symbols_have_no_statics)
{
    if (!elf_fixture_open(&fixture, paths[_i]))
        return;
    ck_assert_uint_eq(find(SHT_DYNSYM, "usedpools").matches, 0);
    struct pht_symbol runtime = find(SHT_DYNSYM, "_PyRuntime");
    ck_assert_uint_eq(runtime.matches, 1);
    ck_assert_uint_eq(runtime.size, 64);
    ck_assert_uint_eq(runtime.address, find(SHT_SYMTAB, "_PyRuntime").address);
    elf_fixture_close(&fixture);
}
END_TEST

START_TEST(only_whole_names_of_what_is_defined_match)
{
    static const char *const absent[] = {"used",  "usedpool",        "usedpoolss",
                                         "arena", "arenas.lto_priv", "__cxa_finalize"};

    if (!elf_fixture_open(&fixture, paths[_i]))
        return;
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
        ck_assert_msg(find(SHT_SYMTAB, absent[i]).matches == 0, "\"%s\"", absent[i]);
        ck_assert_msg(find(SHT_DYNSYM, absent[i]).matches == 0, "\"%s\"", absent[i]);
    }
    elf_fixture_close(&fixture);
}
END_TEST

/* A library in which two variables have the names of others of the other kind. */
static const char *const shadowed[] = {ELF_FIXTURE("libc-shadowed/libc-2.99"),
                                       ELF_FIXTURE("libc-lto/libc-2.99")};

START_TEST(thread_local_variables_are_not_mixed_up_with_others)
{
    struct pht_symbol symbols[] = {
        {.name = "tcache"},       {.name = "tcache", .is_thread_local = true},
        {.name = "mp_"},          {.name = "mp_", .is_thread_local = true},
        {.name = "thread_arena"}, {.name = "tcache_key", .is_thread_local = true}};

    if (!elf_fixture_open(&fixture, shadowed[_i]))
        return;
    pht_symbols_find(fixture.image.elf, SHT_SYMTAB, symbols, 6);
    for (size_t i = 0; i < 6; i++)
        ck_assert_msg(symbols[i].matches == (i < 4), "%zu: %u", i, symbols[i].matches);
    ck_assert_uint_eq(symbols[0].address, elf_fixture_address(&fixture, "fixture_other_tcache"));
    ck_assert_uint_eq(symbols[1].address, elf_fixture_thread_local(&fixture, "fixture_tcache"));
    ck_assert_uint_eq(symbols[2].address, elf_fixture_address(&fixture, "fixture_params"));
    ck_assert_uint_eq(symbols[3].address,
                      elf_fixture_thread_local(&fixture, "fixture_other_params"));
    ck_assert_uint_eq(symbols[1].size, sizeof(void *));
    elf_fixture_close(&fixture);
}
END_TEST

START_TEST(many_are_found_in_one_pass)
{
    struct pht_symbol symbols[] = {{.name = "fixture_arenas"},
                                   {.name = "absent"},
                                   {.name = "Py_GetVersion"},
                                   {.name = "PyType_Type"}};

    ck_assert(elf_fixture_open(&fixture, paths[0]));
    pht_symbols_find(fixture.image.elf, SHT_DYNSYM, symbols, 4);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(symbols[i].matches, i != 1);
        if (i != 1)
            ck_assert_uint_eq(symbols[i].address, find(SHT_SYMTAB, symbols[i].name).address);
    }
    elf_fixture_close(&fixture);
}
END_TEST

static Suite *symbols_suite(void)
{
    Suite *suite = suite_create("layout/symbols");
    TCase *tcase = tcase_create("symbols");

    tcase_add_loop_test(tcase, a_static_with_a_name_of_its_own_is_found, 0, 2);
    tcase_add_loop_test(tcase, statics_that_share_a_name_are_counted, 0, 2);
    tcase_add_loop_test(tcase, the_dynamic_symbols_have_no_statics, 0, 2);
    tcase_add_loop_test(tcase, only_whole_names_of_what_is_defined_match, 0, 2);
    tcase_add_test(tcase, a_name_that_the_linker_made_longer_is_matched);
    tcase_add_loop_test(tcase, thread_local_variables_are_not_mixed_up_with_others, 0, 2);
    tcase_add_test(tcase, many_are_found_in_one_pass);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(symbols_suite)
