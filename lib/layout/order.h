/*
 * Offsets that prove each other. C lays out the members of a struct in the order of their
 * declaration, each at the first place behind the one before that fits its alignment, so one that
 * is wrong leaves a gap or overlaps another. Variables have no order, but a place of their own.
 *
 * This holds for a layout whatever is in memory, so it costs nothing and has no false alarm but
 * one: a release that declares a struct in another way than all those before it. Its layouts are
 * then resolved at each start, until its order is told here.
 */
#ifndef PHT_LIB_LAYOUT_ORDER_H
#define PHT_LIB_LAYOUT_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pyheaptop/layout.h"

/*
 * A member, in the order of the declaration. Before it stand `hidden` bytes of members that no
 * walker needs, behind padding to its own alignment: the first figure or, in releases that have
 * one of them more or less, the second. The end of a struct is a member of no bytes.
 */
struct pht_layout_member {
    uint64_t offset;
    uint64_t bytes;
    uint64_t alignment;
    uint64_t hidden[2];
};

/* True if the members follow one another from `start` on; what is unknown is passed over. */
bool pht_layout_is_in_order(const struct pht_layout_member *members, size_t count, uint64_t start);

/* A variable, or a function of one byte. */
struct pht_layout_place {
    uint64_t address;
    uint64_t bytes;
    uint64_t alignment;
};

/* True if no two share a byte and all are aligned; what is unknown is nowhere. */
bool pht_layout_is_apart(const struct pht_layout_place *places, size_t count);

/* The rules themselves, for struct pht_python_layout and struct pht_libc_layout. */
bool pht_python_layout_is_as_declared(const void *layout);
bool pht_libc_layout_is_as_declared(const void *layout);

#endif
