#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "layout/library.h"
#include "layout/threads.h"
#include "support/elf_fixture.h"
#include "support/proc_tree.h"
#include "support/suite.h"

/* ---- libraries that pass for glibc -------------------------------------------------------- */

#define LIBC ELF_FIXTURE("libc/libc-2.99")
#define LIBC_OLD ELF_FIXTURE("libc-old/libc-2.17")
#define LOADER ELF_FIXTURE("loader/ld-2.99")
#define PTHREAD ELF_FIXTURE("pthread/libpthread-2.99")
#define LOADER_UNLIKE ELF_FIXTURE("loader-unlike/ld-2.99")           /* without _r_debug */
#define PTHREAD_UNLIKE ELF_FIXTURE("pthread-unlike/libpthread-2.99") /* without stack_used */
#define PTHREAD_STRIPPED ELF_FIXTURE("pthread-stripped/libpthread-2.99")

static struct elf_fixture fixture;
static void *companions[2];
static struct proc_tree tree;

static void setup(void)
{
    proc_tree_init(&tree);
}

static void teardown(void)
{
    proc_tree_deinit(&tree);
}

static void *load(const char *path)
{
    void *library = path != NULL ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;

    ck_assert_msg(path == NULL || library != NULL, "%s", dlerror());
    return library;
}

static void unload(void *library)
{
    if (library != NULL)
        dlclose(library);
}

/* What is found when these and no others are mapped; `second` and `third` may be NULL. */
static struct pht_thread_layout find(const char *libc, const char *second, const char *third)
{
    struct pht_thread_layout layout;

    companions[0] = load(second);
    companions[1] = load(third);
    ck_assert(elf_fixture_open(&fixture, libc));
    elf_fixture_hide_others(&fixture, PHT_FIXTURE_DIR);
    memset(&layout, 0x5a, sizeof(layout));
    pht_thread_layout_find(fixture.target, &fixture.maps, &fixture.image, &layout);
    return layout;
}

static void put_away(void)
{
    elf_fixture_close(&fixture);
    unload(companions[0]);
    unload(companions[1]);
}

static pht_addr address_in(void *library, const char *name)
{
    void *(*function)(void);

    *(void **)&function = dlsym(library, name);
    ck_assert_msg(function != NULL, "%s", name);
    return (uintptr_t)function();
}

static void check_nothing_is_known(const struct pht_thread_layout *layout)
{
    static const struct pht_thread_layout nothing;

    ck_assert(!layout->known);
    ck_assert_mem_eq(layout, &nothing, sizeof(nothing));
}

START_TEST(the_lists_of_today_are_the_loaders)
{
    struct pht_thread_layout layout = find(LIBC, LOADER, NULL);
    pht_addr global = address_in(companions[0], "fixture_rtld_global");

    ck_assert(layout.known);
    ck_assert_uint_eq(layout.stack_lists[0], global + 2816);
    ck_assert_uint_eq(layout.stack_lists[1], global + 2832);
    ck_assert_uint_eq(layout.stack_cache, global + 2848);
    ck_assert_uint_eq(layout.pthread_bytes, 2368);
    ck_assert_uint_eq(layout.pthread_list, 704);
    ck_assert_uint_eq(layout.pthread_tid, 720);
    ck_assert_uint_eq(layout.link_map_tls_offset, 1160);
    ck_assert_uint_eq(layout.debug, address_in(companions[0], "fixture_debug"));
    put_away();
}
END_TEST

START_TEST(the_lists_of_old_are_libpthreads)
{
    struct pht_thread_layout layout = find(LIBC_OLD, LOADER, PTHREAD);

    ck_assert(layout.known);
    ck_assert_uint_eq(layout.stack_lists[0], address_in(companions[1], "fixture_stack_used"));
    ck_assert_uint_eq(layout.stack_lists[1], address_in(companions[1], "fixture_stack_user"));
    ck_assert_uint_eq(layout.stack_cache, address_in(companions[1], "fixture_stack_cache"));
    ck_assert_uint_eq(layout.pthread_bytes, 2304);
    ck_assert_uint_eq(layout.pthread_list, 696);
    ck_assert_uint_eq(layout.pthread_tid, 712);
    ck_assert_uint_eq(layout.link_map_tls_offset, 1104);
    ck_assert_uint_eq(layout.debug, address_in(companions[0], "fixture_debug"));
    put_away();
}
END_TEST

static const struct missing_row {
    const char *libc;
    const char *second;
    const char *third;
} missing_rows[] = {
    {LIBC, NULL, NULL},
    {LIBC, PTHREAD, NULL},
    {LIBC_OLD, LOADER, NULL},
    {LIBC_OLD, PTHREAD, NULL},
    {LIBC_OLD, LOADER, PTHREAD_STRIPPED},
    {LIBC_OLD, LOADER, PTHREAD_UNLIKE},
    {LIBC_OLD, LOADER_UNLIKE, PTHREAD},
    {LIBC, LOADER_UNLIKE, NULL},
};

START_TEST(with_a_part_missing_nothing_is_known)
{
    const struct missing_row *row = &missing_rows[_i];
    struct pht_thread_layout layout = find(row->libc, row->second, row->third);

    check_nothing_is_known(&layout);
    put_away();
}
END_TEST

/* Its symbols are those of libpthread. */
START_TEST(a_loader_that_is_none_is_not_taken)
{
    char path[128];
    struct pht_thread_layout layout;

    snprintf(path, sizeof(path), "%s/ld-2.99.so", tree.path);
    elf_fixture_copy(PTHREAD, path, NULL, NULL, 0);
    companions[0] = load(path);
    companions[1] = NULL;
    ck_assert(elf_fixture_open(&fixture, LIBC));
    elf_fixture_hide_others(&fixture, tree.path);
    ck_assert_ptr_nonnull(pht_library_find(&fixture.maps, PHT_LIBRARY_LOADER));
    pht_thread_layout_find(fixture.target, &fixture.maps, &fixture.image, &layout);
    check_nothing_is_known(&layout);
    put_away();
}
END_TEST

/* ---- records that lie --------------------------------------------------------------------- */

struct record {
    uint32_t bits;
    uint32_t count;
    uint32_t offset;
};

#define TLS_OFFSET                                                                                 \
    {                                                                                              \
        64, 1, 1160                                                                                \
    }
#define LIST                                                                                       \
    {                                                                                              \
        128, 1, 704                                                                                \
    }
#define TID                                                                                        \
    {                                                                                              \
        32, 1, 720                                                                                 \
    }
#define USED                                                                                       \
    {                                                                                              \
        128, 1, 2816                                                                               \
    }
#define USER                                                                                       \
    {                                                                                              \
        128, 1, 2832                                                                               \
    }

/* The loader's _rtld_global has 4,096 bytes. No other struct has 64 KiB. */
static const struct record_row {
    struct record from;
    struct record to;
    bool known;
} record_rows[] = {
    {TID, {32, 1, 0}, true},
    {TID, {32, 1, 65532}, true},
    {TID, {32, 1, 65533}, false},
    {TID, {32, 1, UINT32_MAX}, false},
    {TID, {64, 1, 720}, false},
    {TID, {0, 1, 720}, false},
    {TID, {32, 0, 720}, false},
    {TID, {32, 2, 720}, false},
    {TID, {0, 0, 0}, false},
    {LIST, {128, 1, 65520}, true},
    {LIST, {128, 1, 65521}, false},
    {LIST, {64, 1, 704}, false},
    {LIST, {128, 3, 704}, false},
    {TLS_OFFSET, {64, 1, 65528}, true},
    {TLS_OFFSET, {64, 1, 65529}, false},
    {TLS_OFFSET, {32, 1, 1160}, false},
    {USED, {128, 1, 4080}, true},
    {USED, {128, 1, 4081}, false},
    {USED, {128, 1, UINT32_MAX - 15}, false},
    {USED, {64, 1, 2816}, false},
    {USER, {128, 1, 4080}, true},
    {USER, {128, 1, 4081}, false},
    {USER, {128, 2, 2832}, false},
};

START_TEST(a_record_must_be_of_the_member)
{
    const struct record_row *row = &record_rows[_i];
    struct pht_thread_layout layout;
    char libc[128], loader[128];

    snprintf(libc, sizeof(libc), "%s/libc-2.99.so", tree.path);
    snprintf(loader, sizeof(loader), "%s/ld-2.99.so", tree.path);
    elf_fixture_copy(LIBC, libc, &row->from, &row->to, sizeof(row->from));
    elf_fixture_copy(LOADER, loader, NULL, NULL, 0);
    companions[0] = load(loader);
    companions[1] = NULL;
    ck_assert(elf_fixture_open(&fixture, libc));
    elf_fixture_hide_others(&fixture, tree.path);
    pht_thread_layout_find(fixture.target, &fixture.maps, &fixture.image, &layout);
    if (row->known) {
        ck_assert(layout.known);
        /* The list of the cache stands behind the others, inside _rtld_global. */
        ck_assert_uint_eq(layout.stack_cache == 0, row->from.offset == 2832);
    } else {
        check_nothing_is_known(&layout);
    }
    put_away();
}
END_TEST

/* ---- the C library of this process -------------------------------------------------------- */

#define THREADS 4

static pthread_barrier_t all_run, all_seen;
static pid_t tids[THREADS + 1];

static void *wait_to_be_seen(void *place)
{
    *(pid_t *)place = gettid();
    pthread_barrier_wait(&all_run);
    pthread_barrier_wait(&all_seen);
    return NULL;
}

/* In our own memory, where the addresses are pointers. */
static void *word_at(pht_addr addr)
{
    return *(void **)(uintptr_t)addr;
}

static unsigned list_tids(const struct pht_thread_layout *layout, pid_t *found, unsigned max)
{
    unsigned count = 0;

    for (int i = 0; i < 2; i++) {
        pht_addr head = layout->stack_lists[i];
        for (pht_addr at = (uintptr_t)word_at(head); at != head && count < max;
             at = (uintptr_t)word_at(at))
            found[count++] = *(pid_t *)(uintptr_t)(at - layout->pthread_list + layout->pthread_tid);
    }
    return count;
}

static void check_lists(const struct pht_thread_layout *layout)
{
    pid_t found[32];
    unsigned count = list_tids(layout, found, 32);

    for (unsigned i = 0; i <= THREADS; i++) {
        unsigned times = 0;
        for (unsigned j = 0; j < count; j++)
            times += found[j] == tids[i];
        ck_assert_msg(times == 1, "thread %d stands there %u times", tids[i], times);
    }
}

static void check_thread_local_block(const struct pht_thread_layout *layout, const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_NOLOAD), *block = NULL;
    struct link_map *map = NULL;

    ck_assert_ptr_nonnull(library);
    ck_assert_int_eq(dlinfo(library, RTLD_DI_LINKMAP, &map), 0);
    ck_assert_int_eq(dlinfo(library, RTLD_DI_TLS_DATA, &block), 0);
    const struct r_debug *debug = (const struct r_debug *)(uintptr_t)layout->debug;
    const struct link_map *at = debug->r_map;
    while (at != NULL && at != map)
        at = at->l_next;
    ck_assert_ptr_nonnull(at);
    pht_addr offset = (uintptr_t)word_at((uintptr_t)map + layout->link_map_tls_offset);
    ck_assert_uint_eq((uintptr_t)pthread_self() - offset, (uintptr_t)block);
    dlclose(library);
}

START_TEST(all_threads_of_this_process_are_found)
{
    struct pht_thread_layout layout;
    struct pht_elf_image image;
    struct pht_target *target;
    struct pht_maps maps;
    pthread_t threads[THREADS];

    ck_assert_ptr_null(pht_target_open(getpid(), NULL, &target));
    ck_assert_ptr_null(pht_target_read_maps(target, &maps));
    const struct pht_mapping *libc = pht_library_find(&maps, PHT_LIBRARY_GLIBC);
    if (libc == NULL)
        return; /* it is another C library */
    ck_assert(pht_elf_image_open(target, &maps, libc, &image));
    pht_thread_layout_find(target, &maps, &image, &layout);
    ck_assert(layout.known);

    pthread_barrier_init(&all_run, NULL, THREADS + 1);
    pthread_barrier_init(&all_seen, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_to_be_seen, &tids[i]), 0);
    tids[THREADS] = gettid();
    pthread_barrier_wait(&all_run);
    check_lists(&layout);
    check_thread_local_block(&layout, libc->name);
    pthread_barrier_wait(&all_seen);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pht_elf_image_close(&image);
    pht_maps_deinit(&maps);
    pht_target_destroy(target);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *threads_suite(void)
{
    Suite *suite = suite_create("layout/threads");
    TCase *tcase = tcase_create("threads");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_lists_of_today_are_the_loaders);
    tcase_add_test(tcase, the_lists_of_old_are_libpthreads);
    tcase_add_loop_test(tcase, with_a_part_missing_nothing_is_known, 0, ROWS(missing_rows));
    tcase_add_test(tcase, a_loader_that_is_none_is_not_taken);
    tcase_add_loop_test(tcase, a_record_must_be_of_the_member, 0, ROWS(record_rows));
    tcase_add_test(tcase, all_threads_of_this_process_are_found);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(threads_suite)
