/* Field names of the JSON report, and nothing else; the larger parts are those of json_parts.h. */
#include <string.h>

#include "pyheaptop/view.h"
#include "view/json_parts.h"

#define SCHEMA_VERSION "1.0"

static json_t *command(const struct pht_process *process, struct pht_json *json)
{
    json_t *arguments = json_array();

    for (size_t at = 0; at < process->command_bytes;) {
        size_t length = strnlen(process->command + at, process->command_bytes - at);
        pht_json_append(json, arguments, pht_json_text(process->command + at, length));
        at += length + 1;
    }
    return arguments;
}

static json_t *target(const struct pht_process *process, struct pht_json *json)
{
    json_t *object = json_object();

    pht_json_put(json, object, "pid", json_integer(process->pid));
    pht_json_put_number(json, object, "start_time_ticks", process->start_time_ticks);
    pht_json_put_number(json, object, "uptime_seconds", process->uptime_seconds);
    pht_json_put_text(json, object, "comm", process->comm);
    pht_json_put(json, object, "command", command(process, json));
    pht_json_put_text(json, object, "exe", process->exe);
    pht_json_put_number(json, object, "uid", process->uid);
    pht_json_put_number(json, object, "threads", process->threads);
    return object;
}

static json_t *runtime(const struct pht_report *report, struct pht_json *json)
{
    const struct pht_python *python = report->python;
    json_t *object;

    if (python == NULL)
        return json_null();
    object = json_object();
    pht_json_put_text(json, object, "implementation", "cpython");
    pht_json_put_text(json, object, "version",
                      python->version_text[0] != '\0' ? python->version_text : NULL);
    pht_json_put_flag(json, object, "free_threaded", python->free_threaded);
    pht_json_put_flag(json, object, "debug_build", python->debug_build);
    pht_json_put_text(json, object, "image", python->image);
    pht_json_put_text(json, object, "build_id",
                      python->build_id[0] != '\0' ? python->build_id : NULL);
    bool has_layout = python->layout_source != PHT_LAYOUT_NONE;
    pht_json_put_text(json, object, "layout_source",
                      has_layout ? pht_layout_source_name(python->layout_source) : NULL);
    pht_json_put_text(json, object, "symbol_source",
                      has_layout ? pht_symbol_source_name(python->symbol_source) : NULL);
    pht_json_put_flag(json, object, "layout_cached", python->cached);
    pht_json_put_text(json, object, "object_allocator",
                      pht_object_allocator_name(report->object_allocator));
    return object;
}

static json_t *allocators(const struct pht_report *report, struct pht_json *json)
{
    json_t *names = json_array();

    for (size_t i = 0; i < report->allocator_count; i++)
        pht_json_append(json, names, json_string(report->allocators[i]));
    return names;
}

static json_t *snapshot(const struct pht_report *report, struct pht_json *json)
{
    const struct pht_snapshot_stats *stats = &report->snapshot;
    const struct pht_pymalloc *pymalloc = report->pymalloc;
    const struct pht_glibc *glibc = report->glibc;
    json_t *object = json_object();

    pht_json_put_number(json, object, "number", report->number);
    pht_json_put_text(json, object, "stop", pht_stop_mode_name(stats->stop));
    pht_json_put_number(json, object, "stopped_us", stats->stopped_us);
    pht_json_put_number(json, object, "stops", stats->stops);
    pht_json_put_number(json, object, "walk_ms", report->walk_us / 1000);
    pht_json_put_number(json, object, "walk_us", report->walk_us);
    pht_json_put_number(json, object, "read_bytes", stats->read_bytes);
    pht_json_put_number(json, object, "rereads", report->rereads);
    pht_json_put_number(json, object, "torn_pools",
                        pymalloc != NULL ? pymalloc->torn_pools : PHT_UNKNOWN);
    pht_json_put_number(json, object, "torn_chunks",
                        glibc != NULL ? glibc->torn_chunks : PHT_UNKNOWN);
    pht_json_put_flag(json, object, "complete", report->complete);
    return object;
}

static json_t *warnings(const struct pht_report *report, struct pht_json *json)
{
    json_t *list = json_array();

    for (size_t i = 0; i < report->warnings.count; i++) {
        const struct pht_warning *warning = &report->warnings.items[i];
        json_t *object = json_object();
        pht_json_put_text(json, object, "id", warning->id);
        pht_json_put_text(json, object, "text", warning->text);
        pht_json_put_text(json, object, "remedy", warning->remedy);
        pht_json_append(json, list, object);
    }
    return list;
}

static bool write(const struct pht_report *report, const char *version, struct pht_json json,
                  FILE *file)
{
    json_t *root = json_object(), *tool = json_object();

    pht_json_put_text(&json, root, "schema", "pyheaptop.report");
    pht_json_put_text(&json, root, "schema_version", SCHEMA_VERSION);
    pht_json_put_text(&json, tool, "name", "pyheaptop");
    pht_json_put_text(&json, tool, "version", version);
    pht_json_put(&json, root, "tool", tool);
    pht_json_put_time(&json, root, "taken_at", report->taken_at);
    pht_json_put(&json, root, "target", target(&report->process, &json));
    pht_json_put(&json, root, "runtime", runtime(report, &json));
    pht_json_put(&json, root, "libc", pht_json_libc(report->libc, &json));
    pht_json_put(&json, root, "allocators", allocators(report, &json));
    pht_json_put(&json, root, "snapshot", snapshot(report, &json));
    pht_json_put(&json, root, "kernel", pht_json_kernel(report, &json));
    pht_json_put(&json, root, "categories", pht_json_categories(report, &json));
    pht_json_put_number(&json, root, "attributed_bytes",
                        report->has_ledger ? report->attributed_bytes : PHT_UNKNOWN);
    pht_json_put(&json, root, "unattributed", pht_json_unattributed(report, &json));
    pht_json_put(&json, root, "pymalloc", pht_json_pymalloc(report->pymalloc, &json));
    pht_json_put(&json, root, "glibc", pht_json_glibc(report, &json));
    pht_json_put(&json, root, "gc", pht_json_gc(report->gc, &json));
    pht_json_put(&json, root, "types", pht_json_types(report->objects, &json));
    pht_json_put(&json, root, "objects", pht_json_objects(report->objects, &json));
    pht_json_put(&json, root, "largest", pht_json_largest(report->objects, &json));
    pht_json_put(&json, root, "unowned", pht_json_unowned(report, &json));
    pht_json_put(&json, root, "freelists", pht_json_freelists(&report->freelists, &json));
    pht_json_put(&json, root, "mappings", pht_json_mappings(report, &json));
    pht_json_put(&json, root, "regions", pht_json_regions(report, &json));
    pht_json_put(&json, root, "family", pht_json_family(report, &json));
    pht_json_put_number(&json, root, "family_shared_bytes",
                        report->has_family ? report->family_shared_bytes : PHT_UNKNOWN);
    pht_json_put(&json, root, "family_exact",
                 report->has_family ? json_boolean(report->family_is_exact) : json_null());
    pht_json_put(&json, root, "findings", pht_json_findings(&report->findings, &json));
    pht_json_put(&json, root, "warnings", warnings(report, &json));
    return pht_json_dump(&json, root, file);
}

bool pht_json_report_write(const struct pht_report *report, const char *version, FILE *file)
{
    return write(report, version, (struct pht_json){0}, file);
}

bool pht_json_report_write_line(const struct pht_report *report, const char *version, FILE *file)
{
    return write(report, version, (struct pht_json){.is_line = true}, file);
}

bool pht_json_error_write(const struct pht_error *error, FILE *file)
{
    struct pht_json json = {.is_line = true};
    json_t *root = json_object(), *object = json_object();

    pht_json_put_text(&json, root, "schema", "pyheaptop.error");
    pht_json_put_text(&json, root, "schema_version", SCHEMA_VERSION);
    pht_json_put_text(&json, object, "id", pht_error_id(error->code));
    pht_json_put_text(&json, object, "text", error->text);
    pht_json_put_text(&json, object, "why", error->why);
    pht_json_put_text(&json, object, "remedy", error->remedy);
    pht_json_put(&json, root, "error", object);
    return pht_json_dump(&json, root, file);
}
