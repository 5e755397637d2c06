#include "support/elf_fixture.h"

#include <check.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool elf_fixture_open(struct elf_fixture *fixture, const char *path)
{
    *fixture = (struct elf_fixture){0};
    if (access(path, R_OK) < 0)
        return false;
    /* valgrind ends when a library with clang's DWARF 5 is loaded. */
    if (getenv("PHT_VALGRIND") != NULL && strstr(path, "clang") != NULL)
        return false;
    fixture->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    ck_assert_msg(fixture->library != NULL, "%s", dlerror());
    ck_assert_ptr_null(pht_target_open(getpid(), NULL, &fixture->target));
    ck_assert_ptr_null(pht_target_read_maps(fixture->target, &fixture->maps));
    for (size_t i = 0; i < fixture->maps.count && fixture->mapping == NULL; i++) {
        if (strcmp(fixture->maps.items[i].name, path) == 0)
            fixture->mapping = &fixture->maps.items[i];
    }
    ck_assert_ptr_nonnull(fixture->mapping);
    ck_assert(
        pht_elf_image_open(fixture->target, &fixture->maps, fixture->mapping, &fixture->image));
    return true;
}

bool elf_fixture_open_units(struct elf_fixture *fixture, const char *path)
{
    if (!elf_fixture_open(fixture, path))
        return false;
    fixture->dwarf = dwarf_begin_elf(fixture->image.elf, DWARF_C_READ, NULL);
    ck_assert_ptr_nonnull(fixture->dwarf);
    ck_assert(pht_dwarf_units_init(&fixture->units, fixture->dwarf));
    return true;
}

void elf_fixture_close(struct elf_fixture *fixture)
{
    if (fixture->library == NULL)
        return;
    pht_dwarf_units_deinit(&fixture->units);
    dwarf_end(fixture->dwarf);
    pht_elf_image_close(&fixture->image);
    pht_maps_deinit(&fixture->maps);
    pht_target_destroy(fixture->target);
    dlclose(fixture->library);
}

uint64_t elf_fixture_address(const struct elf_fixture *fixture, const char *name)
{
    void *(*function)(void);

    *(void **)&function = dlsym(fixture->library, name);
    ck_assert_msg(function != NULL, "%s", name);
    return (uintptr_t)function() - fixture->image.bias;
}

uint64_t elf_fixture_thread_local(const struct elf_fixture *fixture, const char *name)
{
    uint64_t address = elf_fixture_address(fixture, name) + fixture->image.bias;
    void *block = NULL;

    ck_assert_int_eq(dlinfo(fixture->library, RTLD_DI_TLS_DATA, &block), 0);
    ck_assert_ptr_nonnull(block);
    return address - (uintptr_t)block;
}

void elf_fixture_copy(const char *library, const char *copy, const void *from, const void *to,
                      size_t size)
{
    char *bytes = malloc(1 << 20);
    FILE *source = fopen(library, "r"), *file = fopen(copy, "w");

    ck_assert(bytes != NULL && source != NULL && file != NULL);
    size_t length = fread(bytes, 1, 1 << 20, source);
    ck_assert_uint_gt(length, 0);
    if (size > 0) {
        char *found = memmem(bytes, length, from, size);
        ck_assert_ptr_nonnull(found);
        ck_assert_ptr_null(memmem(found + 1, length - (size_t)(found + 1 - bytes), from, size));
        memcpy(found, to, size);
    }
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    fclose(source);
    fclose(file);
    free(bytes);
}

void elf_fixture_hide_others(struct elf_fixture *fixture, const char *folder)
{
    struct pht_maps *maps = &fixture->maps;
    size_t kept = 0, length = strlen(folder);

    fixture->mapping = NULL;
    for (size_t i = 0; i < maps->count; i++) {
        if (maps->items[i].inode == 0 || strncmp(maps->items[i].name, folder, length) == 0)
            maps->items[kept++] = maps->items[i];
    }
    maps->count = kept;
}

uint64_t elf_fixture_number(const struct elf_fixture *fixture, const char *name, int argument)
{
    size_t (*function)(int);

    *(void **)&function = dlsym(fixture->library, name);
    ck_assert_msg(function != NULL, "%s", name);
    return function(argument);
}
