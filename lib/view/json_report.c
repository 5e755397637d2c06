/* Field names of the JSON report, and nothing else. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "pyheaptop/view.h"

#define SCHEMA_VERSION "1.0"

/* jansson hands a failed allocation on as NULL; it is remembered here and looked at once. */
struct writer {
    bool failed;
};

static void put(struct writer *writer, json_t *object, const char *key, json_t *value)
{
    if (value == NULL || json_object_set_new(object, key, value) != 0)
        writer->failed = true;
}

static void append(struct writer *writer, json_t *array, json_t *value)
{
    if (value == NULL || json_array_append_new(array, value) != 0)
        writer->failed = true;
}

/* Also for what does not fit JSON's signed numbers, which no real size comes near. */
static json_t *number(uint64_t value)
{
    return value > INT64_MAX ? json_null() : json_integer((json_int_t)value);
}

static void put_number(struct writer *writer, json_t *object, const char *key, uint64_t value)
{
    put(writer, object, key, number(value));
}

static void put_flag(struct writer *writer, json_t *object, const char *key, bool value)
{
    put(writer, object, key, json_boolean(value));
}

static json_t *text(const char *bytes, size_t size)
{
    _cleanup_free_ char *valid = pht_text_utf8(bytes, size);

    return valid != NULL ? json_string(valid) : NULL;
}

static void put_text(struct writer *writer, json_t *object, const char *key, const char *value)
{
    put(writer, object, key, value != NULL ? text(value, strlen(value)) : json_null());
}

static void put_address(struct writer *writer, json_t *object, const char *key, pht_addr addr)
{
    put(writer, object, key, json_sprintf("0x%" PRIx64, addr));
}

static json_t *command(const struct pht_process *process, struct writer *writer)
{
    json_t *arguments = json_array();

    for (size_t at = 0; at < process->command_bytes;) {
        size_t length = strnlen(process->command + at, process->command_bytes - at);
        append(writer, arguments, text(process->command + at, length));
        at += length + 1;
    }
    return arguments;
}

static json_t *target(const struct pht_process *process, struct writer *writer)
{
    json_t *object = json_object();

    put(writer, object, "pid", json_integer(process->pid));
    put_number(writer, object, "start_time_ticks", process->start_time_ticks);
    put_number(writer, object, "uptime_seconds", process->uptime_seconds);
    put_text(writer, object, "comm", process->comm);
    put(writer, object, "command", command(process, writer));
    put_text(writer, object, "exe", process->exe);
    put_number(writer, object, "uid", process->uid);
    put_number(writer, object, "threads", process->threads);
    return object;
}

static json_t *runtime(const struct pht_report *report, struct writer *writer)
{
    const struct pht_python *python = report->python;
    json_t *object;

    if (python == NULL)
        return json_null();
    object = json_object();
    put_text(writer, object, "implementation", "cpython");
    put_text(writer, object, "version",
             python->version_text[0] != '\0' ? python->version_text : NULL);
    put_flag(writer, object, "free_threaded", python->free_threaded);
    put_flag(writer, object, "debug_build", python->debug_build);
    put_text(writer, object, "image", python->image);
    put_text(writer, object, "build_id", python->build_id[0] != '\0' ? python->build_id : NULL);
    bool has_layout = python->layout_source != PHT_LAYOUT_NONE;
    put_text(writer, object, "layout_source",
             has_layout ? pht_layout_source_name(python->layout_source) : NULL);
    put_text(writer, object, "symbol_source",
             has_layout ? pht_symbol_source_name(python->symbol_source) : NULL);
    put_flag(writer, object, "layout_cached", python->cached);
    put_text(writer, object, "object_allocator",
             pht_object_allocator_name(report->object_allocator));
    return object;
}

static json_t *allocators(const struct pht_report *report, struct writer *writer)
{
    json_t *names = json_array();

    for (size_t i = 0; i < report->allocator_count; i++)
        append(writer, names, json_string(report->allocators[i]));
    return names;
}

static json_t *snapshot(const struct pht_report *report, struct writer *writer)
{
    const struct pht_snapshot_stats *stats = &report->snapshot;
    const struct pht_pymalloc *pymalloc = report->pymalloc;
    json_t *object = json_object();

    put_number(writer, object, "number", report->number);
    put_text(writer, object, "stop", pht_stop_mode_name(stats->stop));
    put_number(writer, object, "stopped_us", stats->stopped_us);
    put_number(writer, object, "stops", stats->stops);
    put_number(writer, object, "walk_ms", report->walk_us / 1000);
    put_number(writer, object, "walk_us", report->walk_us);
    put_number(writer, object, "read_bytes", stats->read_bytes);
    put_number(writer, object, "rereads", pymalloc != NULL ? pymalloc->rereads : PHT_UNKNOWN);
    put_number(writer, object, "torn_pools", pymalloc != NULL ? pymalloc->torn_pools : PHT_UNKNOWN);
    put(writer, object, "torn_chunks", json_null());
    put_flag(writer, object, "complete", report->complete);
    return object;
}

static json_t *cgroup(const struct pht_cgroup_memory *memory, struct writer *writer)
{
    json_t *object;

    if (!memory->known)
        return json_null();
    object = json_object();
    put_number(writer, object, "limit_bytes", memory->limit_bytes);
    put_number(writer, object, "current_bytes", memory->current_bytes);
    return object;
}

static json_t *kernel(const struct pht_report *report, struct writer *writer)
{
    const struct pht_kernel_memory *memory = &report->kernel;
    json_t *object = json_object();

    put_number(writer, object, "rss_bytes", memory->rss_bytes);
    put_number(writer, object, "anon_bytes", memory->anon_bytes);
    put_number(writer, object, "file_bytes", memory->file_bytes);
    put_number(writer, object, "shmem_bytes", memory->shmem_bytes);
    put_number(writer, object, "pss_bytes", memory->pss_bytes);
    put_number(writer, object, "uss_bytes", memory->uss_bytes);
    put_number(writer, object, "swap_bytes", memory->swap_bytes);
    put_number(writer, object, "virtual_bytes", memory->virtual_bytes);
    put_number(writer, object, "peak_rss_bytes", memory->peak_rss_bytes);
    put_number(writer, object, "minor_faults", memory->minor_faults);
    put_number(writer, object, "major_faults", memory->major_faults);
    put(writer, object, "cgroup", cgroup(&report->cgroup, writer));
    return object;
}

static void put_totals(struct writer *writer, json_t *object,
                       const struct pht_pymalloc_totals *totals)
{
    put_number(writer, object, "arenas", totals->arenas);
    put_number(writer, object, "pools_used", totals->pools_used);
    put_number(writer, object, "pools_free", totals->pools_free);
    put_number(writer, object, "live_blocks", totals->live_blocks);
    put_number(writer, object, "free_blocks", totals->free_blocks);
    put_number(writer, object, "live_bytes", totals->live_bytes);
    put_number(writer, object, "free_bytes", totals->free_bytes);
    put_number(writer, object, "unused_pool_bytes", totals->unused_pool_bytes);
    put_number(writer, object, "pool_header_bytes", totals->pool_header_bytes);
    put_number(writer, object, "quantization_bytes", totals->quantization_bytes);
    put_number(writer, object, "arena_alignment_bytes", totals->arena_alignment_bytes);
    put_number(writer, object, "unknown_pool_bytes", totals->unknown_pool_bytes);
    put_number(writer, object, "total_bytes", totals->total_bytes);
}

static json_t *size_class(const struct pht_size_class *class, struct writer *writer)
{
    json_t *object = json_object();

    put_number(writer, object, "block_bytes", class->block_bytes);
    put_number(writer, object, "pools", class->pools);
    put_number(writer, object, "live_blocks", class->live_blocks);
    put_number(writer, object, "free_blocks", class->free_blocks);
    put_number(writer, object, "live_bytes", class->live_bytes);
    put_number(writer, object, "free_bytes", class->free_bytes);
    return object;
}

static json_t *arena(const struct pht_arena *row, struct writer *writer)
{
    json_t *object = json_object();

    put_address(writer, object, "address", row->address);
    put_number(writer, object, "pools_used", row->pools_used);
    put_number(writer, object, "pools_free", row->pools_free);
    put_number(writer, object, "live_bytes", row->live_bytes);
    put_number(writer, object, "resident_bytes", row->resident_bytes);
    return object;
}

static json_t *state(const struct pht_pymalloc_state *row, struct writer *writer)
{
    json_t *object = json_object();

    put_address(writer, object, "address", row->address);
    put(writer, object, "interpreter",
        row->interpreter < 0 ? json_null() : json_integer(row->interpreter));
    put_number(writer, object, "interpreters", row->interpreters);
    put_number(writer, object, "arenas_peak", row->arenas_peak);
    put_number(writer, object, "arenas_allocated_total", row->arenas_allocated_total);
    put_totals(writer, object, &row->totals);
    return object;
}

static json_t *sparse(const struct pht_pymalloc *pymalloc, struct writer *writer)
{
    json_t *object = json_object();

    put_number(writer, object, "arenas", pymalloc->sparse_arenas);
    put_number(writer, object, "live_bytes", pymalloc->sparse_live_bytes);
    put_number(writer, object, "held_bytes", pymalloc->sparse_held_bytes);
    return object;
}

static json_t *pymalloc(const struct pht_pymalloc *pymalloc, struct writer *writer)
{
    json_t *object, *classes = json_array(), *arenas = json_array(), *states = json_array();

    if (pymalloc == NULL) {
        json_decref(classes);
        json_decref(arenas);
        json_decref(states);
        return json_null();
    }
    object = json_object();
    put_number(writer, object, "arena_bytes", pymalloc->arena_bytes);
    put_number(writer, object, "pool_bytes", pymalloc->pool_bytes);
    put_number(writer, object, "alignment_bytes", pymalloc->alignment_bytes);
    put_number(writer, object, "arenas_peak", pymalloc->arenas_peak);
    put_number(writer, object, "arenas_allocated_total", pymalloc->arenas_allocated_total);
    put_totals(writer, object, &pymalloc->totals);
    for (size_t i = 0; i < pymalloc->class_count; i++)
        append(writer, classes, size_class(&pymalloc->classes[i], writer));
    put(writer, object, "size_classes", classes);
    for (size_t i = 0; i < pymalloc->totals.arenas; i++)
        append(writer, arenas, arena(&pymalloc->arenas[i], writer));
    put(writer, object, "arena_list", arenas);
    for (size_t i = 0; i < pymalloc->state_count; i++)
        append(writer, states, state(&pymalloc->states[i], writer));
    put(writer, object, "states", states);
    put(writer, object, "sparse_arenas", sparse(pymalloc, writer));
    put_number(writer, object, "damaged_pools", pymalloc->damaged_pools);
    put_number(writer, object, "swapped_pools", pymalloc->swapped_pools);
    put_number(writer, object, "damaged_arenas", pymalloc->damaged_arenas);
    put_number(writer, object, "vanished_arenas", pymalloc->vanished_arenas);
    return object;
}

static json_t *warnings(const struct pht_report *report, struct writer *writer)
{
    json_t *list = json_array();

    for (size_t i = 0; i < report->warnings.count; i++) {
        const struct pht_warning *warning = &report->warnings.items[i];
        json_t *object = json_object();
        put_text(writer, object, "id", warning->id);
        put_text(writer, object, "text", warning->text);
        put_text(writer, object, "remedy", warning->remedy);
        append(writer, list, object);
    }
    return list;
}

/* RFC 3339 in UTC with milliseconds: "2026-11-22T14:03:07.041Z". */
static void put_time(struct writer *writer, json_t *object, const char *key, struct timespec time)
{
    char seconds[32];
    struct tm broken;

    gmtime_r(&time.tv_sec, &broken);
    strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &broken);
    put(writer, object, key, json_sprintf("%s.%03ldZ", seconds, time.tv_nsec / 1000000));
}

/* Parts of the schema that nothing in this version can fill in. */
static void put_unknown_parts(struct writer *writer, json_t *root)
{
    static const char *const names[] = {
        "categories", "attributed_bytes", "libc",     "glibc",  "gc",
        "types",      "freelists",        "mappings", "family", "findings"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        put(writer, root, names[i], json_null());
}

/* ASCII only: a terminal that shows the report must not meet control characters of C1. */
static bool dump(struct writer *writer, json_t *root, FILE *file)
{
    bool written =
        !writer->failed && json_dumpf(root, file, JSON_INDENT(2) | JSON_ENSURE_ASCII) == 0;

    json_decref(root);
    if (written)
        fputc('\n', file);
    return written;
}

bool pht_json_report_write(const struct pht_report *report, const char *version, FILE *file)
{
    struct writer writer = {0};
    json_t *root = json_object(), *tool = json_object();

    put_text(&writer, root, "schema", "pyheaptop.report");
    put_text(&writer, root, "schema_version", SCHEMA_VERSION);
    put_text(&writer, tool, "name", "pyheaptop");
    put_text(&writer, tool, "version", version);
    put(&writer, root, "tool", tool);
    put_time(&writer, root, "taken_at", report->taken_at);
    put(&writer, root, "target", target(&report->process, &writer));
    put(&writer, root, "runtime", runtime(report, &writer));
    put(&writer, root, "allocators", allocators(report, &writer));
    put(&writer, root, "snapshot", snapshot(report, &writer));
    put(&writer, root, "kernel", kernel(report, &writer));
    put(&writer, root, "pymalloc", pymalloc(report->pymalloc, &writer));
    put_unknown_parts(&writer, root);
    put(&writer, root, "warnings", warnings(report, &writer));
    return dump(&writer, root, file);
}

bool pht_json_error_write(const struct pht_error *error, FILE *file)
{
    struct writer writer = {0};
    json_t *root = json_object(), *object = json_object();

    put_text(&writer, root, "schema", "pyheaptop.error");
    put_text(&writer, root, "schema_version", SCHEMA_VERSION);
    put_text(&writer, object, "id", pht_error_id(error->code));
    put_text(&writer, object, "text", error->text);
    put_text(&writer, object, "why", error->why);
    put_text(&writer, object, "remedy", error->remedy);
    put(&writer, root, "error", object);
    return dump(&writer, root, file);
}
