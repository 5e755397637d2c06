/*
 * pymalloc's table of used pools, Objects/obmalloc.c of 2.7 to 3.11: a static.
 *
 * It has two words for each size class, {first, last} of a list of pools whose ends point back at
 * the table less two words. A pool says of which class it is, so each list that is not empty tells
 * where the table begins, and all of them must tell the same. Bins of malloc use the same trick;
 * their chunks say nothing of the kind.
 */
#include <string.h>

#include "layout/python_scan_parts.h"

#define CLASS_BYTES 16 /* {first, last} */
#define POOL_NEXT 16   /* nextpool, prevpool: in all versions between freeblock and arenaindex */
#define POOL_PREVIOUS 24
#define CLASSES_MAX 64  /* with blocks aligned to 8; 32 with 16 */
#define ENTRIES_MAX 256 /* that are counted; malloc has 127 bins */

static bool is_pool(uint64_t word)
{
    return word >= PHT_PAGE_BYTES && word % PHT_PAGE_BYTES == 0 && word < PHT_USER_ADDR_MAX;
}

/* ---- the table of used pools -------------------------------------------------------------- */

/* The list of an entry that points at itself is empty, and tells nothing. */
static bool is_empty(const unsigned char *entry, pht_addr address)
{
    uint64_t words[2];

    memcpy(words, entry, sizeof(words));
    return words[0] == address - CLASS_BYTES && words[1] == words[0];
}

static bool begins_list(const unsigned char *entry)
{
    uint64_t words[2];

    memcpy(words, entry, sizeof(words));
    return is_pool(words[0]) && is_pool(words[1]);
}

static bool is_entry(const unsigned char *entry, pht_addr address)
{
    return is_empty(entry, address) || begins_list(entry);
}

/*
 * The list of an entry is closed at both ends, and its first pool says of which class it is. An
 * empty one may point at a page too, where the table itself stands.
 */
static bool read_list(const struct pht_python_scan *scan, pht_addr entry, uint32_t *size_class,
                      struct pht_python_sample *ret)
{
    const struct pht_python_layout *layout = scan->layout;
    const struct pht_module_data *data = scan->data;
    uint64_t first, last, previous, next;

    return pht_module_data_peek_u64(data, entry, &first) &&
           pht_module_data_peek_u64(data, entry + 8, &last) && is_pool(first) && is_pool(last) &&
           first != entry - CLASS_BYTES &&
           pht_module_data_peek_u64(data, first + POOL_PREVIOUS, &previous) &&
           pht_module_data_peek_u64(data, last + POOL_NEXT, &next) &&
           previous == entry - CLASS_BYTES && next == previous &&
           pht_module_data_peek_u32(data, first + layout->pool_szidx, size_class) &&
           pht_module_data_peek_u32(data, first + layout->pool_arenaindex, &ret->arena) &&
           *size_class < CLASSES_MAX && (ret->pool = first) != 0;
}

/* Of a kind, one after the other. */
static uint32_t count_entries(const struct pht_python_scan *scan, pht_addr table,
                              bool (*is_of_kind)(const unsigned char *entry, pht_addr address))
{
    uint32_t count = 0;

    for (; count < ENTRIES_MAX; count++) {
        pht_addr entry = table + (uint64_t)count * CLASS_BYTES;
        const unsigned char *bytes = pht_module_data_at(scan->data, entry, CLASS_BYTES);
        if (bytes == NULL || !is_of_kind(bytes, entry))
            break;
    }
    return count;
}

/* Lists of one table agree where it begins. True if `table` is one; a sample of each list. */
static bool prove_table(struct pht_python_pools *pools, pht_addr table, uint32_t entries)
{
    pools->count = 0;
    for (uint32_t i = 0; i < entries; i++) {
        struct pht_python_sample sample;
        uint32_t size_class;
        if (!read_list(pools->scan, table + (uint64_t)i * CLASS_BYTES, &size_class, &sample))
            continue;
        if (size_class != i)
            return false;
        pools->samples[pools->count++] = sample;
    }
    return pools->count > 0;
}

/* 32 or 64 classes: what happens to stand behind them may look like entries too. */
static uint32_t classes_of(uint32_t entries)
{
    return entries >= CLASSES_MAX ? CLASSES_MAX : entries >= CLASSES_MAX / 2 ? CLASSES_MAX / 2 : 0;
}

/* The table that the list at `entry` is of; 0 if it is of none. */
static pht_addr table_of(const struct pht_python_scan *scan, pht_addr entry)
{
    struct pht_python_sample sample;
    uint32_t size_class;

    return read_list(scan, entry, &size_class, &sample) ? entry - (uint64_t)size_class * CLASS_BYTES
                                                        : 0;
}

static void find_in_segment(const struct pht_python_pools *pools,
                            const struct pht_module_segment *segment, pht_addr *table,
                            bool *several)
{
    for (size_t offset = 0; offset + CLASS_BYTES <= segment->size; offset += 8) {
        if (!begins_list(segment->bytes + offset))
            continue;
        pht_addr found = table_of(pools->scan, segment->start + offset);
        if (found == 0 || found == *table)
            continue;
        if (classes_of(count_entries(pools->scan, found, is_entry)) == 0)
            continue;
        *several |= *table != 0;
        *table = found;
    }
}

/*
 * Where pymalloc is off all lists are empty: as many entries that point at themselves as there are
 * classes, and no more, nowhere else.
 */
static void find_unused_table(struct pht_python_pools *pools)
{
    struct pht_python_layout *layout = pools->scan->layout;
    const struct pht_module_data *data = pools->scan->data;
    pht_addr table = 0;
    uint32_t classes = 0, tables = 0;

    for (size_t i = 0; i < data->count; i++) {
        const struct pht_module_segment *segment = &data->segments[i];
        for (size_t at = 0; at + CLASS_BYTES <= segment->size;) {
            uint32_t entries = count_entries(pools->scan, segment->start + at, is_empty);
            if (entries > 0 && entries == classes_of(entries)) {
                table = segment->start + at;
                classes = entries;
                tables++;
            }
            at += entries > 0 ? (size_t)entries * CLASS_BYTES : 8;
        }
    }
    if (tables != 1)
        return;
    layout->usedpools = table - pools->scan->image->bias;
    layout->usedpools_bytes = (uint64_t)classes * CLASS_BYTES;
}

void pht_python_scan_table(struct pht_python_pools *pools)
{
    struct pht_python_layout *layout = pools->scan->layout;
    const struct pht_module_data *data = pools->scan->data;
    pht_addr table = 0;
    bool several = false;

    for (size_t i = 0; i < data->count; i++)
        find_in_segment(pools, &data->segments[i], &table, &several);
    if (table == 0)
        find_unused_table(pools);
    if (table == 0 || several)
        return;
    uint32_t classes = classes_of(count_entries(pools->scan, table, is_entry));
    if (!prove_table(pools, table, classes))
        return;
    layout->usedpools = table - pools->scan->image->bias;
    layout->usedpools_bytes = (uint64_t)classes * CLASS_BYTES;
}

bool pht_python_scan_is_table(struct pht_python_scan *scan, pht_addr table, uint32_t classes)
{
    struct pht_python_pools pools = {.scan = scan};

    return classes_of(classes) == classes && count_entries(scan, table, is_entry) >= classes &&
           prove_table(&pools, table, classes);
}
