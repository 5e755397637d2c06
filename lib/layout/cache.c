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
static char *file_name(const struct pht_cache_kind *kind, const char *build_id)
{
    if (build_id[0] == '\0' || build_id[strspn(build_id, "0123456789abcdef")] != '\0')
        return NULL;
    return pht_text_format("%s%s", build_id, kind->suffix);
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

/* Longer than a property may be is not what was stored. */
static bool expect_property(FILE *file, const char *key, char property[static 32])
{
    char value[256];

    if (!expect(file, key, value) || strlen(value) >= 32)
        return false;
    memcpy(property, value, strlen(value) + 1);
    return true;
}

static bool load_head(FILE *file, const struct pht_cache_kind *kind,
                      struct pht_cache_record *record)
{
    char line[256], value[256];

    if (!next_line(file, line) || strcmp(line, kind->format) != 0 ||
        !expect(file, "build-id", value) || strcmp(value, record->build_id) != 0)
        return false;
    for (size_t i = 0; i < PHT_CACHE_PROPERTIES_MAX && kind->properties[i] != NULL; i++) {
        if (!expect_property(file, kind->properties[i], record->properties[i]))
            return false;
    }
    if (!expect(file, "layout", value) ||
        strcmp(value, pht_layout_source_name(PHT_LAYOUT_DWARF)) != 0)
        return false;
    record->layout_source = PHT_LAYOUT_DWARF;
    return expect(file, "symbols", value) && parse_symbol_source(value, &record->symbol_source);
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

static bool load_layout(FILE *file, const struct pht_layout_table *table, void *layout)
{
    char line[256], text[256];
    uint64_t value;

    for (size_t i = 0; i < table->count; i++) {
        if (!expect(file, table->fields[i].name, text) || !parse_value(text, &value))
            return false;
        pht_layout_set(layout, &table->fields[i], value);
    }
    return next_line(file, line) && value_of(line, "end") != NULL && getc(file) == EOF &&
           pht_layout_is_sound(table, layout) && table->is_as_declared(layout);
}

bool pht_cache_load(const char *directory, const struct pht_cache_kind *kind,
                    struct pht_cache_record *record)
{
    _cleanup_free_ char *name = file_name(kind, record->build_id);
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
    return file != NULL && load_head(file, kind, record) &&
           load_layout(file, kind->table, record->layout);
}

static void write_layout(FILE *file, const struct pht_layout_table *table, const void *layout)
{
    for (size_t i = 0; i < table->count; i++) {
        uint64_t value = pht_layout_get(layout, &table->fields[i]);
        if (value == PHT_UNKNOWN)
            fprintf(file, "%s unknown\n", table->fields[i].name);
        else
            fprintf(file, "%s %" PRIu64 "\n", table->fields[i].name, value);
    }
}

static void write_record(FILE *file, const struct pht_cache_kind *kind,
                         const struct pht_cache_record *record)
{
    fprintf(file, "%s\nbuild-id %s\n", kind->format, record->build_id);
    for (size_t i = 0; i < PHT_CACHE_PROPERTIES_MAX && kind->properties[i] != NULL; i++)
        fprintf(file, "%s %s\n", kind->properties[i], record->properties[i]);
    fprintf(file, "layout %s\nsymbols %s\n", pht_layout_source_name(record->layout_source),
            pht_symbol_source_name(record->symbol_source));
    write_layout(file, kind->table, record->layout);
}

static bool write_whole(FILE *file, const struct pht_cache_kind *kind,
                        const struct pht_cache_record *record)
{
    _cleanup_free_ char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);

    if (memory == NULL)
        return false;
    write_record(memory, kind, record);
    bool written = !ferror(memory);
    if (fclose(memory) != 0 || !written)
        return false;
    fwrite(text, 1, size, file);
    fprintf(file, "end %016" PRIx64 "\n", checksum(text, size));
    return !ferror(file);
}

/* Under another name first: two programs may store the same layout at once. */
void pht_cache_store(const char *directory, const struct pht_cache_kind *kind,
                     const struct pht_cache_record *record)
{
    _cleanup_free_ char *name = file_name(kind, record->build_id);
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
    bool written = write_whole(file, kind, record);
    if (fclose(file) != 0 || !written || renameat(directory_fd, fresh, directory_fd, name) < 0)
        unlinkat(directory_fd, fresh, 0);
}

void pht_cache_name_process(const struct pht_process *process, char name[static 32])
{
    snprintf(name, 32, "%d.%" PRIu64, process->pid, process->start_time_ticks);
}

void pht_cache_forget(const char *directory, const struct pht_cache_kind *kind,
                      const char *build_id)
{
    _cleanup_free_ char *name = file_name(kind, build_id);
    _cleanup_close_ int directory_fd = open_directory(directory, false);

    if (name != NULL && directory_fd >= 0)
        unlinkat(directory_fd, name, 0);
}
