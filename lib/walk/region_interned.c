/*
 * The table of interned strings: the keys of a dict that maps each of them to itself. Up to 3.11 a
 * static has that dict, in 2.7 for byte strings (Objects/unicodeobject.c, Objects/stringobject.c);
 * from 3.12 on each interpreter has one, or shares that of the main one (pycore_global_objects.h).
 */
#include "walk/dict_keys.h"
#include "walk/field.h"
#include "walk/interpreter.h"
#include "walk/regions.h"
#include "walk/word_reader.h"

/* So many entries prove a table, if each maps something to itself; a table in use has more. */
#define PROVING_ENTRIES 8
#define ENTRIES_READ 64

/* A deleted entry has no value, a slot of 2.7 that is not in use neither. */
static bool maps_to_themselves(struct pht_snapshot *snapshot,
                               const struct pht_dict_entries *entries)
{
    unsigned char bytes[ENTRIES_READ * PHT_DICT_ENTRY_BYTES];
    uint64_t count = entries->count < ENTRIES_READ ? entries->count : ENTRIES_READ;
    unsigned proving = 0;

    if (pht_snapshot_read(snapshot, entries->start, bytes, (size_t)count * entries->entry_bytes) !=
        PHT_READ_OK)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        const unsigned char *entry = bytes + i * entries->entry_bytes;
        uint64_t value = pht_field_u64(entry, entries->value_offset);
        if (value == 0)
            continue;
        if (value != pht_field_u64(entry, entries->key_offset))
            return false;
        proving++;
    }
    return proving >= PROVING_ENTRIES;
}

static bool is_listed(const struct pht_regions *regions, pht_addr start)
{
    for (size_t i = regions->count; i > 0 && regions->items[i - 1].kind == PHT_REGION_INTERNED;
         i--) {
        if (regions->items[i - 1].start == start)
            return true;
    }
    return false;
}

/* `field` is where the dict's address stands. */
static bool add_table(struct pht_region_walk *walk, const struct pht_object_layout *layout,
                      pht_addr field)
{
    struct pht_dict_entries entries;
    pht_addr dict;

    if (!pht_word_read_at(walk->snapshot, field, &dict) || dict < PHT_PAGE_BYTES ||
        dict > PHT_USER_ADDR_MAX ||
        !pht_dict_entries_find(walk->snapshot, layout, dict, &entries) ||
        !pht_region_may_be_table(walk, entries.table, entries.table_bytes) ||
        is_listed(walk->regions, entries.table) || !maps_to_themselves(walk->snapshot, &entries))
        return true;
    return pht_region_add(walk, entries.table, entries.table + entries.table_bytes,
                          PHT_REGION_INTERNED, 0);
}

bool pht_regions_find_interned(struct pht_region_walk *walk)
{
    struct pht_object_layout layout;
    struct pht_interpreters interpreters;
    pht_addr interpreter;

    if (walk->python == NULL || !pht_object_layout_find(walk->python, &layout))
        return true;
    const struct pht_python_layout *python = &walk->python->layout;
    if (python->interp_interned == PHT_UNKNOWN)
        return python->interned == PHT_UNKNOWN ||
               add_table(walk, &layout, python->interned + walk->python->bias);
    pht_interpreters_begin(&interpreters, walk->snapshot, walk->python);
    while ((interpreter = pht_interpreters_next(&interpreters)) != 0) {
        if (!add_table(walk, &layout, interpreter + python->interp_interned))
            return false;
    }
    return true;
}
