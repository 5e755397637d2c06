/*
 * What pages of files hold that the target has not loaded: what their files hold. A file is opened
 * when it is first asked for, and a few are kept open.
 */
#ifndef PHT_LIB_SNAPSHOT_FILE_PAGES_H
#define PHT_LIB_SNAPSHOT_FILE_PAGES_H

#include "pyheaptop/target.h"

#define PHT_FILE_PAGES_OPEN 8

struct pht_file_pages {
    struct pht_target *target;
    unsigned opened; /* so far, those that could not be had as well */
    struct {
        struct pht_mapping mapping; /* whichever was first; without its name */
        int fd;                     /* -1: it cannot be had */
    } files[PHT_FILE_PAGES_OPEN];   /* the one opened n-th is at n modulo their number */
};

void pht_file_pages_init(struct pht_file_pages *files, struct pht_target *target);
void pht_file_pages_deinit(struct pht_file_pages *files);

/*
 * How many bytes from `addr` on, of [addr, addr + size) in `mapping`, the file has. None where it
 * cannot be read.
 */
size_t pht_file_pages_read(struct pht_file_pages *files, const struct pht_mapping *mapping,
                           pht_addr addr, void *buffer, size_t size);

#endif
