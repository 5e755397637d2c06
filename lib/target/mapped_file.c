#include "target/mapped_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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

/* As the kernel has it (MAXSYMLINKS), and more folders than a path has in practice. */
#define LINKS_MAX 40
#define DEPTH_MAX 64

/*
 * The way from a root down to where a path has led so far. A link is followed by its text, so that
 * an absolute one, or "..", stays inside: followed by the kernel it would lead into our own root,
 * and hand a container one of the host's files. openat2(2) could do it (RESOLVE_IN_ROOT), but the
 * sandbox does not see what else its flags ask for.
 */
struct descent {
    int fds[DEPTH_MAX + 1]; /* the root is the first, and borrowed */
    size_t depth;
    unsigned links;
    char rest[2 * PATH_MAX];
};

static void climb_to(struct descent *self, size_t depth)
{
    while (self->depth > depth)
        close(self->fds[self->depth--]);
}

/* `rest` becomes what the link says, and then what was behind it. */
static bool follow(struct descent *self, int link_fd)
{
    char text[PATH_MAX], behind[sizeof(self->rest)];

    ssize_t length = readlinkat(link_fd, "", text, sizeof(text) - 1);
    if (length < 0)
        return false;
    if (++self->links > LINKS_MAX) {
        errno = ELOOP;
        return false;
    }
    text[length] = '\0';
    memcpy(behind, self->rest, sizeof(behind));
    if ((size_t)snprintf(self->rest, sizeof(self->rest), "%s/%s", text, behind) >=
        sizeof(self->rest)) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (text[0] == '/')
        climb_to(self, 0);
    return true;
}

static bool go_down(struct descent *self, const char *name)
{
    if (self->depth == DEPTH_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    int fd = openat(self->fds[self->depth], name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;
    if (fd < 0)
        return false;
    if (fstat(fd, &status) == 0 && !S_ISLNK(status.st_mode)) {
        self->fds[++self->depth] = fd;
        return true;
    }
    bool is_followed = follow(self, fd);
    int cause = errno;
    close(fd);
    errno = cause;
    return is_followed;
}

/* The first name of `rest`, which loses it. False after the last; too long a name is cut. */
static bool next_name(struct descent *self, char name[static NAME_MAX + 2])
{
    const char *start = self->rest + strspn(self->rest, "/");
    size_t length = strcspn(start, "/");

    snprintf(name, NAME_MAX + 2, "%.*s", (int)length, start);
    memmove(self->rest, start + length, strlen(start + length) + 1);
    return length > 0;
}

static int descend(int root_fd, const char *path)
{
    struct descent self = {.fds = {root_fd}};
    char name[NAME_MAX + 2];
    size_t length = strlen(path);
    bool goes_on = length > 0 && length < sizeof(self.rest);

    errno = length > 0 ? ENAMETOOLONG : ENOENT;
    if (goes_on)
        memcpy(self.rest, path, length + 1);
    while (goes_on && next_name(&self, name)) {
        if (strcmp(name, "..") == 0)
            climb_to(&self, self.depth > 0 ? self.depth - 1 : 0);
        else if (strcmp(name, ".") != 0)
            goes_on = go_down(&self, name);
    }
    int found = goes_on ? fcntl(self.fds[self.depth], F_DUPFD_CLOEXEC, 0) : -1;
    int cause = errno;
    climb_to(&self, 0);
    errno = cause;
    return found;
}

static int open_in_root(int root_fd, const char *path)
{
    char through[64];

    _cleanup_close_ int found = descend(root_fd, path);
    if (found < 0)
        return -1;
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
