#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "layout/cache.h"
#include "layout/identify.h"
#include "layout/python_cache.h"
#include "layout/python_layout.h"
#include "layout/python_lent.h"
#include "layout/python_tables.h"

void pht_python_destroy(struct pht_python *python)
{
    if (python == NULL)
        return;
    free(python->image);
    pht_error_destroy(python->layout_error);
    free(python);
}

static void cleanup_python(struct pht_python **python)
{
    pht_python_destroy(*python);
}

/* ---- choosing the image ------------------------------------------------------------------- */

/*
 * The program first: a static interpreter also runs when an extension has pulled in a libpython,
 * and its symbols win. Then libraries called libpython, then all others (a runtime may be linked
 * into anything).
 */
enum rank {
    RANK_PROGRAM,
    RANK_LIBPYTHON,
    RANK_OTHER,
    RANKS,
};

static bool is_program(const struct pht_process *process, const char *name)
{
    size_t length = strlen(name);

    return length > 0 && strncmp(process->exe, name, length) == 0 &&
           (process->exe[length] == '\0' || strcmp(process->exe + length, " (deleted)") == 0);
}

static enum rank rank_of(const struct pht_process *process, const struct pht_mapping *mapping)
{
    const char *slash = strrchr(mapping->name, '/');

    if (is_program(process, mapping->name))
        return RANK_PROGRAM;
    if (slash != NULL && strncmp(slash + 1, "libpython", 9) == 0)
        return RANK_LIBPYTHON;
    return RANK_OTHER;
}

/* A file that holds code is mapped executable exactly once. */
static bool is_candidate(const struct pht_mapping *mapping)
{
    return mapping->executable && mapping->inode != 0 && mapping->name[0] == '/';
}

struct search {
    struct pht_target *target;
    const struct pht_maps *maps;
    const struct pht_layout_options *options;
    struct pht_python *python;
    enum pht_identity best;
    char pypy_version[32];
};

static struct pht_error *take(struct search *search, struct pht_elf_image *image)
{
    struct pht_python *python = search->python;

    python->image = strdup(image->path);
    if (python->image == NULL)
        return pht_error_no_memory();
    python->bias = image->bias;
    memcpy(python->build_id, image->build_id, sizeof(python->build_id));
    return NULL;
}

static bool is_found(const struct pht_error *error)
{
    return error == NULL || error->code != PHT_ERROR_NO_LAYOUT;
}

/* The types of another build come last; what they lack is said only to who wanted nothing else. */
static struct pht_error *resolve_layout(struct search *search, struct pht_elf_image *image)
{
    struct pht_python *python = search->python;
    struct pht_error *error = NULL, *other;

    if (!search->options->no_dwarf) {
        error = pht_python_layout_resolve(search->target, image, python);
        if (is_found(error) || search->options->no_tables)
            return error;
        other = pht_python_lent_resolve(search->target, search->maps, image, python);
        if (is_found(other)) {
            pht_error_destroy(error);
            return other;
        }
        pht_error_destroy(other);
    }
    other = pht_python_tables_resolve(search->target, search->maps, image, python);
    if (is_found(other) || error == NULL) {
        pht_error_destroy(error);
        return other;
    }
    pht_error_destroy(other);
    return error;
}

static struct pht_error *resolve(struct search *search, struct pht_elf_image *image)
{
    struct pht_python *python = search->python;

    pht_identify_build(image, python);
    struct pht_error *error = resolve_layout(search, image);
    if (error != NULL && error->code == PHT_ERROR_NOT_INITIALISED)
        return error;
    python->layout_error = error;
    /* The cache does not know of lenders. */
    if (python->layout_source == PHT_LAYOUT_DWARF && python->lent_build_id[0] == '\0')
        pht_python_cache_store(search->options, python);
    pht_target_note(search->target, "%s: CPython %s, layouts %s, symbols %s", image->path,
                    python->version_text, pht_layout_source_name(python->layout_source),
                    pht_symbol_source_name(python->symbol_source));
    return NULL;
}

/* True when the search is over. A build-id in the cache says all that symbols would. */
static bool try_image(struct search *search, struct pht_elf_image *image, struct pht_error **error)
{
    memcpy(search->python->build_id, image->build_id, sizeof(image->build_id));
    bool is_carried = pht_python_file_load(search->options->file, search->python);
    if (is_carried || (!search->options->no_dwarf &&
                       pht_python_cache_load(search->options->cache_directory, search->python))) {
        pht_target_note(search->target, "%s: CPython %s, layouts from the %s", image->path,
                        search->python->version_text, is_carried ? "given file" : "cache");
        *error = take(search, image);
        search->best = PHT_IDENTITY_CPYTHON;
        return true;
    }
    enum pht_identity identity = pht_identify(image);
    if (identity == PHT_IDENTITY_CPYTHON) {
        *error = take(search, image);
        if (*error == NULL)
            *error = resolve(search, image);
    } else if (identity == PHT_IDENTITY_PYPY) {
        pht_identify_pypy_version(image, search->pypy_version);
    }
    if (identity != PHT_IDENTITY_NONE && search->best != PHT_IDENTITY_PYPY)
        search->best = identity;
    return identity == PHT_IDENTITY_CPYTHON;
}

static struct pht_error *search_rank(struct search *search, enum rank rank)
{
    const struct pht_process *process = pht_target_process(search->target);
    struct pht_error *error = NULL;
    struct pht_elf_image image;

    for (size_t i = 0; i < search->maps->count; i++) {
        const struct pht_mapping *mapping = &search->maps->items[i];
        if (!is_candidate(mapping) || rank_of(process, mapping) != rank ||
            !pht_elf_image_open(search->target, search->maps, mapping, &image))
            continue;
        bool over = try_image(search, &image, &error);
        pht_elf_image_close(&image);
        if (over)
            return error;
    }
    return NULL;
}

/* ---- when there is none ------------------------------------------------------------------- */

static struct pht_error *foreign(pid_t pid, bool is_32_bit)
{
    if (is_32_bit)
        return pht_error_create(PHT_ERROR_UNSUPPORTED_ARCH,
                                "pid %d is a 32-bit process; only 64-bit processes are supported",
                                pid);
    return pht_error_create(PHT_ERROR_UNSUPPORTED_ARCH,
                            "pid %d runs a program of another architecture", pid);
}

static struct pht_error *check_program(struct pht_target *target, const struct pht_maps *maps)
{
    const struct pht_process *process = pht_target_process(target);

    for (size_t i = 0; i < maps->count; i++) {
        bool is_32_bit = false;
        if (!is_program(process, maps->items[i].name))
            continue;
        _cleanup_close_ int fd = pht_target_open_mapped(target, &maps->items[i]);
        if (fd >= 0 && pht_elf_image_kind(fd, &is_32_bit) == PHT_ELF_FOREIGN)
            return foreign(process->pid, is_32_bit);
        return NULL;
    }
    return NULL;
}

static struct pht_error *not_python(struct pht_target *target)
{
    const struct pht_process *process = pht_target_process(target);
    _cleanup_free_ char *exe = pht_text_printable(process->exe, strlen(process->exe));
    _cleanup_free_ char *command = NULL;
    pid_t child = pht_target_python_child(target, &command);
    struct pht_error *error =
        pht_error_create(child > 0 ? PHT_ERROR_PYTHON_CHILD : PHT_ERROR_NOT_PYTHON,
                         "pid %d is not a Python process (%s)", process->pid,
                         exe != NULL && exe[0] != '\0' ? exe : "program unknown");

    error =
        pht_error_because(error, "neither the program nor a library in it is a CPython runtime");
    if (child > 0)
        error = pht_error_try(error, "pyheaptop %d    its child '%s' is one", child, command);
    return error;
}

struct pht_error *pht_python_not_initialised(const struct pht_target *target,
                                             const struct pht_python *python)
{
    pid_t pid = pht_target_process(target)->pid;
    char version[16] = "";

    if (python != NULL && python->version.major != 0)
        snprintf(version, sizeof(version), " %u.%u", python->version.major, python->version.minor);
    return pht_error_try(
        pht_error_create(PHT_ERROR_NOT_INITIALISED,
                         "pid %d is Python%s, but its runtime is starting or shutting down", pid,
                         version),
        "again in a second, or --section=kernel, which needs no Python structures");
}

static struct pht_error *explain_absence(struct search *search)
{
    pid_t pid = pht_target_process(search->target)->pid;

    if (search->best == PHT_IDENTITY_PYPY)
        return pht_error_create(PHT_ERROR_PYPY,
                                "pid %d is PyPy%s%s, which manages memory in its own way\n"
                                "pyheaptop reads CPython only",
                                pid, search->pypy_version[0] != '\0' ? " " : "",
                                search->pypy_version);
    if (search->best == PHT_IDENTITY_WAITING)
        return pht_python_not_initialised(search->target, NULL);
    return not_python(search->target);
}

struct pht_error *pht_python_find(struct pht_target *target, const struct pht_maps *maps,
                                  const struct pht_layout_options *options, struct pht_python **ret)
{
    _cleanup_(cleanup_python) struct pht_python *python = calloc(1, sizeof(*python));

    if (python == NULL)
        return pht_error_no_memory();
    struct pht_error *error = check_program(target, maps);
    if (error != NULL)
        return error;
    struct search search = {
        .target = target,
        .maps = maps,
        .options = options,
        .python = python,
    };
    for (enum rank rank = 0; rank < RANKS && search.best != PHT_IDENTITY_CPYTHON; rank++) {
        error = search_rank(&search, rank);
        if (error != NULL)
            return error;
    }
    if (search.best != PHT_IDENTITY_CPYTHON)
        return explain_absence(&search);
    *ret = pht_take_ptr(python);
    return NULL;
}

bool pht_python_distrust_cache(const struct pht_python *python, const struct pht_process *process,
                               const struct pht_layout_options *options)
{
    char name[32];

    pht_cache_name_process(process, name);
    if (!python->cached || strcmp(python->odd_process, name) == 0)
        return false;
    pht_python_cache_forget(options, python->build_id);
    return true;
}

void pht_python_keep_doubted(struct pht_python *python, const struct pht_process *process,
                             const struct pht_layout_options *options)
{
    pht_cache_name_process(process, python->odd_process);
    pht_python_cache_store(options, python);
}
