/* What the files of the table of types share. */
#ifndef PHT_LIB_WALK_TYPES_PARTS_H
#define PHT_LIB_WALK_TYPES_PARTS_H

#include "base/addr_map.h"
#include "base/vec.h"
#include "walk/remote_text.h"
#include "walk/types.h"
#include "walk/word_reader.h"

/* PyHeapTypeObject has 944 bytes in 3.15. */
#define PHT_TYPE_BYTES_MAX 1024

_Static_assert(PHT_TYPE_NAME_MAX == PHT_REMOTE_TEXT_MAX, "names are as long as texts");

/* Modules by the address of the str that names them: all classes of a module share it. */
#define PHT_TYPES_MODULES 256

/* Interned "__module__", of each interpreter that has its own strings. */
#define PHT_TYPES_KEYS 8

struct pht_type_names {
    PHT_VEC(char *) blocks;
    size_t used; /* of the last block */
    struct {
        pht_addr address;
        const char *name;
    } modules[PHT_TYPES_MODULES];
    pht_addr keys[PHT_TYPES_KEYS];
    size_t key_count;
    uint32_t key_reads; /* so many strings were read to find that key */
    pht_addr str_type;  /* 0 before it was met */
};

/* Addresses that proved to be none, one of each hash. */
#define PHT_TYPES_REFUSED ((size_t)1 << 15)

struct pht_types {
    struct pht_snapshot *snapshot;
    const struct pht_object_layout *layout;
    pht_addr type_type;   /* 0: no symbol, and not met yet */
    pht_addr object_type; /* 0 before it was met */
    const struct pht_range *excluded;
    size_t excluded_count;
    struct pht_addr_map indices;
    size_t count;
    PHT_VEC(struct pht_type *) blocks; /* types themselves, which never move */
    struct pht_type_names names;
    struct pht_word_reader *words;
    struct pht_types_stats stats;
    pht_addr refused[PHT_TYPES_REFUSED];
};

/* A type that was read and proved; `size` bytes of it could be read. */
struct pht_type_proof {
    pht_addr address;
    unsigned char bytes[PHT_TYPE_BYTES_MAX];
    size_t size;
    struct pht_remote_text name; /* tp_name; "" if its page is not loaded */
};

bool pht_type_prove(struct pht_types *types, pht_addr address, struct pht_type_proof *ret);

enum pht_kind pht_type_kind(struct pht_types *types, const struct pht_type_proof *proof);

/* What the values of an instance take at least; older ones may have room for more. */
uint32_t pht_type_inline_bytes(struct pht_types *types, const struct pht_type_proof *proof);

/* Fill in `type->name` and `type->module`. False when memory is short. */
bool pht_type_set_names(struct pht_types *types, const struct pht_type_proof *proof,
                        struct pht_type *type);

/* Have what `type` is called, which another table keeps, kept in this one. */
bool pht_type_keep_names(struct pht_types *types, struct pht_type *type);
void pht_type_names_deinit(struct pht_type_names *names);

#endif
