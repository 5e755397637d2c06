#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "layout/python_cache.h"
#include "support/elf_layout.h"
#include "support/proc_tree.h"
#include "support/suite.h"
#include "target/procfs.h"

#define BUILD_ID "c561f3aa7232f2bd6ac6d56bd475f1c154a00486"
#define FILE_NAME "cache/" BUILD_ID ".layout"

static struct proc_tree tree;
static char directory[80];
static const struct pht_layout_options keeping = {.cache_directory = directory};
static char *text; /* the file as it was stored */
static size_t size;
static char *body; /* the same without its last line */

static struct pht_python resolved(void)
{
    return (struct pht_python){
        .version = {3, 11, 2},
        .version_text = "3.11.2rc1",
        .free_threaded = true,
        .build_id = BUILD_ID,
        .odd_process = "4711.98",
        .layout_source = PHT_LAYOUT_DWARF,
        .symbol_source = PHT_SYMBOL_DYNSYM,
        .layout = elf_layout_of_3_11(),
    };
}

static void setup(void)
{
    struct pht_python python = resolved();

    proc_tree_init(&tree);
    snprintf(directory, sizeof(directory), "%s/cache", tree.path);
    pht_python_cache_store(&keeping, &python);
    text = pht_procfs_read(tree.fd, FILE_NAME, &size);
    ck_assert_ptr_nonnull(text);
    body = strdup(text);
    *strstr(body, "\nend ") = '\0';
    strcat(body, "\n");
}

static void teardown(void)
{
    free(body);
    free(text);
    proc_tree_deinit(&tree);
}

static bool loads_as(const char *build_id)
{
    struct pht_python python = {.image = (char *)"kept", .bias = 42};

    snprintf(python.build_id, sizeof(python.build_id), "%s", build_id);
    struct pht_python before = python;
    bool loaded = pht_python_cache_load(directory, &python);
    if (!loaded)
        ck_assert_mem_eq(&python, &before, sizeof(python));
    return loaded;
}

static bool loads(void)
{
    return loads_as(BUILD_ID);
}

/* ---- what is stored comes back ------------------------------------------------------------ */

START_TEST(a_stored_layout_is_loaded_as_it_was)
{
    struct pht_python wanted = resolved();
    struct pht_python python = {.build_id = BUILD_ID, .image = (char *)"kept", .bias = 42};

    ck_assert(pht_python_cache_load(directory, &python));
    ck_assert(python.cached);
    ck_assert_str_eq(python.image, "kept");
    ck_assert_uint_eq(python.bias, 42);
    ck_assert_mem_eq(&python.version, &wanted.version, sizeof(wanted.version));
    ck_assert_str_eq(python.version_text, "3.11.2rc1");
    ck_assert(python.free_threaded);
    ck_assert(!python.debug_build);
    ck_assert_str_eq(python.odd_process, "4711.98");
    ck_assert_int_eq(python.layout_source, PHT_LAYOUT_DWARF);
    ck_assert_int_eq(python.symbol_source, PHT_SYMBOL_DYNSYM);
    ck_assert_mem_eq(&python.layout, &wanted.layout, sizeof(wanted.layout));
}
END_TEST

START_TEST(a_later_layout_replaces_the_stored_one)
{
    struct pht_python python = resolved();

    python.layout = elf_layout_of_3_13();
    python.debug_build = true;
    pht_python_cache_store(&keeping, &python);
    struct pht_python loaded = {.build_id = BUILD_ID};
    ck_assert(pht_python_cache_load(directory, &loaded));
    ck_assert(loaded.debug_build);
    ck_assert_mem_eq(&loaded.layout, &python.layout, sizeof(python.layout));
}
END_TEST

START_TEST(only_the_file_itself_is_left_behind)
{
    struct stat status;
    _cleanup_closedir_ DIR *folder = opendir(directory);
    const struct dirent *entry;
    unsigned count = 0;

    while ((entry = readdir(folder)) != NULL)
        count += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(stat(directory, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0700);
    ck_assert_int_eq(fstatat(tree.fd, FILE_NAME, &status, 0), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0600);
}
END_TEST

START_TEST(a_missing_parent_is_made)
{
    struct pht_python python = resolved();

    snprintf(directory, sizeof(directory), "%s/home/cache", tree.path);
    pht_python_cache_store(&keeping, &python);
    ck_assert(loads());
}
END_TEST

START_TEST(no_directory_is_no_cache)
{
    struct pht_python python = resolved();

    pht_python_cache_store(&(struct pht_layout_options){0}, &python);
    ck_assert(!pht_python_cache_load(NULL, &python));
    pht_python_cache_forget(&(struct pht_layout_options){0}, BUILD_ID);
    snprintf(directory, sizeof(directory), "%s/absent", tree.path);
    ck_assert(!loads());
}
END_TEST

START_TEST(a_forgotten_layout_is_gone)
{
    pht_python_cache_forget(&keeping, "0123456789abcdef");
    ck_assert(loads());
    pht_python_cache_forget(&keeping, BUILD_ID);
    ck_assert(!loads());
    ck_assert_int_lt(faccessat(tree.fd, FILE_NAME, F_OK, 0), 0);
}
END_TEST

/* ---- what is not as it was stored counts as absent ---------------------------------------- */

START_TEST(every_truncation_is_rejected)
{
    for (size_t length = 0; length < size; length++) {
        proc_tree_write_bytes(&tree, FILE_NAME, text, length);
        ck_assert_msg(!loads(), "cut to %zu of %zu bytes", length, size);
    }
    proc_tree_write_bytes(&tree, FILE_NAME, text, size);
    ck_assert(loads());
}
END_TEST

START_TEST(every_changed_byte_is_noticed)
{
    for (size_t at = 0; at < size; at++) {
        text[at] ^= 1;
        proc_tree_write_bytes(&tree, FILE_NAME, text, size);
        text[at] ^= 1;
        ck_assert_msg(!loads(), "byte %zu is another", at);
    }
}
END_TEST

static const char *const last_lines[] = {
    "", "end\n", "end \n", "end 0000000000000000\n", "end 0\n", "END 0000000000000000\n",
};

START_TEST(the_last_line_must_fit_the_others)
{
    proc_tree_write(&tree, FILE_NAME, "%s%s", body, last_lines[_i]);
    ck_assert(!loads());
    proc_tree_write(&tree, FILE_NAME, "%s%s", text, last_lines[_i]);
    ck_assert(loads() == (last_lines[_i][0] == '\0'));
}
END_TEST

/* ---- what is whole, but of another form --------------------------------------------------- */

/* Writes the file with the checksum that fits these bytes: FNV-1a, 64 bits. */
static void write_whole(const char *bytes, size_t length)
{
    char *whole = malloc(length + 32);
    uint64_t sum = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < length; i++) {
        sum ^= (unsigned char)bytes[i];
        sum *= UINT64_C(1099511628211);
    }
    memcpy(whole, bytes, length);
    int last = snprintf(whole + length, 32, "end %016" PRIx64 "\n", sum);
    proc_tree_write_bytes(&tree, FILE_NAME, whole, length + (size_t)last);
    free(whole);
}

START_TEST(a_file_that_was_written_again_is_loaded)
{
    write_whole(body, strlen(body));
    ck_assert(loads());
}
END_TEST

/* Line 0 is the first; an empty text if there are not so many. */
static const char *start_of_line(size_t line)
{
    const char *start = body;

    for (; line > 0 && *start != '\0'; line--)
        start = strchr(start, '\n') + 1;
    return start;
}

/* Writes the file with a line replaced by `fresh`; false if there is no such line. */
static bool replace_line(size_t line, const char *fresh)
{
    const char *start = start_of_line(line);

    if (*start == '\0')
        return false;
    const char *end = strchr(start, '\n') + 1;
    char *changed = pht_text_format("%.*s%s%s", (int)(start - body), body, fresh, end);
    write_whole(changed, strlen(changed));
    free(changed);
    return true;
}

static const char *const other_lines[] = {
    "", "\n", "x\n", " \n", "pool_header_bytes 256\n", "pool_header_bytes\n", "end\n",
};

START_TEST(every_line_must_be_its_own)
{
    size_t line = 0;

    for (; replace_line(line, other_lines[_i]); line++) {
        if (strstr(body, other_lines[_i]) == start_of_line(line))
            continue; /* it became itself */
        ck_assert_msg(!loads(), "line %zu became \"%s\"", line, other_lines[_i]);
    }
    ck_assert_uint_gt(line, 40);
}
END_TEST

START_TEST(every_line_doubled_is_rejected)
{
    const char *start;

    for (size_t line = 0; *(start = start_of_line(line)) != '\0'; line++) {
        const char *end = strchr(start, '\n') + 1;
        char *changed = pht_text_format("%.*s%s", (int)(end - body), body, start);
        write_whole(changed, strlen(changed));
        free(changed);
        ck_assert_msg(!loads(), "line %zu stands there twice", line);
    }
}
END_TEST

/* Lines of another form, by their key. */
static const struct damage_row {
    const char *key;
    const char *line;
} damage_rows[] = {
    {"pyheaptop-layout", "pyheaptop-layout 0"},
    {"pyheaptop-layout", "pyheaptop-layout 1"},
    {"pyheaptop-layout", "pyheaptop-layout 2 "},
    {"pyheaptop-layout", "pyheaptop-layout 20"},
    {"build-id", "build-id 0000f3aa7232f2bd6ac6d56bd475f1c154a00486"},
    {"build-id", "build-id " BUILD_ID "0"},
    {"build-id", "build-id "},
    {"version", "version 3.11"},
    {"version", "version three"},
    {"version", "version 3.11.2 final"},
    {"version", "version 3.11.2rc111111111111111111111111"}, /* 32 bytes */
    {"free-threaded", "free-threaded 2"},
    {"free-threaded", "free-threaded 1111111111111111111111111111111111111111111111111111111111"},
    {"free-threaded", "free-threaded true"},
    {"debug-build", "debug-build "},
    {"odd-process", "odd-process 4711.1111111111111111111111111111"}, /* 32 bytes */
    {"layout", "layout none"},
    {"layout", "layout table"},
    {"symbols", "symbols none"},
    {"symbols", "symbols guess"},
    {"pool_header_bytes", "pool_header_bytes unknown"},
    {"pool_header_bytes", "pool_header_bytes 48x"},
    {"pool_header_bytes", "pool_header_bytes 0x30"},
    {"pool_header_bytes", "pool_header_bytes "},
    {"pool_header_bytes", "pool_header_bytes 99999999999999999999999"},
    {"pool_header_bytes", "pool_header_bytes  256"},
    {"pool_header_bytes", "pool_header_bytes\t256"},
    {"pool_szidx", "pool_szidx 4096"},
    {"usedpools", "usedpools 4096x"},
    {"usedpools", "usedpools 0x1000"},
    {"usedpools", "usedpools 99999999999999999999999"},
    {"usedpools", "usedpools -1"},
    {"usedpools", "usedpools +4096"},
    {"usedpools", "usedpools  4096"},
};

START_TEST(a_damaged_line_is_rejected)
{
    const struct damage_row *row = &damage_rows[_i];
    char fresh[120];

    for (size_t line = 0;; line++) {
        const char *start = start_of_line(line);
        ck_assert_msg(*start != '\0', "there is no line %s", row->key);
        if (strncmp(start, row->key, strlen(row->key)) != 0 ||
            strchr(" \n", start[strlen(row->key)]) == NULL)
            continue;
        snprintf(fresh, sizeof(fresh), "%s\n", row->line);
        ck_assert(replace_line(line, fresh));
        ck_assert_msg(!loads(), "%s", row->line);
        return;
    }
}
END_TEST

START_TEST(a_line_beyond_all_measure_is_rejected)
{
    char line[600];

    memset(line, '9', sizeof(line));
    memcpy(line, "pool_header_bytes ", 18);
    line[598] = '\n';
    line[599] = '\0';
    ck_assert(replace_line(7, line));
    ck_assert(!loads());
}
END_TEST

static const char *const further_lines[] = {"another 1\n", "\n", "end 0000000000000000\n"};

START_TEST(lines_after_the_last_value_are_rejected)
{
    char *longer = pht_text_format("%s%s", body, further_lines[_i]);

    write_whole(longer, strlen(longer));
    ck_assert(!loads());
    free(longer);
}
END_TEST

START_TEST(a_file_beyond_all_measure_is_rejected)
{
    size_t length = strlen(body) + 100000;
    char *longer = calloc(1, length);

    memset(longer, '\n', length);
    memcpy(longer, body, strlen(body));
    write_whole(longer, length);
    ck_assert(!loads());
    free(longer);
}
END_TEST

START_TEST(a_nul_byte_is_rejected)
{
    size_t length = strlen(body);

    for (size_t at = 0; at < length; at++) {
        char kept = body[at];
        body[at] = '\0';
        write_whole(body, length);
        body[at] = kept;
        ck_assert_msg(!loads(), "a NUL at byte %zu", at);
    }
}
END_TEST

/* ---- keys --------------------------------------------------------------------------------- */

/* Another way to the very file that is there. */
static const char roundabout[] = "../cache/" BUILD_ID;

static const char *const bad_ids[] = {
    "", "/", ".", "c561/f3aa", "c561f3aa..", "C561F3AA", "c561f3aa\n", "xyz", " c561", roundabout,
};

START_TEST(a_build_id_that_is_not_hex_is_no_file)
{
    struct pht_python python = resolved();
    char name[200];

    snprintf(python.build_id, sizeof(python.build_id), "%s", bad_ids[_i]);
    pht_python_cache_store(&keeping, &python);
    ck_assert(!loads_as(bad_ids[_i]));
    pht_python_cache_forget(&keeping, bad_ids[_i]);
    ck_assert(loads());
    snprintf(name, sizeof(name), "cache/%s.layout", bad_ids[_i]);
    if (bad_ids[_i] != roundabout)
        ck_assert_int_lt(faccessat(tree.fd, name, F_OK, 0), 0);
}
END_TEST

START_TEST(another_build_has_another_file)
{
    ck_assert(!loads_as("c561f3aa7232f2bd6ac6d56bd475f1c154a00487"));
    ck_assert(!loads_as("c561"));
}
END_TEST

/* ---- by a steward ------------------------------------------------------------------------- */

static int perform(const char *request, size_t bytes)
{
    struct pht_errand errand = {.request = request, .bytes = bytes, .with = -1, .answer = -1};

    return pht_cache_perform(directory, &errand);
}

START_TEST(a_steward_keeps_and_forgets)
{
    const struct pht_duties duties = {.of = {[PHT_DUTY_CACHE] = {pht_cache_perform, directory}}};
    struct pht_layout_options through = keeping;
    struct pht_python python = resolved();

    ck_assert_ptr_null(pht_steward_begin(&duties, &through.steward));
    pht_python_cache_forget(&through, BUILD_ID);
    ck_assert(!loads());
    pht_python_cache_store(&through, &python);
    ck_assert(loads());
    _cleanup_free_ char *again = pht_procfs_read(tree.fd, FILE_NAME, NULL);
    ck_assert_str_eq(again, text);
    pht_steward_end(through.steward);
}
END_TEST

/* Whoever asks can choose neither the folder nor any other kind of file. */
static const char *const bad_names[] = {
    "p",     "pabc",   "p.layout",  "p../abc.layout", "p/abc.layout", "pabc.layout/x",
    "pabc.", "pABC.x", "pabc.LAY",  "pabc.lay.out",   "pabc..",       "pabc.lay out",
    "r../x", "rabc",   "r/etc/x.y", "rabc.layout/..",
};

#define BAD_NAMES ((int)(sizeof(bad_names) / sizeof(bad_names[0])))

START_TEST(a_steward_keeps_nothing_else)
{
    const char *name = bad_names[_i];

    ck_assert_int_eq(perform(name, strlen(name) + 1), EINVAL);
    ck_assert_int_eq(perform("pabc.layout", strlen("pabc.layout")), EINVAL); /* no end */
    ck_assert_int_eq(perform("", 0), EINVAL);
    ck_assert_int_eq(perform("pabc.layout\0text", sizeof("pabc.layout\0text")), 0);
    ck_assert_int_eq(faccessat(tree.fd, "cache/abc.layout", F_OK, 0), 0);
}
END_TEST

/* ---- owners ------------------------------------------------------------------------------- */

static const mode_t bad_modes[] = {0620, 0602, 0666};

START_TEST(a_file_that_others_may_write_is_not_trusted)
{
    ck_assert_int_eq(fchmodat(tree.fd, FILE_NAME, bad_modes[_i], 0), 0);
    ck_assert(!loads());
    ck_assert_int_eq(fchmodat(tree.fd, FILE_NAME, 0644, 0), 0);
    ck_assert(loads());
}
END_TEST

START_TEST(a_directory_that_others_may_write_is_not_used)
{
    struct pht_python python = resolved();

    ck_assert_int_eq(chmod(directory, bad_modes[_i] | 0100), 0);
    ck_assert(!loads());
    ck_assert_int_eq(unlinkat(tree.fd, FILE_NAME, 0), 0);
    pht_python_cache_store(&keeping, &python);
    ck_assert_int_lt(faccessat(tree.fd, FILE_NAME, F_OK, 0), 0);
    ck_assert_int_eq(chmod(directory, 0755), 0);
    pht_python_cache_store(&keeping, &python);
    ck_assert(loads());
}
END_TEST

START_TEST(what_belongs_to_another_user_is_not_trusted)
{
    if (fchownat(tree.fd, FILE_NAME, 12345, (gid_t)-1, 0) < 0)
        return; /* only root gives files away */
    ck_assert(!loads());
    ck_assert_int_eq(fchownat(tree.fd, FILE_NAME, geteuid(), (gid_t)-1, 0), 0);
    ck_assert(loads());
    ck_assert_int_eq(chown(directory, 12345, (gid_t)-1), 0);
    ck_assert(!loads());
}
END_TEST

START_TEST(only_a_regular_file_is_read)
{
    proc_tree_write_bytes(&tree, "elsewhere", text, size);
    proc_tree_link(&tree, FILE_NAME, "../elsewhere");
    ck_assert(!loads());
    ck_assert_int_eq(unlinkat(tree.fd, FILE_NAME, 0), 0);
    ck_assert_int_eq(mkfifoat(tree.fd, FILE_NAME, 0600), 0);
    ck_assert(!loads());
    ck_assert_int_eq(unlinkat(tree.fd, FILE_NAME, 0), 0);
    proc_tree_folder(&tree, FILE_NAME);
    ck_assert(!loads());
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *cache_suite(void)
{
    Suite *suite = suite_create("layout/cache");
    TCase *tcase = tcase_create("cache");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_stored_layout_is_loaded_as_it_was);
    tcase_add_test(tcase, a_later_layout_replaces_the_stored_one);
    tcase_add_test(tcase, only_the_file_itself_is_left_behind);
    tcase_add_test(tcase, a_missing_parent_is_made);
    tcase_add_test(tcase, no_directory_is_no_cache);
    tcase_add_test(tcase, a_forgotten_layout_is_gone);
    tcase_add_test(tcase, every_truncation_is_rejected);
    tcase_add_test(tcase, every_changed_byte_is_noticed);
    tcase_add_loop_test(tcase, the_last_line_must_fit_the_others, 0, ROWS(last_lines));
    tcase_add_test(tcase, a_file_that_was_written_again_is_loaded);
    tcase_add_loop_test(tcase, every_line_must_be_its_own, 0, ROWS(other_lines));
    tcase_add_test(tcase, every_line_doubled_is_rejected);
    tcase_add_loop_test(tcase, a_damaged_line_is_rejected, 0, ROWS(damage_rows));
    tcase_add_test(tcase, a_line_beyond_all_measure_is_rejected);
    tcase_add_loop_test(tcase, lines_after_the_last_value_are_rejected, 0, ROWS(further_lines));
    tcase_add_test(tcase, a_file_beyond_all_measure_is_rejected);
    tcase_add_test(tcase, a_nul_byte_is_rejected);
    tcase_add_loop_test(tcase, a_build_id_that_is_not_hex_is_no_file, 0, ROWS(bad_ids));
    tcase_add_test(tcase, another_build_has_another_file);
    tcase_add_test(tcase, a_steward_keeps_and_forgets);
    tcase_add_loop_test(tcase, a_steward_keeps_nothing_else, 0, BAD_NAMES);
    tcase_add_loop_test(tcase, a_file_that_others_may_write_is_not_trusted, 0, ROWS(bad_modes));
    tcase_add_loop_test(tcase, a_directory_that_others_may_write_is_not_used, 0, ROWS(bad_modes));
    tcase_add_test(tcase, what_belongs_to_another_user_is_not_trusted);
    tcase_add_test(tcase, only_a_regular_file_is_read);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(cache_suite)
