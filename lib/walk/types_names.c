/*
 * What a type is called: __qualname__ and __module__ as Objects/typeobject.c makes them up.
 *
 * A heap type has its name as a str in ht_qualname, and its module in its own dict. A static type
 * has both in tp_name: "collections.deque" is deque in collections, and "list" a builtin.
 */
#include <stdlib.h>
#include <string.h>

#include "walk/dict_keys.h"
#include "walk/field.h"
#include "walk/types_parts.h"

#define BLOCK_BYTES ((size_t)32 << 10)

/*
 * __module__ comes early in a class's dict, from 3.6 on first of all; a table of 2.7 may have it
 * anywhere. Enumerations have thousands of entries, more than this is not looked through.
 */
#define ENTRIES_MAX ((uint64_t)65536)
#define ENTRIES_AT_ONCE 128

/* Until the key "__module__" is known by its address, keys are read one by one, but not for ever.
 */
#define KEY_READS_AT_FIRST 512
/* Later as well, for a key that is another object. */
#define KEY_READS_A_DICT 64
#define KEY_READS_MAX 65536
#define KEY_ENTRIES_MAX ((uint64_t)4096)

static const char module_key[] = "__module__";

/* ---- keeping ------------------------------------------------------------------------------ */

/* NULL when memory is short. */
static const char *keep(struct pht_type_names *names, const char *text, size_t length)
{
    if (names->blocks.count == 0 || names->used + length + 1 > BLOCK_BYTES) {
        char *block = malloc(BLOCK_BYTES);
        if (block == NULL || !pht_vec_push(&names->blocks, block)) {
            free(block);
            return NULL;
        }
        names->used = 0;
    }
    char *kept = names->blocks.items[names->blocks.count - 1] + names->used;
    memcpy(kept, text, length);
    kept[length] = '\0';
    names->used += length + 1;
    return kept;
}

bool pht_type_keep_names(struct pht_types *types, struct pht_type *type)
{
    type->name = keep(&types->names, type->name, strlen(type->name));
    type->module = keep(&types->names, type->module, strlen(type->module));
    return type->name != NULL && type->module != NULL;
}

void pht_type_names_deinit(struct pht_type_names *names)
{
    for (size_t i = 0; i < names->blocks.count; i++)
        free(names->blocks.items[i]);
    free(names->blocks.items);
}

/* ---- str objects -------------------------------------------------------------------------- */

static bool is_str_type(struct pht_types *types, pht_addr type)
{
    uint32_t wanted =
        types->layout->is_python2 ? PHT_TYPE_BYTES_SUBCLASS : PHT_TYPE_UNICODE_SUBCLASS;
    uint64_t flags;

    if (type != 0 && type == types->names.str_type)
        return true;
    if (!pht_object_may_be_at(type) ||
        !pht_word_read(types->words, type + PHT_TYPE_FLAGS, &flags) || !(flags & wanted))
        return false;
    types->names.str_type = type;
    return true;
}

static bool read_str(struct pht_types *types, pht_addr addr, struct pht_remote_text *ret)
{
    uint64_t type;

    return pht_object_may_be_at(addr) &&
           pht_word_read(types->words, addr + PHT_OBJECT_TYPE, &type) && is_str_type(types, type) &&
           pht_remote_text_str(types->snapshot, types->layout, addr, ret);
}

/* ---- the module --------------------------------------------------------------------------- */

/* A run of entries that was read. */
struct entries {
    const struct pht_dict_entries *of;
    unsigned char bytes[ENTRIES_AT_ONCE * PHT_DICT_ENTRY_BYTES];
    uint64_t count;
};

static pht_addr key_of(const struct entries *entries, uint64_t i)
{
    return pht_field_u64(entries->bytes, i * entries->of->entry_bytes + entries->of->key_offset);
}

static pht_addr value_of(const struct entries *entries, uint64_t i)
{
    return pht_field_u64(entries->bytes, i * entries->of->entry_bytes + entries->of->value_offset);
}

static bool read_entries(struct pht_types *types, struct entries *entries, uint64_t first)
{
    uint64_t left = entries->of->count - first;

    entries->count = left < ENTRIES_AT_ONCE ? left : ENTRIES_AT_ONCE;
    return pht_snapshot_read(types->snapshot, entries->of->start + first * entries->of->entry_bytes,
                             entries->bytes,
                             entries->count * entries->of->entry_bytes) == PHT_READ_OK;
}

/* Interned strings are one object, so the key is known by its address. */
static bool is_known_key(const struct pht_type_names *names, pht_addr key)
{
    for (size_t i = 0; i < names->key_count; i++) {
        if (names->keys[i] == key)
            return true;
    }
    return false;
}

static pht_addr find_by_address(const struct pht_types *types, const struct entries *entries)
{
    for (uint64_t i = 0; i < entries->count; i++) {
        if (is_known_key(&types->names, key_of(entries, i)))
            return value_of(entries, i);
    }
    return 0;
}

static bool is_module_key(struct pht_types *types, pht_addr key)
{
    struct pht_type_names *names = &types->names;
    struct pht_remote_text text;

    names->key_reads++;
    if (!read_str(types, key, &text) || strcmp(text.bytes, module_key) != 0)
        return false;
    if (names->key_count < PHT_TYPES_KEYS)
        names->keys[names->key_count++] = key;
    return true;
}

/* As long as no more than so many keys were read. */
static pht_addr find_by_text(struct pht_types *types, const struct entries *entries,
                             uint64_t reads_max)
{
    for (uint64_t i = 0; i < entries->count && types->names.key_reads < reads_max; i++) {
        pht_addr key = key_of(entries, i);
        if (key != 0 && is_module_key(types, key))
            return value_of(entries, i);
    }
    return 0;
}

static pht_addr find_module_by_text(struct pht_types *types, struct entries *entries)
{
    uint64_t count = entries->of->count < KEY_ENTRIES_MAX ? entries->of->count : KEY_ENTRIES_MAX;
    uint64_t reads = types->names.key_count == 0 ? KEY_READS_AT_FIRST : KEY_READS_A_DICT;
    uint64_t reads_max = types->names.key_reads + reads;
    pht_addr value = 0;

    if (reads_max > KEY_READS_MAX)
        reads_max = KEY_READS_MAX;
    for (uint64_t first = 0; first < count && value == 0; first += ENTRIES_AT_ONCE) {
        if (types->names.key_reads >= reads_max || !read_entries(types, entries, first))
            return 0;
        value = find_by_text(types, entries, reads_max);
    }
    return value;
}

/* The address of the value of __module__; 0 if there is none. */
static pht_addr find_module(struct pht_types *types, pht_addr dict)
{
    struct pht_dict_entries table;
    struct entries entries = {.of = &table};
    pht_addr value = 0;

    if (!pht_dict_entries_find(types->snapshot, types->layout, dict, &table))
        return 0;
    if (table.count > ENTRIES_MAX)
        table.count = ENTRIES_MAX;
    for (uint64_t first = 0; first < table.count && value == 0; first += ENTRIES_AT_ONCE) {
        if (!read_entries(types, &entries, first))
            return 0;
        value = find_by_address(types, &entries);
    }
    return value != 0 ? value : find_module_by_text(types, &entries);
}

static bool set_module_of_dict(struct pht_types *types, pht_addr dict, struct pht_type *type)
{
    pht_addr value = find_module(types, dict);
    size_t slot = (size_t)(value / 16 % PHT_TYPES_MODULES);
    struct pht_remote_text text;

    if (value != 0 && types->names.modules[slot].address == value) {
        type->module = types->names.modules[slot].name;
        return true;
    }
    if (value == 0 || !read_str(types, value, &text))
        return false;
    type->module = keep(&types->names, text.bytes, text.length);
    if (type->module != NULL) {
        types->names.modules[slot].address = value;
        types->names.modules[slot].name = type->module;
    }
    return true;
}

/* ---- both --------------------------------------------------------------------------------- */

static const char *builtins(const struct pht_types *types)
{
    return types->layout->is_python2 ? "__builtin__" : "builtins";
}

/* "collections.deque", or "list" for a builtin; "" if its page is not loaded. */
static bool set_static_names(struct pht_types *types, const struct pht_remote_text *text,
                             struct pht_type *type)
{
    const char *dot = memrchr(text->bytes, '.', text->length);

    if (dot == NULL) {
        type->name = keep(&types->names, text->bytes, text->length);
        type->module = text->length > 0 ? builtins(types) : "";
        return type->name != NULL;
    }
    size_t before = (size_t)(dot - text->bytes);
    type->module = keep(&types->names, text->bytes, before);
    type->name = keep(&types->names, dot + 1, text->length - before - 1);
    return type->module != NULL && type->name != NULL;
}

bool pht_type_set_names(struct pht_types *types, const struct pht_type_proof *proof,
                        struct pht_type *type)
{
    const struct pht_remote_text *name = &proof->name;
    struct pht_remote_text qualname;

    if (!type->is_heap_type)
        return set_static_names(types, name, type);
    /* 2.7 has no __qualname__, and a dot in the name of a class would be part of it. */
    if (types->layout->type_qualname != 0) {
        if (!read_str(types, pht_field_u64(proof->bytes, types->layout->type_qualname), &qualname))
            return set_static_names(types, name, type);
        name = &qualname;
    }
    type->name = keep(&types->names, name->bytes, name->length);
    type->module = "";
    set_module_of_dict(types, pht_field_u64(proof->bytes, PHT_TYPE_DICT), type);
    return type->name != NULL && type->module != NULL;
}
