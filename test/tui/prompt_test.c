/* A line that is typed. */
#include <string.h>

#include "support/suite.h"
#include "tui/key.h"
#include "tui/prompt.h"

static struct pht_prompt prompt;

static void setup(void)
{
    prompt = (struct pht_prompt){.label = "Search: "};
}

static void type(const int *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(pht_prompt_on_key(&prompt, keys[i]), PHT_PROMPT_OPEN);
}

#define TYPE(...) type((const int[]){__VA_ARGS__}, sizeof((int[]){__VA_ARGS__}) / sizeof(int))

START_TEST(characters_of_any_length_come_and_go)
{
    TYPE('a', 0xf6, 0x4e2d, 0x1f600);
    ck_assert_str_eq(prompt.text, "a\xc3\xb6\xe4\xb8\xad\xf0\x9f\x98\x80");
    TYPE(PHT_KEY_BACKSPACE, PHT_KEY_BACKSPACE);
    ck_assert_str_eq(prompt.text, "a\xc3\xb6");
    TYPE(PHT_KEY_BACKSPACE, PHT_KEY_BACKSPACE);
    ck_assert_str_eq(prompt.text, "");
}
END_TEST

START_TEST(keys_that_are_no_character_change_nothing)
{
    TYPE('a', PHT_KEY_UP, PHT_KEY_F0 + 3, PHT_KEY_OTHER, PHT_KEY_TAB, 'b');
    ck_assert_str_eq(prompt.text, "ab");
    TYPE(PHT_KEY_CONTROL('u'));
    ck_assert_str_eq(prompt.text, "");
}
END_TEST

START_TEST(no_more_is_taken_than_fits)
{
    for (int i = 0; i < 3 * PHT_FILTER_MAX; i++)
        TYPE(0x4e2d);
    ck_assert_uint_lt(strlen(prompt.text), PHT_FILTER_MAX);
    ck_assert_uint_eq(strlen(prompt.text) % 3, 0); /* no half of a character */
}
END_TEST

START_TEST(enter_esc_and_deleting_nothing_end_it)
{
    ck_assert_int_eq(pht_prompt_on_key(&prompt, PHT_KEY_ENTER), PHT_PROMPT_DONE);
    ck_assert_int_eq(pht_prompt_on_key(&prompt, PHT_KEY_ESCAPE), PHT_PROMPT_DROPPED);
    ck_assert_int_eq(pht_prompt_on_key(&prompt, PHT_KEY_CONTROL('c')), PHT_PROMPT_DROPPED);
    ck_assert_int_eq(pht_prompt_on_key(&prompt, PHT_KEY_BACKSPACE), PHT_PROMPT_DROPPED);
}
END_TEST

static Suite *prompt_suite(void)
{
    Suite *suite = suite_create("prompt");
    TCase *tcase = tcase_create("prompt");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, characters_of_any_length_come_and_go);
    tcase_add_test(tcase, keys_that_are_no_character_change_nothing);
    tcase_add_test(tcase, no_more_is_taken_than_fits);
    tcase_add_test(tcase, enter_esc_and_deleting_nothing_end_it);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(prompt_suite)
