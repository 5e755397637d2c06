#include "target/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "target/procfs.h"

/* PATH_MAX, and a width that sscanf() can be told. */
#define PATH_BYTES 4096

/* v1 says "no limit" as the largest page-aligned signed number. */
#define V1_NO_LIMIT ((uint64_t)1 << 62)

/*
 * cgroups(7): lines "hierarchy:controllers:path". v2 is "0::/system.slice/shop.service", v1 has
 * one with "memory" among its controllers. Returns the path, cut out of `text` in place.
 */
static const char *find_path(char *text, bool v2)
{
    char *rest = text, *line;

    while ((line = strsep(&rest, "\n")) != NULL) {
        char *controllers = strchr(line, ':');
        char *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (path == NULL)
            continue;
        *path++ = '\0';
        controllers++;
        if (v2 && controllers[0] == '\0')
            return path;
        char *names = controllers, *name;
        while (!v2 && (name = strsep(&names, ",")) != NULL) {
            if (strcmp(name, "memory") == 0)
                return path;
        }
    }
    return NULL;
}

/* mountinfo writes space, tab, newline and backslash as "\040" and so on. */
static void unescape(char *path)
{
    char *out = path;

    for (const char *in = path; *in != '\0'; in++) {
        if (in[0] == '\\' && in[1] >= '0' && in[1] <= '3' && in[2] >= '0' && in[2] <= '7' &&
            in[3] >= '0' && in[3] <= '7') {
            *out++ = (char)((in[1] - '0') * 64 + (in[2] - '0') * 8 + (in[3] - '0'));
            in += 3;
        } else {
            *out++ = *in;
        }
    }
    *out = '\0';
}

/* The group lies outside our cgroup namespace: "/../other". */
static bool leads_upwards(const char *path)
{
    size_t length = strlen(path);

    return strstr(path, "/../") != NULL || (length >= 3 && strcmp(path + length - 3, "/..") == 0);
}

/*
 * A line of mountinfo(5):
 *
 *     35 24 0:30 /shop /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory
 *     id parent dev root mount point         options   - type   source super options
 *
 * Returns mount point + path below `root`, NULL when the hierarchy is not mounted here or the
 * cgroup lies outside what is.
 */
static char *find_directory(char *mountinfo, bool v2, const char *path)
{
    char *rest = mountinfo, *line;

    while ((line = strsep(&rest, "\n")) != NULL) {
        char root[PATH_BYTES], point[PATH_BYTES], type[32], options[256];
        char *separator = strstr(line, " - ");
        if (separator == NULL || sscanf(line, "%*s %*s %*s %4095s %4095s", root, point) != 2 ||
            sscanf(separator, " - %31s %*s %255s", type, options) != 2)
            continue;
        if (strcmp(type, v2 ? "cgroup2" : "cgroup") != 0)
            continue;
        if (!v2 && strstr(options, "memory") == NULL)
            continue;
        unescape(root);
        unescape(point);
        size_t shared = strcmp(root, "/") == 0 ? 0 : strlen(root);
        if (strncmp(path, root, shared) != 0 || (path[shared] != '/' && path[shared] != '\0') ||
            leads_upwards(path))
            continue;
        return pht_text_format("%s%s", point, path + shared);
    }
    return NULL;
}

/* UINT64_MAX for "max"; false when the file is missing or odd, and `*ret` as it was. */
static bool read_number(int directory_fd, const char *name, uint64_t *ret)
{
    _cleanup_free_ char *text = pht_procfs_read(directory_fd, name, NULL);

    if (text == NULL)
        return false;
    if (strncmp(text, "max", 3) == 0) {
        *ret = UINT64_MAX;
        return true;
    }
    return sscanf(text, "%" SCNu64, ret) == 1;
}

/*
 * Lines of memory.events (v2) or memory.oom_control (v1): "oom 7", "oom_kill 2", ... UINT64_MAX
 * where there is no such file, or no such line in it: v1 counts since Linux 4.13.
 */
static uint64_t read_oom_kills(int directory_fd, const char *name)
{
    static const char key[] = "oom_kill ";
    _cleanup_free_ char *text = pht_procfs_read(directory_fd, name, NULL);
    char *rest = text, *line;
    uint64_t count;

    while (rest != NULL && (line = strsep(&rest, "\n")) != NULL) {
        if (strncmp(line, key, sizeof(key) - 1) == 0 &&
            sscanf(line + sizeof(key) - 1, "%" SCNu64, &count) == 1)
            return count;
    }
    return UINT64_MAX;
}

/* Limit and use are always there; the rest is newer, or not of the root group. */
static bool read_files(int fd, bool v2, struct pht_cgroup_memory *ret)
{
    *ret = (struct pht_cgroup_memory){.high_bytes = UINT64_MAX, .peak_bytes = UINT64_MAX};
    if (!read_number(fd, v2 ? "memory.max" : "memory.limit_in_bytes", &ret->limit_bytes) ||
        !read_number(fd, v2 ? "memory.current" : "memory.usage_in_bytes", &ret->current_bytes))
        return false;
    if (!v2 && ret->limit_bytes >= V1_NO_LIMIT)
        ret->limit_bytes = UINT64_MAX;
    if (v2)
        read_number(fd, "memory.high", &ret->high_bytes);
    read_number(fd, v2 ? "memory.peak" : "memory.max_usage_in_bytes", &ret->peak_bytes);
    ret->oom_kills = read_oom_kills(fd, v2 ? "memory.events" : "memory.oom_control");
    return true;
}

static bool read_hierarchy(int proc_fd, int process_fd, bool v2, struct pht_cgroup_memory *ret)
{
    _cleanup_free_ char *groups = pht_procfs_read(process_fd, "cgroup", NULL);
    _cleanup_free_ char *mounts = pht_procfs_read(proc_fd, "self/mountinfo", NULL);

    if (groups == NULL || mounts == NULL)
        return false;
    const char *path = find_path(groups, v2);
    _cleanup_free_ char *directory = path != NULL ? find_directory(mounts, v2, path) : NULL;
    if (directory == NULL)
        return false;
    _cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && read_files(fd, v2, ret);
}

void pht_cgroup_read(int proc_fd, int process_fd, struct pht_cgroup_memory *ret)
{
    *ret = (struct pht_cgroup_memory){0};
    ret->known = read_hierarchy(proc_fd, process_fd, true, ret) ||
                 read_hierarchy(proc_fd, process_fd, false, ret);
}
