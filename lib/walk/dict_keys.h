/*
 * Where a dict has its entries: the table of 2.7, the keys of 3.6 and later.
 *
 * Nothing of it is believed before it adds up; a walk of the entries is bounded by what it says.
 */
#ifndef PHT_LIB_WALK_DICT_KEYS_H
#define PHT_LIB_WALK_DICT_KEYS_H

#include "pyheaptop/layout.h"
#include "pyheaptop/snapshot.h"

enum pht_dict_offset {
    PHT_DICT_USED = 16,   /* 3.x */
    PHT_DICT_KEYS = 32,   /* 3.x */
    PHT_DICT_VALUES = 40, /* 3.x */
    PHT_DICT_MASK = 32,   /* 2.7 */
    PHT_DICT_SLOTS = 40,  /* 2.7 */
    PHT_DICT_SMALL = 56,  /* 2.7: ma_smalltable */
    PHT_DICT_BYTES = 48,  /* of PyDictObject; 2.7: without its small table */
};

#define PHT_DICT_ENTRY_BYTES ((uint64_t)24) /* {hash, key, value} */

struct pht_dict_keys {
    uint64_t refcount;
    uint64_t slots;  /* of the hash table */
    uint64_t usable; /* entries that there is room for */
    uint64_t values; /* that an instance or a split dict has room for */
    uint64_t entries;
    uint64_t bytes; /* as asked of malloc */
    uint64_t entries_offset;
    uint32_t entry_bytes;
    uint32_t key_offset;
    uint32_t value_offset;
};

#define PHT_DICT_KEYS_HEAD_BYTES 40

/* From the first bytes of keys. False if they contradict themselves. Not for 2.7. */
bool pht_dict_keys_decode(const struct pht_object_layout *layout, const void *head,
                          struct pht_dict_keys *ret);

/* The entries of a dict, used and deleted ones alike; a deleted one has no value. */
struct pht_dict_entries {
    pht_addr table; /* the memory that has them */
    uint64_t table_bytes;
    pht_addr start;
    uint64_t count;
    uint32_t entry_bytes;
    uint32_t key_offset;
    uint32_t value_offset;
};

/* False if it cannot be read, makes no sense, or is a split dict, which has its values apart. */
bool pht_dict_entries_find(struct pht_snapshot *snapshot, const struct pht_object_layout *layout,
                           pht_addr dict, struct pht_dict_entries *ret);

#endif
