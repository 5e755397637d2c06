/* Growth for people, and for programs. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "pyheaptop/view.h"
#include "support/figures.h"
#include "support/golden.h"
#include "support/suite.h"

#define MIB ((uint64_t)1 << 20)

static struct pht_figures *before, *after;
static struct pht_diff diff;
static char *text;

static void add(enum pht_figure_kind kind, const char *module, const char *name, uint64_t number,
                const uint64_t counts[2], const uint64_t bytes[2])
{
    figures_add(before, kind, module, name, number, counts[0], bytes[0]);
    figures_add(after, kind, module, name, number, counts[1], bytes[1]);
}

static void setup(void)
{
    before = figures_create("2026-11-22T14:03:07.041Z", (int64_t)(1700 * MIB));
    after = figures_create("2026-11-22T14:08:10.000Z", (int64_t)(1900 * MIB));
    add(PHT_FIGURE_CATEGORY, "", "python_small", 0, (uint64_t[]){0, 0},
        (uint64_t[]){500 * MIB, 690 * MIB});
    add(PHT_FIGURE_CATEGORY, "", "malloc_free", 0, (uint64_t[]){0, 0},
        (uint64_t[]){90 * MIB, 70 * MIB});
    add(PHT_FIGURE_TYPE, "builtins", "dict", 0x1000, (uint64_t[]){100000, 131204},
        (uint64_t[]){50 * MIB, 59 * MIB});
    add(PHT_FIGURE_TYPE, "shop\x1b[31m", "Order.Line", 0x2000, (uint64_t[]){5000, 4999},
        (uint64_t[]){4 * MIB, 4 * MIB - 4096});
    add(PHT_FIGURE_SIZE_CLASS, "", "", 64, (uint64_t[]){1000000, 1500000},
        (uint64_t[]){64000000, 96000000});
    add(PHT_FIGURE_UNOWNED, "", "", 4096, (uint64_t[]){10, 5010}, (uint64_t[]){41000, 20541000});
    text = NULL;
}

static void teardown(void)
{
    free(text);
    pht_diff_deinit(&diff);
    pht_figures_destroy(before);
    pht_figures_destroy(after);
}

static void write_text(void)
{
    size_t size;

    ck_assert(pht_diff_make(before, after, &diff));
    FILE *file = open_memstream(&text, &size);
    pht_text_diff_write(&diff, "1.2.3", file);
    fclose(file);
}

START_TEST(growth_reads_as_it_did)
{
    write_text();
    golden_check(text, "diff.txt");
}
END_TEST

START_TEST(two_processes_are_told)
{
    after->pid = 1;
    write_text();
    ck_assert_ptr_nonnull(strstr(text, "these are two processes"));
}
END_TEST

START_TEST(nothing_is_told_as_well)
{
    pht_figures_destroy(after);
    pht_figures_destroy(before);
    before = figures_create("then", 4096);
    after = figures_create("now", 4096);
    before->lists[PHT_FIGURE_TYPE].known = false;
    write_text();
    ck_assert_ptr_nonnull(strstr(text, "\nNothing has changed.\n"));
    ck_assert_ptr_nonnull(strstr(text, "\ntype: not in both reports\n"));
}
END_TEST

/* The rows in the middle give way. */
START_TEST(long_lists_are_cut_in_the_middle)
{
    for (uint64_t i = 0; i < 40; i++) {
        char name[16];
        snprintf(name, sizeof(name), "Type%02d", (int)i);
        add(PHT_FIGURE_TYPE, "long", name, 0x3000 + i, (uint64_t[]){0, 0},
            (uint64_t[]){20 * MIB, (i < 30 ? 21 : 19) * MIB + i});
    }
    write_text();
    ck_assert_ptr_nonnull(strstr(text, "long.Type29\n"));
    ck_assert_ptr_nonnull(strstr(text, "  ... 17 more: --json\n"));
    ck_assert_ptr_nonnull(strstr(text, "long.Type30\n"));
    ck_assert_ptr_null(strstr(text, "long.Type05\n"));
}
END_TEST

START_TEST(json_has_all_of_it)
{
    size_t size;

    after->lists[PHT_FIGURE_UNOWNED].known = false;
    ck_assert(pht_diff_make(before, after, &diff));
    FILE *file = open_memstream(&text, &size);
    ck_assert(pht_json_diff_write(&diff, "1.2.3", file));
    fclose(file);
    golden_check(text, "diff.json");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("view/text_diff");
    TCase *tcase = tcase_create("diff");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, growth_reads_as_it_did);
    tcase_add_test(tcase, two_processes_are_told);
    tcase_add_test(tcase, nothing_is_told_as_well);
    tcase_add_test(tcase, long_lists_are_cut_in_the_middle);
    tcase_add_test(tcase, json_has_all_of_it);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
