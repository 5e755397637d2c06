#include "target/image.h"

#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "target/pagemap.h"
#include "target/procfs.h"

/* statm: size resident shared text ..., in pages. Everybody may read it of everybody. */
static uint64_t read_code_pages(int process_fd)
{
    _cleanup_free_ char *statm = pht_procfs_read(process_fd, "statm", NULL);
    uint64_t pages = 0;

    if (statm == NULL || sscanf(statm, "%*s %*s %*s %" SCNu64, &pages) != 1)
        return 0;
    return pages;
}

/* 0 if there is none. */
static pht_addr read_random_addr(int process_fd)
{
    size_t size = 0;
    _cleanup_free_ char *auxv = pht_procfs_read(process_fd, "auxv", &size);

    for (size_t at = 0; auxv != NULL && size - at >= sizeof(Elf64_auxv_t);
         at += sizeof(Elf64_auxv_t)) {
        Elf64_auxv_t entry;
        memcpy(&entry, auxv + at, sizeof(entry));
        if (entry.a_type == AT_RANDOM)
            return entry.a_un.a_val;
    }
    return 0;
}

static bool read_random(int process_fd, int pagemap_fd, struct pht_image *image)
{
    pht_addr addr = image->random_addr, last = addr + PHT_IMAGE_RANDOM_BYTES - 1;

    if (addr == 0 || addr > PHT_USER_ADDR_MAX - PHT_IMAGE_RANDOM_BYTES ||
        !pht_pagemap_is_present(pagemap_fd, addr) || !pht_pagemap_is_present(pagemap_fd, last))
        return false;
    /* Not process_vm_readv(2), which knows only a pid, and that may be another's by now. */
    _cleanup_close_ int fd = openat(process_fd, "mem", O_RDONLY | O_CLOEXEC);
    return fd >= 0 && pread(fd, image->random, sizeof(image->random), (off_t)addr) ==
                          (ssize_t)sizeof(image->random);
}

enum pht_image_access pht_image_read(int process_fd, int pagemap_fd, struct pht_image *ret)
{
    struct pht_procfs_status status;
    struct stat program;

    *ret = (struct pht_image){0};
    if (!pht_procfs_read_stat(process_fd, &status) || status.state == 'Z' || status.state == 'X' ||
        status.kernel_thread)
        return PHT_IMAGE_NONE;
    ret->code_pages = read_code_pages(process_fd);
    if (ret->code_pages == 0) /* no memory any more */
        return PHT_IMAGE_NONE;
    if (status.stack_start == 0 || fstatat(process_fd, "exe", &program, 0) < 0)
        return PHT_IMAGE_HIDDEN;
    ret->code_start = status.code_start;
    ret->stack_start = status.stack_start;
    ret->device = program.st_dev;
    ret->inode = program.st_ino;
    ret->random_addr = read_random_addr(process_fd);
    ret->has_random = read_random(process_fd, pagemap_fd, ret);
    return PHT_IMAGE_READ;
}

bool pht_image_is_same(const struct pht_image *a, const struct pht_image *b)
{
    if (a->code_start != b->code_start || a->stack_start != b->stack_start ||
        a->code_pages != b->code_pages || a->device != b->device || a->inode != b->inode)
        return false;
    /* Without address randomisation, each start of a program is placed as the one before. */
    if (a->random_addr != 0 && b->random_addr != 0 && a->random_addr != b->random_addr)
        return false;
    return !a->has_random || !b->has_random || memcmp(a->random, b->random, sizeof(a->random)) == 0;
}
