/* Which of a target's mapped files is a CPython runtime, and of which version. */
#ifndef PHT_LIB_LAYOUT_IDENTIFY_H
#define PHT_LIB_LAYOUT_IDENTIFY_H

#include "layout/elf_image.h"

enum pht_identity {
    PHT_IDENTITY_NONE,
    PHT_IDENTITY_CPYTHON,
    PHT_IDENTITY_PYPY,
    PHT_IDENTITY_WAITING, /* a program that will load a CPython runtime, but has not yet */
};

enum pht_identity pht_identify(struct pht_elf_image *image);

/* Version and build flags of a CPython image. Version 0.0.0 if the file does not tell. */
void pht_identify_build(struct pht_elf_image *image, struct pht_python *ret);

/* PyPy's version, such as "7.3.11"; "" if the file does not tell. */
void pht_identify_pypy_version(struct pht_elf_image *image, char version[static 32]);

/*
 * Parse "3.9.18", "3.15.0rc2", "2.7.18+"; the whole of `text` must be a version, no more than
 * `length` bytes long.
 */
bool pht_version_parse(const char *text, size_t length, struct pht_version *ret);

#endif
