#include "layout/debug_file.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "layout/debuginfod.h"

struct search {
    struct pht_target *target;
    struct pht_elf_image *image;
};

static bool has_build_id(int fd, const char *wanted)
{
    char found[129];
    Elf *elf = elf_begin(fd, ELF_C_READ, NULL);

    if (elf == NULL)
        return false;
    pht_elf_build_id(elf, found);
    elf_end(elf);
    return strcmp(found, wanted) == 0;
}

/* Takes `path`, which may be NULL. */
static int open_in_target(const struct search *search, char *path)
{
    if (path == NULL)
        return -1;
    int fd = pht_target_open_path(search->target, path);
    if (fd >= 0 && !has_build_id(fd, search->image->build_id)) {
        pht_target_note(search->target, "%s: another build-id", path);
        close(fd);
        fd = -1;
    }
    if (fd >= 0)
        pht_target_note(search->target, "debug file %s (in the target's root)", path);
    free(path);
    return fd;
}

static int find_by_build_id(const struct search *search)
{
    const char *id = search->image->build_id;

    if (strlen(id) < 3)
        return -1;
    return open_in_target(search,
                          pht_text_format("/usr/lib/debug/.build-id/%.2s/%s.debug", id, id + 2));
}

/* Where .gnu_debuglink may lead to, in GDB's order. */
static const struct {
    const char *root;
    const char *below; /* the folder of the file */
} places[] = {{"", ""}, {"", "/.debug"}, {"/usr/lib/debug", ""}};

#define PLACES (sizeof(places) / sizeof(places[0]))

/* NULL if it leads nowhere, or when memory is short. */
static char *place_of(const struct pht_elf_image *image, const char *link, size_t i)
{
    _cleanup_free_ char *copy = strdup(image->path);

    if (copy == NULL || link == NULL || strchr(link, '/') != NULL)
        return NULL;
    return pht_text_format("%s%s%s/%s", places[i].root, dirname(copy), places[i].below, link);
}

static int find_by_link(const struct search *search, const char *link)
{
    int fd = -1;

    for (size_t i = 0; fd < 0 && i < PLACES; i++)
        fd = open_in_target(search, place_of(search->image, link, i));
    return fd;
}

static int find_by_server(const struct search *search)
{
    const char *id = search->image->build_id;
    int fd = pht_debuginfod_find(pht_target_steward(search->target), id);

    if (fd >= 0 && !has_build_id(fd, id)) {
        close(fd);
        return -1;
    }
    if (fd >= 0)
        pht_target_note(search->target, "debug file of %s (from a server)", id);
    return fd;
}

/* libdwfl calls this when the file itself has no debug information. */
static int find_debuginfo(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base,
                          const char *file, const char *link, GElf_Word crc, char **found)
{
    const struct search *search = *user;

    int fd = find_by_build_id(search);
    if (fd < 0)
        fd = find_by_link(search, link);
    if (fd < 0)
        fd = dwfl_standard_find_debuginfo(module, user, name, base, file, link, crc, found);
    if (fd < 0)
        fd = find_by_server(search);
    return fd;
}

bool pht_debug_file_open(struct pht_target *target, struct pht_elf_image *image,
                         struct pht_debug_file *ret)
{
    static char *no_path;
    static const Dwfl_Callbacks callbacks = {
        .find_debuginfo = find_debuginfo,
        .section_address = dwfl_offline_section_address,
        .debuginfo_path = &no_path,
    };
    struct search search = {.target = target, .image = image};
    Dwarf_Addr bias;

    *ret = (struct pht_debug_file){.dwfl = dwfl_begin(&callbacks)};
    if (ret->dwfl == NULL)
        return false;
    int fd = dup(image->fd); /* libdwfl closes it */
    dwfl_report_begin(ret->dwfl);
    Dwfl_Module *module = dwfl_report_offline(ret->dwfl, image->path, image->path, fd);
    dwfl_report_end(ret->dwfl, NULL, NULL);
    if (module == NULL) {
        if (fd >= 0)
            close(fd);
        pht_debug_file_close(ret);
        return false;
    }
    void **user;
    dwfl_module_info(module, &user, NULL, NULL, NULL, NULL, NULL, NULL);
    *user = &search;
    ret->dwarf = dwfl_module_getdwarf(module, &bias);
    *user = NULL;
    if (ret->dwarf != NULL)
        ret->elf = dwarf_getelf(ret->dwarf);
    return true;
}

void pht_debug_file_close(struct pht_debug_file *file)
{
    dwfl_end(file->dwfl);
    *file = (struct pht_debug_file){0};
}

bool pht_debug_file_find_other(struct pht_target *target, struct pht_elf_image *image, char **path,
                               struct pht_elf_image *ret)
{
    GElf_Word crc;
    const char *link = dwelf_elf_gnu_debuglink(image->elf, &crc);

    for (size_t i = 0; i < PLACES; i++) {
        *path = place_of(image, link, i);
        if (*path != NULL &&
            pht_elf_image_open_fd(pht_target_open_path(target, *path), *path, ret)) {
            if (ret->build_id[0] != '\0' && strcmp(ret->build_id, image->build_id) != 0)
                return true;
            pht_elf_image_close(ret);
        }
        free(*path);
    }
    *path = NULL;
    return false;
}
