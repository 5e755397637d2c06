/*
 * How large an object is, and which buffers it owns.
 *
 * `size_bytes` is what sys.getsizeof() says: the block with its collector's head, plus the buffers
 * that the type's __sizeof__() counts. Buffers are named apart from that, whether they count there
 * or not: an instance's values do not, a list's array does.
 *
 * Other objects are never buffers: not the __dict__ of an instance, nor the bytes object behind a
 * bytearray of 3.15.
 */
#ifndef PHT_LIB_WALK_OBJECT_SIZE_H
#define PHT_LIB_WALK_OBJECT_SIZE_H

#include "base/vec.h"
#include "pyheaptop/layout.h"
#include "pyheaptop/snapshot.h"
#include "walk/types.h"

/*
 * An object, and the first `size` of its bytes, as many as are at hand: its block's, cut where the
 * caller likes. Size and buffers of the frequent kinds are told by the first PHT_OBJECT_HEAD_BYTES
 * without a read; a smaller block is no reason to read more than it has.
 *
 * `prefix` are the type->prefix_bytes in front of the object, or NULL if they are not at hand;
 * needed for the values of instances in 3.11 and 3.12 only.
 */
#define PHT_OBJECT_HEAD_BYTES 128

struct pht_object {
    pht_addr address;
    const struct pht_type *type;
    const unsigned char *bytes;
    size_t size;
    const unsigned char *prefix;
};

/* Each goes through debug hooks of its own. */
enum pht_buffer_source {
    PHT_BUFFER_PYTHON, /* PyMem_Malloc(), PyObject_Malloc(): pymalloc, or what it hands on */
    PHT_BUFFER_RAW,    /* PyMem_RawMalloc() */
    PHT_BUFFER_LIBC,   /* malloc(3) */
};

/*
 * An address at which no block or chunk begins is of no buffer: constants may serve as one, and
 * values of a dict may lie inside its instance. Those that are `is_prefixed` begin up to 32 bytes
 * before their address.
 */
struct pht_object_buffer {
    pht_addr address;
    uint64_t bytes;   /* as asked of malloc; 0: only its block or chunk tells */
    bool is_shared;   /* several objects may name it: keys of split dicts */
    bool is_prefixed; /* values of instances in 3.11 and 3.12 */
    bool is_mapping;  /* not from malloc, but from mmap(2) */
    enum pht_buffer_source source;
};

/* A chain of this many is handed over in parts. */
#define PHT_OBJECT_BUFFERS_MANY 1024

/*
 * Clear to zero before the first use; used again and again without allocating.
 *
 * Deques and OrderedDicts own as many buffers as they have items, nearly. `on_many`, if set, is
 * given what there is whenever that is many; `buffers` has what comes after. `steps` counts what
 * is read along such chains, for all objects together: beyond a limit, which takes a billion items
 * to reach, no more is.
 */
struct pht_object_size {
    uint64_t size_bytes;
    bool is_damaged; /* what it says of itself cannot be, or could not be read: size is a guess */
    PHT_VEC(struct pht_object_buffer) buffers;
    void (*on_many)(void *context, const struct pht_object_buffer *buffers, size_t count);
    void *context;
    uint64_t steps;
};

void pht_object_size_deinit(struct pht_object_size *size);

/*
 * What is to be read for an object beyond its own bytes: `*addr` for `PHT_OBJECT_MORE_BYTES`
 * bytes, the head of a dict's keys, the code of a generator. False if nothing is. For callers that
 * read for many objects at once.
 */
#define PHT_OBJECT_MORE_BYTES 80

/* Whether it may ask for any, of objects of that type. */
static inline bool pht_object_may_need(const struct pht_type *type)
{
    return type->kind == PHT_KIND_DICT || type->kind == PHT_KIND_ORDERED_DICT ||
           type->kind == PHT_KIND_GENERATOR;
}

bool pht_object_needs(const struct pht_object_layout *layout, const struct pht_object *object,
                      pht_addr *addr);

/*
 * `more` is what pht_object_needs() asked for, NULL to have it read here. False when memory is
 * short.
 */
bool pht_object_measure(struct pht_snapshot *snapshot, const struct pht_object_layout *layout,
                        const struct pht_object *object, const void *more,
                        struct pht_object_size *ret);

#endif
