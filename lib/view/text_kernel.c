#include "view/text_line.h"
#include "view/text_parts.h"

static void write_cgroup(const struct pht_cgroup_memory *cgroup, FILE *file)
{
    struct pht_text_facts facts;

    if (!cgroup->known)
        return;
    pht_text_begin_facts(&facts, "  cgroup uses ", file);
    if (cgroup->limit_bytes == PHT_UNKNOWN)
        pht_text_add_fact(&facts, "%s, no limit", BYTES_OR_DASH(cgroup->current_bytes));
    else
        pht_text_add_fact(&facts, "%s of %s", BYTES_OR_DASH(cgroup->current_bytes),
                          BYTES(cgroup->limit_bytes));
    if (cgroup->high_bytes != PHT_UNKNOWN)
        pht_text_add_fact(&facts, "high %s", BYTES(cgroup->high_bytes));
    if (cgroup->peak_bytes != PHT_UNKNOWN)
        pht_text_add_fact(&facts, "peak %s", BYTES(cgroup->peak_bytes));
    if (cgroup->oom_kills != PHT_UNKNOWN)
        pht_text_add_fact(&facts, "OOM kills %s", COUNT(cgroup->oom_kills));
    pht_text_end_facts(&facts);
}

void pht_text_write_kernel(const struct pht_report *report, FILE *file)
{
    const struct pht_kernel_memory *kernel = &report->kernel;

    fprintf(file, "\nKernel  RSS %s  peak %s  virtual %s  swap %s\n",
            BYTES_OR_DASH(kernel->rss_bytes), BYTES_OR_DASH(kernel->peak_rss_bytes),
            BYTES_OR_DASH(kernel->virtual_bytes), BYTES_OR_DASH(kernel->swap_bytes));
    pht_text_write_row(kernel->anon_bytes, "anonymous: heaps, arenas, stacks, copied file pages",
                       file);
    pht_text_write_row(kernel->file_bytes, "files: code, data, libraries", file);
    pht_text_write_row(kernel->shmem_bytes, "shared memory", file);
    if (kernel->huge_bytes != PHT_UNKNOWN && kernel->huge_bytes > 0)
        pht_text_write_row(kernel->huge_bytes, "huge pages of hugetlbfs, which RSS leaves out",
                           file);
    fprintf(file, "  USS %s  PSS %s  faults %s minor, %s major\n", BYTES_OR_DASH(kernel->uss_bytes),
            BYTES_OR_DASH(kernel->pss_bytes), COUNT_OR_DASH(kernel->minor_faults),
            COUNT_OR_DASH(kernel->major_faults));
    write_cgroup(&report->cgroup, file);
}
