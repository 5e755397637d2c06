/* Images as files of /proc tell them; those of real processes are in family_test.c. */
#include <elf.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "support/proc_tree.h"
#include "support/suite.h"
#include "target/image.h"

static struct proc_tree tree;

#define STAT(state, flags, code, stack)                                                            \
    "42 (x) " state " 1 0 0 0 -1 " flags " 0 0 0 0 1 2 3 4 20 0 1 0 5 6 7 8 " code " 10 " stack    \
    " 0 0\n"

static void setup(void)
{
    proc_tree_init(&tree);
    proc_tree_write(&tree, "42/stat", STAT("S", "0", "4096", "8192"));
    proc_tree_write(&tree, "42/statm", "100 50 20 7 0 30 0\n");
    proc_tree_link(&tree, "42/exe", "statm");
}

static void teardown(void)
{
    proc_tree_deinit(&tree);
}

static enum pht_image_access read_image(struct pht_image *ret)
{
    _cleanup_close_ int fd = proc_tree_open(&tree, "42");

    memset(ret, 0x5a, sizeof(*ret));
    return pht_image_read(fd, -1, ret);
}

START_TEST(an_image_is_what_exec_made)
{
    const Elf64_auxv_t auxv[] = {{AT_PAGESZ, {4096}}, {AT_RANDOM, {0x7000}}, {AT_NULL, {0}}};
    struct pht_image image;

    proc_tree_write_bytes(&tree, "42/auxv", auxv, sizeof(auxv));
    ck_assert_int_eq(read_image(&image), PHT_IMAGE_READ);
    ck_assert_uint_eq(image.code_start, 4096);
    ck_assert_uint_eq(image.stack_start, 8192);
    ck_assert_uint_eq(image.code_pages, 7);
    ck_assert_uint_ne(image.inode, 0);
    ck_assert_uint_eq(image.random_addr, 0x7000);
    ck_assert(!image.has_random); /* without a page map nothing is known to be resident */
}
END_TEST

START_TEST(a_damaged_auxv_has_no_random_bytes)
{
    const Elf64_auxv_t auxv[] = {{AT_PAGESZ, {4096}}, {AT_RANDOM, {0x7000}}};
    struct pht_image image;

    for (size_t size = 0; size < sizeof(auxv); size++) {
        proc_tree_write_bytes(&tree, "42/auxv", auxv, size);
        ck_assert_int_eq(read_image(&image), PHT_IMAGE_READ);
        ck_assert_uint_eq(image.random_addr, 0);
    }
}
END_TEST

static const struct access_row {
    const char *stat;
    const char *statm;
    enum pht_image_access access;
} access_rows[] = {
    {STAT("R", "0", "4096", "8192"), "1 1 1 7 0 1 0", PHT_IMAGE_READ},
    {STAT("Z", "0", "4096", "8192"), "1 1 1 7 0 1 0", PHT_IMAGE_NONE},
    {STAT("X", "0", "4096", "8192"), "1 1 1 7 0 1 0", PHT_IMAGE_NONE},
    {STAT("I", "2097152", "4096", "8192"), "1 1 1 7 0 1 0", PHT_IMAGE_NONE},
    {STAT("S", "0", "0", "0"), "0 0 0 0 0 0 0", PHT_IMAGE_NONE},
    {STAT("S", "0", "4096", "8192"), "odd", PHT_IMAGE_NONE},
    {"42 (x) S 1 2 3", "1 1 1 7 0 1 0", PHT_IMAGE_NONE},
    {STAT("S", "0", "1", "0"), "1 1 1 7 0 1 0", PHT_IMAGE_HIDDEN},
};

START_TEST(who_has_no_image_is_told_from_who_hides_it)
{
    struct pht_image image;

    proc_tree_write(&tree, "42/stat", "%s", access_rows[_i].stat);
    proc_tree_write(&tree, "42/statm", "%s", access_rows[_i].statm);
    ck_assert_int_eq(read_image(&image), access_rows[_i].access);
    if (access_rows[_i].access == PHT_IMAGE_HIDDEN)
        ck_assert_uint_eq(image.code_pages, 7);
}
END_TEST

START_TEST(a_program_that_may_not_be_seen_hides_the_image)
{
    struct pht_image image;

    unlinkat(tree.fd, "42/exe", 0);
    ck_assert_int_eq(read_image(&image), PHT_IMAGE_HIDDEN);
}
END_TEST

static const struct pht_image some = {
    .code_start = 1,
    .stack_start = 2,
    .code_pages = 3,
    .device = 4,
    .inode = 5,
    .random_addr = 6,
    .has_random = true,
    .random = "fifteen letters",
};

START_TEST(images_are_the_same_if_all_that_is_known_is)
{
    struct pht_image others[7];

    for (int i = 0; i < 7; i++)
        others[i] = some;
    others[0].code_start++;
    others[1].stack_start++;
    others[2].code_pages++;
    others[3].device++;
    others[4].inode++;
    others[5].random_addr++;
    others[6].random[15]++;
    ck_assert(pht_image_is_same(&some, &some));
    for (int i = 0; i < 7; i++) {
        ck_assert_msg(!pht_image_is_same(&some, &others[i]), "%d", i);
        ck_assert_msg(!pht_image_is_same(&others[i], &some), "%d", i);
    }
    others[6].has_random = false;
    ck_assert(pht_image_is_same(&some, &others[6]));
    others[5].random_addr = 0;
    others[5].has_random = false;
    ck_assert(pht_image_is_same(&others[5], &some));
}
END_TEST

static Suite *image_suite(void)
{
    Suite *suite = suite_create("target/image");
    TCase *tcase = tcase_create("image");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, an_image_is_what_exec_made);
    tcase_add_test(tcase, a_damaged_auxv_has_no_random_bytes);
    tcase_add_loop_test(tcase, who_has_no_image_is_told_from_who_hides_it, 0,
                        (int)(sizeof(access_rows) / sizeof(access_rows[0])));
    tcase_add_test(tcase, a_program_that_may_not_be_seen_hides_the_image);
    tcase_add_test(tcase, images_are_the_same_if_all_that_is_known_is);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(image_suite)
