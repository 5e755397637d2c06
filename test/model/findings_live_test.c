/* What is found of a report and what is not, for rules about memory that somebody uses. */
#include <stdlib.h>
#include <string.h>

#include "support/judged.h"
#include "support/suite.h"

static bool says(const struct pht_finding *finding, const char *part)
{
    return strstr(finding->text, part) != NULL;
}

/* ---- chunks that nobody owns -------------------------------------------------------------- */

static void leak(uint64_t bytes)
{
    judged_add_unowned(1280, 69720, bytes);
}

/* One report shows no growth: only half of all memory is urgent. */
START_TEST(chunks_of_one_size_may_be_a_leak)
{
    static const struct {
        uint64_t bytes;
        int severity;
    } rows[] = {
        {50 * MIB - 9600000 - 1, -1}, /* together with the small ones that everybody has */
        {50 * MIB, PHT_SEVERITY_MEDIUM},
        {500 * MIB - 1, PHT_SEVERITY_MEDIUM},
        {500 * MIB, PHT_SEVERITY_HIGH},
    };

    leak(rows[_i].bytes);
    judged_judge();
    if (rows[_i].severity < 0)
        judged_none();
    else
        judged_only("native-leak", (enum pht_severity)rows[_i].severity);
}
END_TEST

START_TEST(a_leak_is_told_by_its_size)
{
    leak(500 * MIB);
    judged_judge();
    const struct pht_finding *finding = judged_only("native-leak", PHT_SEVERITY_HIGH);
    judged_says(finding, "500M of it are 69,720 chunks of 1.25K and more.");
    judged_advises(finding, "--baseline with an earlier");
    ck_assert_uint_eq(finding->bytes, 500 * MIB + 9600000);
    ck_assert_uint_eq(judged_figure(finding, "chunks"), 69720);
    ck_assert_uint_eq(judged_figure(finding, "chunk_max_bytes"), 1584);
}
END_TEST

START_TEST(few_large_chunks_are_no_leak)
{
    judged_add_unowned(1 << 20, 999 + (uint64_t)_i, 600 * MIB);
    judged_judge();
    if (_i == 0)
        judged_none();
    else
        judged_only("native-leak", PHT_SEVERITY_HIGH);
}
END_TEST

/* A library's many small ones are not a finding until they are much together. */
START_TEST(many_sizes_have_to_be_much_together)
{
    for (uint64_t i = 0; i < 4; i++)
        judged_add_unowned(48 + 16 * i, 100000, 35 * MIB + (_i == 1 ? 0 : MIB) * i);
    judged->objects->unowned[0].bytes = 4 * MIB;
    judged_judge();
    if (_i == 1)
        judged_none();
    else
        judged_only("native-leak", PHT_SEVERITY_MEDIUM);
}
END_TEST

START_TEST(without_a_census_nobody_knows_what_python_owns)
{
    leak(500 * MIB);
    free(judged->objects->unowned);
    judged->objects->unowned = NULL;
    judged_judge();
    judged_none();
}
END_TEST

static void map_library(const char *name)
{
    struct pht_maps *maps = &judged->smaps.maps;

    maps->items = calloc(1, sizeof(*maps->items));
    maps->names = strdup(name);
    maps->items[0] = (struct pht_mapping){.start = 0x1000, .end = 0x9000, .name = maps->names};
    maps->count = 1;
}

static struct pht_chunk_sample *add_sample(struct pht_unowned_size *size, enum pht_sample_kind kind)
{
    struct pht_chunk_sample *sample = &size->samples[size->sample_count++];

    sample->kind = kind;
    return sample;
}

START_TEST(a_leak_names_the_library_that_it_points_into)
{
    struct pht_unowned_size *size = judged_add_unowned(1280, 69720, 500 * MIB);

    map_library("/opt/shop/lib\x1bshop.so.3");
    add_sample(size, PHT_SAMPLE_ZEROS);
    add_sample(size, PHT_SAMPLE_POINTER)->points_to = 0x2000;
    judged_judge();
    const struct pht_finding *finding = judged_only("native-leak", PHT_SEVERITY_HIGH);
    judged_says(finding, " Some begin with a pointer into lib\\x1bshop.so.3.");
    ck_assert_str_eq(judged_figure_text(finding, "begins_with"),
                     "a pointer into lib\\x1bshop.so.3");
}
END_TEST

/* It is kept only if previews were asked for. */
START_TEST(a_leak_shows_the_text_that_it_begins_with)
{
    static const char text[] = "GET /\x1border?customer=1234567890&session=123";
    struct pht_unowned_size *size = judged_add_unowned(1280, 69720, 500 * MIB);
    struct pht_chunk_sample *sample = add_sample(size, PHT_SAMPLE_TEXT);

    sample->text_bytes = _i == 0 ? sizeof(text) - 1 : 0;
    memcpy(sample->text, text, sizeof(text));
    judged_judge();
    const struct pht_finding *finding = judged_only("native-leak", PHT_SEVERITY_HIGH);
    ck_assert(says(finding, "\"GET /\\x1border?customer=1234567890&ses..\"") == (_i == 0));
    ck_assert(says(finding, "begin with") == (_i == 0));
}
END_TEST

/* ---- types -------------------------------------------------------------------------------- */

START_TEST(a_type_with_a_fifth_of_the_memory_is_told)
{
    judged_add_type("shop", "Order", 10, 200 * MIB - (_i == 0));
    judged_judge();
    if (_i == 0) {
        judged_none();
        return;
    }
    const struct pht_finding *finding = judged_only("python-types", PHT_SEVERITY_INFO);
    judged_says(finding, "950M (95% of RSS) is live Python objects, most of it in shop.Order 200M "
                         "(10 objects), dict 150M (100,000 objects), str 150M");
    judged_advises(finding, "pyheaptop -j -o before.json 4711 now");
    ck_assert_str_eq(judged_figure_text(finding, "type"), "shop.Order");
    ck_assert_uint_eq(judged_figure(finding, "allocated_bytes"), 200 * MIB);
}
END_TEST

START_TEST(a_type_of_a_small_process_is_not)
{
    judged_drop_types();
    judged->kernel.rss_bytes = 20 * MIB;
    judged_add_type("builtins", "dict", 1000, 16 * MIB - (_i == 0));
    judged_judge();
    if (_i == 0)
        judged_none();
    else
        judged_only("python-types", PHT_SEVERITY_INFO);
}
END_TEST

/* One object of twenty, of a class that is no builtin: 26,315 beside 500,000 are not. */
START_TEST(a_class_with_many_objects_is_told)
{
    static const struct {
        uint64_t objects;
        uint64_t rss;
        bool found;
    } rows[] = {
        {26315, 1000 * MIB, false},
        {26316, 1000 * MIB, true},
        {26316, 751 * MIB * 5 / 2 + MIB, false}, /* objects have less than two fifths */
        {26316, 751 * MIB * 5 / 2, true},
    };

    judged->kernel.rss_bytes = rows[_i].rss;
    judged_add_type("shop", "Order", rows[_i].objects, MIB);
    judged_judge();
    if (!rows[_i].found) {
        judged_none();
        return;
    }
    const struct pht_finding *finding = judged_only("python-types", PHT_SEVERITY_INFO);
    judged_says(finding, "; of other classes in shop.Order 1.00M (26,316 objects).");
    ck_assert_str_eq(judged_figure_text(finding, "class"), "shop.Order");
}
END_TEST

START_TEST(names_of_types_are_fit_to_print)
{
    judged_add_type("sh\x1bop",
                    "Or\xff"
                    "der",
                    10, 200 * MIB);
    judged_judge();
    judged_says(judged_only("python-types", PHT_SEVERITY_INFO), "sh\\x1bop.Or\\xffder 200M");
}
END_TEST

START_TEST(a_long_name_is_cut)
{
    char name[4096];

    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    judged_add_type("", name, 10, 200 * MIB);
    judged_judge();
    judged_says(judged_only("python-types", PHT_SEVERITY_INFO), "xxxxxx.. 200M");
}
END_TEST

/* ---- fork --------------------------------------------------------------------------------- */

static struct pht_family_row *add_relative(pid_t pid, pid_t ppid)
{
    judged->family =
        reallocarray(judged->family, judged->family_count + 1, sizeof(*judged->family));
    ck_assert_ptr_nonnull(judged->family);
    struct pht_family_row *row = &judged->family[judged->family_count++];
    *row = (struct pht_family_row){
        .pid = pid, .ppid = ppid, .is_target = pid == 4711, .copied_bytes = PHT_UNKNOWN};
    return row;
}

static void copy(struct pht_family_row *row, uint64_t python, uint64_t other)
{
    row->copied.bytes[PHT_CATEGORY_PYTHON_SMALL] = python - 2 * (python / 4);
    row->copied.bytes[PHT_CATEGORY_PYMALLOC_SLACK] = python / 4;
    row->copied.bytes[PHT_CATEGORY_PYTHON_LARGE] = python / 4;
    row->copied.bytes[PHT_CATEGORY_FILES] = other;
    row->copied_bytes = python + other;
}

static void have_worker(uint64_t python)
{
    add_relative(4700, 1);
    copy(add_relative(4711, 4700), python, 200 * MIB);
}

/* Memory of objects counts, not what a process makes of its libraries' data. */
START_TEST(what_a_worker_copied_is_told)
{
    static const struct {
        uint64_t python;
        int severity;
    } rows[] = {
        {50 * MIB - 1, -1},
        {50 * MIB, PHT_SEVERITY_MEDIUM},
        {150 * MIB - 1, PHT_SEVERITY_MEDIUM},
        {150 * MIB, PHT_SEVERITY_HIGH},
    };

    have_worker(rows[_i].python);
    judged_judge();
    if (rows[_i].severity < 0) {
        judged_none();
        return;
    }
    const struct pht_finding *finding =
        judged_only("copied-after-fork", (enum pht_severity)rows[_i].severity);
    ck_assert_uint_eq(finding->bytes, rows[_i].python);
    ck_assert_uint_eq(judged_figure(finding, "copied_bytes"), rows[_i].python + 200 * MIB);
    judged_says(finding, "was shared with its parent 4700, and copied since.");
}
END_TEST

START_TEST(what_is_not_exact_is_not_told)
{
    have_worker(500 * MIB);
    if (_i == 0)
        judged->family_is_exact = false;
    else
        judged->has_family = false;
    judged_judge();
    judged_none();
}
END_TEST

START_TEST(the_remedy_for_copies_knows_the_interpreter)
{
    have_worker(500 * MIB);
    judged->gc->frozen = _i == 0 ? 0 : _i == 1 ? PHT_UNKNOWN : 12;
    if (_i == 1)
        judged->python->version = (struct pht_version){3, 6, 15};
    judged_judge();
    const struct pht_finding *finding = judged_only("copied-after-fork", PHT_SEVERITY_HIGH);
    judged_advises(finding, _i == 0   ? "gc.freeze() right before it forks"
                            : _i == 1 ? "gc.disable() in the master before it forks"
                                      : "gc.freeze() was called already");
    ck_assert_uint_eq(judged_figure(finding, "frozen"), judged->gc->frozen);
}
END_TEST

START_TEST(what_its_workers_copied_is_told_of_a_master)
{
    add_relative(4711, 1);
    copy(add_relative(4712, 4711), 80 * MIB, MIB);
    copy(add_relative(4713, 4711), 70 * MIB, MIB);
    add_relative(4714, 4711);
    copy(add_relative(4715, 4712), 500 * MIB, MIB);
    judged_judge();
    const struct pht_finding *finding = judged_only("copied-after-fork", PHT_SEVERITY_HIGH);
    judged_says(finding, "Its 2 forked processes have copied 152M of what they shared with it. "
                         "150M of that");
    ck_assert_uint_eq(judged_figure(finding, "children"), 2);
}
END_TEST

/* ---- the collector ------------------------------------------------------------------------ */

START_TEST(garbage_is_never_freed)
{
    static const struct {
        uint64_t garbage;
        enum pht_severity severity;
    } rows[] = {{1, PHT_SEVERITY_INFO}, {999, PHT_SEVERITY_INFO}, {1000, PHT_SEVERITY_MEDIUM}};

    judged->gc->garbage = rows[_i].garbage;
    judged_judge();
    const struct pht_finding *finding = judged_only("uncollectable", rows[_i].severity);
    ck_assert_uint_eq(finding->bytes, PHT_UNKNOWN);
    judged_advises(finding, "DEBUG_SAVEALL");
    judged->python->version.major = 2;
    judged_judge();
    judged_advises(judged_only("uncollectable", rows[_i].severity), "__del__");
}
END_TEST

START_TEST(garbage_that_is_not_known_is_not_told)
{
    judged->gc->garbage = PHT_UNKNOWN;
    judged->gc->frozen = PHT_UNKNOWN;
    judged->gc->enabled = false;
    judged->gc->generations[0].objects = PHT_UNKNOWN;
    judged_judge();
    judged_none();
}
END_TEST

START_TEST(a_collector_that_does_not_run)
{
    static const struct {
        uint64_t objects;
        bool enabled;
        int32_t threshold;
        int severity;
    } rows[] = {
        {99999, false, 700, -1},
        {100000, false, 700, PHT_SEVERITY_INFO},
        {999999, false, 700, PHT_SEVERITY_INFO},
        {1000000, false, 700, PHT_SEVERITY_MEDIUM},
        {1000000, true, 0, PHT_SEVERITY_MEDIUM},
        {1000000, true, 700, -1},
    };

    judged->gc->enabled = rows[_i].enabled;
    judged->gc->generations[0].objects = rows[_i].objects;
    judged->gc->generations[0].threshold = rows[_i].threshold;
    judged_judge();
    if (rows[_i].severity < 0) {
        judged_none();
        return;
    }
    const struct pht_finding *finding =
        judged_only("gc-disabled", (enum pht_severity)rows[_i].severity);
    judged_says(finding, rows[_i].enabled ? "off (its threshold is 0)" : "disabled");
}
END_TEST

START_TEST(frozen_for_nothing)
{
    judged->gc->frozen = 100000 - (_i == 0);
    judged->has_family = _i != 1;
    judged->family_count = 0;
    if (_i == 2)
        have_worker(0);
    judged_judge();
    if (_i == 3)
        judged_only("gc-frozen", PHT_SEVERITY_INFO);
    else
        judged_none();
}
END_TEST

/* ---- the kernel --------------------------------------------------------------------------- */

/* 910 MiB are the process's own. */
START_TEST(a_limit_that_is_near)
{
    static const struct {
        uint64_t limit, current;
        int severity;
    } rows[] = {
        {910 * MIB * 10 / 9, 910 * MIB, PHT_SEVERITY_HIGH},
        {910 * MIB * 10 / 9 + 10, 910 * MIB, -1},
        {910 * MIB * 10 / 9 + 10, 911 * MIB, PHT_SEVERITY_MEDIUM},
        {3640 * MIB, 3276 * MIB, PHT_SEVERITY_MEDIUM},
        {3640 * MIB, 3276 * MIB - 1, -1},
        {3641 * MIB, 3641 * MIB, -1}, /* somebody else fills it */
        {UINT64_MAX, 3641 * MIB, -1},
    };

    judged->cgroup = (struct pht_cgroup_memory){.known = true,
                                                .limit_bytes = rows[_i].limit,
                                                .current_bytes = rows[_i].current,
                                                .oom_kills = UINT64_MAX};
    judged_judge();
    if (rows[_i].severity < 0) {
        judged_none();
        return;
    }
    const struct pht_finding *finding =
        judged_only("cgroup-limit-near", (enum pht_severity)rows[_i].severity);
    ck_assert_uint_eq(judged_figure(finding, "own_bytes"), 910 * MIB);
    ck_assert(!says(finding, "killed"));
    judged_advises(finding, "most is P, Python objects, small");
}
END_TEST

START_TEST(what_the_kernel_killed_is_told)
{
    judged->cgroup = (struct pht_cgroup_memory){
        .known = true, .limit_bytes = 1000 * MIB, .current_bytes = 950 * MIB, .oom_kills = 3};
    judged_judge();
    judged_says(judged_only("cgroup-limit-near", PHT_SEVERITY_HIGH),
                "950M of the 1000M that it may, and 910M of that is memory of this process that "
                "cannot be given up. The kernel has killed in it 3 times.");
    judged->kernel.anon_bytes = UINT64_MAX;
    judged_judge();
    judged_none();
}
END_TEST

static void swap_out(enum pht_category category, uint64_t bytes)
{
    judged->categories[category].swapped_bytes += bytes;
    judged->kernel.swap_bytes += bytes;
}

START_TEST(swap_is_told)
{
    static const struct {
        uint64_t rss, python, unused;
        int severity;
    } rows[] = {
        {1000 * MIB, 50 * MIB - 1, 0, -1},
        {1000 * MIB, 50 * MIB, 0, PHT_SEVERITY_MEDIUM},
        {100 * MIB, 16 * MIB - 1, 0, -1},
        {1000 * MIB, 51 * MIB, 50 * MIB, PHT_SEVERITY_MEDIUM},
        {1000 * MIB, 50 * MIB, 50 * MIB, PHT_SEVERITY_INFO},
    };

    if (rows[_i].rss < 500 * MIB)
        judged_drop_types();
    judged->kernel.rss_bytes = rows[_i].rss;
    judged->categories[PHT_CATEGORY_PYMALLOC_SLACK].bytes = 0;
    swap_out(PHT_CATEGORY_PYTHON_LARGE, rows[_i].python);
    swap_out(PHT_CATEGORY_MALLOC_FREE, rows[_i].unused);
    judged_judge();
    if (rows[_i].severity < 0) {
        judged_none();
        return;
    }
    const struct pht_finding *finding = judged_only("swap", (enum pht_severity)rows[_i].severity);
    ck_assert_uint_eq(judged_figure(finding, "swapped_python_bytes"), rows[_i].python);
    judged_says(finding, "which each full collection brings back");
    judged_advises(finding,
                   rows[_i].severity == PHT_SEVERITY_INFO ? "nobody misses it" : "more memory");
}
END_TEST

/* ---- other allocators --------------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *advice;
} allocators[] = {
    {"jemalloc", "MALLOC_CONF"},
    {"tcmalloc", "TCMALLOC_RELEASE_RATE"},
    {"mimalloc", "MIMALLOC_PURGE_DELAY"},
    {"hoard", "its own statistics"},
};

START_TEST(another_allocator_is_told_with_its_own_remedy)
{
    judged->allocators[judged->allocator_count++] = "pymalloc";
    judged->allocators[judged->allocator_count++] = "glibc";
    judged->categories[PHT_CATEGORY_OTHER_ALLOCATOR].bytes = 50 * MIB;
    judged_judge();
    judged_none();
    judged->allocators[judged->allocator_count++] = allocators[_i].name;
    judged_judge();
    const struct pht_finding *finding = judged_only("other-allocator", PHT_SEVERITY_INFO);
    judged_advises(finding, allocators[_i].advice);
    ck_assert_str_eq(judged_figure_text(finding, "allocator"), allocators[_i].name);
    judged->categories[PHT_CATEGORY_OTHER_ALLOCATOR].bytes = 50 * MIB - 1;
    judged_judge();
    judged_none();
}
END_TEST

static TCase *add_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, judged_setup, judged_teardown);
    suite_add_tcase(suite, tcase);
    return tcase;
}

static void add_native(Suite *suite)
{
    TCase *native = add_case(suite, "native");

    tcase_add_loop_test(native, chunks_of_one_size_may_be_a_leak, 0, 4);
    tcase_add_test(native, a_leak_is_told_by_its_size);
    tcase_add_loop_test(native, few_large_chunks_are_no_leak, 0, 2);
    tcase_add_loop_test(native, many_sizes_have_to_be_much_together, 1, 3);
    tcase_add_test(native, without_a_census_nobody_knows_what_python_owns);
    tcase_add_test(native, a_leak_names_the_library_that_it_points_into);
    tcase_add_loop_test(native, a_leak_shows_the_text_that_it_begins_with, 0, 2);
}

static Suite *make_suite(void)
{
    Suite *suite = suite_create("model/findings_live");

    add_native(suite);
    TCase *types = add_case(suite, "types");
    tcase_add_loop_test(types, a_type_with_a_fifth_of_the_memory_is_told, 0, 2);
    tcase_add_loop_test(types, a_type_of_a_small_process_is_not, 0, 2);
    tcase_add_loop_test(types, a_class_with_many_objects_is_told, 0, 4);
    tcase_add_test(types, names_of_types_are_fit_to_print);
    tcase_add_test(types, a_long_name_is_cut);
    TCase *forks = add_case(suite, "fork");
    tcase_add_loop_test(forks, what_a_worker_copied_is_told, 0, 4);
    tcase_add_loop_test(forks, what_is_not_exact_is_not_told, 0, 2);
    tcase_add_loop_test(forks, the_remedy_for_copies_knows_the_interpreter, 0, 3);
    tcase_add_test(forks, what_its_workers_copied_is_told_of_a_master);
    TCase *gc = add_case(suite, "gc");
    tcase_add_loop_test(gc, garbage_is_never_freed, 0, 3);
    tcase_add_test(gc, garbage_that_is_not_known_is_not_told);
    tcase_add_loop_test(gc, a_collector_that_does_not_run, 0, 6);
    tcase_add_loop_test(gc, frozen_for_nothing, 0, 4);
    TCase *kernel = add_case(suite, "kernel");
    tcase_add_loop_test(kernel, a_limit_that_is_near, 0, 7);
    tcase_add_test(kernel, what_the_kernel_killed_is_told);
    tcase_add_loop_test(kernel, swap_is_told, 0, 5);
    tcase_add_loop_test(kernel, another_allocator_is_told_with_its_own_remedy, 0, 4);
    return suite;
}

SUITE_MAIN(make_suite)
