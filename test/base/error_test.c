#include <string.h>

#include "pyheaptop/error.h"
#include "support/suite.h"

/* The last of the enum; a code added behind it must be tested too. */
#define CODES (PHT_ERROR_INCOMPLETE + 1)

START_TEST(every_code_has_an_id_of_its_own)
{
    const char *id = pht_error_id((enum pht_error_code)_i);

    ck_assert_uint_gt(strlen(id), 0);
    ck_assert_uint_eq(strspn(id, "abcdefghijklmnopqrstuvwxyz-"), strlen(id));
    for (int other = 0; other < CODES; other++) {
        if (other != _i)
            ck_assert_str_ne(id, pht_error_id((enum pht_error_code)other));
    }
}
END_TEST

START_TEST(ids_are_those_of_the_catalogue)
{
    ck_assert_str_eq(pht_error_id(PHT_ERROR_EPERM_YAMA), "eperm-yama");
    ck_assert_str_eq(pht_error_id(PHT_ERROR_EXEC_DURING_SNAPSHOT), "exec-during-snapshot");
    ck_assert_str_eq(pht_error_id(PHT_ERROR_TERMINAL), "terminal-dumb");
    ck_assert_str_eq(pht_error_id(PHT_ERROR_INTERNAL), "internal");
    ck_assert_str_eq(pht_error_id((enum pht_error_code)CODES), "internal");
}
END_TEST

START_TEST(a_fresh_error_has_its_text_and_no_more)
{
    struct pht_error *error = pht_error_create(PHT_ERROR_USAGE, "pid %d: %s", 42, "odd");

    ck_assert_int_eq(error->code, PHT_ERROR_USAGE);
    ck_assert_str_eq(error->text, "pid 42: odd");
    ck_assert_ptr_null(error->why);
    ck_assert_ptr_null(error->remedy);
    pht_error_destroy(error);
}
END_TEST

START_TEST(cause_and_remedy_can_be_nested_and_replaced)
{
    struct pht_error *error = pht_error_try(
        pht_error_because(pht_error_create(PHT_ERROR_PYPY, "text"), "cause %d", 1), "remedy %d", 1);

    ck_assert_str_eq(error->text, "text");
    ck_assert_str_eq(error->why, "cause 1");
    ck_assert_str_eq(error->remedy, "remedy 1");
    ck_assert_ptr_eq(pht_error_because(error, "cause %d", 2), error);
    ck_assert_ptr_eq(pht_error_try(error, "remedy %d", 2), error);
    ck_assert_str_eq(error->why, "cause 2");
    ck_assert_str_eq(error->remedy, "remedy 2");
    pht_error_destroy(error);
}
END_TEST

START_TEST(no_memory_is_never_allocated_changed_or_freed)
{
    struct pht_error *error = pht_error_no_memory();

    ck_assert_ptr_eq(pht_error_because(error, "a cause"), error);
    ck_assert_ptr_eq(pht_error_try(error, "a remedy"), error);
    pht_error_destroy(error);
    ck_assert_ptr_eq(pht_error_no_memory(), error);
    ck_assert_int_eq(error->code, PHT_ERROR_NO_MEMORY);
    ck_assert_str_eq(error->text, "out of memory");
    ck_assert_ptr_null(error->why);
    ck_assert_ptr_null(error->remedy);
}
END_TEST

START_TEST(destroying_no_error_does_nothing)
{
    pht_error_destroy(NULL);
}
END_TEST

static Suite *error_suite(void)
{
    Suite *suite = suite_create("base/error");
    TCase *tcase = tcase_create("error");

    tcase_add_loop_test(tcase, every_code_has_an_id_of_its_own, 0, CODES);
    tcase_add_test(tcase, ids_are_those_of_the_catalogue);
    tcase_add_test(tcase, a_fresh_error_has_its_text_and_no_more);
    tcase_add_test(tcase, cause_and_remedy_can_be_nested_and_replaced);
    tcase_add_test(tcase, no_memory_is_never_allocated_changed_or_freed);
    tcase_add_test(tcase, destroying_no_error_does_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(error_suite)
