/* One table of keys: nothing twice, all of it in the man page. */
#include <string.h>

#include "support/suite.h"
#include "tui/keymap.h"

static char *man_page;

static void setup(void)
{
    size_t size = 0;
    FILE *file = fopen(PHT_GOLDEN_DIR "/../../man/pyheaptop.1", "r");

    ck_assert_ptr_nonnull(file);
    man_page = NULL;
    ck_assert_int_ge(getdelim(&man_page, &size, '\0', file), 0);
    fclose(file);
}

static void teardown(void)
{
    free(man_page);
}

START_TEST(no_key_means_two_things)
{
    size_t count;
    const struct pht_binding *bindings = pht_keymap(&count);

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < PHT_KEYS_EACH_MAX && bindings[i].keys[j].key != PHT_KEY_NONE; j++)
            ck_assert_int_eq(pht_keymap_find(bindings[i].keys[j].key), bindings[i].keys[j].command);
    }
    ck_assert_int_eq(pht_keymap_find('K'), PHT_COMMAND_NONE);
    ck_assert_int_eq(pht_keymap_find(PHT_KEY_F0 + 7), PHT_COMMAND_NONE);
}
END_TEST

/* As mdoc has it: ".It Ic s F6", a backslash as "\e". */
static void man_line(const char *shown, char line[static 80])
{
    size_t length = (size_t)snprintf(line, 80, ".It Ic ");

    for (; *shown != '\0'; shown++) {
        if (*shown == '\\')
            length += (size_t)snprintf(line + length, 80 - length, "\\e");
        else
            line[length++] = *shown;
    }
    line[length++] = '\n';
    line[length] = '\0';
}

START_TEST(man_page_has_every_key)
{
    size_t count;
    const struct pht_binding *bindings = pht_keymap(&count);
    char line[80];

    for (size_t i = 0; i < count; i++) {
        man_line(bindings[i].shown, line);
        ck_assert_msg(strstr(man_page, line) != NULL, "the man page lacks: %s", line);
    }
}
END_TEST

START_TEST(help_fits_beside_the_keys)
{
    size_t count;
    const struct pht_binding *bindings = pht_keymap(&count);

    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_le(strlen(bindings[i].shown), 12);
        ck_assert_uint_le(strlen(bindings[i].help), 35);
    }
}
END_TEST

START_TEST(names_of_keys_can_be_typed)
{
    static const struct {
        int key;
        const char *name;
    } keys[] = {
        {'K', "K"},   {PHT_KEY_F0 + 7, "F7"}, {PHT_KEY_CONTROL('r'), "Ctrl-R"},
        {0x4e2d, ""}, {PHT_KEY_OTHER, ""},
    };
    char text[PHT_KEY_NAME_MAX];

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        ck_assert_str_eq(pht_key_name(keys[i].key, text), keys[i].name);
}
END_TEST

static Suite *keymap_suite(void)
{
    Suite *suite = suite_create("keymap");
    TCase *tcase = tcase_create("keymap");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, no_key_means_two_things);
    tcase_add_test(tcase, man_page_has_every_key);
    tcase_add_test(tcase, help_fits_beside_the_keys);
    tcase_add_test(tcase, names_of_keys_can_be_typed);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(keymap_suite)
