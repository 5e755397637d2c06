#include "layout/initial_data.h"

#include <elf.h>

#include "layout/dynamic.h"

#if defined(__x86_64__)
#define RELATIVE R_X86_64_RELATIVE
#else
#define RELATIVE R_AARCH64_RELATIVE
#endif

#define RELOCATIONS_AT_ONCE 512
#define RELOCATIONS_MAX ((uint64_t)1 << 22)

/* The table of relocations with addends. */
static bool find_relocations(struct pht_elf_image *image, uint64_t *address, uint64_t *bytes)
{
    *address = pht_dynamic_value(image->elf, DT_RELA);
    *bytes = pht_dynamic_value(image->elf, DT_RELASZ);
    return *address != 0 && *bytes / sizeof(Elf64_Rela) <= RELOCATIONS_MAX;
}

static bool find_addend(struct pht_elf_image *image, uint64_t address, uint64_t *ret)
{
    Elf64_Rela entries[RELOCATIONS_AT_ONCE];
    uint64_t table, bytes;

    if (!find_relocations(image, &table, &bytes))
        return false;
    for (uint64_t left = bytes / sizeof(entries[0]), count; left > 0; left -= count) {
        count = left < RELOCATIONS_AT_ONCE ? left : RELOCATIONS_AT_ONCE;
        if (!pht_elf_image_read(image, table, entries, count * sizeof(entries[0])))
            return false;
        for (uint64_t i = 0; i < count; i++) {
            if (entries[i].r_offset != address || ELF64_R_TYPE(entries[i].r_info) != RELATIVE)
                continue;
            *ret = (uint64_t)entries[i].r_addend;
            return true;
        }
        table += count * sizeof(entries[0]);
    }
    return false;
}

bool pht_initial_u64(struct pht_elf_image *image, uint64_t address, uint64_t *ret)
{
    if (!pht_elf_image_read(image, address, ret, sizeof(*ret)))
        return false;
    if (*ret == 0)
        find_addend(image, address, ret);
    return true;
}
