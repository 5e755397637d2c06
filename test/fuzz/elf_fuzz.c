/*
 * ELF files, and the debug information in them: a library that passes for an interpreter, or for
 * glibc, with changes of 12 bytes (where (4), what is done, how many bytes, a value (6)), and cut
 * at an end. All that is ever asked of a file is asked. What is found is worth nothing, but looking
 * ends, and touches no memory that is not there.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/input.h"
#include "layout/dynamic.h"
#include "layout/elf_image.h"
#include "layout/identify.h"
#include "layout/libc_version.h"
#include "layout/symbols.h"
#include "pyheaptop/layout.h"

#define LIBRARY(name) PHT_FIXTURE_DIR "/" name ".so"
#define PATCHES_MAX 32

static const char *const paths[] = {
    LIBRARY("plain"),          LIBRARY("dwarf4"),    LIBRARY("lto"),
    LIBRARY("clang"),          LIBRARY("hash-sysv"), LIBRARY("scanned"),
    LIBRARY("libc/libc-2.99"), LIBRARY("stripped"),  LIBRARY("libc-old/libc-2.17"),
};

#define LIBRARIES (sizeof(paths) / sizeof(paths[0]))

static struct {
    uint8_t *bytes;
    size_t size;
} libraries[LIBRARIES];
static uint8_t *damaged;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    size_t largest = 0;

    (void)argc;
    (void)argv;
    unsetenv("DEBUGINFOD_URLS");
    for (size_t i = 0; i < LIBRARIES; i++) {
        FILE *file = fopen(paths[i], "r");
        if (file == NULL)
            abort();
        libraries[i].bytes = malloc(1 << 20);
        libraries[i].size = fread(libraries[i].bytes, 1, 1 << 20, file);
        largest = libraries[i].size > largest ? libraries[i].size : largest;
        fclose(file);
    }
    damaged = malloc(largest);
    return 0;
}

/* Where a section of the file begins, or one of the tables of headers. */
static size_t landmark(const uint8_t *bytes, size_t size, unsigned number)
{
    Elf64_Ehdr header;
    Elf64_Shdr section;

    memcpy(&header, bytes, sizeof(header));
    switch (number % 64) {
    case 0:
        return 0;
    case 1:
        return sizeof(header);
    case 2:
        return header.e_shoff;
    default:
        break;
    }
    size_t at = header.e_shoff + number % header.e_shnum * sizeof(section);
    if (header.e_shnum == 0 || at + sizeof(section) > size)
        return 0;
    memcpy(&section, bytes + at, sizeof(section));
    return section.sh_offset;
}

static void patch(const uint8_t *whole, size_t size, struct fuzz_input *input)
{
    unsigned number = (unsigned)fuzz_take(input, 1), offset = (unsigned)fuzz_take(input, 3);
    unsigned action = (unsigned)fuzz_take(input, 1);
    size_t count = 1 + fuzz_take(input, 1) % 8;
    uint64_t value = (uint64_t)((int64_t)(fuzz_take(input, 6) << 16) >> 16), word = 0;
    size_t at = (landmark(whole, size, number) + offset) % size;

    if (count > size - at)
        count = size - at;
    memcpy(&word, damaged + at, count);
    switch (action % 4) {
    case 0:
        word = value;
        break;
    case 1:
        word += value;
        break;
    case 2:
        word ^= (uint64_t)1 << value % 64;
        break;
    default:
        memcpy(&word, whole + value % (size - count), count);
        break;
    }
    memcpy(damaged + at, &word, count);
}

/* ---- everything that is ever done with an image ------------------------------------------- */

static void look_at_symbols(struct pht_elf_image *image)
{
    struct pht_symbol symbols[] = {{.name = "usedpools"},
                                   {.name = "arenas"},
                                   {.name = "absent"},
                                   {.name = "tcache", .is_thread_local = true}};
    struct pht_dynamic_symbols dynamic;

    pht_symbols_find(image->elf, SHT_SYMTAB, symbols, 4);
    pht_symbols_find(image->elf, SHT_DYNSYM, symbols, 4);
    pht_dynamic_needs(image->elf, "libpython");
    pht_dynamic_value(image->elf, DT_RELA);
    pht_dynamic_symbols_read(image->elf, &dynamic);
}

static void look_at_bytes(struct pht_elf_image *image)
{
    char version[32], short_version[16], byte;
    uint64_t start, end;
    size_t at = 0, size;
    const char *segment;

    pht_identify_pypy_version(image, version);
    pht_libc_version(image, short_version);
    if (strlen(version) >= sizeof(version) || strlen(short_version) >= sizeof(short_version))
        abort();
    if (pht_elf_image_span(image, &start, &end) && start >= end)
        abort();
    pht_elf_image_read(image, 0x1000, &byte, 1);
    while ((segment = pht_elf_image_segment(image, true, &at, &size)) != NULL) {
        if (size > 0)
            byte = (char)(segment[0] ^ segment[size - 1]);
    }
}

static void look_at_layouts(const char *path)
{
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);
    struct pht_error *error;

    if (memory == NULL)
        abort();
    error = pht_layout_dump_image(path, memory);
    if (error != NULL && (error->text == NULL || error->text[0] == '\0'))
        abort();
    pht_error_destroy(error);
    fclose(memory);
    free(text);
}

static void look_at(size_t size)
{
    struct pht_elf_image image;
    int fd = memfd_create("damaged.so", MFD_CLOEXEC);
    char path[32];

    if (fd < 0 || write(fd, damaged, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (pht_elf_image_open_file(path, &image)) {
        look_at_symbols(&image);
        look_at_bytes(&image);
        pht_identify(&image);
        pht_elf_image_close(&image);
        look_at_layouts(path);
    }
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_input input = {.bytes = bytes, .size = size};
    unsigned i = (unsigned)(fuzz_take(&input, 1) % LIBRARIES);
    size_t cut = (size_t)fuzz_take(&input, 3), length = libraries[i].size;

    memcpy(damaged, libraries[i].bytes, length);
    for (int n = 0; n < PATCHES_MAX && input.size > 0; n++)
        patch(libraries[i].bytes, length, &input);
    look_at(cut % 4 != 3 || cut / 4 >= length ? length : cut / 4);
    return 0;
}
