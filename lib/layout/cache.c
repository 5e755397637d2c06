#include "layout/cache.h"

#include <ctype.h>
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
#include "layout/identify.h"
#include "layout/python_layout.h"

#define FORMAT_LINE "pyheaptop-layout 1"
#define FILE_BYTES_MAX ((size_t)64 << 10)
#define LAST_LINE_BYTES 21 /* "end 0123456789abcdef\n" */

/* FNV-1a. It finds damage; against the file's owner nothing has to hold. */
static uint64_t checksum(const char *bytes, size_t size)
{
    uint64_t sum = 0xcbf29ce484222325;

    for (size_t i = 0; i < size; i++)
        sum = (sum ^ (unsigned char)bytes[i]) * 0x100000001b3;
    return sum;
}

static bool is_whole(const char *text, size_t size)
{
    char last[LAST_LINE_BYTES + 1];

    if (size < LAST_LINE_BYTES)
        return false;
    snprintf(last, sizeof(last), "end %016" PRIx64 "\n", checksum(text, size - LAST_LINE_BYTES));
    return memcmp(text + size - LAST_LINE_BYTES, last, LAST_LINE_BYTES) == 0;
}

/* A build-id becomes part of a file name, so it must be what it says: hex digits. */
static char *file_name(const char *build_id)
{
    if (build_id[0] == '\0' || build_id[strspn(build_id, "0123456789abcdef")] != '\0')
        return NULL;
    return pht_text_format("%s.layout", build_id);
}

static bool is_ours_alone(int fd, mode_t type)
{
    struct stat status;

    return fstat(fd, &status) == 0 && (status.st_mode & S_IFMT) == type &&
           status.st_uid == geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static int open_directory(const char *directory, bool make)
{
    if (directory == NULL)
        return -1;
    if (make && mkdir(directory, 0700) < 0 && errno == ENOENT) {
        /* The parent, usually ~/.cache, may be missing in a fresh account. */
        _cleanup_free_ char *parent = strdup(directory);
        char *slash = parent != NULL ? strrchr(parent, '/') : NULL;
        if (slash != NULL && slash != parent) {
            *slash = '\0';
            mkdir(parent, 0700);
            mkdir(directory, 0700);
        }
    }
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && !is_ours_alone(fd, S_IFDIR)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* The rest of a line "key value", NULL if it has another key. */
static const char *value_of(const char *line, const char *key)
{
    size_t length = strlen(key);

    if (strncmp(line, key, length) != 0 || line[length] != ' ')
        return NULL;
    return line + length + 1;
}

static bool next_line(FILE *file, char line[static 256])
{
    if (fgets(line, 256, file) == NULL)
        return false;
    char *end = strchr(line, '\n');
    if (end == NULL)
        return false;
    *end = '\0';
    return true;
}

static bool expect(FILE *file, const char *key, char value[static 256])
{
    char line[256];
    const char *found;

    if (!next_line(file, line) || (found = value_of(line, key)) == NULL)
        return false;
    snprintf(value, 256, "%s", found);
    return true;
}

static bool expect_flag(FILE *file, const char *key, bool *flag)
{
    char value[256];

    if (!expect(file, key, value) || (strcmp(value, "0") != 0 && strcmp(value, "1") != 0))
        return false;
    *flag = value[0] == '1';
    return true;
}

static bool parse_symbol_source(const char *text, enum pht_symbol_source *ret)
{
    for (int i = PHT_SYMBOL_SYMTAB; i <= PHT_SYMBOL_DWARF; i++) {
        if (strcmp(text, pht_symbol_source_name((enum pht_symbol_source)i)) == 0) {
            *ret = (enum pht_symbol_source)i;
            return true;
        }
    }
    return false;
}

static bool load_head(FILE *file, struct pht_python *python)
{
    char line[256], value[256];

    if (!next_line(file, line) || strcmp(line, FORMAT_LINE) != 0 ||
        !expect(file, "build-id", value) || strcmp(value, python->build_id) != 0)
        return false;
    if (!expect(file, "version", value) ||
        !pht_version_parse(value, strlen(value), &python->version))
        return false;
    snprintf(python->version_text, sizeof(python->version_text), "%.31s", value);
    if (!expect_flag(file, "free-threaded", &python->free_threaded) ||
        !expect_flag(file, "debug-build", &python->debug_build))
        return false;
    if (!expect(file, "layout", value) ||
        strcmp(value, pht_layout_source_name(PHT_LAYOUT_DWARF)) != 0)
        return false;
    python->layout_source = PHT_LAYOUT_DWARF;
    return expect(file, "symbols", value) && parse_symbol_source(value, &python->symbol_source);
}

static bool parse_value(const char *text, uint64_t *ret)
{
    char *end;

    *ret = PHT_UNKNOWN;
    if (strcmp(text, "unknown") == 0)
        return true;
    errno = 0;
    *ret = strtoull(text, &end, 10);
    return isdigit((unsigned char)text[0]) && *end == '\0' && errno == 0;
}

static bool load_layout(FILE *file, struct pht_python_layout *layout)
{
    size_t count;
    const struct pht_layout_field *fields = pht_layout_fields(&count);
    char line[256], value[256];

    for (size_t i = 0; i < count; i++) {
        if (!expect(file, fields[i].name, value) ||
            !parse_value(value, pht_layout_value(layout, &fields[i])))
            return false;
    }
    return next_line(file, line) && value_of(line, "end") != NULL && getc(file) == EOF &&
           pht_python_layout_is_sound(layout);
}

bool pht_cache_load(const char *directory, struct pht_python *python)
{
    _cleanup_free_ char *name = file_name(python->build_id);
    _cleanup_close_ int directory_fd = open_directory(directory, false);

    if (name == NULL || directory_fd < 0)
        return false;
    _cleanup_close_ int fd =
        openat(directory_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || !is_ours_alone(fd, S_IFREG))
        return false;
    char text[FILE_BYTES_MAX];
    ssize_t size = read(fd, text, sizeof(text));
    if (size <= 0 || !is_whole(text, (size_t)size))
        return false;
    _cleanup_fclose_ FILE *file = fmemopen(text, (size_t)size, "r");
    if (file == NULL)
        return false;
    struct pht_python loaded = *python;
    if (!load_head(file, &loaded) || !load_layout(file, &loaded.layout))
        return false;
    *python = loaded;
    python->cached = true;
    return true;
}

static bool write_layout(FILE *file, const struct pht_python *python)
{
    size_t count;
    const struct pht_layout_field *fields = pht_layout_fields(&count);
    struct pht_python_layout layout = python->layout;

    fprintf(file, "%s\nbuild-id %s\nversion %s\n", FORMAT_LINE, python->build_id,
            python->version_text);
    fprintf(file, "free-threaded %d\ndebug-build %d\n", python->free_threaded, python->debug_build);
    fprintf(file, "layout %s\nsymbols %s\n", pht_layout_source_name(python->layout_source),
            pht_symbol_source_name(python->symbol_source));
    for (size_t i = 0; i < count; i++) {
        uint64_t value = *pht_layout_value(&layout, &fields[i]);
        if (value == PHT_UNKNOWN)
            fprintf(file, "%s unknown\n", fields[i].name);
        else
            fprintf(file, "%s %" PRIu64 "\n", fields[i].name, value);
    }
    return !ferror(file);
}

static bool write_whole(FILE *file, const struct pht_python *python)
{
    _cleanup_free_ char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);

    if (memory == NULL)
        return false;
    bool written = write_layout(memory, python);
    if (fclose(memory) != 0 || !written)
        return false;
    fwrite(text, 1, size, file);
    fprintf(file, "end %016" PRIx64 "\n", checksum(text, size));
    return !ferror(file);
}

/* Under another name first: two programs may store the same layout at once. */
void pht_cache_store(const char *directory, const struct pht_python *python)
{
    _cleanup_free_ char *name = file_name(python->build_id);
    _cleanup_free_ char *fresh = name != NULL ? pht_text_format(".%s.%d", name, getpid()) : NULL;
    _cleanup_close_ int directory_fd = open_directory(directory, true);

    if (fresh == NULL || directory_fd < 0)
        return;
    int fd =
        openat(directory_fd, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (file == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    bool written = write_whole(file, python);
    if (fclose(file) != 0 || !written || renameat(directory_fd, fresh, directory_fd, name) < 0)
        unlinkat(directory_fd, fresh, 0);
}

void pht_cache_forget(const char *directory, const char *build_id)
{
    _cleanup_free_ char *name = file_name(build_id);
    _cleanup_close_ int directory_fd = open_directory(directory, false);

    if (name != NULL && directory_fd >= 0)
        unlinkat(directory_fd, name, 0);
}
