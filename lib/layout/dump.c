/* Writing layouts down, to be carried to where there is no debug information. */
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "layout/identify.h"
#include "layout/libc_cache.h"
#include "layout/libc_layout.h"
#include "layout/libc_version.h"
#include "layout/python_cache.h"
#include "layout/python_layout.h"
#include "layout/resolve.h"

/* What cannot be written shows when the file is closed; a layout without a name is of no use. */
static struct pht_error *check_build_id(const char *build_id, const char *image)
{
    _cleanup_free_ char *name = NULL;

    if (build_id[0] != '\0')
        return NULL;
    name = pht_text_printable(image, strlen(image));
    return pht_error_create(PHT_ERROR_NO_LAYOUT, "%s has no build-id that its layout could go by",
                            name != NULL ? name : "");
}

static struct pht_error *write_python(const struct pht_python *python, const char *image,
                                      FILE *file)
{
    struct pht_error *error = check_build_id(python->build_id, image);
    struct pht_python carried = *python;

    /* It is of this machine. */
    carried.odd_process[0] = '\0';
    if (error == NULL && !pht_python_record_write(file, &carried))
        error = pht_error_no_memory();
    return error;
}

static struct pht_error *write_libc(const struct pht_libc *libc, const char *image, FILE *file)
{
    struct pht_error *error = check_build_id(libc->build_id, image);
    struct pht_libc carried = *libc;

    carried.odd_process[0] = '\0';
    if (error == NULL && !pht_libc_record_write(file, &carried))
        error = pht_error_no_memory();
    return error;
}

/* ---- of a process ------------------------------------------------------------------------- */

static struct pht_error *dump_python(struct pht_target *target, const struct pht_maps *maps,
                                     const struct pht_layout_options *options, FILE *file)
{
    struct pht_python *python;
    struct pht_error *error = pht_python_find(target, maps, options, &python);

    if (error != NULL)
        return error;
    error = pht_take_ptr(python->layout_error);
    if (error == NULL)
        error = write_python(python, python->image, file);
    pht_python_destroy(python);
    return error;
}

static struct pht_error *dump_libc(struct pht_target *target, const struct pht_maps *maps,
                                   const struct pht_layout_options *options, FILE *file)
{
    struct pht_libc *libc;
    struct pht_error *error = pht_libc_find(target, maps, options, &libc);

    if (error != NULL || libc == NULL)
        return error;
    error = pht_take_ptr(libc->layout_error);
    if (error == NULL && libc->family == PHT_LIBC_GLIBC)
        error = write_libc(libc, libc->image, file);
    pht_libc_destroy(libc);
    return error;
}

struct pht_error *pht_layout_dump(struct pht_target *target,
                                  const struct pht_layout_options *options, FILE *file)
{
    struct pht_layout_options own = *options;
    struct pht_maps maps;
    struct pht_error *error = pht_target_read_maps(target, &maps);

    if (error != NULL)
        return error;
    own.no_tables = true;
    error = dump_python(target, &maps, &own, file);
    if (error == NULL)
        error = dump_libc(target, &maps, &own, file);
    pht_maps_deinit(&maps);
    return error;
}

/* ---- of a file ---------------------------------------------------------------------------- */

static struct pht_error *dump_python_image(struct pht_target *target, struct pht_elf_image *image,
                                           FILE *file)
{
    struct pht_python python = {0};

    memcpy(python.build_id, image->build_id, sizeof(python.build_id));
    pht_identify_build(image, &python);
    struct pht_error *error = pht_python_layout_resolve(target, image, &python);
    return error != NULL ? error : write_python(&python, image->path, file);
}

static struct pht_error *dump_libc_image(struct pht_target *target, struct pht_elf_image *image,
                                         FILE *file)
{
    struct pht_libc libc = {.family = PHT_LIBC_GLIBC};

    memcpy(libc.build_id, image->build_id, sizeof(libc.build_id));
    pht_libc_version(image, libc.version_text);
    struct pht_error *error = pht_libc_layout_resolve(target, image, &libc);
    return error != NULL ? error : write_libc(&libc, image->path, file);
}

static struct pht_error *refuse(const char *path, const char *what)
{
    _cleanup_free_ char *name = pht_text_printable(path, strlen(path));

    return pht_error_create(PHT_ERROR_FROM_FILE, "%s is %s", name != NULL ? name : "", what);
}

static struct pht_error *dump_image(struct pht_target *target, struct pht_elf_image *image,
                                    FILE *file)
{
    char version[16];

    switch (pht_identify(image)) {
    case PHT_IDENTITY_CPYTHON:
        return dump_python_image(target, image, file);
    case PHT_IDENTITY_WAITING:
        return pht_error_try(refuse(image->path, "a program that loads libpython"),
                             "the same with that library, or with a process");
    case PHT_IDENTITY_PYPY:
    case PHT_IDENTITY_NONE:
        break;
    }
    pht_libc_version(image, version);
    return version[0] != '\0' ? dump_libc_image(target, image, file)
                              : refuse(image->path, "neither a CPython runtime nor glibc");
}

/* Debug files are looked for where our own process would find them. */
struct pht_error *pht_layout_dump_image(const char *path, FILE *file)
{
    struct pht_elf_image image;
    struct pht_target *target;

    struct pht_error *error = pht_target_open(getpid(), NULL, &target);
    if (error != NULL)
        return error;
    if (pht_elf_image_open_file(path, &image)) {
        error = dump_image(target, &image, file);
        pht_elf_image_close(&image);
    } else {
        error = refuse(path, "no ELF file of this architecture that can be read");
    }
    pht_target_destroy(target);
    return error;
}
