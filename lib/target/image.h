/*
 * What one exec made of a process: the program, and where it was placed. fork hands it on, another
 * exec makes another, so processes with the same image came from one exec by fork alone.
 */
#ifndef PHT_LIB_TARGET_IMAGE_H
#define PHT_LIB_TARGET_IMAGE_H

#include <sys/types.h>

#include "pyheaptop/target.h"

#define PHT_IMAGE_RANDOM_BYTES 16

struct pht_image {
    uint64_t code_start;
    uint64_t stack_start;
    uint64_t code_pages;
    dev_t device; /* of the program's file */
    ino_t inode;
    /* AT_RANDOM: the kernel's own bytes for this exec. 0 where they cannot be had. */
    pht_addr random_addr;
    bool has_random;
    unsigned char random[PHT_IMAGE_RANDOM_BYTES];
};

enum pht_image_access {
    PHT_IMAGE_READ,
    PHT_IMAGE_HIDDEN, /* there may be one, but we may not look: no more than `code_pages` */
    PHT_IMAGE_NONE,   /* it ended, or is a thread of the kernel */
};

/*
 * `process_fd` is /proc/PID, `pagemap_fd` its page map or -1. The random bytes are read only where
 * that can be done without bringing back a page from swap.
 */
enum pht_image_access pht_image_read(int process_fd, int pagemap_fd, struct pht_image *ret);

/* What one of them lacks is not held against it. */
bool pht_image_is_same(const struct pht_image *a, const struct pht_image *b);

#endif
