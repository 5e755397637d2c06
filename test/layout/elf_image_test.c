#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "support/elf_fixture.h"
#include "support/proc_tree.h"
#include "support/suite.h"

/* ---- the kind of a file ------------------------------------------------------------------- */

#if defined(__x86_64__)
#define OUR_MACHINE EM_X86_64
#define OTHER_MACHINE EM_AARCH64
#else
#define OUR_MACHINE EM_AARCH64
#define OTHER_MACHINE EM_X86_64
#endif

static const struct kind_row {
    const char *magic;
    unsigned char class;
    uint16_t machine;
    size_t size;
    enum pht_elf_kind kind;
    bool is_32_bit;
} kind_rows[] = {
    {ELFMAG, ELFCLASS64, OUR_MACHINE, 64, PHT_ELF_OURS, false},
    {ELFMAG, ELFCLASS64, OUR_MACHINE, sizeof(Elf32_Ehdr), PHT_ELF_OURS, false},
    {ELFMAG, ELFCLASS64, OTHER_MACHINE, 64, PHT_ELF_FOREIGN, false},
    {ELFMAG, ELFCLASS64, EM_386, 64, PHT_ELF_FOREIGN, false},
    {ELFMAG, ELFCLASS32, EM_386, 64, PHT_ELF_FOREIGN, true},
    {ELFMAG, ELFCLASS32, OUR_MACHINE, 64, PHT_ELF_FOREIGN, true}, /* x32 */
    {ELFMAG, ELFCLASSNONE, OUR_MACHINE, 64, PHT_ELF_FOREIGN, false},
    {ELFMAG, ELFCLASS64, OUR_MACHINE, sizeof(Elf32_Ehdr) - 1, PHT_ELF_NOT, false},
    {ELFMAG, ELFCLASS64, OUR_MACHINE, 0, PHT_ELF_NOT, false},
    {"#!/b", ELFCLASS64, OUR_MACHINE, 64, PHT_ELF_NOT, false},
    {"\177ELX", ELFCLASS64, OUR_MACHINE, 64, PHT_ELF_NOT, false},
};

START_TEST(a_file_is_ours_foreign_or_no_elf)
{
    const struct kind_row *row = &kind_rows[_i];
    Elf64_Ehdr header = {.e_machine = row->machine};
    struct proc_tree tree;
    bool is_32_bit = false;

    memcpy(header.e_ident, row->magic, SELFMAG);
    header.e_ident[EI_CLASS] = row->class;
    proc_tree_init(&tree);
    proc_tree_write_bytes(&tree, "file", &header, row->size);
    _cleanup_close_ int fd = openat(tree.fd, "file", O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(pht_elf_image_kind(fd, &is_32_bit), row->kind);
    ck_assert(is_32_bit == row->is_32_bit);
    proc_tree_deinit(&tree);
}
END_TEST

/* ---- a library of this process ------------------------------------------------------------ */

static struct elf_fixture fixture;

static void setup(void)
{
    ck_assert(elf_fixture_open(&fixture, ELF_FIXTURE("plain")));
}

static void teardown(void)
{
    elf_fixture_close(&fixture);
}

START_TEST(the_bias_is_how_far_the_loader_moved_it)
{
    Dl_info info;

    ck_assert_int_ne(dladdr(dlsym(fixture.library, "Py_GetVersion"), &info), 0);
    ck_assert_uint_eq(fixture.image.bias, (uintptr_t)info.dli_fbase);
    ck_assert_str_eq(fixture.image.path, ELF_FIXTURE("plain"));
}
END_TEST

START_TEST(every_mapping_of_the_file_leads_to_the_same_image)
{
    unsigned mappings = 0;

    for (size_t i = 0; i < fixture.maps.count; i++) {
        struct pht_elf_image image;
        if (strcmp(fixture.maps.items[i].name, ELF_FIXTURE("plain")) != 0)
            continue;
        mappings++;
        ck_assert(
            pht_elf_image_open(fixture.target, &fixture.maps, &fixture.maps.items[i], &image));
        ck_assert_uint_eq(image.bias, fixture.image.bias);
        ck_assert_str_eq(image.build_id, fixture.image.build_id);
        pht_elf_image_close(&image);
    }
    ck_assert_uint_ge(mappings, 3);
}
END_TEST

START_TEST(the_build_id_is_hex_of_the_note)
{
    const char *id = fixture.image.build_id;
    char bytes[4096];

    ck_assert_uint_eq(strlen(id), 40);
    ck_assert_uint_eq(strspn(id, "0123456789abcdef"), 40);
    /* The note stands in the first page: name size 4, desc size 20, type 3, "GNU". */
    ck_assert(pht_elf_image_read(&fixture.image, 0, bytes, 1024));
    const char *note = memmem(bytes, 1024, "\4\0\0\0\24\0\0\0\3\0\0\0GNU\0", 16);
    ck_assert_ptr_nonnull(note);
    for (size_t i = 0; i < 20; i++) {
        char hex[3];
        snprintf(hex, sizeof(hex), "%02x", (unsigned char)note[16 + i]);
        ck_assert_int_eq(strncmp(hex, id + 2 * i, 2), 0);
    }
}
END_TEST

START_TEST(the_span_is_what_the_loader_reserves)
{
    pht_addr first = UINT64_MAX, last = 0;
    uint64_t start, end;

    for (size_t i = 0; i < fixture.maps.count; i++) {
        const struct pht_mapping *mapping = &fixture.maps.items[i];
        if (!pht_elf_same_file(mapping, fixture.mapping))
            continue;
        first = mapping->start < first ? mapping->start : first;
        last = mapping->end;
    }
    ck_assert(pht_elf_image_span(&fixture.image, &start, &end));
    ck_assert_uint_eq(start + fixture.image.bias, first);
    ck_assert_uint_ge(end + fixture.image.bias, last);
    ck_assert_uint_le(end + fixture.image.bias, last + PHT_PAGE_BYTES);
}
END_TEST

/* p_vaddr and p_memsz of its only segment. */
static const struct span_row {
    uint64_t address, bytes;
    bool whole;
    uint64_t start, end;
} span_rows[] = {
    {0x1000, 0x1000, true, 0x1000, 0x2000},
    {0x1fff, 2, true, 0x1000, 0x3000},
    {0x400000, 0x1001, true, 0x400000, 0x402000},
    {0x1000, 0, false, 0, 0},
    {0, UINT64_MAX, false, 0, 0},
    {0x1000, UINT64_MAX - 0x1000, false, 0, 0},
    {0x2000, UINT64_MAX - 0x1000, false, 0, 0},
};

START_TEST(a_span_without_an_end_is_none)
{
    const struct span_row *row = &span_rows[_i];
    struct {
        Elf64_Ehdr header;
        Elf64_Phdr segment;
    } file = {
        .header = {.e_type = ET_DYN,
                   .e_machine = OUR_MACHINE,
                   .e_version = EV_CURRENT,
                   .e_phoff = sizeof(file.header),
                   .e_ehsize = sizeof(file.header),
                   .e_phentsize = sizeof(file.segment),
                   .e_phnum = 1},
        .segment = {.p_type = PT_LOAD, .p_vaddr = row->address, .p_memsz = row->bytes},
    };
    uint64_t start, end;

    memcpy(file.header.e_ident, ELFMAG, SELFMAG);
    file.header.e_ident[EI_CLASS] = ELFCLASS64;
    file.header.e_ident[EI_DATA] = ELFDATA2LSB;
    file.header.e_ident[EI_VERSION] = EV_CURRENT;
    elf_version(EV_CURRENT);
    struct pht_elf_image image = {.elf = elf_memory((char *)&file, sizeof(file))};
    ck_assert_ptr_nonnull(image.elf);
    ck_assert(pht_elf_image_span(&image, &start, &end) == row->whole);
    if (row->whole) {
        ck_assert_uint_eq(start, row->start);
        ck_assert_uint_eq(end, row->end);
    }
    elf_end(image.elf);
}
END_TEST

START_TEST(bytes_of_the_file_are_read_at_linked_addresses)
{
    const unsigned long *loaded = dlsym(fixture.library, "Py_Version");
    uint64_t address = (uintptr_t)loaded - fixture.image.bias;
    unsigned long value = 0;
    char byte;

    ck_assert(pht_elf_image_read(&fixture.image, address, &value, sizeof(value)));
    ck_assert_uint_eq(value, 0x030b02c1);
    ck_assert(!pht_elf_image_read(&fixture.image, UINT64_C(1) << 40, &byte, 1));
    ck_assert(!pht_elf_image_read(&fixture.image, UINT64_MAX, &byte, 1));
    ck_assert(!pht_elf_image_read(&fixture.image, UINT64_MAX - 7, &value, 8));
    ck_assert(!pht_elf_image_read(&fixture.image, 0, &value, SIZE_MAX));
    /* .bss is in memory but not in the file */
    address = elf_fixture_address(&fixture, "fixture_arenas");
    ck_assert(!pht_elf_image_read(&fixture.image, address, &value, sizeof(value)));
}
END_TEST

/* All that is loaded, in the order of the file. */
static bool has_constant(bool writable, const char *wanted)
{
    const char *bytes;
    size_t at = 0, size;
    bool found = false;

    while ((bytes = pht_elf_image_segment(&fixture.image, writable, &at, &size)) != NULL)
        found = found || memmem(bytes, size, wanted, strlen(wanted)) != NULL;
    return found;
}

START_TEST(constants_are_in_segments_that_are_not_writable)
{
    ck_assert(has_constant(false, "3.11.2rc1 (fixture)"));
    ck_assert(!has_constant(true, "3.11.2rc1 (fixture)"));
    ck_assert(!has_constant(false, "no such text"));
}
END_TEST

START_TEST(what_is_not_mapped_as_a_library_is_not_opened)
{
    struct pht_elf_image image;
    struct pht_mapping mapping = *fixture.mapping;

    /* Nothing maps this file from where a segment begins. */
    struct pht_maps other = {.items = &mapping, .count = 1};
    mapping.offset = 0x123000;
    ck_assert(!pht_elf_image_open(fixture.target, &other, &mapping, &image));
    ck_assert_int_eq(image.fd, -1);
    ck_assert_ptr_null(image.elf);

    /* It is another file by now. */
    mapping = *fixture.mapping;
    mapping.start = mapping.end = 0x1000;
    mapping.inode++;
    ck_assert(!pht_elf_image_open(fixture.target, &fixture.maps, &mapping, &image));
    ck_assert_int_eq(image.fd, -1);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *elf_image_suite(void)
{
    Suite *suite = suite_create("layout/elf_image");
    TCase *kind = tcase_create("kind");
    TCase *image = tcase_create("image");

    tcase_add_loop_test(kind, a_file_is_ours_foreign_or_no_elf, 0, ROWS(kind_rows));
    suite_add_tcase(suite, kind);
    tcase_add_checked_fixture(image, setup, teardown);
    tcase_add_test(image, the_bias_is_how_far_the_loader_moved_it);
    tcase_add_test(image, every_mapping_of_the_file_leads_to_the_same_image);
    tcase_add_test(image, the_build_id_is_hex_of_the_note);
    tcase_add_test(image, the_span_is_what_the_loader_reserves);
    tcase_add_loop_test(kind, a_span_without_an_end_is_none, 0, ROWS(span_rows));
    tcase_add_test(image, bytes_of_the_file_are_read_at_linked_addresses);
    tcase_add_test(image, constants_are_in_segments_that_are_not_writable);
    tcase_add_test(image, what_is_not_mapped_as_a_library_is_not_opened);
    suite_add_tcase(suite, image);
    return suite;
}

SUITE_MAIN(elf_image_suite)
