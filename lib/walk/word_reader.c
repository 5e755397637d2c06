#include "walk/word_reader.h"

#include <stdlib.h>
#include <string.h>

struct pht_word_reader *pht_word_reader_create(struct pht_snapshot *snapshot)
{
    struct pht_word_reader *reader = malloc(sizeof(*reader));

    if (reader == NULL)
        return NULL;
    reader->snapshot = snapshot;
    reader->reads = 0;
    pht_word_reader_clear(reader);
    return reader;
}

void pht_word_reader_destroy(struct pht_word_reader *reader)
{
    free(reader);
}

bool pht_word_read(struct pht_word_reader *reader, pht_addr addr, uint64_t *ret)
{
    pht_addr page = addr - addr % PHT_PAGE_BYTES;
    size_t slot = (size_t)(page / PHT_PAGE_BYTES % PHT_WORD_READER_PAGES);

    if (reader->pages[slot] != page) {
        reader->pages[slot] = 0;
        reader->reads++;
        if (pht_snapshot_read(reader->snapshot, page, reader->bytes[slot], PHT_PAGE_BYTES) !=
            PHT_READ_OK)
            return false;
        reader->pages[slot] = page;
    }
    memcpy(ret, reader->bytes[slot] + addr % PHT_PAGE_BYTES, sizeof(*ret));
    return true;
}

void pht_word_reader_clear(struct pht_word_reader *reader)
{
    memset(reader->pages, 0, sizeof(reader->pages));
}

bool pht_word_read_at(struct pht_snapshot *snapshot, pht_addr addr, uint64_t *ret)
{
    return addr >= PHT_PAGE_BYTES && addr <= PHT_USER_ADDR_MAX &&
           pht_snapshot_read(snapshot, addr, ret, sizeof(*ret)) == PHT_READ_OK;
}
