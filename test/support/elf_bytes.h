/*
 * An ELF file made of bytes: segments and exported symbols as a test wants them, which no linker
 * would write.
 */
#ifndef PHT_TEST_SUPPORT_ELF_BYTES_H
#define PHT_TEST_SUPPORT_ELF_BYTES_H

#include "layout/elf_image.h"

struct elf_bytes_segment {
    uint32_t type;  /* 0: PT_LOAD */
    uint32_t flags; /* PF_R, PF_W, PF_X */
    uint64_t address;
    uint64_t size;       /* in memory; 0: as many as there are bytes */
    const void *bytes;   /* in the file */
    uint64_t byte_count; /* of them */
};

struct elf_bytes_symbol {
    const char *name;
    uint64_t address;
    uint64_t size;
};

struct elf_bytes {
    uint16_t type; /* ET_DYN, ET_EXEC */
    const struct elf_bytes_segment *segments;
    size_t segment_count;
    const struct elf_bytes_symbol *symbols; /* that it exports; none with a PT_DYNAMIC of its own */
    size_t symbol_count;
};

/* Its path is "made-up", its bias 0. */
void elf_bytes_open(const struct elf_bytes *file, struct pht_elf_image *ret);

#endif
