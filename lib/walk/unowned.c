#include "walk/unowned.h"

#include <stdlib.h>
#include <string.h>

#include "walk/field.h"

/* Shorter runs of letters are found in numbers, too. */
#define TEXT_BYTES_MIN 8

/* ---- samples ------------------------------------------------------------------------------ */

static uint64_t next_random(struct pht_unowned *unowned)
{
    unowned->random =
        unowned->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return unowned->random >> 33;
}

/* Each chunk of a row is as likely to be a sample as any other (reservoir sampling). */
static size_t choose_place(struct pht_unowned *unowned, struct pht_unowned_row *row)
{
    row->seen++;
    if (row->sample_count < PHT_CHUNK_SAMPLES)
        return row->sample_count++;
    return (size_t)(next_random(unowned) % row->seen);
}

void pht_unowned_show(struct pht_unowned *unowned, pht_addr memory, uint64_t chunk_bytes,
                      const unsigned char *head, size_t head_bytes)
{
    struct pht_unowned_row *row = &unowned->rows[pht_size_row_of(chunk_bytes)];

    if (head_bytes > PHT_SAMPLE_BYTES)
        head_bytes = PHT_SAMPLE_BYTES;
    if (head_bytes == 0)
        return;
    for (size_t i = 0; i < row->sample_count; i++) {
        if (row->samples[i].address == memory)
            return;
    }
    size_t place = choose_place(unowned, row);
    if (place >= PHT_CHUNK_SAMPLES)
        return;
    row->samples[place].address = memory;
    row->samples[place].bytes = (uint32_t)head_bytes;
    memcpy(row->samples[place].head, head, head_bytes);
}

void pht_unowned_except(struct pht_unowned *unowned, pht_addr memory, uint64_t chunk_bytes)
{
    struct pht_unowned_row *row = &unowned->rows[pht_size_row_of(chunk_bytes)];

    row->owned.count++;
    row->owned.bytes += chunk_bytes;
    for (size_t i = 0; i < row->sample_count; i++) {
        if (row->samples[i].address == memory) {
            row->samples[i] = row->samples[--row->sample_count];
            return;
        }
    }
}

/* ---- what they are ------------------------------------------------------------------------ */

static bool is_letter(unsigned char c)
{
    return (c >= 0x20 && c < 0x7f) || (c >= '\t' && c <= '\r');
}

static uint32_t letters(const unsigned char *head, uint32_t bytes)
{
    uint32_t count = 0;

    while (count < bytes && is_letter(head[count]))
        count++;
    return count;
}

static bool is_zero(const unsigned char *head, uint32_t bytes)
{
    uint32_t i = 0;

    while (i < bytes && head[i] == 0)
        i++;
    return i == bytes;
}

/* The first word that leads into a file's mapping; 0 if none does. */
static pht_addr find_pointer(const struct pht_maps *maps, const unsigned char *head, uint32_t bytes)
{
    for (uint32_t i = 0; i + sizeof(uint64_t) <= bytes; i += sizeof(uint64_t)) {
        pht_addr word = pht_field_u64(head, i);
        const struct pht_mapping *mapping =
            word >= PHT_PAGE_BYTES && word <= PHT_USER_ADDR_MAX ? pht_maps_find(maps, word) : NULL;
        if (mapping != NULL && mapping->inode != 0)
            return word;
    }
    return 0;
}

static void describe(const struct pht_maps *maps, const unsigned char *head, uint32_t bytes,
                     bool previews, struct pht_chunk_sample *ret)
{
    uint32_t text_bytes = letters(head, bytes);

    ret->kind = PHT_SAMPLE_OTHER;
    if (text_bytes >= TEXT_BYTES_MIN) {
        ret->kind = PHT_SAMPLE_TEXT;
        ret->text_bytes = previews ? text_bytes : 0;
        memcpy(ret->text, head, ret->text_bytes);
    } else if ((ret->points_to = find_pointer(maps, head, bytes)) != 0) {
        ret->kind = PHT_SAMPLE_POINTER;
    } else if (is_zero(head, bytes)) {
        ret->kind = PHT_SAMPLE_ZEROS;
    }
}

/* ---- by size ------------------------------------------------------------------------------ */

static void add_chunks(struct pht_tally all[PHT_SIZE_ROWS], uint64_t size, uint64_t count,
                       uint64_t bytes)
{
    struct pht_tally *row = &all[pht_size_row_of(size)];

    row->count += count;
    row->bytes += bytes;
}

static int compare(const void *a, const void *b)
{
    const struct pht_unowned_size *left = a, *right = b;

    if (left->bytes != right->bytes)
        return left->bytes < right->bytes ? 1 : -1;
    return left->min_bytes < right->min_bytes ? -1 : left->min_bytes > right->min_bytes;
}

struct pht_unowned_size *pht_unowned_list(const struct pht_unowned *unowned,
                                          const struct pht_maps *maps,
                                          const struct pht_glibc *glibc, bool previews,
                                          size_t *count)
{
    struct pht_unowned_size *sizes = calloc(PHT_SIZE_ROWS, sizeof(*sizes));
    struct pht_tally all[PHT_SIZE_ROWS] = {0};

    *count = 0;
    if (sizes == NULL)
        return NULL;
    for (size_t i = 0; i < glibc->size_count; i++)
        add_chunks(all, glibc->sizes[i].min_bytes, glibc->sizes[i].live_chunks,
                   glibc->sizes[i].live_bytes);
    for (size_t i = 0; i < glibc->mmapped_count; i++)
        add_chunks(all, glibc->mmapped[i].bytes, 1, glibc->mmapped[i].bytes);
    for (size_t i = 0; i < PHT_SIZE_ROWS; i++) {
        const struct pht_unowned_row *row = &unowned->rows[i];
        struct pht_unowned_size *size = &sizes[*count];
        if (all[i].count <= row->owned.count || all[i].bytes <= row->owned.bytes)
            continue;
        pht_size_row_bounds(i, &size->min_bytes, &size->max_bytes);
        size->chunks = all[i].count - row->owned.count;
        size->bytes = all[i].bytes - row->owned.bytes;
        for (size_t j = 0; j < row->sample_count; j++) {
            struct pht_chunk_sample *sample = &size->samples[size->sample_count++];
            sample->address = row->samples[j].address;
            describe(maps, row->samples[j].head, row->samples[j].bytes, previews, sample);
        }
        ++*count;
    }
    qsort(sizes, *count, sizeof(*sizes), compare);
    return sizes;
}
