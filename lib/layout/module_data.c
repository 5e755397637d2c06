#include "layout/module_data.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

/* An interpreter has one or two MiB; a program that it is linked into, some more. */
#define SEGMENT_BYTES_MAX ((uint64_t)64 << 20)

/* No more is peeked at once. */
#define PEEK_PAGES_MAX 64

static size_t pages_of(uint64_t size)
{
    return (size_t)(size / PHT_PAGE_BYTES);
}

static bool is_set(const uint64_t *bits, size_t i)
{
    return bits[i / 64] >> i % 64 & 1;
}

/* ---- reading ------------------------------------------------------------------------------ */

/* As far as [start, end) lies in private mappings: runs of resident pages, one read each. */
static void read_resident(struct pht_target *target, struct pht_module_segment *segment)
{
    size_t pages = pages_of(segment->size);

    for (size_t i = 0, end; i < pages; i = end + 1) {
        for (end = i; end < pages && is_set(segment->resident, end);)
            end++;
        if (end == i)
            continue;
        struct pht_read run = {
            .addr = segment->start + i * PHT_PAGE_BYTES,
            .buffer = segment->bytes + i * PHT_PAGE_BYTES,
            .size = (uint32_t)((end - i) * PHT_PAGE_BYTES),
        };
        pht_target_read(target, &run, 1);
        for (size_t page = i + pages_of(run.got); page < end; page++)
            segment->resident[page / 64] &= ~((uint64_t)1 << page % 64);
    }
}

static bool is_private(const struct pht_mapping *mapping)
{
    return mapping != NULL && mapping->readable && !mapping->shared;
}

/* The pages of one mapping: a bit for each of the segment's. */
static void mark_resident(struct pht_target *target, const struct pht_mapping *mapping,
                          const struct pht_module_segment *segment, uint64_t *swapped,
                          uint64_t *resident)
{
    pht_addr end = segment->start + segment->size;
    pht_addr from = mapping->start > segment->start ? mapping->start : segment->start;
    pht_addr to = mapping->end < end ? mapping->end : end;
    size_t first = pages_of(from - segment->start), pages = pages_of(to - from);

    memset(resident, 0, (pages + 63) / 64 * sizeof(*resident));
    struct pht_error *error = pht_target_scan_pages(target, from, to, resident, swapped);
    if (error == NULL) {
        for (size_t i = 0; i < pages; i++)
            segment->resident[(first + i) / 64] |= (uint64_t)is_set(resident, i)
                                                   << (first + i) % 64;
    }
    pht_error_destroy(error);
}

bool pht_module_data_add(struct pht_module_data *data, pht_addr start, uint64_t size)
{
    struct pht_module_segment *segment = &data->segments[data->count];
    size_t words = (pages_of(size) + 63) / 64;
    uint64_t *swapped = calloc(2 * words, sizeof(*swapped));

    *segment = (struct pht_module_segment){
        .start = start,
        .size = size,
        .bytes = calloc(1, size),
        .resident = calloc(words, sizeof(uint64_t)),
    };
    data->count++;
    if (swapped == NULL || segment->bytes == NULL || segment->resident == NULL) {
        free(swapped);
        return false;
    }
    for (size_t i = 0; i < data->maps->count; i++) {
        const struct pht_mapping *mapping = &data->maps->items[i];
        if (mapping->start < start + size && mapping->end > start && is_private(mapping))
            mark_resident(data->target, mapping, segment, swapped, swapped + words);
    }
    free(swapped);
    read_resident(data->target, segment);
    return true;
}

/* In whole pages; false for a segment that no mapping can be of. */
static bool bounds_of(const struct pht_elf_image *image, const GElf_Phdr *header, pht_addr *start,
                      uint64_t *size)
{
    uint64_t end;

    if (header->p_type != PT_LOAD || !(header->p_flags & PF_W) || header->p_memsz == 0 ||
        header->p_memsz > SEGMENT_BYTES_MAX ||
        !pht_add_fits(header->p_vaddr + image->bias, header->p_memsz, &end) ||
        end > PHT_USER_ADDR_MAX)
        return false;
    *start = pht_round_down(header->p_vaddr + image->bias, PHT_PAGE_BYTES);
    *size = pht_round_up(end, PHT_PAGE_BYTES) - *start;
    return true;
}

bool pht_module_data_read(struct pht_target *target, const struct pht_maps *maps,
                          struct pht_elf_image *image, struct pht_module_data *ret)
{
    size_t count;

    *ret = (struct pht_module_data){.target = target, .maps = maps};
    if (elf_getphdrnum(image->elf, &count) < 0)
        return true;
    for (size_t i = 0; i < count && ret->count < PHT_MODULE_SEGMENTS; i++) {
        GElf_Phdr header;
        pht_addr start;
        uint64_t size;
        if (gelf_getphdr(image->elf, (int)i, &header) == NULL ||
            !bounds_of(image, &header, &start, &size))
            continue;
        if (!pht_module_data_add(ret, start, size)) {
            pht_module_data_deinit(ret);
            return false;
        }
    }
    return true;
}

void pht_module_data_deinit(struct pht_module_data *data)
{
    for (size_t i = 0; i < data->count; i++) {
        free(data->segments[i].bytes);
        free(data->segments[i].resident);
    }
    *data = (struct pht_module_data){0};
}

/* ---- looking ------------------------------------------------------------------------------ */

static bool is_resident(const struct pht_module_segment *segment, size_t offset, size_t size)
{
    for (size_t page = offset / PHT_PAGE_BYTES; page <= (offset + size - 1) / PHT_PAGE_BYTES;
         page++) {
        if (!is_set(segment->resident, page))
            return false;
    }
    return true;
}

const unsigned char *pht_module_data_at(const struct pht_module_data *data, pht_addr addr,
                                        size_t size)
{
    for (size_t i = 0; i < data->count; i++) {
        const struct pht_module_segment *segment = &data->segments[i];
        if (addr < segment->start || size == 0 || size > segment->size ||
            addr - segment->start > segment->size - size)
            continue;
        size_t offset = (size_t)(addr - segment->start);
        return is_resident(segment, offset, size) ? segment->bytes + offset : NULL;
    }
    return NULL;
}

static bool has_pages(const struct pht_module_data *data, pht_addr start, pht_addr end)
{
    uint64_t resident = 0, swapped = 0;
    size_t pages = pages_of(end - start);
    const struct pht_mapping *mapping = pht_maps_find(data->maps, start);

    if (!is_private(mapping) || end > mapping->end || pages > PEEK_PAGES_MAX)
        return false;
    struct pht_error *error = pht_target_scan_pages(data->target, start, end, &resident, &swapped);
    bool known = error == NULL;
    pht_error_destroy(error);
    return known && resident == (pages == 64 ? UINT64_MAX : ((uint64_t)1 << pages) - 1);
}

bool pht_module_data_peek(const struct pht_module_data *data, pht_addr addr, void *buffer,
                          size_t size)
{
    const unsigned char *bytes = pht_module_data_at(data, addr, size);
    uint64_t end;

    if (bytes != NULL) {
        memcpy(buffer, bytes, size);
        return true;
    }
    if (!pht_add_fits(addr, size, &end) || end > PHT_USER_ADDR_MAX ||
        !has_pages(data, pht_round_down(addr, PHT_PAGE_BYTES), pht_round_up(end, PHT_PAGE_BYTES)))
        return false;
    struct pht_read read = {.addr = addr, .buffer = buffer, .size = (uint32_t)size};
    pht_target_read(data->target, &read, 1);
    return read.got == size;
}

bool pht_module_data_peek_u64(const struct pht_module_data *data, pht_addr addr, uint64_t *ret)
{
    return pht_module_data_peek(data, addr, ret, sizeof(*ret));
}

bool pht_module_data_peek_u32(const struct pht_module_data *data, pht_addr addr, uint32_t *ret)
{
    return pht_module_data_peek(data, addr, ret, sizeof(*ret));
}
