/*
 * Filling in struct pht_thread_layout, from files alone. The records that glibc keeps for
 * debuggers (nptl_db/db_info.c) are constants of it:
 *
 *     const uint32_t _thread_db_pthread_list[3] = {128, 1, 704};
 *
 * 128 bits, one of them, at offset 704 of the struct. No debug information is needed.
 */
#ifndef PHT_LIB_LAYOUT_THREADS_H
#define PHT_LIB_LAYOUT_THREADS_H

#include "layout/elf_image.h"

/* `libc` is the image of glibc. What is missing or damaged leaves `ret->known` false. */
void pht_thread_layout_find(struct pht_target *target, const struct pht_maps *maps,
                            struct pht_elf_image *libc, struct pht_thread_layout *ret);

#endif
