#include "support/heap_ledger.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define PARTS_MAX 4

struct part {
    enum pht_category category;
    uint64_t bytes;
};

struct row {
    pht_addr start;
    uint64_t size;
    const char *perms;
    const char *name;
    enum pht_mapping_kind kind;
    struct part parts[PARTS_MAX];
    uint64_t shared;
};

#define P(bytes)                                                                                   \
    {                                                                                              \
        PHT_CATEGORY_PYTHON_SMALL, bytes                                                           \
    }
#define p(bytes)                                                                                   \
    {                                                                                              \
        PHT_CATEGORY_PYMALLOC_SLACK, bytes                                                         \
    }
#define L(bytes)                                                                                   \
    {                                                                                              \
        PHT_CATEGORY_PYTHON_LARGE, bytes                                                           \
    }
#define N(bytes)                                                                                   \
    {                                                                                              \
        PHT_CATEGORY_MALLOC_UNOWNED, bytes                                                         \
    }
#define f(bytes)                                                                                   \
    {                                                                                              \
        PHT_CATEGORY_MALLOC_FREE, bytes                                                            \
    }
#define t(bytes)                                                                                   \
    {                                                                                              \
        PHT_CATEGORY_MALLOC_TOP, bytes                                                             \
    }
#define M(bytes)                                                                                   \
    {                                                                                              \
        PHT_CATEGORY_MALLOC_MMAPPED, bytes                                                         \
    }
#define A(bytes)                                                                                   \
    {                                                                                              \
        PHT_CATEGORY_OTHER_ALLOCATOR, bytes                                                        \
    }
#define F(bytes)                                                                                   \
    {                                                                                              \
        PHT_CATEGORY_FILES, bytes                                                                  \
    }
#define S(bytes)                                                                                   \
    {                                                                                              \
        PHT_CATEGORY_STACKS, bytes                                                                 \
    }
#define H(bytes)                                                                                   \
    {                                                                                              \
        PHT_CATEGORY_SHARED_MEMORY, bytes                                                          \
    }
#define U(bytes)                                                                                   \
    {                                                                                              \
        PHT_CATEGORY_UNATTRIBUTED, bytes                                                           \
    }

static const struct row rows[] = {
    {0x55d0c7800000,
     4 * MIB,
     "r-xp",
     "/usr/bin/python3.11",
     PHT_MAPPING_FILE,
     {F(2 * MIB)},
     2 * MIB},
    {0x55d0c8a3e000,
     512 * MIB,
     "rw-p",
     "[heap]",
     PHT_MAPPING_HEAP,
     {N(358 * MIB), f(90 * MIB), t(26 * MIB), U(1 * MIB)},
     37 * MIB},
    {0x7f2ab1200000, 60 * MIB, "rw-p", "", PHT_MAPPING_ANONYMOUS, {U(52 * MIB)}, 0},
    {0x7f2ac0000000, 16 * MIB, "rw-p", "", PHT_MAPPING_OTHER_ALLOCATOR, {A(16 * MIB)}, 0},
    {0x7f2ad4000000, 36 * MIB, "rw-p", "", PHT_MAPPING_MMAPPED, {M(36 * MIB)}, 0},
    {0x7f2ad8a00000, 20 * MIB, "rw-p", "", PHT_MAPPING_MMAPPED, {M(20 * MIB)}, 0},
    {0x7f2ae0000000, 8 * MIB, "rw-p", "", PHT_MAPPING_MMAPPED, {M(6 * MIB)}, 0},
    {0x7f2ae8000000, 2 * MIB, "rw-p", "", PHT_MAPPING_ANONYMOUS, {U(2 * MIB)}, 0},
    {0x7f2aea000000, 1 * MIB, "rw-p", "[anon: ring]", PHT_MAPPING_ANONYMOUS, {U(1 * MIB)}, 0},
    {0x7f2b5c000000,
     256 * MIB,
     "rw-p",
     "",
     PHT_MAPPING_MALLOC,
     {N(150 * MIB), f(60 * MIB), t(7 * MIB)},
     0},
    {0x7f2b9c000000,
     860 * MIB,
     "rw-p",
     "",
     PHT_MAPPING_PYMALLOC,
     {P(552 * MIB), p(299 * MIB)},
     24 * MIB},
    {0x7f2bd4000000, 4 * KIB, "---p", "", PHT_MAPPING_GUARD, {{0}}, 0},
    {0x7f2bd4001000, 8 * MIB, "rw-p", "", PHT_MAPPING_STACK, {S(7 * MIB), U(512 * KIB)}, 0},
    {0x7f2be0000000, 3 * MIB, "rw-p", "", PHT_MAPPING_PYTHON, {L(3 * MIB)}, 0},
    {0x7f2be8000000,
     2 * MIB,
     "rw-s",
     "/dev/shm/ring buffer",
     PHT_MAPPING_SHARED_MEMORY,
     {H(2 * MIB)},
     2 * MIB},
    {0x7f2bec000000,
     50 * MIB,
     "r--p",
     "/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
     PHT_MAPPING_FILE,
     {F(46 * MIB)},
     46 * MIB},
    {0x7f2bf0000000, 2 * MIB, "rw-p", "", PHT_MAPPING_LIBRARY, {F(2 * MIB)}, 0},
    {0x7ffc10000000, 2 * MIB, "rw-p", "[stack]", PHT_MAPPING_STACK, {S(1 * MIB), U(512 * KIB)}, 0},
    {0xffffffffff600000, 4 * KIB, "--xp", "[vsyscall]", PHT_MAPPING_KERNEL, {{0}}, 0},
};

#undef P
#undef p
#undef L
#undef N
#undef f
#undef t
#undef M
#undef A
#undef F
#undef S
#undef H
#undef U

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static struct pht_owned_mapping owned[ROWS];

static void describe_mapping(struct pht_report *report, size_t i)
{
    const struct row *row = &rows[i];
    struct pht_mapping *mapping = &report->smaps.maps.items[i];
    struct pht_mapping_memory *memory = &report->smaps.memory[i];

    *mapping = (struct pht_mapping){
        .start = row->start,
        .end = row->start + row->size,
        .readable = row->perms[0] == 'r',
        .writable = row->perms[1] == 'w',
        .executable = row->perms[2] == 'x',
        .shared = row->perms[3] == 's',
        .deleted = strstr(row->name, "libcrypto") != NULL,
        .offset = row->kind == PHT_MAPPING_FILE ? 0x1f000 : 0,
        .inode = row->name[0] == '/' ? 393233 : 0,
        .name = row->name,
    };
    owned[i] = (struct pht_owned_mapping){.start = mapping->start, .end = mapping->end};
    for (size_t j = 0; j < PARTS_MAX; j++) {
        owned[i].resident.bytes[row->parts[j].category] += row->parts[j].bytes;
        owned[i].resident_bytes += row->parts[j].bytes;
    }
    *memory = (struct pht_mapping_memory){
        .rss_bytes = owned[i].resident_bytes,
        .pss_bytes = owned[i].resident_bytes - row->shared / 2,
        .exclusive_bytes = owned[i].resident_bytes - row->shared,
        .shared_bytes = row->shared,
    };
    report->mappings[i] = (struct pht_report_mapping){mapping, memory, &owned[i], row->kind};
}

static void describe_mappings(struct pht_report *report)
{
    report->smaps.maps.items = calloc(ROWS, sizeof(*report->smaps.maps.items));
    report->smaps.memory = calloc(ROWS, sizeof(*report->smaps.memory));
    report->mappings = calloc(ROWS, sizeof(*report->mappings));
    ck_assert_ptr_nonnull(report->smaps.maps.items);
    ck_assert_ptr_nonnull(report->smaps.memory);
    ck_assert_ptr_nonnull(report->mappings);
    report->smaps.maps.count = report->mapping_count = ROWS;
    for (size_t i = 0; i < ROWS; i++)
        describe_mapping(report, i);
}

static const enum pht_evidence evidence[PHT_CATEGORIES] = {
    [PHT_CATEGORY_PYTHON_SMALL] = PHT_EVIDENCE_WALKED,
    [PHT_CATEGORY_PYMALLOC_SLACK] = PHT_EVIDENCE_WALKED,
    [PHT_CATEGORY_PYTHON_LARGE] = PHT_EVIDENCE_WALKED,
    [PHT_CATEGORY_MALLOC_UNOWNED] = PHT_EVIDENCE_REMAINDER,
    [PHT_CATEGORY_MALLOC_FREE] = PHT_EVIDENCE_WALKED,
    [PHT_CATEGORY_MALLOC_TOP] = PHT_EVIDENCE_WALKED,
    [PHT_CATEGORY_MALLOC_MMAPPED] = PHT_EVIDENCE_WALKED,
    [PHT_CATEGORY_OTHER_ALLOCATOR] = PHT_EVIDENCE_REMAINDER,
    [PHT_CATEGORY_FILES] = PHT_EVIDENCE_KERNEL,
    [PHT_CATEGORY_STACKS] = PHT_EVIDENCE_KERNEL,
    [PHT_CATEGORY_SHARED_MEMORY] = PHT_EVIDENCE_KERNEL,
    [PHT_CATEGORY_UNATTRIBUTED] = PHT_EVIDENCE_NONE,
};

static int most_first(const void *a, const void *b)
{
    const struct pht_unattributed *left = a, *right = b;

    if (left->bytes != right->bytes)
        return left->bytes < right->bytes ? 1 : -1;
    return left->mapping < right->mapping ? -1 : 1;
}

static void add_up(struct pht_report *report)
{
    report->unattributed = calloc(ROWS, sizeof(*report->unattributed));
    ck_assert_ptr_nonnull(report->unattributed);
    for (size_t i = 0; i < ROWS; i++) {
        uint64_t bytes = owned[i].resident.bytes[PHT_CATEGORY_UNATTRIBUTED];
        for (int j = 0; j < PHT_CATEGORIES; j++)
            report->categories[j].bytes += owned[i].resident.bytes[j];
        if (bytes > 0)
            report->unattributed[report->unattributed_count++] = (struct pht_unattributed){
                i, bytes, "no chunk, arena, stack or table is known to be there"};
    }
    qsort(report->unattributed, report->unattributed_count, sizeof(*report->unattributed),
          most_first);
    for (int j = 0; j < PHT_CATEGORIES; j++) {
        report->categories[j].evidence = evidence[j];
        report->kernel.rss_bytes += report->categories[j].bytes;
    }
    report->attributed_bytes =
        report->kernel.rss_bytes - report->categories[PHT_CATEGORY_UNATTRIBUTED].bytes;
    report->has_ledger = true;
}

static void describe_regions(struct pht_report *report)
{
    static const struct pht_region regions[] = {
        {0x7f2b9c000000, 0x7f2b9c010000, PHT_REGION_ARENA_ARRAY, 0, 64 * KIB},
        {0x7f2bd4001000, 0x7f2bd4801000, PHT_REGION_STACK, 4723, 7 * MIB},
        {0x7f2bf0000000, 0x7f2bf0200000, PHT_REGION_BSS, 0, 2 * MIB},
        {0x7ffc10000000, 0x7ffc10200000, PHT_REGION_STACK, 4711, 1 * MIB},
    };

    report->regions.items = malloc(sizeof(regions));
    ck_assert_ptr_nonnull(report->regions.items);
    memcpy(report->regions.items, regions, sizeof(regions));
    report->regions.count = report->regions.capacity = sizeof(regions) / sizeof(regions[0]);
}

void heap_ledger_add(struct pht_report *report)
{
    report->kernel.rss_bytes = 0;
    describe_mappings(report);
    describe_regions(report);
    add_up(report);
}

void heap_ledger_swap(struct pht_report *report, size_t index, enum pht_category category,
                      uint64_t bytes)
{
    owned[index].swapped_bytes += bytes;
    owned[index].swapped.bytes[category] += bytes;
    report->smaps.memory[index].swap_bytes += bytes;
    report->categories[category].swapped_bytes += bytes;
    report->kernel.swap_bytes += bytes;
}

void heap_ledger_drop(struct pht_report *report)
{
    report->has_ledger = false;
    report->unattributed_count = report->regions.count = 0;
    report->attributed_bytes = 0;
    memset(report->categories, 0, sizeof(report->categories));
    for (size_t i = 0; i < report->mapping_count; i++)
        report->mappings[i].owned = NULL;
}

/* ---- the family --------------------------------------------------------------------------- */

static void describe_relative(struct pht_family_row *row, pid_t pid, pid_t ppid, unsigned depth,
                              const char *comm)
{
    *row = (struct pht_family_row){
        .pid = pid,
        .ppid = ppid,
        .comm = strdup(comm),
        .rss_bytes = 1600 * MIB,
        .pss_bytes = 1500 * MIB,
        .depth = depth,
        .shared_with_target_bytes = 61 * MIB,
        .copied_bytes = 388 * MIB,
    };
    ck_assert_ptr_nonnull(row->comm);
    row->copied.bytes[PHT_CATEGORY_MALLOC_UNOWNED] = 88 * MIB;
    row->copied.bytes[PHT_CATEGORY_PYTHON_SMALL] = 300 * MIB;
}

static void forget_copied(struct pht_family_row *row)
{
    row->copied_bytes = PHT_UNKNOWN;
    row->copied = (struct pht_split){{0}};
}

void heap_family_add(struct pht_report *report)
{
    struct pht_family_row *family = calloc(5, sizeof(*family));

    ck_assert_ptr_nonnull(family);
    describe_relative(&family[0], 4700, 1, 0, "celery master");
    forget_copied(&family[0]);
    describe_relative(&family[1], 4711, 4700, 1, "celery worker");
    family[1].is_target = true;
    family[1].rss_bytes = 1740 * MIB;
    family[1].shared_with_target_bytes = PHT_UNKNOWN;
    family[1].copied_bytes = 402 * MIB;
    family[1].copied.bytes[PHT_CATEGORY_PYTHON_SMALL] = 302 * MIB;
    family[1].copied.bytes[PHT_CATEGORY_PYMALLOC_SLACK] = 12 * MIB;
    describe_relative(&family[2], 4712, 4700, 1, "celery worker");
    describe_relative(&family[3], 4713, 4700, 1, "celery worker");
    describe_relative(&family[4], 4720, 4712, 2, "helper");
    family[4].rss_bytes = family[4].pss_bytes = PHT_UNKNOWN;
    family[4].shared_with_target_bytes = PHT_UNKNOWN;
    forget_copied(&family[4]);
    report->family = family;
    report->family_count = 5;
    report->family_shared_bytes = 63 * MIB;
    report->has_family = report->family_is_exact = true;
}

void heap_family_keep(struct pht_report *report, size_t count)
{
    for (size_t i = count; i < report->family_count; i++)
        free(report->family[i].comm);
    report->family_count = count;
}
