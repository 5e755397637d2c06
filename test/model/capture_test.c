/*
 * How the allocators are looked at together. What finds, freezes and walks them is wrapped by the
 * linker (see CMakeLists.txt) and plays a part here: the snapshot and the report are real.
 */
#include <stdio.h>
#include <string.h>

#include "pyheaptop/model.h"
#include "support/fake_target.h"
#include "support/heap_report.h"
#include "support/suite.h"

#define MIB ((uint64_t)1 << 20)

/* How one allocator plays its part, and how often it was on. */
struct part {
    bool has_no_layout;
    bool is_wrong; /* the layout that is found first does not fit */
    bool stays_wrong;
    bool is_damaged;    /* by the layout that is found first the walk finds damage */
    bool stays_damaged; /* and by any other: it is the target's own */
    bool loses_layout;  /* there is none when it is looked for again */
    bool is_torn;
    bool walk_fails;
    unsigned found;
    unsigned distrusted;
    unsigned kept; /* after it was distrusted */
    unsigned frozen;
    unsigned walked;
};

static struct part pymalloc, glibc;
static bool free_threaded, not_initialised;
static enum pht_object_allocator allocator;
static enum pht_libc_family family;
static struct pht_range others[4];
static size_t other_count;
static int open_roots;
static pid_t report_pid;
static uint64_t arena_max;
static struct fake_target *fake;
static struct pht_report *report;

static bool fits(const struct part *part)
{
    return !part->stays_wrong && (!part->is_wrong || part->found > 1);
}

static bool shows_damage(const struct part *part)
{
    return part->stays_damaged || (part->is_damaged && part->found < 2);
}

static bool lacks_layout(const struct part *part)
{
    return part->has_no_layout || (part->loses_layout && part->found > 1);
}

/* Something of a layout: it differs between the first that is found and the next, if wrong. */
static uint64_t some_offset(const struct part *part)
{
    return (part->is_wrong || part->is_damaged) && part->found < 2 ? 40 : 36;
}

/* ---- the parts ---------------------------------------------------------------------------- */

struct pht_error *__wrap_pht_python_find(struct pht_target *, const struct pht_maps *,
                                         const struct pht_layout_options *, struct pht_python **);
bool __wrap_pht_python_distrust_cache(const struct pht_python *, const struct pht_process *,
                                      const struct pht_layout_options *);
void __wrap_pht_python_keep_doubted(struct pht_python *, const struct pht_process *,
                                    const struct pht_layout_options *);
bool __wrap_pht_pymalloc_freeze(struct pht_snapshot *, void *);
struct pht_pymalloc *__wrap_pht_pymalloc_walk(struct pht_snapshot *,
                                              const struct pht_pymalloc_roots *,
                                              struct pht_owners *);
struct pht_error *__wrap_pht_libc_find(struct pht_target *, const struct pht_maps *,
                                       const struct pht_layout_options *, struct pht_libc **);
bool __wrap_pht_libc_distrust_cache(const struct pht_libc *, const struct pht_process *,
                                    const struct pht_layout_options *);
void __wrap_pht_libc_keep_doubted(struct pht_libc *, const struct pht_process *,
                                  const struct pht_layout_options *);
void __wrap_pht_glibc_roots_init(struct pht_glibc_roots *, const struct pht_libc *);
void __wrap_pht_glibc_roots_deinit(struct pht_glibc_roots *);
bool __wrap_pht_glibc_freeze(struct pht_snapshot *, void *);
struct pht_glibc *__wrap_pht_glibc_walk(struct pht_snapshot *, const struct pht_glibc_roots *,
                                        const struct pht_range *, size_t, struct pht_owners *,
                                        struct pht_census *);

/* A report that was made by hand lends what walks return. */
static struct pht_report *lender(void)
{
    struct pht_report *lent = heap_report_create();

    ck_assert_ptr_nonnull(lent);
    return lent;
}

struct pht_error *__wrap_pht_python_find(struct pht_target *target, const struct pht_maps *maps,
                                         const struct pht_layout_options *options,
                                         struct pht_python **ret)
{
    struct pht_report *from = lender();

    (void)target, (void)maps, (void)options;
    pymalloc.found++;
    *ret = from->python;
    from->python = NULL;
    pht_report_destroy(from);
    (*ret)->free_threaded = free_threaded;
    (*ret)->version.major = 2; /* which has no hooks: its allocator is not known */
    (*ret)->layout.pool_szidx = some_offset(&pymalloc);
    if (lacks_layout(&pymalloc))
        (*ret)->layout_source = PHT_LAYOUT_NONE;
    return NULL;
}

bool __wrap_pht_python_distrust_cache(const struct pht_python *python,
                                      const struct pht_process *process,
                                      const struct pht_layout_options *options)
{
    (void)options;
    ck_assert_ptr_nonnull(python);
    ck_assert_int_eq(process->pid, report_pid);
    return pymalloc.distrusted++ == 0;
}

void __wrap_pht_python_keep_doubted(struct pht_python *python, const struct pht_process *process,
                                    const struct pht_layout_options *options)
{
    (void)process, (void)options;
    ck_assert_int_ne(python->layout_source, PHT_LAYOUT_NONE);
    pymalloc.kept++;
}

bool __wrap_pht_pymalloc_freeze(struct pht_snapshot *snapshot, void *context)
{
    struct pht_pymalloc_roots *roots = context;

    (void)snapshot;
    pymalloc.frozen++;
    roots->proven = fits(&pymalloc);
    roots->consistent = !pymalloc.is_torn;
    roots->initialised = !not_initialised;
    roots->allocator = allocator;
    return !pymalloc.is_torn;
}

struct pht_pymalloc *__wrap_pht_pymalloc_walk(struct pht_snapshot *snapshot,
                                              const struct pht_pymalloc_roots *roots,
                                              struct pht_owners *owners)
{
    struct pht_report *from = lender();
    struct pht_pymalloc *lent = from->pymalloc;

    (void)snapshot, (void)roots, (void)owners;
    ck_assert_uint_eq(glibc.walked, pymalloc.walked);
    pymalloc.walked++;
    if (shows_damage(&pymalloc))
        lent->damaged_pools = lent->totals.unknown_pool_bytes = lent->totals.pools_used;
    from->pymalloc = NULL;
    pht_report_destroy(from);
    if (!pymalloc.walk_fails)
        return lent;
    pht_pymalloc_destroy(lent);
    return NULL;
}

struct pht_error *__wrap_pht_libc_find(struct pht_target *target, const struct pht_maps *maps,
                                       const struct pht_layout_options *options,
                                       struct pht_libc **ret)
{
    struct pht_report *from = lender();

    (void)target, (void)maps, (void)options;
    glibc.found++;
    *ret = from->libc;
    from->libc = NULL;
    pht_report_destroy(from);
    (*ret)->family = family;
    (*ret)->layout.state_top = some_offset(&glibc);
    if (lacks_layout(&glibc))
        (*ret)->layout_source = PHT_LAYOUT_NONE;
    return NULL;
}

bool __wrap_pht_libc_distrust_cache(const struct pht_libc *libc, const struct pht_process *process,
                                    const struct pht_layout_options *options)
{
    (void)options;
    ck_assert_ptr_nonnull(libc);
    ck_assert_int_eq(process->pid, report_pid);
    return glibc.distrusted++ == 0;
}

void __wrap_pht_libc_keep_doubted(struct pht_libc *libc, const struct pht_process *process,
                                  const struct pht_layout_options *options)
{
    (void)process, (void)options;
    ck_assert_int_ne(libc->layout_source, PHT_LAYOUT_NONE);
    glibc.kept++;
}

void __wrap_pht_glibc_roots_init(struct pht_glibc_roots *roots, const struct pht_libc *libc)
{
    open_roots++;
    *roots = (struct pht_glibc_roots){.libc = libc};
}

void __wrap_pht_glibc_roots_deinit(struct pht_glibc_roots *roots)
{
    (void)roots;
    open_roots--;
}

bool __wrap_pht_glibc_freeze(struct pht_snapshot *snapshot, void *context)
{
    struct pht_glibc_roots *roots = context;

    (void)snapshot;
    glibc.frozen++;
    roots->proven = fits(&glibc);
    roots->consistent = !glibc.is_torn;
    return !glibc.is_torn;
}

struct pht_glibc *__wrap_pht_glibc_walk(struct pht_snapshot *snapshot,
                                        const struct pht_glibc_roots *roots,
                                        const struct pht_range *ranges, size_t count,
                                        struct pht_owners *owners, struct pht_census *census)
{
    struct pht_report *from = lender();
    struct pht_glibc *lent = from->glibc;

    (void)snapshot, (void)roots, (void)owners, (void)census;
    glibc.walked++;
    ck_assert_uint_le(count, sizeof(others) / sizeof(others[0]));
    other_count = count;
    if (count > 0)
        memcpy(others, ranges, count * sizeof(*ranges));
    from->glibc = NULL;
    pht_report_destroy(from);
    lent->params.arena_max = arena_max;
    if (shows_damage(&glibc))
        lent->totals.unknown_bytes = lent->totals.system_bytes;
    if (!glibc.walk_fails)
        return lent;
    pht_glibc_destroy(lent);
    return NULL;
}

static const struct pht_watch *watch;

/* ---- the play ----------------------------------------------------------------------------- */

static void setup(void)
{
    pymalloc = glibc = (struct part){0};
    free_threaded = not_initialised = false;
    allocator = PHT_ALLOCATOR_UNKNOWN;
    family = PHT_LIBC_GLIBC;
    other_count = 99;
    open_roots = 0;
    arena_max = 0;
    watch = NULL;
    fake = fake_target_create();
    report_pid = pht_target_process(fake->target)->pid;
    report = NULL;
}

static void teardown(void)
{
    ck_assert_int_eq(open_roots, 0);
    ck_assert_uint_eq(fake->stops, fake->resumes);
    pht_report_destroy(report);
    fake_target_destroy(fake);
}

static struct pht_error *take(unsigned sections)
{
    const struct pht_report_options options = {
        .sections = sections,
        .number = 1,
        .snapshot = {.stop = PHT_STOP_BRIEF, .max_stop_us = 20000},
        .watch = watch,
    };

    return pht_report_take(fake->target, &options, &report);
}

static void check_warnings(const char *first, const char *second)
{
    size_t wanted = (first != NULL) + (second != NULL);

    ck_assert_uint_eq(report->warnings.count, wanted);
    if (first != NULL)
        ck_assert_str_eq(report->warnings.items[0].id, first);
    if (second != NULL)
        ck_assert_str_eq(report->warnings.items[1].id, second);
}

#define BOTH (PHT_SECTION_PYMALLOC | PHT_SECTION_GLIBC)

START_TEST(both_are_frozen_in_one_stop)
{
    ck_assert_ptr_null(take(BOTH));
    ck_assert_uint_eq(fake->stops, 1);
    /* Once before the stop, once in it. */
    ck_assert_uint_eq(pymalloc.frozen, 2);
    ck_assert_uint_eq(glibc.frozen, 2);
    ck_assert_uint_eq(pymalloc.walked, 1);
    ck_assert_uint_eq(glibc.walked, 1);
    ck_assert_uint_eq(report->rereads, 12);
    ck_assert_uint_eq(report->allocator_count, 2);
    ck_assert_str_eq(report->allocators[0], "pymalloc");
    ck_assert_str_eq(report->allocators[1], "glibc");
    ck_assert(report->complete);
    check_warnings(NULL, NULL);
}
END_TEST

START_TEST(arenas_of_pymalloc_are_no_place_for_mmapped_chunks)
{
    ck_assert_ptr_null(take(BOTH));
    ck_assert_uint_eq(other_count, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(others[i].start, report->pymalloc->arenas[i].address);
        ck_assert_uint_eq(others[i].end, others[i].start + MIB);
    }
    ck_assert_uint_lt(others[0].start, others[1].start);
    ck_assert_uint_lt(others[1].start, others[2].start);
}
END_TEST

START_TEST(resident_memory_of_malloc_adds_up)
{
    const struct pht_malloc_resident *resident;

    ck_assert_ptr_null(take(BOTH));
    resident = &report->malloc_resident;
    ck_assert_uint_eq(resident->main_arena_bytes, report->glibc->arenas[0].resident_bytes);
    ck_assert_uint_eq(resident->main_arena_bytes + resident->thread_arenas_bytes,
                      report->glibc->totals.resident_bytes);
    ck_assert_uint_eq(resident->total_bytes,
                      report->glibc->totals.resident_bytes + report->glibc->mmapped_resident_bytes);
}
END_TEST

static void check_limit(uint64_t arenas, const char *source)
{
    ck_assert_ptr_null(take(PHT_SECTION_GLIBC));
    ck_assert_uint_eq(report->arena_limit.arenas, arenas);
    ck_assert_pstr_eq(report->arena_limit.source, source);
}

START_TEST(limit_follows_from_the_processors_of_the_target)
{
    fake_target_set_processors(fake, 4);
    check_limit(32, "processors");
}
END_TEST

START_TEST(limit_is_looked_for_in_the_environment_of_the_target)
{
    static const char environment[] = "MALLOC_ARENA_MAX=3";

    fake->environment = environment;
    fake->environment_bytes = sizeof(environment);
    arena_max = _i;
    check_limit(arena_max, arena_max == 3 ? "MALLOC_ARENA_MAX" : "mallopt");
}
END_TEST

START_TEST(environment_that_may_not_be_read_leaves_the_source_open)
{
    arena_max = 3;
    check_limit(3, NULL);
}
END_TEST

/* Both or none: figures of different moments would not fit together. */
START_TEST(one_that_is_torn_makes_another_try_for_both)
{
    pymalloc.is_torn = _i == 0;
    glibc.is_torn = _i == 1;
    pymalloc.distrusted = glibc.distrusted = 1; /* not from the cache */
    ck_assert_ptr_null(take(BOTH));
    ck_assert_uint_gt(pymalloc.frozen, 2);
    ck_assert_uint_eq(pymalloc.frozen, glibc.frozen);
    ck_assert(!report->snapshot.consistent);
    ck_assert(!report->complete);
    check_warnings("roots-torn", NULL);
}
END_TEST

START_TEST(malloc_alone_needs_no_python)
{
    ck_assert_ptr_null(take(PHT_SECTION_GLIBC));
    ck_assert_uint_eq(pymalloc.found, 0);
    ck_assert_uint_eq(pymalloc.frozen, 0);
    ck_assert_uint_eq(glibc.walked, 1);
    ck_assert_uint_eq(other_count, 0);
    ck_assert_ptr_null(report->python);
    ck_assert_ptr_nonnull(report->glibc);
    ck_assert(report->complete);
    check_warnings(NULL, NULL);
}
END_TEST

START_TEST(pymalloc_alone_needs_no_libc)
{
    ck_assert_ptr_null(take(PHT_SECTION_PYMALLOC));
    ck_assert_uint_eq(glibc.found, 0);
    ck_assert_uint_eq(glibc.frozen, 0);
    ck_assert_ptr_null(report->libc);
    ck_assert_ptr_null(report->glibc);
    ck_assert(report->complete);
    check_warnings(NULL, NULL);
}
END_TEST

START_TEST(one_without_a_layout_leaves_the_other)
{
    pymalloc.has_no_layout = _i == 0;
    glibc.has_no_layout = _i == 1;
    ck_assert_ptr_null(take(BOTH));
    ck_assert_uint_eq(pymalloc.walked, _i == 1);
    ck_assert_uint_eq(glibc.walked, _i == 0);
    ck_assert_uint_eq(pymalloc.frozen, _i == 1 ? 2 : 0);
    ck_assert_uint_eq(glibc.frozen, _i == 0 ? 2 : 0);
    ck_assert(!report->complete);
    check_warnings(_i == 0 ? "no-layout" : "no-libc-layout", NULL);
}
END_TEST

START_TEST(free_threaded_python_leaves_malloc)
{
    free_threaded = true;
    ck_assert_ptr_null(take(BOTH));
    ck_assert_ptr_null(report->pymalloc);
    ck_assert_ptr_nonnull(report->glibc);
    ck_assert_str_eq(report->allocators[report->allocator_count - 1], "mimalloc");
    check_warnings("free-threaded", NULL);
}
END_TEST

/* Its objects are there, and zeros would say that there are none. */
START_TEST(mimalloc_is_named_and_not_walked)
{
    allocator = _i == 0 ? PHT_ALLOCATOR_MIMALLOC : PHT_ALLOCATOR_MIMALLOC_DEBUG;
    ck_assert_ptr_null(take(BOTH));
    ck_assert_uint_eq(pymalloc.walked, 0);
    ck_assert_ptr_null(report->pymalloc);
    ck_assert_ptr_null(report->objects);
    ck_assert_ptr_nonnull(report->glibc);
    ck_assert(!report->complete);
    ck_assert_int_eq(report->object_allocator, allocator);
    ck_assert_str_eq(report->allocators[report->allocator_count - 1], "mimalloc");
    check_warnings("pymalloc-off", NULL);
    ck_assert_ptr_nonnull(strstr(report->warnings.items[0].text, "in mimalloc"));
}
END_TEST

START_TEST(library_that_is_not_glibc_is_not_frozen)
{
    family = PHT_LIBC_MUSL;
    ck_assert_ptr_null(take(BOTH));
    ck_assert_uint_eq(glibc.frozen, 0);
    ck_assert_ptr_nonnull(report->pymalloc);
    check_warnings("libc-musl", NULL);
}
END_TEST

START_TEST(nothing_to_freeze_is_no_snapshot)
{
    pymalloc.has_no_layout = glibc.has_no_layout = true;
    ck_assert_ptr_null(take(BOTH));
    ck_assert(!report->has_snapshot);
    ck_assert_uint_eq(fake->stops, 0);
    ck_assert(!report->complete);
    check_warnings("no-layout", "no-libc-layout");
}
END_TEST

/* ---- layouts from the cache --------------------------------------------------------------- */

START_TEST(wrong_layout_is_resolved_anew)
{
    pymalloc.is_wrong = _i & 1;
    glibc.is_wrong = _i & 2;
    ck_assert_ptr_null(take(BOTH));
    ck_assert_uint_eq(pymalloc.found, _i & 1 ? 2 : 1);
    ck_assert_uint_eq(glibc.found, _i & 2 ? 2 : 1);
    ck_assert_uint_eq(pymalloc.distrusted, _i & 1 ? 1 : 0);
    ck_assert_uint_eq(glibc.distrusted, _i & 2 ? 1 : 0);
    ck_assert_uint_eq(fake->stops, 2);
    ck_assert_uint_eq(pymalloc.walked, 1);
    ck_assert_uint_eq(glibc.walked, 1);
    ck_assert(report->complete);
    check_warnings(NULL, NULL);
}
END_TEST

START_TEST(layout_that_stays_wrong_is_left)
{
    pymalloc.stays_wrong = _i == 0;
    glibc.stays_wrong = _i == 1;
    ck_assert_ptr_null(take(BOTH));
    ck_assert_uint_eq(fake->stops, 2);
    ck_assert_uint_eq(pymalloc.walked, _i == 1);
    ck_assert_uint_eq(glibc.walked, _i == 0);
    ck_assert(!report->complete);
    check_warnings(_i == 0 ? "layout-rejected" : "libc-layout-rejected", NULL);
}
END_TEST

/* The roots were plausible, so it takes a walk to see. The other one is looked at again as well. */
START_TEST(layout_that_leads_to_damage_is_resolved_anew)
{
    pymalloc.is_damaged = _i & 1;
    glibc.is_damaged = _i & 2;
    ck_assert_ptr_null(take(BOTH));
    ck_assert_uint_eq(pymalloc.found, _i & 1 ? 2 : 1);
    ck_assert_uint_eq(glibc.found, _i & 2 ? 2 : 1);
    ck_assert_uint_eq(pymalloc.distrusted, _i & 1 ? 1 : 0);
    ck_assert_uint_eq(glibc.distrusted, _i & 2 ? 1 : 0);
    ck_assert_uint_eq(pymalloc.kept + glibc.kept, 0);
    ck_assert_uint_eq(fake->stops, 2);
    ck_assert_uint_eq(pymalloc.walked, 2);
    ck_assert_uint_eq(glibc.walked, 2);
    ck_assert_uint_eq(report->pymalloc->damaged_pools, 0);
    ck_assert_uint_eq(report->glibc->totals.unknown_bytes, 0);
    ck_assert(report->complete);
    check_warnings(NULL, NULL);
}
END_TEST

START_TEST(damage_of_the_target_itself_is_looked_into_once)
{
    struct part *part = _i == 0 ? &pymalloc : &glibc;

    part->stays_damaged = true;
    ck_assert_ptr_null(take(BOTH));
    ck_assert_uint_eq(part->found, 2);
    ck_assert_uint_eq(part->distrusted, 2);
    ck_assert_uint_eq(part->kept, 1);
    ck_assert_uint_eq(fake->stops, 2);
    ck_assert(!report->complete);
    check_warnings(_i == 0 ? "damaged-pools" : "unknown-chunks", NULL);
}
END_TEST

START_TEST(damage_by_a_layout_that_is_not_from_the_cache_is_the_targets)
{
    struct part *part = _i == 0 ? &pymalloc : &glibc;

    part->stays_damaged = true;
    part->distrusted = 1;
    ck_assert_ptr_null(take(BOTH));
    ck_assert_uint_eq(part->found, 1);
    ck_assert_uint_eq(part->kept, 0);
    ck_assert_uint_eq(fake->stops, 1);
    check_warnings(_i == 0 ? "damaged-pools" : "unknown-chunks", NULL);
}
END_TEST

/* The debug file may have been removed since. */
START_TEST(layout_that_is_only_doubted_is_better_than_none)
{
    struct part *part = _i == 0 ? &pymalloc : &glibc;

    part->is_damaged = part->stays_damaged = part->loses_layout = true;
    ck_assert_ptr_null(take(BOTH));
    ck_assert_uint_eq(part->found, 2);
    ck_assert_uint_eq(part->kept, 1);
    ck_assert_ptr_nonnull(report->pymalloc);
    ck_assert_ptr_nonnull(report->glibc);
    check_warnings(_i == 0 ? "damaged-pools" : "unknown-chunks", NULL);
}
END_TEST

START_TEST(layout_that_is_disproved_is_worse_than_none)
{
    struct part *part = _i == 0 ? &pymalloc : &glibc;

    part->is_wrong = part->loses_layout = true;
    ck_assert_ptr_null(take(BOTH));
    ck_assert_uint_eq(part->found, 2);
    ck_assert_uint_eq(part->kept, 0);
    check_warnings(_i == 0 ? "no-layout" : "no-libc-layout", NULL);
}
END_TEST

/* ---- errors ------------------------------------------------------------------------------- */

START_TEST(python_that_has_not_begun_is_an_error)
{
    struct pht_error *error;

    not_initialised = true;
    pymalloc.distrusted = 1; /* not from the cache */
    error = take(BOTH);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->code, PHT_ERROR_NOT_INITIALISED);
    ck_assert_uint_eq(glibc.walked, 0);
    ck_assert_ptr_null(report);
    pht_error_destroy(error);
}
END_TEST

START_TEST(walk_without_memory_is_an_error)
{
    struct pht_error *error;

    pymalloc.walk_fails = _i == 0;
    glibc.walk_fails = _i == 1;
    error = take(BOTH);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->code, PHT_ERROR_NO_MEMORY);
    pht_error_destroy(error);
}
END_TEST

/* ---- who watches -------------------------------------------------------------------------- */

static const enum pht_stage stages[] = {PHT_STAGE_LAYOUTS, PHT_STAGE_ROOTS, PHT_STAGE_PYMALLOC,
                                        PHT_STAGE_MALLOC, PHT_STAGE_SUMS};
#define STAGES ((int)(sizeof(stages) / sizeof(stages[0])))

static int told;

/* Until as many stages have begun as `context` says. */
static bool tell(void *context, const struct pht_progress *progress)
{
    ck_assert_int_lt(told, STAGES);
    ck_assert_int_eq(progress->stage, stages[told]);
    return told++ != *(int *)context;
}

START_TEST(stages_are_told_in_their_order)
{
    int never = STAGES;
    const struct pht_watch all = {.tell = tell, .context = &never};

    told = 0;
    watch = &all;
    ck_assert_ptr_null(take(BOTH));
    ck_assert_int_eq(told, STAGES);
}
END_TEST

START_TEST(called_off_in_any_stage_it_ends_there)
{
    const struct pht_watch some = {.tell = tell, .context = &_i};

    told = 0;
    watch = &some;
    struct pht_error *error = take(BOTH);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->code, PHT_ERROR_CANCELLED);
    ck_assert_int_eq(told, _i + 1);
    ck_assert_uint_eq(pymalloc.walked, _i > 2);
    ck_assert_uint_eq(glibc.walked, _i > 3);
    pht_error_destroy(error);
}
END_TEST

static Suite *capture_suite(void)
{
    Suite *suite = suite_create("capture");
    TCase *tcase = tcase_create("capture");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, both_are_frozen_in_one_stop);
    tcase_add_test(tcase, arenas_of_pymalloc_are_no_place_for_mmapped_chunks);
    tcase_add_test(tcase, resident_memory_of_malloc_adds_up);
    tcase_add_test(tcase, limit_follows_from_the_processors_of_the_target);
    tcase_add_loop_test(tcase, limit_is_looked_for_in_the_environment_of_the_target, 2, 4);
    tcase_add_test(tcase, environment_that_may_not_be_read_leaves_the_source_open);
    tcase_add_loop_test(tcase, one_that_is_torn_makes_another_try_for_both, 0, 2);
    tcase_add_test(tcase, malloc_alone_needs_no_python);
    tcase_add_test(tcase, pymalloc_alone_needs_no_libc);
    tcase_add_loop_test(tcase, one_without_a_layout_leaves_the_other, 0, 2);
    tcase_add_test(tcase, free_threaded_python_leaves_malloc);
    tcase_add_loop_test(tcase, mimalloc_is_named_and_not_walked, 0, 2);
    tcase_add_test(tcase, library_that_is_not_glibc_is_not_frozen);
    tcase_add_test(tcase, nothing_to_freeze_is_no_snapshot);
    tcase_add_loop_test(tcase, wrong_layout_is_resolved_anew, 1, 4);
    tcase_add_loop_test(tcase, layout_that_stays_wrong_is_left, 0, 2);
    tcase_add_loop_test(tcase, layout_that_leads_to_damage_is_resolved_anew, 1, 4);
    tcase_add_loop_test(tcase, damage_of_the_target_itself_is_looked_into_once, 0, 2);
    tcase_add_loop_test(tcase, damage_by_a_layout_that_is_not_from_the_cache_is_the_targets, 0, 2);
    tcase_add_loop_test(tcase, layout_that_is_only_doubted_is_better_than_none, 0, 2);
    tcase_add_loop_test(tcase, layout_that_is_disproved_is_worse_than_none, 0, 2);
    tcase_add_test(tcase, python_that_has_not_begun_is_an_error);
    tcase_add_loop_test(tcase, walk_without_memory_is_an_error, 0, 2);
    tcase_add_test(tcase, stages_are_told_in_their_order);
    tcase_add_loop_test(tcase, called_off_in_any_stage_it_ends_there, 0, STAGES);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(capture_suite)
