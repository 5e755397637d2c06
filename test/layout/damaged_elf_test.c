/*
 * A target's files may be damaged in any way. What is found in them then is worth nothing, but
 * looking must end, and touch no memory that is not there: the sanitizers say whether it did.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "layout/debug_file.h"
#include "layout/dwarf_types.h"
#include "layout/dwarf_vars.h"
#include "layout/dynamic.h"
#include "layout/identify.h"
#include "layout/libc_version.h"
#include "layout/symbols.h"
#include "layout/threads.h"
#include "support/elf_fixture.h"
#include "support/proc_tree.h"
#include "support/suite.h"

static struct proc_tree tree;
static struct pht_target *target; /* this process: only its root is of use */
static char path[80];
static unsigned char *bytes; /* of the library, undamaged */
static size_t size;
static struct pht_mapping loader = {.end = 0x1000, .executable = true};
static const struct pht_maps maps = {.items = &loader, .count = 1};

static void setup(void)
{
    struct stat status;

    unsetenv("DEBUGINFOD_URLS");
    bytes = malloc(1 << 20);
    proc_tree_init(&tree);
    snprintf(path, sizeof(path), "%s/damaged.so", tree.path);
    ck_assert_ptr_null(pht_target_open(getpid(), NULL, &target));
    loader.name = ELF_FIXTURE("loader/ld-2.99");
    ck_assert_int_eq(stat(loader.name, &status), 0);
    loader.inode = status.st_ino;
}

static void load(const char *library)
{
    FILE *file = fopen(library, "r");

    ck_assert_ptr_nonnull(file);
    size = fread(bytes, 1, 1 << 20, file);
    ck_assert_uint_gt(size, 10000);
    fclose(file);
}

static void teardown(void)
{
    pht_target_destroy(target);
    proc_tree_deinit(&tree);
    free(bytes);
}

/* ---- everything that is ever done with an image ------------------------------------------- */

static void look_at_symbols(struct pht_elf_image *image)
{
    struct pht_symbol symbols[] = {{.name = "usedpools"},
                                   {.name = "arenas"},
                                   {.name = "absent"},
                                   {.name = "tcache", .is_thread_local = true}};

    pht_symbols_find(image->elf, SHT_SYMTAB, symbols, 4);
    pht_symbols_find(image->elf, SHT_DYNSYM, symbols, 4);
}

static void look_at_identity(struct pht_elf_image *image)
{
    struct pht_python python = {0};
    char version[32];

    pht_identify(image);
    pht_identify_build(image, &python);
    ck_assert_uint_lt(strlen(python.version_text), sizeof(python.version_text));
    pht_identify_pypy_version(image, version);
    pht_dynamic_needs(image->elf, "libpython");
}

static bool knows_threads; /* of the library that was looked at last */

static void look_at_c_library(struct pht_elf_image *image)
{
    struct pht_thread_layout layout;
    uint64_t start, end;
    char version[16];

    pht_libc_version(image, version);
    ck_assert_uint_lt(strlen(version), sizeof(version));
    if (pht_elf_image_span(image, &start, &end))
        ck_assert_uint_lt(start, end);
    pht_thread_layout_find(target, &maps, image, &layout);
    knows_threads = layout.known;
    if (layout.known)
        ck_assert_uint_lt(layout.pthread_list | layout.pthread_tid | layout.link_map_tls_offset,
                          1 << 16);
}

static void look_at_types(const struct pht_dwarf_units *units)
{
    static const char *const names[] = {"pool_header", "arena_object", "fixture_nested", "_is",
                                        "malloc_state"};
    static const char *const paths[] = {"ref.count", "address", "inner.pools", "high", "bins"};
    uint64_t offset, length;
    Dwarf_Die type;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!pht_dwarf_find_type(units, "obmalloc.c", names[i], &type) &&
            !pht_dwarf_find_type(units, "malloc.c", names[i], &type))
            continue;
        for (size_t j = 0; j < sizeof(paths) / sizeof(paths[0]); j++)
            pht_dwarf_find_member(&type, paths[j], &offset, &length);
    }
}

static void look_at_debug_information(struct pht_elf_image *image)
{
    struct pht_dwarf_variable variables[] = {{.name = "usedpools", .file = "obmalloc.c"},
                                             {.name = "_PyRuntime"},
                                             {.name = "tcache", .is_thread_local = true}};
    struct pht_debug_file debug;
    struct pht_dwarf_units units;

    if (!pht_debug_file_open(target, image, &debug))
        return;
    if (debug.dwarf != NULL && pht_dwarf_units_init(&units, debug.dwarf)) {
        look_at_types(&units);
        pht_dwarf_find_variables(&units, variables, 3);
        pht_dwarf_units_deinit(&units);
    }
    pht_debug_file_close(&debug);
}

static void look_at(const void *damaged, size_t length)
{
    bool is_32_bit;
    char byte;

    proc_tree_write_bytes(&tree, "damaged.so", damaged, length);
    struct pht_elf_image image = {.fd = open(path, O_RDONLY | O_CLOEXEC), .path = path};
    ck_assert_int_ge(image.fd, 0);
    elf_version(EV_CURRENT);
    if (pht_elf_image_kind(image.fd, &is_32_bit) == PHT_ELF_OURS)
        image.elf = elf_begin(image.fd, ELF_C_READ, NULL);
    if (image.elf != NULL && elf_kind(image.elf) == ELF_K_ELF) {
        pht_elf_build_id(image.elf, image.build_id);
        ck_assert_uint_lt(strlen(image.build_id), sizeof(image.build_id));
        look_at_symbols(&image);
        look_at_identity(&image);
        look_at_c_library(&image);
        pht_elf_image_read(&image, 0x1000, &byte, 1);
        look_at_debug_information(&image);
    }
    pht_elf_image_close(&image);
}

/* ---- damage ------------------------------------------------------------------------------- */

/*
 * Each loop of a test does its share of one library, so that a crash costs one and names it. Most
 * of the second one is like the first, so it is damaged in fewer places.
 */
#define SHARES 8
#define LOOPS (SHARES + 3)

static size_t stride; /* from one place to the next */

static size_t load_share(int loop)
{
    bool is_second = loop >= SHARES;

    load(is_second ? ELF_FIXTURE("libc-shadowed/libc-2.99") : ELF_FIXTURE("plain"));
    stride = is_second ? 3 * SHARES : SHARES;
    return (size_t)(is_second ? 8 * (loop - SHARES) : loop);
}

static void look_at_flipped(size_t at, unsigned char bits)
{
    bytes[at] ^= bits;
    look_at(bytes, size);
    bytes[at] ^= bits;
}

START_TEST(the_libraries_themselves_are_not_damaged)
{
    load(ELF_FIXTURE("plain"));
    look_at(bytes, size);
    struct pht_symbol symbol = {.name = "usedpools"};
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
    pht_symbols_find(elf, SHT_SYMTAB, &symbol, 1);
    ck_assert_uint_eq(symbol.matches, 1);
    elf_end(elf);

    ck_assert(!knows_threads);
    load(ELF_FIXTURE("libc-shadowed/libc-2.99"));
    look_at(bytes, size);
    ck_assert(knows_threads);
}
END_TEST

START_TEST(a_file_that_was_cut_is_survived)
{
    size_t share = load_share(_i);

    for (size_t length = share; length < 1024; length += 5 * stride)
        look_at(bytes, length);
    for (size_t length = 1024 + 97 * share; length < size; length += 97 * stride)
        look_at(bytes, length);
}
END_TEST

START_TEST(a_damaged_file_header_is_survived)
{
    for (size_t at = load_share(_i); at < sizeof(Elf64_Ehdr); at += stride) {
        look_at_flipped(at, 0x01);
        look_at_flipped(at, 0x80);
        look_at_flipped(at, 0xff);
    }
}
END_TEST

START_TEST(damaged_program_headers_and_notes_are_survived)
{
    for (size_t at = sizeof(Elf64_Ehdr) + load_share(_i); at < 900; at += stride)
        look_at_flipped(at, at % 3 == 0 ? 0xff : (unsigned char)(1 << at % 8));
}
END_TEST

START_TEST(damaged_section_headers_are_survived)
{
    size_t share = load_share(_i);
    Elf64_Ehdr header;

    memcpy(&header, bytes, sizeof(header));
    size_t end = header.e_shoff + (size_t)header.e_shnum * sizeof(Elf64_Shdr);
    ck_assert_uint_le(end, size);
    for (size_t at = header.e_shoff + share; at < end; at += stride)
        look_at_flipped(at, at % 3 == 0 ? 0xff : (unsigned char)(1 << at % 8));
}
END_TEST

START_TEST(damage_anywhere_is_survived)
{
    for (size_t at = 1000 + load_share(_i) * 7; at < size; at += 7 * stride)
        look_at_flipped(at, at % 3 == 0 ? 0xff : (unsigned char)(1 << at % 8));
}
END_TEST

static Suite *damaged_elf_suite(void)
{
    Suite *suite = suite_create("layout: damaged files");
    TCase *tcase = tcase_create("damaged_elf");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, the_libraries_themselves_are_not_damaged);
    tcase_add_loop_test(tcase, a_file_that_was_cut_is_survived, 0, LOOPS);
    tcase_add_loop_test(tcase, a_damaged_file_header_is_survived, 0, LOOPS);
    tcase_add_loop_test(tcase, damaged_program_headers_and_notes_are_survived, 0, LOOPS);
    tcase_add_loop_test(tcase, damaged_section_headers_are_survived, 0, LOOPS);
    tcase_add_loop_test(tcase, damage_anywhere_is_survived, 0, LOOPS);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(damaged_elf_suite)
