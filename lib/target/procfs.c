#include "target/procfs.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/vec.h"

/* maps of a process with a million mappings is some 100 MB; more is not a process of this world. */
#define FILE_BYTES_MAX ((size_t)1 << 30)
#define ENVIRONMENT_BYTES_MAX ((size_t)1 << 20)
#define FIRST_BUFFER_BYTES ((size_t)16 << 10)

char *pht_procfs_read_start(int directory_fd, const char *name, size_t limit, size_t *size)
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
        got = read(fd, text + used, capacity - used - 1);
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

char *pht_procfs_read(int directory_fd, const char *name, size_t *size)
{
    size_t got = 0;
    char *text = pht_procfs_read_start(directory_fd, name, FILE_BYTES_MAX, &got);

    if (got == FILE_BYTES_MAX) {
        free(text);
        errno = ENOMEM;
        return NULL;
    }
    if (text != NULL && size != NULL)
        *size = got;
    return text;
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
 * from the last ')'. After it: state is field 3, minflt 10, majflt 12, num_threads 20,
 * starttime 22, startstack 28; flags, field 9, has PF_KTHREAD (0x00200000).
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
    ret->minor_faults = fields[10];
    ret->major_faults = fields[12];
    ret->threads = (uint32_t)fields[20];
    ret->start_time_ticks = fields[22];
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

bool pht_procfs_read_status(int process_fd, struct pht_procfs_status *ret)
{
    *ret = (struct pht_procfs_status){0};
    _cleanup_free_ char *stat = pht_procfs_read(process_fd, "stat", NULL);
    if (stat == NULL)
        return false;
    _cleanup_free_ char *status = pht_procfs_read(process_fd, "status", NULL);
    if (status == NULL)
        return false;
    const char *uids = find_field(status, "Uid");
    const char *tracer = find_field(status, "TracerPid");
    int tracer_pid = 0;
    if (!parse_stat(stat, ret) || uids == NULL ||
        sscanf(uids, "%u %u %u", &ret->ruid, &ret->euid, &ret->suid) != 3 ||
        (tracer != NULL && sscanf(tracer, "%d", &tracer_pid) != 1)) {
        errno = EINVAL;
        return false;
    }
    ret->tracer = tracer_pid;
    ret->processors = count_processors(find_field(status, "Cpus_allowed"));
    ret->peak_rss_bytes = pht_procfs_kib_field(status, "VmHWM");
    return true;
}

/* The kernel writes newline, and only newline, in a name as "\012". */
static void unescape_name(char *name)
{
    char *out = name;

    for (const char *in = name; *in != '\0';) {
        if (strncmp(in, "\\012", 4) == 0) {
            *out++ = '\n';
            in += 4;
        } else {
            *out++ = *in++;
        }
    }
    *out = '\0';
}

/* One line, NUL-terminated and modified: the name is cut out of it in place. */
static bool parse_maps_line(char *line, struct pht_mapping *ret)
{
    static const char deleted[] = " (deleted)";
    char perms[5];
    int name_at = -1;

    *ret = (struct pht_mapping){0};
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &ret->start,
               &ret->end, perms, &ret->offset, &ret->dev_major, &ret->dev_minor, &ret->inode,
               &name_at) != 7 ||
        name_at < 0 || strlen(perms) != 4)
        return false;
    ret->readable = perms[0] == 'r';
    ret->writable = perms[1] == 'w';
    ret->executable = perms[2] == 'x';
    ret->shared = perms[3] == 's';
    char *name = line + name_at;
    size_t length = strlen(name), suffix = sizeof(deleted) - 1;
    if (length > suffix && strcmp(name + length - suffix, deleted) == 0) {
        ret->deleted = true;
        name[length - suffix] = '\0';
    }
    unescape_name(name);
    ret->name = name;
    return ret->start < ret->end && ret->start % PHT_PAGE_BYTES == 0 &&
           ret->end % PHT_PAGE_BYTES == 0;
}

bool pht_procfs_parse_maps(char *text, struct pht_maps *ret)
{
    PHT_VEC(struct pht_mapping) mappings = {0};
    struct pht_mapping mapping;
    char *rest = text, *line;

    while ((line = strsep(&rest, "\n")) != NULL) {
        if (!parse_maps_line(line, &mapping))
            continue;
        if (mappings.count > 0 && mapping.start < mappings.items[mappings.count - 1].end)
            continue;
        if (!pht_vec_push(&mappings, mapping)) {
            free(mappings.items);
            return false;
        }
    }
    *ret = (struct pht_maps){.items = mappings.items, .count = mappings.count, .names = text};
    return true;
}

void pht_maps_deinit(struct pht_maps *maps)
{
    free(maps->items);
    free(maps->names);
    *maps = (struct pht_maps){0};
}

const struct pht_mapping *pht_maps_find(const struct pht_maps *maps, pht_addr addr)
{
    size_t low = 0, high = maps->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (maps->items[middle].end <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == maps->count || maps->items[low].start > addr)
        return NULL;
    return &maps->items[low];
}

/*
 * smaps is a header line as in maps, then lines "Rss:     1234 kB". A mapping's pages that are
 * not anonymous are shmem where nothing backs it but shared memory, else file pages.
 */
struct smaps_sum {
    struct pht_kernel_memory *total;
    bool shmem;
    bool gate;
    uint64_t rss;
    uint64_t anonymous;
};

static bool is_shmem_name(const char *name)
{
    return strncmp(name, "/dev/shm/", 9) == 0 || strncmp(name, "/dev/zero", 9) == 0 ||
           strncmp(name, "/memfd:", 7) == 0 || strncmp(name, "/SYSV", 5) == 0 ||
           strncmp(name, "[anon_shmem:", 12) == 0;
}

static void close_mapping(struct smaps_sum *sum)
{
    uint64_t backed = sum->rss > sum->anonymous ? sum->rss - sum->anonymous : 0;

    if (sum->shmem)
        sum->total->shmem_bytes += backed;
    else
        sum->total->file_bytes += backed;
    sum->rss = sum->anonymous = 0;
}

static void add_smaps_field(struct smaps_sum *sum, const char *key, uint64_t bytes)
{
    if (strcmp(key, "Rss") == 0) {
        sum->rss = bytes;
        sum->total->rss_bytes += bytes;
    } else if (strcmp(key, "Anonymous") == 0) {
        sum->anonymous = bytes;
        sum->total->anon_bytes += bytes;
    } else if (strcmp(key, "Size") == 0) {
        sum->total->virtual_bytes += sum->gate ? 0 : bytes;
    } else if (strcmp(key, "Pss") == 0) {
        sum->total->pss_bytes += bytes;
    } else if (strcmp(key, "Private_Clean") == 0 || strcmp(key, "Private_Dirty") == 0) {
        sum->total->uss_bytes += bytes;
    } else if (strcmp(key, "Swap") == 0) {
        sum->total->swap_bytes += bytes;
    }
}

void pht_procfs_sum_smaps(char *text, struct pht_kernel_memory *ret)
{
    struct smaps_sum sum = {.total = ret};
    struct pht_mapping mapping;
    char *rest = text, *line;

    ret->rss_bytes = ret->anon_bytes = ret->file_bytes = ret->shmem_bytes = 0;
    ret->pss_bytes = ret->uss_bytes = ret->swap_bytes = ret->virtual_bytes = 0;
    while ((line = strsep(&rest, "\n")) != NULL) {
        char *colon = strchr(line, ':');
        uint64_t kib;
        if (isupper((unsigned char)line[0]) && colon != NULL) {
            *colon = '\0';
            if (sscanf(colon + 1, "%" SCNu64 " kB", &kib) == 1 && kib <= UINT64_MAX / 1024)
                add_smaps_field(&sum, line, kib * 1024);
        } else if (parse_maps_line(line, &mapping)) {
            close_mapping(&sum);
            sum.shmem = is_shmem_name(mapping.name);
            /* In everybody's maps, but the kernel's own and not in VmSize. */
            sum.gate = strcmp(mapping.name, "[vsyscall]") == 0;
        }
    }
    close_mapping(&sum);
}
