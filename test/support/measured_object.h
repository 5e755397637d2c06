/* An object in a fake target, and what measuring it comes to. One at a time. */
#ifndef PHT_TEST_SUPPORT_MEASURED_OBJECT_H
#define PHT_TEST_SUPPORT_MEASURED_OBJECT_H

#include <stdlib.h>
#include <string.h>

#include "support/objects.h"
#include "walk/object_size.h"

/* Bits of the state of a str. */
enum {
    COMPACT = 1 << 5,
    ASCII = 1 << 6,
    READY = 1 << 7,
    KIND_1 = 1 << 2,
    KIND_2 = 2 << 2,
    KIND_4 = 4 << 2,
};

extern struct objects *objects;
extern struct pht_object_size size;
extern struct pht_type type;
extern pht_addr object;

/* A fake target for objects of a version, until measured_end(); measured_teardown() comes after a
 * test. */
void measured_begin(unsigned major, unsigned minor);
void measured_end(void);
void measured_teardown(void);

/* The next object is of this kind. */
void measured_of(enum pht_kind kind, uint32_t basicsize, uint32_t itemsize, bool has_gc);

/* A word of it. */
void measured_put(uint64_t offset, uint64_t value);

/* Behind the bytes at hand there is nothing to be had. */
void measure_head(size_t head, const void *more);

/* With all that a block of 128 bytes has, with next to nothing, and then by the whole. */
void check_size(uint64_t bytes);
void check_buffer(size_t i, pht_addr address, uint64_t bytes);
void check_buffers(size_t count);
void check_damage(uint64_t bytes);

/* Keys at an address of their own, of 2^log2 slots, so many entries of them used. */
pht_addr measured_put_keys(unsigned log2, unsigned kind, uint64_t used, uint64_t refcount);

#endif
