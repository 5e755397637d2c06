/*
 * Which variables the code of an exported function uses.
 *
 * A stripped interpreter still exports some 1,500 functions, and the linker has written into their
 * code where the variables are that they use: `mov 0x2f3a51(%rip),%eax`. Such an operand is found
 * without decoding instructions one by one; bytes that only look like one lead anywhere, so what is
 * found are candidates, to be proved by what stands there. x86-64 only: elsewhere there are none.
 */
#ifndef PHT_LIB_LAYOUT_REFERENCES_H
#define PHT_LIB_LAYOUT_REFERENCES_H

#include "layout/elf_image.h"

#define PHT_REFERENCES_MAX 256

/*
 * Link-time addresses in writable segments, in the order of the code, each once. `may_be_int` of
 * one that some instruction uses with 32 bits or fewer: a pointer is used with 64.
 */
struct pht_references {
    uint64_t items[PHT_REFERENCES_MAX];
    bool may_be_int[PHT_REFERENCES_MAX];
    size_t count;
};

/*
 * Of the function of that name, if the image exports it, and then of the functions that it calls
 * and that may have no symbol, as far as their first 2,048 bytes tell.
 */
void pht_references_find(struct pht_elf_image *image, const char *function,
                         struct pht_references *ret);

/* Of a function at that link-time address, which has no symbol, by its first 2,048 bytes. */
void pht_references_at(struct pht_elf_image *image, uint64_t function, struct pht_references *ret);

#endif
