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

/* Under another name first: two programs may store the same layout at once. */
void pht_cache_store(const char *directory, const struct pht_record_kind *kind,
                     const struct pht_layout_record *record)
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
    bool written = pht_record_write(file, kind, record);
    if (fclose(file) != 0 || !written || renameat(directory_fd, fresh, directory_fd, name) < 0)
        unlinkat(directory_fd, fresh, 0);
}

void pht_cache_name_process(const struct pht_process *process, char name[static 32])
{
    snprintf(name, 32, "%d.%" PRIu64, process->pid, process->start_time_ticks);
}

void pht_cache_forget(const char *directory, const struct pht_record_kind *kind,
                      const char *build_id)
{
    _cleanup_free_ char *name = file_name(kind, build_id);
    _cleanup_close_ int directory_fd = open_directory(directory, false);

    if (name != NULL && directory_fd >= 0)
        unlinkat(directory_fd, name, 0);
}
