#include "support/fake_target.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/sorted.h"
#include "target/ops.h"

#define FAKE_INODE 4711

static size_t page_count(const struct fake_mapping *mapping)
{
    return (size_t)((mapping->end - mapping->start) / PHT_PAGE_BYTES);
}

static bool holds(const struct fake_mapping *mapping, pht_addr addr)
{
    return addr >= mapping->start && addr < mapping->end;
}

static struct fake_mapping *find(struct fake_target *fake, pht_addr addr)
{
    struct fake_mapping *items = fake->mappings.items;

    if (fake->last_found < fake->mappings.count && holds(&items[fake->last_found], addr))
        return &items[fake->last_found];
    for (size_t i = 0; i < fake->mappings.count; i++) {
        if (holds(&items[i], addr)) {
            fake->last_found = i;
            return &items[i];
        }
    }
    return NULL;
}

/* ---- operations --------------------------------------------------------------------------- */

/* The test owns the fake, and looks at its record when the target is long gone. */
static void fake_destroy(void *self)
{
    (void)self;
}

static struct pht_error *fake_check(void *self)
{
    struct fake_target *fake = self;

    fake->checks++;
    return fake->has_ended ? pht_error_create(PHT_ERROR_EXITED_EARLY, "pid 42 ended") : NULL;
}

static struct pht_error *fake_read_environment(void *self, char **ret, size_t *bytes)
{
    struct fake_target *fake = self;

    *bytes = fake->environment_bytes;
    *ret = NULL;
    if (fake->environment == NULL)
        return NULL;
    *ret = malloc(*bytes + 1);
    ck_assert_ptr_nonnull(*ret);
    memcpy(*ret, fake->environment, *bytes);
    (*ret)[*bytes] = '\0';
    return NULL;
}

static bool is_there(const struct fake_mapping *mapping)
{
    return !mapping->gone && mapping->cut > mapping->start;
}

static struct pht_mapping describe(const struct fake_mapping *mapping)
{
    return (struct pht_mapping){
        .start = mapping->start,
        .end = mapping->cut,
        .offset = mapping->offset,
        .inode = mapping->inode,
        .readable = !(mapping->kind & FAKE_UNREADABLE),
        .writable = !(mapping->kind & (FAKE_UNREADABLE | FAKE_READ_ONLY)),
        .executable = mapping->kind & FAKE_EXECUTABLE,
        .shared = mapping->kind & FAKE_SHARED,
        .name = mapping->name,
    };
}

static void list_mappings(const struct fake_target *fake, struct pht_maps *ret)
{
    *ret = (struct pht_maps){.items = calloc(fake->mappings.count + 1, sizeof(*ret->items))};
    ck_assert_ptr_nonnull(ret->items);
    for (size_t i = 0; i < fake->mappings.count; i++) {
        if (is_there(&fake->mappings.items[i]))
            ret->items[ret->count++] = describe(&fake->mappings.items[i]);
    }
}

static struct pht_error *fake_read_maps(void *self, struct pht_maps *ret)
{
    struct fake_target *fake = self;

    pthread_mutex_lock(&fake->lock);
    bool fails = ++fake->maps_reads == fake->failing_maps_read;
    if (!fails)
        list_mappings(fake, ret);
    pthread_mutex_unlock(&fake->lock);
    return fails ? pht_error_create(PHT_ERROR_INTERNAL, "maps cannot be read") : NULL;
}

/* Of a fork, or of several processes. */
static bool is_shared(const struct fake_mapping *mapping)
{
    return (mapping->kind & (FAKE_SHARED | FAKE_FORKED)) != 0;
}

/* As of a process without relatives: what is private is mapped by nobody else. */
static struct pht_mapping_memory add_up(const struct fake_mapping *mapping)
{
    struct pht_mapping_memory memory = {0};
    bool shared = is_shared(mapping);

    for (size_t i = 0; i < (mapping->cut - mapping->start) / PHT_PAGE_BYTES; i++) {
        memory.rss_bytes += mapping->pages[i] == FAKE_RESIDENT ? PHT_PAGE_BYTES : 0;
        memory.swap_bytes += mapping->pages[i] == FAKE_SWAPPED ? PHT_PAGE_BYTES : 0;
    }
    memory.pss_bytes = memory.rss_bytes;
    memory.exclusive_bytes = shared ? 0 : memory.rss_bytes;
    memory.shared_bytes = shared ? memory.rss_bytes : 0;
    memory.anonymous_bytes = mapping->kind & (FAKE_SHARED | FAKE_FILE) ? 0 : memory.rss_bytes;
    return memory;
}

static struct pht_error *fake_read_smaps(void *self, struct pht_smaps *ret)
{
    struct fake_target *fake = self;
    size_t count = 0;

    if (fake->smaps_fail)
        return pht_error_create(PHT_ERROR_INTERNAL, "smaps cannot be read");
    list_mappings(fake, &ret->maps);
    ret->memory = calloc(fake->mappings.count + 1, sizeof(*ret->memory));
    ck_assert_ptr_nonnull(ret->memory);
    for (size_t i = 0; i < fake->mappings.count; i++) {
        if (is_there(&fake->mappings.items[i]))
            ret->memory[count++] = add_up(&fake->mappings.items[i]);
    }
    return NULL;
}

static int fake_open_mapped(void *self, const struct pht_mapping *mapping)
{
    struct fake_target *fake = self;
    const struct fake_mapping *found = find(fake, mapping->start);

    if (!fake->has_files || found == NULL || !(found->kind & FAKE_FILE)) {
        errno = ENOENT;
        return -1;
    }
    size_t size = found->end - found->start - fake->file_tail;
    int fd = memfd_create("fake", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, found->bytes, size, (off_t)found->offset), (ssize_t)size);
    fake->opened_files++;
    return fd;
}

static int fake_open_path(void *self, const char *path)
{
    (void)self;
    (void)path;
    errno = ENOENT;
    return -1;
}

static bool may_read(const struct fake_mapping *mapping, size_t page)
{
    return mapping != NULL && !(mapping->kind & (FAKE_SHARED | FAKE_UNREADABLE)) &&
           mapping->told[page] == FAKE_RESIDENT;
}

/* Of one page. False: the read ends here, as it does at a hole. */
static bool read_page(struct fake_target *fake, struct pht_read *read, uint32_t bytes)
{
    pht_addr addr = read->addr + read->got;
    struct fake_mapping *mapping = find(fake, addr);
    size_t page = mapping != NULL ? (size_t)((addr - mapping->start) / PHT_PAGE_BYTES) : 0;

    bool harms = mapping != NULL && mapping->kind & FAKE_FORKED && read->exclusive;
    if ((!may_read(mapping, page) || harms) && fake->forbidden_reads++ == 0)
        fake->first_forbidden = addr;
    if (mapping == NULL || mapping->gone || addr >= mapping->cut || mapping->kind & FAKE_UNREADABLE)
        return false;
    memcpy((char *)read->buffer + read->got, mapping->bytes + (addr - mapping->start), bytes);
    read->got += bytes;
    fake->read_bytes += bytes;
    return true;
}

static void read_range(struct fake_target *fake, struct pht_read *read)
{
    read->got = 0;
    fake->read_count++;
    if (read->size > fake->largest_read)
        fake->largest_read = read->size;
    if (fake->on_read != NULL)
        fake->on_read(fake, fake->read_count, read->addr, fake->context);
    while (read->got < read->size) {
        uint32_t bytes =
            (uint32_t)(PHT_PAGE_BYTES - (read->addr + read->got) % (uint64_t)PHT_PAGE_BYTES);
        if (bytes > read->size - read->got)
            bytes = read->size - read->got;
        if (!read_page(fake, read, bytes))
            break;
    }
}

/* What several threads of a walker do at once comes one after the other here. */
static void fake_read(void *self, struct pht_read *reads, size_t count)
{
    struct fake_target *fake = self;

    pthread_mutex_lock(&fake->lock);
    for (size_t i = 0; i < count; i++)
        read_range(fake, &reads[i]);
    pthread_mutex_unlock(&fake->lock);
}

static void scan_mapping(struct fake_mapping *mapping, pht_addr start, pht_addr end,
                         uint64_t *resident, uint64_t *swapped)
{
    pht_addr from = mapping->start > start ? mapping->start : start;
    pht_addr to = mapping->end < end ? mapping->end : end;

    for (pht_addr at = from; at < to; at += PHT_PAGE_BYTES) {
        size_t page = (size_t)((at - mapping->start) / PHT_PAGE_BYTES);
        size_t bit = (size_t)((at - start) / PHT_PAGE_BYTES);
        bool gone = mapping->gone || at >= mapping->cut;
        mapping->told[page] = gone ? FAKE_ABSENT : mapping->pages[page];
        if (mapping->told[page] == FAKE_RESIDENT)
            resident[bit / 64] |= (uint64_t)1 << bit % 64;
        if (mapping->told[page] == FAKE_SWAPPED)
            swapped[bit / 64] |= (uint64_t)1 << bit % 64;
    }
}

static struct pht_error *scan_pages(struct fake_target *fake, pht_addr start, pht_addr end,
                                    uint64_t *resident, uint64_t *swapped)
{
    size_t words = (size_t)((end - start) / PHT_PAGE_BYTES + 63) / 64;

    /* Bare conditions: every ck_assert writes a line to a file, and this runs a million times. */
    if (start % PHT_PAGE_BYTES != 0 || end % PHT_PAGE_BYTES != 0)
        ck_abort_msg("scan of parts of pages");
    if (++fake->scans > fake->scan_limit && fake->scan_limit != 0)
        ck_abort_msg("scans without end");
    if (fake->scans_fail)
        return pht_error_create(PHT_ERROR_INTERNAL, "the page map cannot be read");
    memset(resident, 0, words * sizeof(*resident));
    memset(swapped, 0, words * sizeof(*swapped));
    for (size_t i = 0; i < fake->mappings.count; i++)
        scan_mapping(&fake->mappings.items[i], start, end, resident, swapped);
    return NULL;
}

static struct pht_error *scan_exclusive(struct fake_target *fake, pht_addr start, pht_addr end,
                                        const uint64_t *resident, uint64_t *exclusive)
{
    size_t pages = (size_t)((end - start) / PHT_PAGE_BYTES);

    if (fake->scans_fail)
        return pht_error_create(PHT_ERROR_INTERNAL, "the page map cannot be read");
    memset(exclusive, 0, (pages + 63) / 64 * sizeof(*exclusive));
    for (size_t i = 0; i < pages; i++) {
        if (!(resident[i / 64] >> i % 64 & 1))
            continue;
        const struct fake_mapping *mapping = find(fake, start + i * PHT_PAGE_BYTES);
        if (mapping != NULL && !is_shared(mapping))
            exclusive[i / 64] |= (uint64_t)1 << i % 64;
    }
    return NULL;
}

static struct pht_error *fake_scan_pages(void *self, pht_addr start, pht_addr end,
                                         uint64_t *resident, uint64_t *swapped)
{
    struct fake_target *fake = self;

    pthread_mutex_lock(&fake->lock);
    struct pht_error *error = scan_pages(fake, start, end, resident, swapped);
    pthread_mutex_unlock(&fake->lock);
    return error;
}

static struct pht_error *fake_scan_exclusive(void *self, pht_addr start, pht_addr end,
                                             const uint64_t *resident, uint64_t *exclusive)
{
    struct fake_target *fake = self;

    pthread_mutex_lock(&fake->lock);
    struct pht_error *error = scan_exclusive(fake, start, end, resident, exclusive);
    pthread_mutex_unlock(&fake->lock);
    return error;
}

static bool fake_sees_zero_pages(void *self)
{
    struct fake_target *fake = self;

    return !fake->hides_zero_pages;
}

static const struct fake_stop *plan(const struct fake_target *fake)
{
    static const struct fake_stop usual = {.stopped_us = 0};

    return fake->stops <= FAKE_STOPS_MAX ? &fake->stop_plan[fake->stops - 1] : &usual;
}

static struct pht_error *fake_stop(void *self, uint64_t max_us, enum pht_stop_outcome *ret)
{
    struct fake_target *fake = self;

    ck_assert_msg(!fake->stopped, "stopped twice without a resume");
    fake->stops++;
    fake->max_stop_us = max_us;
    if (plan(fake)->stop_fails)
        return pht_error_create(PHT_ERROR_EPERM_YAMA, "pid 42 may not be stopped");
    *ret = plan(fake)->is_left_out ? PHT_STOP_NOT_TRIED
           : plan(fake)->gives_up  ? PHT_STOP_GAVE_UP
                                   : PHT_STOP_STOPPED;
    fake->stopped = *ret == PHT_STOP_STOPPED;
    if (fake->stopped && fake->on_stop != NULL)
        fake->on_stop(fake, fake->context);
    return NULL;
}

static struct pht_error *fake_resume(void *self, uint64_t *stopped_us, bool *expired)
{
    struct fake_target *fake = self;

    ck_assert_msg(fake->stopped, "resumed without a stop");
    fake->stopped = false;
    fake->resumes++;
    if (fake->on_resume != NULL)
        fake->on_resume(fake, fake->context);
    if (plan(fake)->resume_fails)
        return pht_error_create(PHT_ERROR_INTERNAL, "the helper was lost");
    *stopped_us = plan(fake)->stopped_us;
    *expired = plan(fake)->expires;
    return NULL;
}

static struct pht_error *fake_read_counters(void *self, struct pht_kernel_memory *ret)
{
    struct fake_target *fake = self;

    if (fake->counters_fail)
        return pht_error_create(PHT_ERROR_INTERNAL, "status cannot be read");
    ret->peak_rss_bytes = fake->counters.peak_rss_bytes;
    ret->minor_faults = fake->counters.minor_faults;
    ret->major_faults = fake->counters.major_faults;
    return NULL;
}

static void fake_read_cgroup_memory(void *self, struct pht_cgroup_memory *ret)
{
    struct fake_target *fake = self;

    *ret = fake->cgroup;
}

static void copy_own_pages(struct fake_target *fake, int member, const struct fake_mapping *mapping)
{
    bool anonymous = !(mapping->kind & (FAKE_SHARED | FAKE_FILE));

    for (pht_addr at = mapping->start; at < mapping->cut; at += PHT_PAGE_BYTES) {
        struct pht_family_page page = {
            .anonymous = anonymous,
            .exclusive = anonymous,
            .frame = fake->sees_frames ? at / PHT_PAGE_BYTES : 0,
        };
        if (mapping->pages[(at - mapping->start) / PHT_PAGE_BYTES] == FAKE_RESIDENT)
            fake_target_put_relative_page(fake, member, at, page);
    }
}

static void make_alone(struct fake_target *fake)
{
    if (fake->relatives.count == 0)
        fake_target_add_relative(fake, 42, -1);
    fake->is_alone = true;
    fake->relatives.items[0].pages.count = 0;
    for (size_t i = 0; i < fake->mappings.count; i++) {
        if (is_there(&fake->mappings.items[i]))
            copy_own_pages(fake, 0, &fake->mappings.items[i]);
    }
}

static bool fake_read_pages(const struct pht_family *family, size_t member, pht_addr addr,
                            size_t count, struct pht_family_page *ret)
{
    struct fake_target *fake = *(struct fake_target **)family->reader;
    const struct fake_relative *relative = &fake->relatives.items[member];
    const struct fake_relative_page *pages = relative->pages.items;
    size_t i = pht_sorted_find(pages, relative->pages.count, sizeof(*pages), addr);

    if (relative->relative.pagemap_fd < 0)
        return false;
    for (; i < relative->pages.count && pages[i].addr - addr < count * PHT_PAGE_BYTES; i++)
        ret[(pages[i].addr - addr) / PHT_PAGE_BYTES] = pages[i].page;
    return true;
}

static struct pht_error *fake_read_family(void *self, struct pht_family *ret)
{
    struct fake_target *fake = self;

    if (fake->family_fails)
        return pht_error_no_memory();
    if (fake->relatives.count == 0 || fake->is_alone)
        make_alone(fake);
    *ret = (struct pht_family){
        .items = calloc(fake->relatives.count, sizeof(*ret->items)),
        .count = fake->relatives.count,
        .sees_frames = fake->sees_frames,
        .complete = !fake->misses_relatives,
        .read_pages = fake_read_pages,
        .reader = malloc(sizeof(fake)),
    };
    ck_assert_ptr_nonnull(ret->items);
    ck_assert_ptr_nonnull(ret->reader);
    memcpy(ret->reader, &fake, sizeof(fake));
    for (size_t i = 0; i < ret->count; i++) {
        ret->items[i] = fake->relatives.items[i].relative;
        ret->items[i].comm = strdup(ret->items[i].comm);
        /* The family closes what it is given. */
        if (ret->items[i].pagemap_fd >= 0)
            ret->items[i].pagemap_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    return NULL;
}

static pid_t fake_python_child(void *self, char **command)
{
    (void)self;
    *command = NULL;
    return 0;
}

static const struct pht_target_ops fake_ops = {
    .destroy = fake_destroy,
    .check = fake_check,
    .read_environment = fake_read_environment,
    .read_maps = fake_read_maps,
    .open_mapped = fake_open_mapped,
    .open_path = fake_open_path,
    .read = fake_read,
    .scan_pages = fake_scan_pages,
    .scan_exclusive = fake_scan_exclusive,
    .sees_zero_pages = fake_sees_zero_pages,
    .stop = fake_stop,
    .resume = fake_resume,
    .read_smaps = fake_read_smaps,
    .read_counters = fake_read_counters,
    .read_cgroup_memory = fake_read_cgroup_memory,
    .read_family = fake_read_family,
    .python_child = fake_python_child,
};

/* ---- lifetime ----------------------------------------------------------------------------- */

struct fake_target *fake_target_create(void)
{
    static const char command[] = "python3\0service.py";
    struct fake_target *fake = calloc(1, sizeof(*fake));
    struct pht_process process = {
        .pid = 42,
        .start_time_ticks = 1000,
        .uptime_seconds = 65,
        .comm = strdup("python3"),
        .command = malloc(sizeof(command)),
        .command_bytes = sizeof(command),
        .exe = strdup("/usr/bin/python3"),
        .uid = 1000,
        .threads = 1,
        .processors = 1,
    };

    ck_assert_ptr_nonnull(fake);
    pthread_mutex_init(&fake->lock, NULL);
    ck_assert_ptr_nonnull(process.comm);
    ck_assert_ptr_nonnull(process.command);
    ck_assert_ptr_nonnull(process.exe);
    memcpy(process.command, command, sizeof(command));
    ck_assert_ptr_null(pht_target_create(&fake_ops, fake, &process, NULL, &fake->target));
    return fake;
}

/* The target is the fake's own; only its users may not change what it says of the process. */
void fake_target_set_processors(struct fake_target *fake, uint32_t processors)
{
    ((struct pht_process *)pht_target_process(fake->target))->processors = processors;
}

void fake_target_destroy(struct fake_target *fake)
{
    if (fake == NULL)
        return;
    pht_target_destroy(fake->target);
    pthread_mutex_destroy(&fake->lock);
    for (size_t i = 0; i < fake->mappings.count; i++) {
        free(fake->mappings.items[i].bytes);
        free(fake->mappings.items[i].pages);
        free(fake->mappings.items[i].told);
    }
    free(fake->mappings.items);
    for (size_t i = 0; i < fake->relatives.count; i++)
        free(fake->relatives.items[i].pages.items);
    free(fake->relatives.items);
    free(fake);
}

/* ---- memory ------------------------------------------------------------------------------- */

void fake_target_map(struct fake_target *fake, pht_addr start, pht_addr end, unsigned kind)
{
    struct fake_mapping mapping = {
        .start = start,
        .end = end,
        .cut = end,
        .kind = kind,
        .inode = kind & FAKE_FILE ? FAKE_INODE : 0,
        .name = "",
    };
    size_t pages = page_count(&mapping), slot = 0;

    mapping.bytes = malloc(pages * PHT_PAGE_BYTES);
    mapping.pages = calloc(pages, 1);
    mapping.told = calloc(pages, 1);
    ck_assert_ptr_nonnull(mapping.bytes);
    ck_assert_ptr_nonnull(mapping.pages);
    ck_assert_ptr_nonnull(mapping.told);
    memset(mapping.bytes, FAKE_POISON, pages * PHT_PAGE_BYTES);
    ck_assert(pht_vec_reserve(&fake->mappings, fake->mappings.count + 1));
    struct fake_mapping *items = fake->mappings.items;
    while (slot < fake->mappings.count && items[slot].start < start)
        slot++;
    ck_assert(slot == 0 || items[slot - 1].end <= start);
    ck_assert(slot == fake->mappings.count || end <= items[slot].start);
    memmove(items + slot + 1, items + slot, (fake->mappings.count - slot) * sizeof(*items));
    items[slot] = mapping;
    fake->mappings.count++;
}

void fake_target_split(struct fake_target *fake, pht_addr addr)
{
    struct fake_mapping *first = find(fake, addr);
    ck_assert_ptr_nonnull(first);
    struct fake_mapping whole = *first;
    size_t before = (size_t)(addr - whole.start) / PHT_PAGE_BYTES;

    first->end = first->cut = addr;
    fake_target_map(fake, addr, whole.end, whole.kind);
    struct fake_mapping *second = find(fake, addr);
    size_t pages = page_count(second);
    memcpy(second->bytes, whole.bytes + before * PHT_PAGE_BYTES, pages * PHT_PAGE_BYTES);
    memcpy(second->pages, whole.pages + before, pages);
    memcpy(second->told, whole.told + before, pages);
    second->name = whole.name;
}

void fake_target_unmap(struct fake_target *fake, pht_addr start)
{
    struct fake_mapping *mapping = find(fake, start);

    ck_assert_ptr_nonnull(mapping);
    mapping->gone = true;
}

void fake_target_set_name(struct fake_target *fake, pht_addr start, const char *name)
{
    struct fake_mapping *mapping = find(fake, start);

    ck_assert_ptr_nonnull(mapping);
    mapping->name = name;
}

void fake_target_set_file(struct fake_target *fake, pht_addr start, uint64_t inode, uint64_t offset)
{
    struct fake_mapping *mapping = find(fake, start);

    ck_assert_ptr_nonnull(mapping);
    mapping->inode = inode;
    mapping->offset = offset;
}

void fake_target_cut(struct fake_target *fake, pht_addr start, pht_addr end)
{
    struct fake_mapping *mapping = find(fake, start);

    ck_assert_ptr_nonnull(mapping);
    ck_assert(end >= mapping->start && end <= mapping->end && end % PHT_PAGE_BYTES == 0);
    mapping->cut = end;
}

void fake_target_set_kind(struct fake_target *fake, pht_addr start, unsigned kind)
{
    struct fake_mapping *mapping = find(fake, start);

    ck_assert_ptr_nonnull(mapping);
    mapping->kind = kind;
}

void fake_target_set_pages(struct fake_target *fake, pht_addr start, pht_addr end,
                           enum fake_page page)
{
    for (pht_addr at = start - start % PHT_PAGE_BYTES; at < end; at += PHT_PAGE_BYTES) {
        struct fake_mapping *mapping = find(fake, at);
        if (mapping == NULL)
            ck_abort_msg("no mapping");
        size_t i = (size_t)((at - mapping->start) / PHT_PAGE_BYTES);
        if (page == FAKE_RESIDENT && mapping->pages[i] == FAKE_ABSENT)
            memset(mapping->bytes + (at - mapping->start), 0, PHT_PAGE_BYTES);
        if (page == FAKE_ABSENT)
            memset(mapping->bytes + (at - mapping->start), FAKE_POISON, PHT_PAGE_BYTES);
        mapping->pages[i] = (uint8_t)page;
    }
}

void *fake_target_bytes(struct fake_target *fake, pht_addr addr, size_t size)
{
    struct fake_mapping *mapping = find(fake, addr);

    if (mapping == NULL || mapping->end - addr < size)
        ck_abort_msg("not in one mapping");
    return mapping->bytes + (addr - mapping->start);
}

void fake_target_put(struct fake_target *fake, pht_addr addr, const void *bytes, size_t size)
{
    memcpy(fake_target_bytes(fake, addr, size), bytes, size);
}

void fake_target_put_u32(struct fake_target *fake, pht_addr addr, uint32_t value)
{
    fake_target_put(fake, addr, &value, sizeof(value));
}

void fake_target_put_u64(struct fake_target *fake, pht_addr addr, uint64_t value)
{
    fake_target_put(fake, addr, &value, sizeof(value));
}

uint32_t fake_target_u32(struct fake_target *fake, pht_addr addr)
{
    uint32_t value;

    memcpy(&value, fake_target_bytes(fake, addr, sizeof(value)), sizeof(value));
    return value;
}

uint64_t fake_target_u64(struct fake_target *fake, pht_addr addr)
{
    uint64_t value;

    memcpy(&value, fake_target_bytes(fake, addr, sizeof(value)), sizeof(value));
    return value;
}

/* ---- relatives ---------------------------------------------------------------------------- */

int fake_target_add_relative(struct fake_target *fake, pid_t pid, int parent)
{
    struct pht_relative relative = {
        .pid = pid,
        .ppid = 1,
        .comm = "python3",
        .rss_bytes = UINT64_MAX,
        .pss_bytes = UINT64_MAX,
        .is_target = pid == 42,
        .parent = parent,
    };

    ck_assert(!fake->is_alone);
    ck_assert_int_lt(parent, (int)fake->relatives.count);
    if (parent >= 0)
        relative.ppid = fake->relatives.items[parent].relative.pid;
    ck_assert(pht_vec_push(&fake->relatives, ((struct fake_relative){.relative = relative})));
    return (int)fake->relatives.count - 1;
}

void fake_target_put_relative_page(struct fake_target *fake, int member, pht_addr addr,
                                   struct pht_family_page page)
{
    struct fake_relative *relative = &fake->relatives.items[member];
    size_t count = relative->pages.count;

    if (count > 0 && relative->pages.items[count - 1].addr >= addr)
        ck_abort_msg("pages out of order");
    if (!pht_vec_push(&relative->pages, ((struct fake_relative_page){.addr = addr, .page = page})))
        ck_abort_msg("no memory");
}

void fake_target_reset_record(struct fake_target *fake)
{
    fake->stops = fake->resumes = fake->maps_reads = fake->scans = fake->checks = 0;
    fake->read_count = fake->read_bytes = fake->largest_read = fake->forbidden_reads = 0;
}
