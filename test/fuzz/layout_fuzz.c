/*
 * Layout files, and records of the cache: text of a record without its last line, which is added
 * with the right checksum, or else nothing would get far. What is taken of it is sound, and is
 * written as it was read.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/input.h"
#include "layout/libc_cache.h"
#include "layout/libc_layout.h"
#include "layout/python_cache.h"
#include "layout/python_layout.h"
#include "layout/record.h"

#define TEXT_BYTES_MAX ((size_t)64 << 10)

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

/* As record.c has it; FNV-1a. */
static uint64_t checksum(const char *bytes, size_t size)
{
    uint64_t sum = 0xcbf29ce484222325;

    for (size_t i = 0; i < size; i++)
        sum = (sum ^ (unsigned char)bytes[i]) * 0x100000001b3;
    return sum;
}

static size_t seal(char *text, size_t size)
{
    const char *end = memmem(text, size, "\nend ", 5);

    /* A seed is a whole record. */
    if (end != NULL)
        size = (size_t)(end + 1 - text);
    return size +
           (size_t)sprintf(text + size, "end %016llx\n", (unsigned long long)checksum(text, size));
}

static void read_record(const char *text, size_t size, const struct pht_record_kind *kind,
                        void *layout)
{
    struct pht_layout_record record = {.layout = layout};

    if (!pht_record_parse(text, size, kind, &record))
        return;
    for (size_t i = 0; i < PHT_RECORD_PROPERTIES_MAX; i++)
        ck_assert(memchr(record.properties[i], '\0', sizeof(record.properties[i])) != NULL);
}

/* What stands in the record as its build-id, if that is one that a library can have. */
static bool find_build_id(const char *text, char build_id[static 129])
{
    const char *line = strstr(text, "\nbuild-id ");
    size_t length = line != NULL ? strcspn(line + 10, "\n") : 0;

    if (length == 0 || length > 128)
        return false;
    memcpy(build_id, line + 10, length);
    build_id[length] = '\0';
    return true;
}

static void check_written_again(const struct pht_python *python)
{
    struct pht_python again = {0};
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);

    ck_assert(memory != NULL && pht_python_record_write(memory, python) && fclose(memory) == 0);
    struct pht_layout_record record = {.layout = &again.layout};
    ck_assert(pht_record_parse(text, size, &pht_python_record_kind, &record));
    ck_assert(memcmp(&again.layout, &python->layout, sizeof(again.layout)) == 0);
    free(text);
}

static void load(const struct pht_layout_file *file, const char *text)
{
    struct pht_python python = {0};
    struct pht_libc libc = {.family = PHT_LIBC_GLIBC};

    if (!find_build_id(text, python.build_id))
        return;
    memcpy(libc.build_id, python.build_id, sizeof(libc.build_id));
    if (pht_python_file_load(file, &python)) {
        ck_assert(memchr(python.version_text, '\0', sizeof(python.version_text)) != NULL);
        python.layout_source = PHT_LAYOUT_DWARF;
        check_written_again(&python);
    }
    if (pht_libc_file_load(file, &libc))
        ck_assert(memchr(libc.version_text, '\0', sizeof(libc.version_text)) != NULL);
}

/* The file is one record twice, and then whatever stands behind it. */
static void open_file(const char *text, size_t size)
{
    struct pht_layout_file *file;
    int fd = memfd_create("layouts", MFD_CLOEXEC);
    char path[32];

    ck_assert(fd >= 0);
    ck_assert(write(fd, text, size) == (ssize_t)size && write(fd, text, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    struct pht_error *error = pht_layout_file_open(path, &file);
    if (error == NULL) {
        load(file, text);
        pht_layout_file_close(file);
    }
    pht_error_destroy(error);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct pht_python_layout python;
    struct pht_libc_layout libc;
    char *text;

    if (size > TEXT_BYTES_MAX)
        return 0;
    text = calloc(1, size + 64);
    ck_assert(text != NULL);
    if (size > 0)
        memcpy(text, bytes, size);
    pht_record_bytes(text, size);
    read_record(text, size, &pht_python_record_kind, &python);
    size_t sealed = seal(text, size);
    if (memmem(text, sealed, "\nend ", 5) != NULL)
        ck_assert(pht_record_bytes(text, sealed) == sealed);
    read_record(text, sealed, &pht_python_record_kind, &python);
    read_record(text, sealed, &pht_libc_record_kind, &libc);
    open_file(text, sealed);
    free(text);
    return 0;
}
