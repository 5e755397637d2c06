/*
 * The debug information of an image: in the file itself, or in a separate file that is found by
 * build-id or .gnu_debuglink in the target's root, then in ours, then by debuginfod where
 * DEBUGINFOD_URLS is set. Only a file with the same build-id is taken; one with another is no more
 * than what pht_debug_file_find_other() says.
 */
#ifndef PHT_LIB_LAYOUT_DEBUG_FILE_H
#define PHT_LIB_LAYOUT_DEBUG_FILE_H

#include <elfutils/libdwfl.h>

#include "layout/elf_image.h"

struct pht_debug_file {
    Dwfl *dwfl;
    Dwarf *dwarf; /* NULL if there is no debug information; owned by `dwfl` */
    Elf *elf;     /* the file that holds it; owned by `dwfl` */
};

/* False when nothing could be opened at all. */
bool pht_debug_file_open(struct pht_target *target, struct pht_elf_image *image,
                         struct pht_debug_file *ret);
void pht_debug_file_close(struct pht_debug_file *file);

/*
 * A file of another build where .gnu_debuglink leads to in the target's root, as an image of its
 * own. Its types may be those of `image`; its addresses are not. False if there is none. Keeps
 * `path`, which the caller frees, as it does where there is none.
 */
bool pht_debug_file_find_other(struct pht_target *target, struct pht_elf_image *image, char **path,
                               struct pht_elf_image *ret);

#endif
