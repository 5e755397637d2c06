#include "target/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "target/priority.h"

/* maps of a process with a million mappings is some 100 MB; more is not a process of this world. */
#define FILE_BYTES_MAX ((size_t)1 << 30)
#define ENVIRONMENT_BYTES_MAX ((size_t)1 << 20)
#define FIRST_BUFFER_BYTES ((size_t)16 << 10)

static ssize_t read_part(int fd, char *buffer, size_t size)
{
    return read(fd, buffer, size);
}

static ssize_t read_part_walked(int fd, char *buffer, size_t size)
{
    bool yielded = pht_priority_hold_on();
    ssize_t got = read(fd, buffer, size);
    int cause = errno;

    pht_priority_let_go(yielded);
    errno = cause;
    return got;
}

/* At most `limit` bytes, by parts. */
static char *read_parts(int directory_fd, const char *name, size_t limit,
                        ssize_t (*read_one)(int, char *, size_t), size_t *size)
{
    _cleanup_close_ int fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    _cleanup_free_ char *text = NULL;
    size_t used = 0, capacity = 0;
    for (ssize_t got = 1; got != 0 && used < limit;) {
        if (capacity - used < 2) {
            size_t fresh = capacity == 0 ? FIRST_BUFFER_BYTES : capacity * 2;
            fresh = fresh <= limit ? fresh : limit + 1;
            char *grown = realloc(text, fresh);
            if (grown == NULL) {
                errno = ENOMEM;
                return NULL;
            }
            text = grown;
            capacity = fresh;
        }
        got = read_one(fd, text + used, capacity - used - 1);
        if (got < 0 && errno != EINTR)
            return NULL;
        if (got > 0)
            used += (size_t)got;
    }
    text[used] = '\0';
    if (size != NULL)
        *size = used;
    return pht_take_ptr(text);
}

char *pht_procfs_read_start(int directory_fd, const char *name, size_t limit, size_t *size)
{
    return read_parts(directory_fd, name, limit, read_part, size);
}

/* Takes `text`, of which `got` bytes were read; NULL if there is more of it. */
static char *check_whole(char *text, size_t got, size_t *size)
{
    if (got == FILE_BYTES_MAX) {
        free(text);
        errno = ENOMEM;
        return NULL;
    }
    if (text != NULL && size != NULL)
        *size = got;
    return text;
}

char *pht_procfs_read(int directory_fd, const char *name, size_t *size)
{
    size_t got = 0;
    char *text = read_parts(directory_fd, name, FILE_BYTES_MAX, read_part, &got);

    return check_whole(text, got, size);
}

char *pht_procfs_read_walked(int directory_fd, const char *name)
{
    size_t got = 0;
    char *text = read_parts(directory_fd, name, FILE_BYTES_MAX, read_part_walked, &got);

    return check_whole(text, got, NULL);
}

char *pht_procfs_read_environment(int process_fd, size_t *size)
{
    char *text = pht_procfs_read_start(process_fd, "environ", ENVIRONMENT_BYTES_MAX, size);

    if (text == NULL || *size < ENVIRONMENT_BYTES_MAX)
        return text;
    while (*size > 0 && text[*size - 1] != '\0')
        (*size)--;
    text[*size] = '\0';
    return text;
}

/*
 * 48213 (celery: (a) b) S 48190 48190 ... : the command may hold anything, so fields are counted
 * from the last ')'. After it: state is field 3, ppid 4, minflt 10, majflt 12, num_threads 20,
 * starttime 22, startcode 26, startstack 28; flags, field 9, has PF_KTHREAD (0x00200000).
 */
static bool parse_stat(const char *text, struct pht_procfs_status *ret)
{
    const char *at = strrchr(text, ')');
    uint64_t fields[29] = {0};
    int field = 4;

    if (at == NULL || at[1] != ' ' || at[2] == '\0')
        return false;
    ret->state = at[2];
    at += 3;
    for (; field <= 28; field++) {
        char *end;
        errno = 0;
        fields[field] = strtoull(at, &end, 10);
        if (end == at || errno != 0)
            return false;
        at = end;
    }
    ret->kernel_thread = (fields[9] & 0x00200000) != 0;
    ret->ppid = fields[4] <= INT_MAX ? (pid_t)fields[4] : 0;
    ret->minor_faults = fields[10];
    ret->major_faults = fields[12];
    ret->threads = (uint32_t)fields[20];
    ret->start_time_ticks = fields[22];
    ret->code_start = fields[26];
    ret->stack_start = fields[28];
    return true;
}

static const char *find_field(const char *text, const char *key)
{
    size_t length = strlen(key);

    for (const char *line = text; line != NULL && *line != '\0';) {
        if (strncmp(line, key, length) == 0 && line[length] == ':')
            return line + length + 1;
        line = strchr(line, '\n');
        if (line != NULL)
            line++;
    }
    return NULL;
}

uint64_t pht_procfs_kib_field(const char *text, const char *key)
{
    const char *value = find_field(text, key);
    uint64_t kib;

    if (value == NULL || sscanf(value, "%" SCNu64, &kib) != 1 || kib > UINT64_MAX / 1024)
        return UINT64_MAX;
    return kib * 1024;
}

/* "Cpus_allowed:   f0,ffffffff": a mask in hex, 32 processors a group. */
static uint32_t count_processors(const char *mask)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t count = 0;

    if (mask == NULL)
        return 0;
    for (mask += strspn(mask, "\t "); *mask != '\n' && *mask != '\0'; mask++) {
        const char *digit = strchr(digits, *mask);
        if (digit != NULL)
            count += (uint32_t)__builtin_popcount((unsigned)(digit - digits));
        else if (*mask != ',')
            return 0;
    }
    return count;
}

bool pht_procfs_read_stat(int process_fd, struct pht_procfs_status *ret)
{
    *ret = (struct pht_procfs_status){0};
    _cleanup_free_ char *stat = pht_procfs_read(process_fd, "stat", NULL);
    if (stat == NULL)
        return false;
    if (parse_stat(stat, ret))
        return true;
    errno = EINVAL;
    return false;
}

bool pht_procfs_read_status(int process_fd, struct pht_procfs_status *ret)
{
    if (!pht_procfs_read_stat(process_fd, ret))
        return false;
    _cleanup_free_ char *status = pht_procfs_read(process_fd, "status", NULL);
    if (status == NULL)
        return false;
    const char *uids = find_field(status, "Uid");
    const char *tracer = find_field(status, "TracerPid");
    int tracer_pid = 0;
    if (uids == NULL || sscanf(uids, "%u %u %u", &ret->ruid, &ret->euid, &ret->suid) != 3 ||
        (tracer != NULL && sscanf(tracer, "%d", &tracer_pid) != 1)) {
        errno = EINVAL;
        return false;
    }
    ret->tracer = tracer_pid;
    ret->processors = count_processors(find_field(status, "Cpus_allowed"));
    ret->peak_rss_bytes = pht_procfs_kib_field(status, "VmHWM");
    return true;
}
