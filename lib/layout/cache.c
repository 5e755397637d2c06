#include "layout/cache.h"

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

/* A build-id becomes part of a file name, so it must be what it says: hex digits. */
static char *file_name(const struct pht_record_kind *kind, const char *build_id)
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

bool pht_cache_load(const char *directory, const struct pht_record_kind *kind,
                    struct pht_layout_record *record)
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
    return size > 0 && pht_record_parse(text, (size_t)size, kind, record);
}

/* ---- keeping and forgetting --------------------------------------------------------------- */

/* Under another name first: two programs may store the same layout at once. */
static void put_file(const char *directory, const char *name, const char *text, size_t bytes)
{
    _cleanup_free_ char *fresh = pht_text_format(".%s.%d", name, getpid());
    _cleanup_close_ int directory_fd = open_directory(directory, true);

    if (fresh == NULL || directory_fd < 0)
        return;
    int fd =
        openat(directory_fd, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return;
    bool written = write(fd, text, bytes) == (ssize_t)bytes;
    if (close(fd) != 0 || !written || renameat(directory_fd, fresh, directory_fd, name) < 0)
        unlinkat(directory_fd, fresh, 0);
}

static void remove_file(const char *directory, const char *name)
{
    _cleanup_close_ int directory_fd = open_directory(directory, false);

    if (directory_fd >= 0)
        unlinkat(directory_fd, name, 0);
}

/* BUILD-ID.SUFFIX, and so no other file of that directory. */
static bool is_file_name(const char *name)
{
    size_t digits = strspn(name, "0123456789abcdef");
    const char *suffix = name + digits;

    return digits > 0 && suffix[0] == '.' && suffix[1] != '\0' &&
           suffix[1 + strspn(suffix + 1, "abcdefghijklmnopqrstuvwxyz-")] == '\0';
}

/* An errand is a letter, the name, a NUL, and the text of the file. */
enum {
    PUT = 'p',
    REMOVE = 'r',
};

int pht_cache_perform(void *context, struct pht_errand *errand)
{
    const char *request = errand->request;
    const char *end = errand->bytes > 1 ? memchr(request, '\0', errand->bytes) : NULL;

    if (end == NULL || !is_file_name(request + 1))
        return EINVAL;
    if (request[0] == PUT)
        put_file(context, request + 1, end + 1, errand->bytes - (size_t)(end + 1 - request));
    else
        remove_file(context, request + 1);
    return 0;
}

static void tell_steward(struct pht_steward *steward, char what, const char *name, const char *text,
                         size_t bytes)
{
    size_t length = strlen(name) + 2;
    _cleanup_free_ char *request = malloc(length + bytes);

    if (request == NULL)
        return;
    request[0] = what;
    memcpy(request + 1, name, length - 1);
    if (bytes > 0)
        memcpy(request + length, text, bytes);
    pht_steward_ask(steward, PHT_DUTY_CACHE, request, length + bytes, -1, NULL);
}

/* NULL when memory is short. */
static char *write_record(const struct pht_record_kind *kind,
                          const struct pht_layout_record *record, size_t *bytes)
{
    _cleanup_free_ char *text = NULL;
    FILE *file = open_memstream(&text, bytes);

    if (file == NULL)
        return NULL;
    bool written = pht_record_write(file, kind, record);
    return fclose(file) == 0 && written ? pht_take_ptr(text) : NULL;
}

void pht_cache_store(const struct pht_layout_options *options, const struct pht_record_kind *kind,
                     const struct pht_layout_record *record)
{
    _cleanup_free_ char *name = file_name(kind, record->build_id);
    size_t bytes;

    if (name == NULL || options->cache_directory == NULL)
        return;
    _cleanup_free_ char *text = write_record(kind, record, &bytes);
    if (text == NULL)
        return;
    if (options->steward != NULL)
        tell_steward(options->steward, PUT, name, text, bytes);
    else
        put_file(options->cache_directory, name, text, bytes);
}

void pht_cache_name_process(const struct pht_process *process, char name[static 32])
{
    snprintf(name, 32, "%d.%" PRIu64, process->pid, process->start_time_ticks);
}

void pht_cache_forget(const struct pht_layout_options *options, const struct pht_record_kind *kind,
                      const char *build_id)
{
    _cleanup_free_ char *name = file_name(kind, build_id);

    if (name == NULL || options->cache_directory == NULL)
        return;
    if (options->steward != NULL)
        tell_steward(options->steward, REMOVE, name, NULL, 0);
    else
        remove_file(options->cache_directory, name);
}
