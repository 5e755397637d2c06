#include "walk/dict_keys.h"

#include "base/checked.h"
#include "walk/field.h"

/* A dict with more slots than this does not fit into the address space. */
#define SLOTS_LOG2_MAX 42

/* Objects/dictobject.c, DK_ENTRIES: by kind of keys, 3.11 and later. */
#define KIND_GENERAL 0
#define KINDS 3
#define UNICODE_ENTRY_BYTES 16 /* {key, value} */

static uint32_t index_bytes(uint64_t slots)
{
    if (slots <= 0xff)
        return 1;
    if (slots <= 0xffff)
        return 2;
    return slots <= 0xffffffff ? 4 : 8;
}

static void set_general(struct pht_dict_keys *keys)
{
    keys->entry_bytes = PHT_DICT_ENTRY_BYTES;
    keys->key_offset = 8;
    keys->value_offset = 16;
}

/*
 * Keys of 3.6 to 3.10, Objects/dict-common.h:
 *
 *     +0  refcount   +8 size   +16 lookup function   +24 usable   +32 nentries   +40 indices
 */
static bool decode_sized(const void *head, struct pht_dict_keys *ret)
{
    ret->slots = pht_field_u64(head, 8);
    ret->entries = pht_field_u64(head, 32);
    if (!pht_is_power_of_two(ret->slots) || ret->slots >> SLOTS_LOG2_MAX != 0)
        return false;
    ret->entries_offset = 40 + index_bytes(ret->slots) * ret->slots;
    set_general(ret);
    ret->usable = 2 * ret->slots / 3;
    ret->values = ret->usable;
    return true;
}

/*
 * Keys of 3.11 and later, Include/internal/pycore_dict.h:
 *
 *     +0  refcount   +8 u8 log2 of size   +9 u8 log2 of the indices' bytes   +10 u8 kind
 *     +12 u32 version   +16 usable   +24 nentries   +32 indices
 *
 * `usable` goes down with every instance of a class, so that a split dict has room for as many
 * values as usable and nentries add up to, which may be fewer than the keys have room for.
 */
static bool decode_log2(const void *head, struct pht_dict_keys *ret)
{
    const uint8_t *bytes = head;
    uint8_t log2_slots = bytes[8], log2_index_bytes = bytes[9], kind = bytes[10];
    uint64_t left = pht_field_u64(head, 16);

    ret->entries = pht_field_u64(head, 24);
    if (log2_slots > SLOTS_LOG2_MAX || log2_index_bytes > SLOTS_LOG2_MAX + 3 || kind >= KINDS)
        return false;
    ret->slots = (uint64_t)1 << log2_slots;
    ret->entries_offset = 32 + ((uint64_t)1 << log2_index_bytes);
    if (kind == KIND_GENERAL) {
        set_general(ret);
    } else {
        ret->entry_bytes = UNICODE_ENTRY_BYTES;
        ret->key_offset = 0;
        ret->value_offset = 8;
    }
    ret->usable = 2 * ret->slots / 3;
    ret->values = left + ret->entries;
    return left <= ret->usable && ret->values <= ret->usable;
}

bool pht_dict_keys_decode(const struct pht_object_layout *layout, const void *head,
                          struct pht_dict_keys *ret)
{
    *ret = (struct pht_dict_keys){.refcount = pht_field_u64(head, 0)};
    if (!(layout->dict_form == PHT_DICT_LOG2 ? decode_log2(head, ret) : decode_sized(head, ret)))
        return false;
    ret->bytes = ret->entries_offset + ret->entry_bytes * ret->usable;
    return ret->entries <= ret->usable;
}

/* ---- entries ------------------------------------------------------------------------------ */

static bool find_in_table(const void *dict, struct pht_dict_entries *ret)
{
    uint64_t mask = pht_field_u64(dict, PHT_DICT_MASK);

    *ret = (struct pht_dict_entries){
        .table = pht_field_u64(dict, PHT_DICT_SLOTS),
        .table_bytes = (mask + 1) * PHT_DICT_ENTRY_BYTES,
        .start = pht_field_u64(dict, PHT_DICT_SLOTS),
        .count = mask + 1,
        .entry_bytes = PHT_DICT_ENTRY_BYTES,
        .key_offset = 8,
        .value_offset = 16,
    };
    return pht_is_power_of_two(mask + 1) && mask >> SLOTS_LOG2_MAX == 0;
}

bool pht_dict_entries_find(struct pht_snapshot *snapshot, const struct pht_object_layout *layout,
                           pht_addr dict, struct pht_dict_entries *ret)
{
    unsigned char bytes[PHT_DICT_BYTES], head[PHT_DICT_KEYS_HEAD_BYTES];
    struct pht_dict_keys keys;

    if (pht_snapshot_read(snapshot, dict, bytes, sizeof(bytes)) != PHT_READ_OK)
        return false;
    if (layout->dict_form == PHT_DICT_TABLE)
        return find_in_table(bytes, ret);
    pht_addr address = pht_field_u64(bytes, PHT_DICT_KEYS);
    if (pht_field_u64(bytes, PHT_DICT_VALUES) != 0 ||
        pht_snapshot_read(snapshot, address, head, sizeof(head)) != PHT_READ_OK ||
        !pht_dict_keys_decode(layout, head, &keys))
        return false;
    *ret = (struct pht_dict_entries){
        .table = address,
        .table_bytes = keys.bytes,
        .start = address + keys.entries_offset,
        .count = keys.entries,
        .entry_bytes = keys.entry_bytes,
        .key_offset = keys.key_offset,
        .value_offset = keys.value_offset,
    };
    return true;
}
