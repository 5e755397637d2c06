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

/*
 * Where in the thread-local block of the library the function `name` finds what it returns the
 * address of.
 */
uint64_t elf_fixture_thread_local(const struct elf_fixture *fixture, const char *name);

/*
 * Copy a library, with the `size` bytes of `from`, which stand in it once, replaced by those of
 * `to`. `size` 0 is a plain copy.
 */
void elf_fixture_copy(const char *library, const char *copy, const void *from, const void *to,
                      size_t size);

/* Leave of the mapped files those in the folder `folder` only; anonymous memory stays. */
void elf_fixture_hide_others(struct elf_fixture *fixture, const char *folder);

/* The size_t that the function `name` returns for `argument`. */
uint64_t elf_fixture_number(const struct elf_fixture *fixture, const char *name, int argument);

#endif
