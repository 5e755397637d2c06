#include "support/judged.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/findings.h"

#define ROOM 16

struct pht_report *judged;

static void *make(size_t count, size_t size)
{
    void *fresh = calloc(count, size);

    ck_assert_ptr_nonnull(fresh);
    return fresh;
}

static void set_text(char **field, const char *text)
{
    free(*field);
    *field = strdup(text);
    ck_assert_ptr_nonnull(*field);
}

void judged_set_command(const char *command)
{
    set_text(&judged->process.command, command);
    judged->process.command_bytes = strlen(command) + 1;
}

static void describe_process(void)
{
    judged->process.pid = 4711;
    judged->process.threads = 17;
    set_text(&judged->process.comm, "python3");
    set_text(&judged->process.exe, "/usr/bin/python3.11");
    judged_set_command("service");
    judged->python = make(1, sizeof(*judged->python));
    judged->python->version = (struct pht_version){3, 11, 7};
}

static void describe_pymalloc(void)
{
    struct pht_pymalloc *pymalloc = make(1, sizeof(*pymalloc));

    judged->pymalloc = pymalloc;
    pymalloc->arena_bytes = MIB;
    pymalloc->pool_bytes = 16384;
    pymalloc->alignment_bytes = 16;
    pymalloc->arenas = make(ROOM, sizeof(*pymalloc->arenas));
    pymalloc->pool_classes = make(ROOM, 64);
    memset(pymalloc->pool_classes, PHT_NO_SIZE_CLASS, ROOM * 64);
    for (size_t i = 0; i < ROOM; i++)
        pymalloc->arenas[i] = (struct pht_arena){.live_bytes = MIB / 2,
                                                 .pool_classes = pymalloc->pool_classes + i * 64};
    pymalloc->totals.arenas = ROOM;
}

static void describe_glibc(void)
{
    struct pht_glibc *glibc = make(1, sizeof(*glibc));

    judged->glibc = glibc;
    glibc->arena_count = 1 + JUDGED_THREAD_ARENAS;
    glibc->arenas = make(glibc->arena_count, sizeof(*glibc->arenas));
    glibc->arenas[0].is_main = true;
    for (size_t i = 0; i < glibc->arena_count; i++) {
        glibc->arenas[i].threads = 2;
        glibc->arenas[i].resident_bytes = glibc->arenas[i].live_bytes = 20 * MIB;
    }
    glibc->threads_known = true;
    glibc->sizes = make(ROOM, sizeof(*glibc->sizes));
    glibc->params.mmap_threshold_bytes = 128 << 10;
    glibc->params.mmap_threshold_dynamic = true;
    glibc->params.trim_threshold_bytes = 128 << 10;
    judged->arena_limit = (struct pht_arena_limit){16, "processors"};
}

static void describe_ledger(void)
{
    static const uint64_t mibs[PHT_CATEGORIES] = {
        [PHT_CATEGORY_PYTHON_SMALL] = 600,  [PHT_CATEGORY_PYMALLOC_SLACK] = 49,
        [PHT_CATEGORY_PYTHON_LARGE] = 150,  [PHT_CATEGORY_MALLOC_UNOWNED] = 51,
        [PHT_CATEGORY_MALLOC_FREE] = 30,    [PHT_CATEGORY_MALLOC_TOP] = 10,
        [PHT_CATEGORY_MALLOC_MMAPPED] = 20, [PHT_CATEGORY_FILES] = 80,
        [PHT_CATEGORY_STACKS] = 10,
    };

    for (int i = 0; i < PHT_CATEGORIES; i++)
        judged->categories[i].bytes = mibs[i] * MIB;
    judged->has_ledger = true;
    judged->kernel = (struct pht_kernel_memory){
        .rss_bytes = JUDGED_RSS_BYTES, .anon_bytes = 910 * MIB, .file_bytes = 90 * MIB};
}

static void describe_objects(void)
{
    static const char *const names[] = {"dict", "str", "list", "function", "code"};

    judged->objects = make(1, sizeof(*judged->objects));
    judged->objects->types = make(ROOM, sizeof(*judged->objects->types));
    judged->objects->unowned = make(ROOM, sizeof(*judged->objects->unowned));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        judged_add_type("builtins", names[i], 100000, 150 * MIB);
    judged_add_unowned(32, 300000, 9600000);
}

void judged_setup(void)
{
    judged = make(1, sizeof(*judged));
    judged->sections = judged->walks = PHT_SECTION_ALL;
    describe_process();
    describe_pymalloc();
    describe_glibc();
    describe_ledger();
    describe_objects();
    judged->gc = make(1, sizeof(*judged->gc));
    judged->gc->enabled = true;
    judged->gc->generations[0].threshold = 700;
    judged->has_family = judged->family_is_exact = true;
}

void judged_teardown(void)
{
    pht_report_destroy(judged);
    judged = NULL;
}

struct pht_type_sum *judged_add_type(const char *module, const char *name, uint64_t objects,
                                     uint64_t bytes)
{
    struct pht_objects *all = judged->objects;
    struct pht_type_sum *type = &all->types[all->type_count++];

    ck_assert_uint_le(all->type_count, ROOM);
    set_text(&type->module, module);
    set_text(&type->name, name);
    type->address = 0x1000 * all->type_count;
    type->objects = objects;
    type->size_bytes = type->allocated_bytes = bytes;
    all->totals.objects += objects;
    all->totals.allocated_bytes += bytes;
    return type;
}

void judged_drop_types(void)
{
    struct pht_objects *all = judged->objects;

    for (size_t i = 0; i < all->type_count; i++) {
        free(all->types[i].name);
        free(all->types[i].module);
        all->types[i] = (struct pht_type_sum){0};
    }
    all->type_count = 0;
    all->totals.objects = all->totals.allocated_bytes = 0;
}

struct pht_unowned_size *judged_add_unowned(uint64_t min_bytes, uint64_t chunks, uint64_t bytes)
{
    struct pht_objects *all = judged->objects;
    struct pht_unowned_size *size = &all->unowned[all->unowned_count++];

    ck_assert_uint_le(all->unowned_count, ROOM);
    size->min_bytes = min_bytes;
    size->max_bytes = min_bytes < 1024 ? min_bytes : min_bytes + min_bytes / 4 - 16;
    size->chunks = chunks;
    size->bytes = bytes;
    return size;
}

/* ---- what was found ----------------------------------------------------------------------- */

void judged_judge(void)
{
    ck_assert(pht_findings_judge(judged));
}

const struct pht_finding *judged_find(const char *id)
{
    for (size_t i = 0; i < judged->findings.count; i++) {
        if (strcmp(judged->findings.items[i].id, id) == 0)
            return &judged->findings.items[i];
    }
    ck_abort_msg("there is no %s", id);
    return NULL;
}

void judged_none(void)
{
    ck_assert(judged->findings.known);
    ck_assert_msg(judged->findings.count == 0, "there is %s: %s", judged->findings.items[0].id,
                  judged->findings.items[0].text);
}

const struct pht_finding *judged_only(const char *id, enum pht_severity severity)
{
    const struct pht_finding *finding = judged_find(id);

    ck_assert_uint_eq(judged->findings.count, 1);
    ck_assert_str_eq(pht_severity_name(finding->severity), pht_severity_name(severity));
    ck_assert_int_eq(finding->text[strlen(finding->text) - 1], '.');
    ck_assert_uint_gt(strlen(finding->remedy), 0);
    return finding;
}

static const struct pht_finding_figure *find_figure(const struct pht_finding *finding,
                                                    const char *name)
{
    for (size_t i = 0; i < finding->figure_count; i++) {
        if (strcmp(finding->figures[i].name, name) == 0)
            return &finding->figures[i];
    }
    ck_abort_msg("%s has no figure %s", finding->id, name);
    return NULL;
}

uint64_t judged_figure(const struct pht_finding *finding, const char *name)
{
    const struct pht_finding_figure *figure = find_figure(finding, name);

    ck_assert_ptr_null(figure->text);
    return figure->number;
}

const char *judged_figure_text(const struct pht_finding *finding, const char *name)
{
    const struct pht_finding_figure *figure = find_figure(finding, name);

    ck_assert_ptr_nonnull(figure->text);
    return figure->text;
}

void judged_says(const struct pht_finding *finding, const char *part)
{
    ck_assert_msg(strstr(finding->text, part) != NULL, "not \"%s\": %s", part, finding->text);
}

void judged_advises(const struct pht_finding *finding, const char *part)
{
    ck_assert_msg(strstr(finding->remedy, part) != NULL, "not \"%s\": %s", part, finding->remedy);
}
