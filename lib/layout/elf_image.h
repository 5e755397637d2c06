/*
 * The ELF file behind a mapping: where it is loaded, its build-id, its symbols, its bytes. The
 * file is read, never the target's memory, so pages that are not resident stay so.
 */
#ifndef PHT_LIB_LAYOUT_ELF_IMAGE_H
#define PHT_LIB_LAYOUT_ELF_IMAGE_H

#include <gelf.h>

#include "pyheaptop/layout.h"

struct pht_elf_image {
    int fd;
    Elf *elf;
    const char *path; /* borrowed from the maps it was opened with */
    uint64_t bias;
    char build_id[129];
};

enum pht_elf_kind {
    PHT_ELF_OURS,    /* 64-bit, this machine's architecture */
    PHT_ELF_FOREIGN, /* another architecture or word size */
    PHT_ELF_NOT,
};

/* Look at the first bytes of a file only. */
enum pht_elf_kind pht_elf_image_kind(int fd, bool *is_32_bit);

/*
 * Open the file behind `mapping`, which is any mapping of it. False if it cannot be had or is
 * not an ELF file of this architecture.
 */
bool pht_elf_image_open(struct pht_target *target, const struct pht_maps *maps,
                        const struct pht_mapping *mapping, struct pht_elf_image *ret);

/* The file itself, which nobody has loaded: its bias is 0. Keeps `path`. */
bool pht_elf_image_open_file(const char *path, struct pht_elf_image *ret);

/* The same of a file that is open: takes `fd`, also where it fails. */
bool pht_elf_image_open_fd(int fd, const char *path, struct pht_elf_image *ret);
void pht_elf_image_close(struct pht_elf_image *image);

/* True if both mappings are of one file. */
bool pht_elf_same_file(const struct pht_mapping *a, const struct pht_mapping *b);

/*
 * The link-time addresses that its segments span, .bss included, in whole pages. False for a file
 * without segments, or whose segments have no end.
 */
bool pht_elf_image_span(struct pht_elf_image *image, uint64_t *start, uint64_t *end);

/* Bytes of the file at a link-time address. False where the file has none there. */
bool pht_elf_image_read(struct pht_elf_image *image, uint64_t address, void *buffer, size_t size);

/*
 * What the file has of the next segment that is loaded, writable or not, from `*at` on, which
 * begins with 0; NULL after the last one. Owned by the image.
 */
const char *pht_elf_image_segment(struct pht_elf_image *image, bool writable, size_t *at,
                                  size_t *size);

/* The next program header of a type, from `*at` on, which begins with 0; false after the last. */
bool pht_elf_next_segment(Elf *elf, uint32_t type, size_t *at, GElf_Phdr *ret);

/* Hex of a file's build-id note; "" if it has none. */
void pht_elf_build_id(Elf *elf, char text[static 129]);

#endif
