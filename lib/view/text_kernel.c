#include "view/text_line.h"
#include "view/text_parts.h"

static void write_cgroup(const struct pht_cgroup_memory *cgroup, FILE *file)
{
    if (!cgroup->known)
        return;
    if (cgroup->limit_bytes == PHT_UNKNOWN)
        fprintf(file, "  cgroup uses %s, no limit\n", BYTES(cgroup->current_bytes));
    else
        fprintf(file, "  cgroup uses %s of %s\n", BYTES(cgroup->current_bytes),
                BYTES(cgroup->limit_bytes));
}

void pht_text_write_kernel(const struct pht_report *report, FILE *file)
{
    const struct pht_kernel_memory *kernel = &report->kernel;

    fprintf(file, "\nRSS %s  peak %s  virtual %s  swap %s\n", BYTES_OR_DASH(kernel->rss_bytes),
            BYTES_OR_DASH(kernel->peak_rss_bytes), BYTES_OR_DASH(kernel->virtual_bytes),
            BYTES_OR_DASH(kernel->swap_bytes));
    pht_text_write_row(kernel->anon_bytes, "anonymous: heaps, arenas, stacks, copied file pages",
                       file);
    pht_text_write_row(kernel->file_bytes, "files: code, data, libraries", file);
    pht_text_write_row(kernel->shmem_bytes, "shared memory", file);
    fprintf(file, "  USS %s  PSS %s  faults %s minor, %s major\n", BYTES_OR_DASH(kernel->uss_bytes),
            BYTES_OR_DASH(kernel->pss_bytes), COUNT_OR_DASH(kernel->minor_faults),
            COUNT_OR_DASH(kernel->major_faults));
    write_cgroup(&report->cgroup, file);
}
