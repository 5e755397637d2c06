/*
 * Damage to a fake target, as a fuzzer's input describes it: a list of changes to an image that is
 * whole otherwise, so that walkers get far. Some are made while the image is read, as by a target
 * that runs. All of them are undone in the end.
 *
 * A change takes 12 bytes: the kind of place, its number (2), the offset (2), what is done, when,
 * and a value (5).
 */
#ifndef PHT_TEST_FUZZ_PATCHES_H
#define PHT_TEST_FUZZ_PATCHES_H

#include "fuzz/input.h"
#include "support/fake_target.h"

#define FUZZ_PATCHES_MAX 64
#define FUZZ_PATCH_BYTES 12

/* Where something of interest stands: any numbers lead somewhere, mapped or not. */
typedef pht_addr (*fuzz_place)(void *heap, unsigned kind, unsigned number, unsigned offset);

struct fuzz_patch {
    pht_addr addr;
    uint64_t value;
    pht_addr other; /* a place that the value names */
    unsigned action;
    uint64_t when; /* before this read; 0: before all */
};

struct fuzz_undo {
    size_t mapping;
    size_t offset; /* of the bytes in it, or of the page */
    size_t size;   /* of `bytes`; 0: a page's state, or the mapping's */
    uint8_t bytes[64];
    struct fake_mapping whole;
    bool is_page;
};

struct fuzz_patches {
    struct fake_target *fake;
    struct fuzz_patch items[FUZZ_PATCHES_MAX];
    size_t count;
    struct fuzz_undo undo[FUZZ_PATCHES_MAX];
    size_t undo_count;
};

/*
 * Read them from all of `input`, make those that come before all, and the others as `fake` is read.
 */
void fuzz_patches_begin(struct fuzz_patches *patches, struct fake_target *fake,
                        struct fuzz_input *input, fuzz_place place, void *heap);
void fuzz_patches_undo(struct fuzz_patches *patches);

/* A place in any of the mappings. */
pht_addr fuzz_place_anywhere(const struct fake_target *fake, unsigned number, unsigned offset);

#endif
