#include "target/pagemap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "target/priority.h"

int pht_pagemap_perform(void *context, struct pht_errand *errand)
{
    struct statfs status;

    (void)context;
    if (fstatfs(errand->with, &status) < 0)
        return errno;
    if (status.f_type != PROC_SUPER_MAGIC)
        return EINVAL;
    errand->answer = openat(errand->with, "pagemap", O_RDONLY | O_CLOEXEC);
    return errand->answer < 0 ? errno : 0;
}

int pht_pagemap_open(struct pht_steward *steward, int process_fd)
{
    int fd = -1;

    if (steward == NULL)
        return openat(process_fd, "pagemap", O_RDONLY | O_CLOEXEC);
    int status = pht_steward_ask(steward, PHT_DUTY_PAGEMAP, NULL, 0, process_fd, &fd);
    if (status == 0)
        return fd;
    errno = status;
    return -1;
}

ssize_t pht_pagemap_read(int fd, pht_addr addr, size_t count, uint64_t *entries)
{
    off_t at = (off_t)(addr / PHT_PAGE_BYTES * sizeof(*entries));
    ssize_t got;

    bool yielded = pht_priority_hold_on();
    do
        got = pread(fd, entries, count * sizeof(*entries), at);
    while (got < 0 && errno == EINTR);
    int cause = errno;
    pht_priority_let_go(yielded);
    errno = cause;
    return got < 0 ? -1 : got / (ssize_t)sizeof(*entries);
}

bool pht_pagemap_is_present(int fd, pht_addr addr)
{
    uint64_t entry;

    return pht_pagemap_read(fd, addr, 1, &entry) == 1 && (entry & PHT_PAGEMAP_PRESENT) != 0;
}

/* Fresh private memory that was only read is that page. */
uint64_t pht_pagemap_zero_frame(struct pht_steward *steward)
{
    _cleanup_close_ int self_fd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_close_ int fd = self_fd >= 0 ? pht_pagemap_open(steward, self_fd) : -1;
    uint64_t entry = 0;

    if (fd < 0)
        return 0;
    volatile const char *page =
        mmap(NULL, PHT_PAGE_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return 0;
    (void)page[0];
    bool known =
        pht_pagemap_read(fd, (uintptr_t)page, 1, &entry) == 1 && (entry & PHT_PAGEMAP_PRESENT) != 0;
    munmap((void *)(uintptr_t)page, PHT_PAGE_BYTES);
    return known ? entry & PHT_PAGEMAP_FRAME : 0;
}
