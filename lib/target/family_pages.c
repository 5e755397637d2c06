#include "target/family.h"
#include "target/pagemap.h"
#include "target/pages.h"

#define BATCH 1024

bool pht_family_read_pages(const struct pht_family *family, size_t member, pht_addr addr,
                           size_t count, struct pht_family_page *ret)
{
    for (size_t i = 0; i < count; i++)
        ret[i] = (struct pht_family_page){0};
    return family->read_pages(family, member, addr, count, ret);
}

static struct pht_family_page decode(uint64_t entry, bool is_resident)
{
    if ((entry & PHT_PAGEMAP_PRESENT) == 0)
        return (struct pht_family_page){0};
    return (struct pht_family_page){
        .anonymous = is_resident && (entry & PHT_PAGEMAP_FILE) == 0,
        .exclusive = (entry & PHT_PAGEMAP_EXCLUSIVE) != 0,
        .frame = entry & PHT_PAGEMAP_FRAME,
    };
}

/* How many were read, at most BATCH. */
static size_t read_batch(struct pht_pages *pages, pht_addr addr, size_t count,
                         struct pht_family_page *ret)
{
    uint64_t entries[BATCH], resident[BATCH / 64], swapped[BATCH / 64];
    ssize_t got = pht_pagemap_read(pages->pagemap_fd, addr, count < BATCH ? count : BATCH, entries);

    /* An entry alone does not tell a page of zeros. */
    if (got <= 0 ||
        !pht_pages_scan(pages, addr, addr + (pht_addr)got * PHT_PAGE_BYTES, resident, swapped))
        return 0;
    for (size_t i = 0; i < (size_t)got; i++)
        ret[i] = decode(entries[i], (resident[i / 64] >> i % 64 & 1) != 0);
    return (size_t)got;
}

bool pht_family_read_pagemap(const struct pht_family *family, size_t member, pht_addr addr,
                             size_t count, struct pht_family_page *ret)
{
    struct pht_pages pages = *(const struct pht_pages *)family->reader;
    size_t done = 0;

    pages.pagemap_fd = family->items[member].pagemap_fd;
    if (pages.pagemap_fd < 0)
        return false;
    while (done < count) {
        size_t got = read_batch(&pages, addr + done * PHT_PAGE_BYTES, count - done, ret + done);
        if (got == 0)
            break;
        done += got;
    }
    return done > 0;
}
