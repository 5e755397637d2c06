/* The columns of all tables: what other parts rely on, and that the man page has each. */
#include "view/columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

#define PAGE_BYTES_MAX ((size_t)256 << 10)

static char *read_man_page(void)
{
    FILE *file = fopen(PHT_GOLDEN_DIR "/../../man/pyheaptop.1", "r");
    char *text = calloc(PAGE_BYTES_MAX, 1);

    ck_assert(file != NULL && text != NULL);
    ck_assert_uint_lt(fread(text, 1, PAGE_BYTES_MAX, file), PAGE_BYTES_MAX);
    fclose(file);
    return text;
}

START_TEST(titles_fit_their_columns)
{
    size_t count;
    const struct pht_column *columns = pht_columns_of((enum pht_table_id)_i, &count);

    ck_assert_uint_gt(count, 0);
    for (size_t i = 0; i < count; i++)
        ck_assert(columns[i].is_flexible || strlen(columns[i].title) <= columns[i].width);
}
END_TEST

START_TEST(what_is_always_there_fits_forty_columns)
{
    unsigned width = 2, flexible = 0;
    size_t count;
    const struct pht_column *columns = pht_columns_of((enum pht_table_id)_i, &count);

    for (size_t i = 0; i < count; i++) {
        flexible += columns[i].is_flexible;
        if (columns[i].priority == 0)
            width += columns[i].width + 3;
    }
    ck_assert_uint_le(width, 40);
    ck_assert_uint_le(flexible, 1);
}
END_TEST

START_TEST(names_to_sort_by_are_unlike)
{
    size_t count;
    const struct pht_column *columns = pht_columns_of((enum pht_table_id)_i, &count);

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; columns[i].id != NULL && j < i; j++)
            ck_assert(columns[j].id == NULL || strcmp(columns[i].id, columns[j].id) != 0);
    }
}
END_TEST

START_TEST(man_page_has_every_column)
{
    char *page = read_man_page(), *screens = strstr(page, ".Sh SCREENS");
    size_t count;
    const struct pht_column *columns = pht_columns_of((enum pht_table_id)_i, &count);

    ck_assert_ptr_nonnull(screens);
    strstr(screens, ".Sh KEYS")[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        char line[80];
        snprintf(line, sizeof(line), "\n.Ic %s%s", columns[i].title[0] == '%' ? "\\&" : "",
                 columns[i].title);
        ck_assert_msg(strstr(screens, line) != NULL, "no '%s'", columns[i].title);
    }
    free(page);
}
END_TEST

static Suite *columns_suite(void)
{
    Suite *suite = suite_create("columns");
    TCase *tcase = tcase_create("columns");

    tcase_add_loop_test(tcase, titles_fit_their_columns, 0, PHT_TABLES);
    tcase_add_loop_test(tcase, what_is_always_there_fits_forty_columns, 0, PHT_TABLES);
    tcase_add_loop_test(tcase, names_to_sort_by_are_unlike, 0, PHT_TABLES);
    tcase_add_loop_test(tcase, man_page_has_every_column, 0, PHT_TABLES);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(columns_suite)
