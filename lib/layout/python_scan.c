#include "layout/python_scan.h"

bool pht_python_scan(const struct pht_module_data *data, struct pht_elf_image *image,
                     struct pht_python *python)
{
    (void)data, (void)image, (void)python;
    return false;
}
