/*
 * A file of records, one after the other. All of it is checked when it is opened, so that what is
 * not used later is of another build, and not damaged.
 */
#include "layout/layout_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "layout/libc_cache.h"
#include "layout/python_cache.h"

/* Some hundred builds. */
#define FILE_BYTES_MAX ((size_t)4 << 20)

struct pht_layout_file {
    size_t size;
    char text[];
};

/* ---- looking up --------------------------------------------------------------------------- */

bool pht_layout_file_find(const struct pht_layout_file *file, const struct pht_record_kind *kind,
                          struct pht_layout_record *record)
{
    size_t bytes;

    if (file == NULL || record->build_id[0] == '\0')
        return false;
    for (size_t at = 0; at < file->size; at += bytes) {
        bytes = pht_record_bytes(file->text + at, file->size - at);
        if (bytes == 0)
            return false;
        if (pht_record_parse(file->text + at, bytes, kind, record))
            return true;
    }
    return false;
}

/* ---- opening ------------------------------------------------------------------------------ */

static struct pht_error *refuse(const char *path, const char *why)
{
    _cleanup_free_ char *name = pht_text_printable(path, strlen(path));

    return pht_error_try(pht_error_create(PHT_ERROR_FROM_FILE, "cannot take layouts from %s: %s",
                                          name != NULL ? name : "", why),
                         "pyheaptop --dump-layout PID > FILE, where there is debug information");
}

/* What is wrong with it, or NULL; then `*ret` is NULL when memory is short. */
static const char *read_all(int fd, struct pht_layout_file **ret)
{
    struct stat status;

    *ret = NULL;
    if (fd < 0 || fstat(fd, &status) < 0)
        return strerror(errno);
    if (!S_ISREG(status.st_mode))
        return "it is no file";
    if ((uint64_t)status.st_size > FILE_BYTES_MAX)
        return "it is too large";
    struct pht_layout_file *file = malloc(sizeof(*file) + (size_t)status.st_size + 1);
    if (file == NULL)
        return NULL;
    ssize_t got = read(fd, file->text, (size_t)status.st_size);
    if (got < 0) {
        const char *why = strerror(errno);
        free(file);
        return why;
    }
    file->size = (size_t)got;
    file->text[file->size] = '\0';
    *ret = file;
    return NULL;
}

static bool begins_with(const char *text, const struct pht_record_kind *kind)
{
    size_t length = strlen(kind->format);

    return strncmp(text, kind->format, length) == 0 && text[length] == '\n';
}

/* NULL if all of it is records of kinds that we know. */
static const char *find_fault(const struct pht_layout_file *file)
{
    size_t bytes;

    if (strncmp(file->text, "pyheaptop-", 10) != 0)
        return "it has none";
    for (size_t at = 0; at < file->size; at += bytes) {
        const char *text = file->text + at;
        bytes = pht_record_bytes(text, file->size - at);
        if (bytes == 0)
            return "it is damaged";
        if (!begins_with(text, &pht_python_record_kind) &&
            !begins_with(text, &pht_libc_record_kind))
            return "another version of pyheaptop wrote it";
    }
    return NULL;
}

struct pht_error *pht_layout_file_open(const char *path, struct pht_layout_file **ret)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct pht_layout_file *file;
    const char *fault = read_all(fd, &file);

    if (fault == NULL && file == NULL)
        return pht_error_no_memory();
    if (fault == NULL)
        fault = find_fault(file);
    if (fault != NULL) {
        free(file);
        return refuse(path, fault);
    }
    *ret = file;
    return NULL;
}

void pht_layout_file_close(struct pht_layout_file *file)
{
    free(file);
}
