#include "view/json_parts.h"

static json_t *cgroup(const struct pht_cgroup_memory *memory, struct pht_json *json)
{
    json_t *object;

    if (!memory->known)
        return json_null();
    object = json_object();
    pht_json_put_number(json, object, "limit_bytes", memory->limit_bytes);
    pht_json_put_number(json, object, "high_bytes", memory->high_bytes);
    pht_json_put_number(json, object, "current_bytes", memory->current_bytes);
    pht_json_put_number(json, object, "peak_bytes", memory->peak_bytes);
    pht_json_put_number(json, object, "oom_kills", memory->oom_kills);
    return object;
}

json_t *pht_json_kernel(const struct pht_report *report, struct pht_json *json)
{
    const struct pht_kernel_memory *memory = &report->kernel;
    json_t *object = json_object();

    pht_json_put_number(json, object, "rss_bytes", memory->rss_bytes);
    pht_json_put_number(json, object, "anon_bytes", memory->anon_bytes);
    pht_json_put_number(json, object, "file_bytes", memory->file_bytes);
    pht_json_put_number(json, object, "shmem_bytes", memory->shmem_bytes);
    pht_json_put_number(json, object, "pss_bytes", memory->pss_bytes);
    pht_json_put_number(json, object, "uss_bytes", memory->uss_bytes);
    pht_json_put_number(json, object, "swap_bytes", memory->swap_bytes);
    pht_json_put_number(json, object, "virtual_bytes", memory->virtual_bytes);
    pht_json_put_number(json, object, "huge_bytes", memory->huge_bytes);
    pht_json_put_number(json, object, "peak_rss_bytes", memory->peak_rss_bytes);
    pht_json_put_number(json, object, "minor_faults", memory->minor_faults);
    pht_json_put_number(json, object, "major_faults", memory->major_faults);
    pht_json_put(json, object, "cgroup", cgroup(&report->cgroup, json));
    return object;
}
