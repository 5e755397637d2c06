/* One of the libraries that test/layout/CMakeLists.txt builds, loaded into this very process. */
#ifndef PHT_TEST_SUPPORT_ELF_FIXTURE_H
#define PHT_TEST_SUPPORT_ELF_FIXTURE_H

#include "layout/dwarf_units.h"
#include "layout/elf_image.h"

#define ELF_FIXTURE(name) PHT_FIXTURE_DIR "/" name ".so"

struct elf_fixture {
    void *library;
    struct pht_target *target; /* this process */
    struct pht_maps maps;
    const struct pht_mapping *mapping;
    struct pht_elf_image image;
    Dwarf *dwarf; /* NULL unless its units were asked for */
    struct pht_dwarf_units units;
};

/* False if it was not built, or cannot be loaded here. */
bool elf_fixture_open(struct elf_fixture *fixture, const char *path);

/* The same, with its debug information. */
bool elf_fixture_open_units(struct elf_fixture *fixture, const char *path);

void elf_fixture_close(struct elf_fixture *fixture);

/* What the function `name` of the library returns, as an address before loading. */
uint64_t elf_fixture_address(const struct elf_fixture *fixture, const char *name);

/* The size_t that the function `name` returns for `argument`. */
uint64_t elf_fixture_number(const struct elf_fixture *fixture, const char *name, int argument);

#endif
