#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout/dynamic.h"
#include "layout/identify.h"
#include "layout/libc_version.h"
#include "layout/symbols.h"
#include "support/elf_fixture.h"
#include "support/proc_tree.h"
#include "support/suite.h"

static struct proc_tree tree;
static struct pht_elf_image image;
static unsigned char bytes[1 << 20]; /* of a library; damage is done here */
static size_t size;

static void setup(void)
{
    proc_tree_init(&tree);
}

static void teardown(void)
{
    pht_elf_image_close(&image);
    proc_tree_deinit(&tree);
}

static void load(const char *library)
{
    FILE *file = fopen(library, "r");

    ck_assert_ptr_nonnull(file);
    size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
}

/* What is in `bytes`, as a file called libpython3.11.so. */
static void open_copy(void)
{
    static char path[96];

    pht_elf_image_close(&image);
    proc_tree_write_bytes(&tree, "libpython3.11.so", bytes, size);
    snprintf(path, sizeof(path), "%s/libpython3.11.so", tree.path);
    ck_assert(pht_elf_image_open_file(path, &image));
}

static Elf_Scn *find_section(uint32_t type, GElf_Shdr *header)
{
    for (Elf_Scn *section = NULL; (section = elf_nextscn(image.elf, section)) != NULL;) {
        if (gelf_getshdr(section, header) != NULL && header->sh_type == type)
            return section;
    }
    return NULL;
}

/* ---- undamaged ---------------------------------------------------------------------------- */

static const char *const libraries[] = {
    ELF_FIXTURE("hash-gnu"),       ELF_FIXTURE("hash-sysv"),
    ELF_FIXTURE("dwarf4"), /* linked elsewhere than at 0 */
    ELF_FIXTURE("libc/libc-2.99"), ELF_FIXTURE("loader/ld-2.99"),
};

START_TEST(the_symbols_are_those_of_the_section)
{
    struct pht_dynamic_symbols dynamic;
    GElf_Shdr header;
    GElf_Sym mine, wanted;

    load(libraries[_i]);
    open_copy();
    Elf_Scn *section = find_section(SHT_DYNSYM, &header);
    ck_assert_ptr_nonnull(section);
    ck_assert(pht_dynamic_symbols_read(image.elf, &dynamic));
    ck_assert_uint_eq(dynamic.count, header.sh_size / sizeof(Elf64_Sym));
    for (size_t i = 0; i < dynamic.count; i++) {
        ck_assert_ptr_nonnull(gelf_getsym(dynamic.symbols, (int)i, &mine));
        ck_assert_ptr_nonnull(gelf_getsym(elf_getdata(section, NULL), (int)i, &wanted));
        ck_assert_mem_eq(&mine, &wanted, sizeof(mine));
        ck_assert_uint_lt(mine.st_name, dynamic.name_bytes);
        ck_assert_str_eq(dynamic.names + mine.st_name,
                         elf_strptr(image.elf, header.sh_link, wanted.st_name));
    }
}
END_TEST

START_TEST(needed_libraries_are_matched_by_prefix)
{
    load(ELF_FIXTURE("plain"));
    open_copy();
    ck_assert(pht_dynamic_needs(image.elf, "libc.so"));
    ck_assert(pht_dynamic_needs(image.elf, "libc"));
    ck_assert(!pht_dynamic_needs(image.elf, "libpython"));
    ck_assert(!pht_dynamic_needs(image.elf, "libc.so.6.and.more"));
}
END_TEST

/* ---- without section headers, and with wrong ones ----------------------------------------- */

static const struct headers_row {
    uint64_t offset;
    uint16_t count, names;
} headers_rows[] = {
    {0, 0, 0},       {0, 30, 29},    {UINT64_MAX, 30, 29}, {(uint64_t)1 << 40, 0, 0},
    {64, 30, 65535}, {65, 65535, 3}, {64, 0, 0},           {4096, 200, 1},
};

static void spoil_headers(const struct headers_row *row)
{
    Elf64_Ehdr header;

    memcpy(&header, bytes, sizeof(header));
    header.e_shoff = row->offset;
    header.e_shnum = row->count;
    header.e_shstrndx = row->names;
    memcpy(bytes, &header, sizeof(header));
}

static struct pht_symbol find(const char *name)
{
    struct pht_symbol symbol = {.name = name};

    pht_symbols_find(image.elf, SHT_DYNSYM, &symbol, 1);
    return symbol;
}

START_TEST(an_interpreter_is_known_without_section_headers)
{
    struct pht_python python = {0};
    char build_id[129];

    load(ELF_FIXTURE("stripped"));
    open_copy();
    struct pht_symbol runtime = find("_PyRuntime");
    ck_assert_uint_eq(runtime.matches, 1);
    memcpy(build_id, image.build_id, sizeof(build_id));

    spoil_headers(&headers_rows[_i]);
    open_copy();
    ck_assert_uint_eq(find("_PyRuntime").matches, 1);
    ck_assert_uint_eq(find("_PyRuntime").address, runtime.address);
    ck_assert_uint_eq(find("_PyRuntime").size, runtime.size);
    ck_assert_str_eq(image.build_id, build_id);
    ck_assert(pht_dynamic_needs(image.elf, "libc.so"));
    ck_assert_int_eq(pht_identify(&image), PHT_IDENTITY_CPYTHON);
    pht_identify_build(&image, &python);
    ck_assert_str_eq(python.version_text, "3.11.2rc1");
}
END_TEST

START_TEST(a_version_that_is_a_constant_is_found_without_section_headers)
{
    struct pht_python python = {0};

    load(ELF_FIXTURE("stripped"));
    /* Up to 3.10 there is no such variable. */
    unsigned char *name = memmem(bytes, size, "\0Py_Version\0", 12);
    ck_assert_ptr_nonnull(name);
    name[1] = 'Q';
    unsigned char *constant = memmem(bytes, size, "3.11.2rc1 (fixture)", 20);
    ck_assert_ptr_nonnull(constant);
    memcpy(constant, "3.11.9\0", 7);
    spoil_headers(&headers_rows[_i]);
    open_copy();
    pht_identify_build(&image, &python);
    ck_assert_str_eq(python.version_text, "3.11.9");
}
END_TEST

START_TEST(a_c_library_is_known_without_section_headers)
{
    char version[16];

    load(ELF_FIXTURE("libc-stripped/libc-2.99"));
    spoil_headers(&headers_rows[_i]);
    open_copy();
    pht_libc_version(&image, version);
    ck_assert_str_eq(version, "2.99");
}
END_TEST

/* ---- damaged tables ----------------------------------------------------------------------- */

/* Where in `bytes` the value of an entry of PT_DYNAMIC stands. */
static uint64_t *entry_of(int64_t tag)
{
    GElf_Shdr header;

    ck_assert_ptr_nonnull(find_section(SHT_DYNAMIC, &header));
    for (uint64_t at = header.sh_offset;; at += sizeof(Elf64_Dyn)) {
        Elf64_Dyn *entry = (Elf64_Dyn *)(bytes + at);
        ck_assert_int_ne(entry->d_tag, DT_NULL);
        if (entry->d_tag == tag)
            return &entry->d_un.d_val;
    }
}

static const struct entry_row {
    int64_t tag;
    uint64_t value;
} entry_rows[] = {
    {DT_SYMTAB, 0x7fffffff},
    {DT_SYMTAB, UINT64_MAX},
    {DT_STRTAB, 0x7fffffff},
    {DT_STRTAB, UINT64_MAX},
    {DT_STRSZ, 0},
    {DT_STRSZ, UINT64_MAX},
    {DT_STRSZ, 4},
    {DT_STRSZ, 0x10000000},
    {DT_GNU_HASH, UINT64_MAX},
    {DT_GNU_HASH, UINT64_MAX - 15},
    {DT_GNU_HASH, 0x7fffffff},
    {DT_GNU_HASH, 0},
};

START_TEST(a_table_that_is_not_in_the_file_is_none)
{
    struct pht_dynamic_symbols dynamic;

    load(ELF_FIXTURE("hash-gnu"));
    open_copy();
    ck_assert(pht_dynamic_symbols_read(image.elf, &dynamic));
    *entry_of(entry_rows[_i].tag) = entry_rows[_i].value;
    open_copy();
    ck_assert(!pht_dynamic_symbols_read(image.elf, &dynamic));
    ck_assert_uint_eq(find("_PyRuntime").matches, 0);
}
END_TEST

/* Words at the head of the table DT_GNU_HASH. */
static const struct hash_row {
    unsigned word;
    uint32_t value;
} hash_rows[] = {
    {0, UINT32_MAX},                  /* buckets */
    {0, 0x10000000}, {1, UINT32_MAX}, /* the first hashed symbol */
    {2, UINT32_MAX},                  /* words of the filter */
    {2, 0x10000000},
};

/* Where the table DT_GNU_HASH begins, as an index. */
static size_t find_hash(uint32_t head[static 4])
{
    GElf_Shdr header;

    ck_assert_ptr_nonnull(find_section(SHT_GNU_HASH, &header));
    memcpy(head, bytes + header.sh_offset, 16);
    return header.sh_offset;
}

START_TEST(a_hash_table_that_is_damaged_counts_no_symbols)
{
    struct pht_dynamic_symbols dynamic;
    uint32_t head[4];

    load(ELF_FIXTURE("hash-gnu"));
    open_copy();
    size_t word = find_hash(head) + 4 * hash_rows[_i].word;
    memcpy(bytes + word, &hash_rows[_i].value, 4);
    open_copy();
    ck_assert(!pht_dynamic_symbols_read(image.elf, &dynamic));
}
END_TEST

START_TEST(a_chain_that_is_not_in_the_file_counts_no_symbols)
{
    struct pht_dynamic_symbols dynamic;
    uint32_t head[4], symbol = INT32_MAX;

    load(ELF_FIXTURE("hash-gnu"));
    open_copy();
    size_t buckets = find_hash(head) + 16 + 8 * (size_t)head[2];
    memcpy(bytes + buckets, &symbol, sizeof(symbol));
    open_copy();
    ck_assert(!pht_dynamic_symbols_read(image.elf, &dynamic));
}
END_TEST

START_TEST(a_chain_that_does_not_end_counts_no_symbols)
{
    struct pht_dynamic_symbols dynamic;
    uint32_t head[4];
    GElf_Phdr segment;
    size_t at = 0;

    load(ELF_FIXTURE("hash-gnu"));
    open_copy();
    ck_assert(pht_elf_next_segment(image.elf, PT_LOAD, &at, &segment));
    ck_assert_uint_eq(segment.p_offset, 0);
    size_t chains = find_hash(head) + 16 + 8 * (size_t)head[2] + 4 * (size_t)head[0];
    ck_assert_uint_lt(chains, segment.p_filesz);
    for (size_t word = chains; word < segment.p_filesz; word += 4)
        bytes[word] &= 0xfe;
    open_copy();
    ck_assert(!pht_dynamic_symbols_read(image.elf, &dynamic));
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *dynamic_suite(void)
{
    Suite *suite = suite_create("layout/dynamic");
    TCase *tcase = tcase_create("dynamic");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, the_symbols_are_those_of_the_section, 0, ROWS(libraries));
    tcase_add_test(tcase, needed_libraries_are_matched_by_prefix);
    tcase_add_loop_test(tcase, an_interpreter_is_known_without_section_headers, 0,
                        ROWS(headers_rows));
    tcase_add_loop_test(tcase, a_version_that_is_a_constant_is_found_without_section_headers, 0,
                        ROWS(headers_rows));
    tcase_add_loop_test(tcase, a_c_library_is_known_without_section_headers, 0, ROWS(headers_rows));
    tcase_add_loop_test(tcase, a_table_that_is_not_in_the_file_is_none, 0, ROWS(entry_rows));
    tcase_add_loop_test(tcase, a_hash_table_that_is_damaged_counts_no_symbols, 0, ROWS(hash_rows));
    tcase_add_test(tcase, a_chain_that_is_not_in_the_file_counts_no_symbols);
    tcase_add_test(tcase, a_chain_that_does_not_end_counts_no_symbols);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(dynamic_suite)
