#include "target/mapped_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"

#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

/*
 * A device that is mapped must not be opened: that may have effects. So look before opening,
 * and again after it.
 */
static int open_regular(int directory_fd, const char *path)
{
    struct stat status;

    if (fstatat(directory_fd, path, &status, 0) < 0)
        return -1;
    if (!S_ISREG(status.st_mode)) {
        errno = EINVAL;
        return -1;
    }
    int fd = openat(directory_fd, path, OPEN_FLAGS);
    if (fd >= 0 && (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))) {
        close(fd);
        errno = EINVAL;
        return -1;
    }
    return fd;
}

/*
 * Before Linux 5.6: step by step, and no link is followed at all. The names of mapped files have
 * none in them, so only debug files behind links are lost.
 */
static int walk_in_root(int root_fd, const char *path)
{
    int at = fcntl(root_fd, F_DUPFD_CLOEXEC, 0);

    while (at >= 0 && *(path += strspn(path, "/")) != '\0') {
        char name[NAME_MAX + 1];
        size_t length = strcspn(path, "/");
        int next = -1;
        snprintf(name, sizeof(name), "%.*s", (int)length, path);
        if (length > NAME_MAX)
            errno = ENAMETOOLONG;
        else if (strcmp(name, "..") == 0)
            errno = ENOENT;
        else
            next = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        int cause = errno;
        close(at);
        errno = cause;
        at = next;
        path += length;
    }
    return at;
}

static bool is_link(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 && S_ISLNK(status.st_mode);
}

/*
 * RESOLVE_IN_ROOT (Linux 5.6): an absolute link inside the target's root would otherwise be
 * followed in ours, and hand a container one of the host's files.
 */
static int open_in_root(int root_fd, const char *path)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
    char through[64];

    _cleanup_close_ int found = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
    if (found < 0 && errno == ENOSYS)
        found = walk_in_root(root_fd, path);
    if (found < 0)
        return -1;
    if (is_link(found)) {
        errno = ELOOP;
        return -1;
    }
    snprintf(through, sizeof(through), "/proc/self/fd/%d", found);
    return open_regular(AT_FDCWD, through);
}

/*
 * In a chroot the kernel tells us names from our own root: "/srv/jail/usr/bin/python3", where the
 * target says "/usr/bin/python3".
 */
static const char *inside_root(int process_fd, const char *path)
{
    char root[4096];
    ssize_t length = readlinkat(process_fd, "root", root, sizeof(root) - 1);

    if (length <= 1 || strncmp(path, root, (size_t)length) != 0 || path[length] != '/')
        return path;
    return path + length;
}

int pht_mapped_file_open_path(int process_fd, const char *path)
{
    _cleanup_close_ int root_fd = openat(process_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (root_fd < 0)
        return -1;
    return open_in_root(root_fd, inside_root(process_fd, path));
}

/* By inode alone: st_dev and the device in maps differ on btrfs and overlayfs. */
static bool is_mapped_inode(int fd, const struct pht_mapping *mapping)
{
    struct stat status;

    return fstat(fd, &status) == 0 && status.st_ino == mapping->inode;
}

static int open_if_same(int fd, const struct pht_mapping *mapping)
{
    if (fd < 0 || is_mapped_inode(fd, mapping))
        return fd;
    close(fd);
    errno = ENOENT;
    return -1;
}

int pht_mapped_file_open(int process_fd, const struct pht_mapping *mapping)
{
    char link[80];

    /* map_files names the very file, deleted or not, but wants CAP_CHECKPOINT_RESTORE. */
    snprintf(link, sizeof(link), "map_files/%" PRIx64 "-%" PRIx64, mapping->start, mapping->end);
    int fd = open_regular(process_fd, link);
    if (fd >= 0)
        return fd;
    fd = open_if_same(open_regular(process_fd, "exe"), mapping);
    if (fd >= 0 || mapping->deleted)
        return fd;
    return open_if_same(pht_mapped_file_open_path(process_fd, mapping->name), mapping);
}
