#include "layout/python_scan.h"

#include <string.h>

#include "layout/python_scan_parts.h"

static bool read_variable(const struct pht_python_scan *scan, uint64_t address, void *value,
                          size_t size)
{
    const unsigned char *bytes = pht_module_data_at(scan->data, address + scan->image->bias, size);

    if (bytes != NULL)
        memcpy(value, bytes, size);
    return bytes != NULL;
}

bool pht_python_scan_u64(const struct pht_python_scan *scan, uint64_t address, uint64_t *ret)
{
    return read_variable(scan, address, ret, sizeof(*ret));
}

bool pht_python_scan_u32(const struct pht_python_scan *scan, uint64_t address, uint32_t *ret)
{
    return read_variable(scan, address, ret, sizeof(*ret));
}

bool pht_python_scan(const struct pht_module_data *data, struct pht_elf_image *image,
                     const struct pht_python_layout *row, struct pht_python_layout *layout)
{
    struct pht_python_scan scan = {.data = data, .image = image, .row = row, .layout = layout};
    const struct pht_python_layout before = *layout;

    if (layout->obmalloc_bytes == PHT_UNKNOWN) {
        pht_python_scan_pools(&scan);
        pht_python_scan_statics(&scan);
    }
    if (row->arena_map_root != PHT_UNKNOWN && layout->arena_map_root == PHT_UNKNOWN)
        pht_python_scan_arena_map(&scan);
    if (layout->obmalloc_bytes != PHT_UNKNOWN && layout->interp_obmalloc == PHT_UNKNOWN &&
        layout->interp_bytes != PHT_UNKNOWN)
        pht_python_scan_runtime(&scan);
    pht_python_scan_allocators(&scan);
    return memcmp(&before, layout, sizeof(before)) != 0;
}
