#include "snapshot/file_pages.h"

#include <unistd.h>

#include "base/checked.h"

void pht_file_pages_init(struct pht_file_pages *files, struct pht_target *target)
{
    *files = (struct pht_file_pages){.target = target};
}

static unsigned kept(const struct pht_file_pages *files)
{
    return files->opened < PHT_FILE_PAGES_OPEN ? files->opened : PHT_FILE_PAGES_OPEN;
}

static void close_file(struct pht_file_pages *files, unsigned i)
{
    if (files->files[i].fd >= 0)
        close(files->files[i].fd);
}

void pht_file_pages_deinit(struct pht_file_pages *files)
{
    for (unsigned i = 0; i < kept(files); i++)
        close_file(files, i);
}

static bool is_same_file(const struct pht_mapping *a, const struct pht_mapping *b)
{
    return a->inode == b->inode && a->dev_major == b->dev_major && a->dev_minor == b->dev_minor;
}

static int open_file(struct pht_file_pages *files, const struct pht_mapping *mapping)
{
    for (unsigned i = 0; i < kept(files); i++) {
        if (is_same_file(&files->files[i].mapping, mapping))
            return files->files[i].fd;
    }
    unsigned i = files->opened % PHT_FILE_PAGES_OPEN;
    if (files->opened >= PHT_FILE_PAGES_OPEN)
        close_file(files, i);
    files->opened++;
    files->files[i].mapping = *mapping;
    files->files[i].mapping.name = NULL;
    files->files[i].fd = pht_target_open_mapped(files->target, mapping);
    return files->files[i].fd;
}

size_t pht_file_pages_read(struct pht_file_pages *files, const struct pht_mapping *mapping,
                           pht_addr addr, void *buffer, size_t size)
{
    uint64_t offset;

    if (mapping->inode == 0 || addr < mapping->start || size > mapping->end - addr ||
        !pht_add_fits(mapping->offset, addr - mapping->start, &offset) || offset > INT64_MAX - size)
        return 0;
    int fd = open_file(files, mapping);
    ssize_t got = fd >= 0 ? pread(fd, buffer, size, (off_t)offset) : -1;
    return got > 0 ? (size_t)got : 0;
}
