/* Filling in struct pht_python_layout for one image. */
#ifndef PHT_LIB_LAYOUT_PYTHON_LAYOUT_H
#define PHT_LIB_LAYOUT_PYTHON_LAYOUT_H

#include "layout/elf_image.h"

/*
 * A value of the layout by name, for all code that does not care which: the cache, the check.
 * `offset` is where it stands in struct pht_python_layout.
 */
struct pht_layout_field {
    enum {
        PHT_FIELD_SIZE,
        PHT_FIELD_MEMBER,
        PHT_FIELD_EXTENT,
        PHT_FIELD_ADDRESS,
        PHT_FIELD_LENGTH,
    } kind;
    const char *name;
    size_t offset;
    const char *subject; /* type or symbol */
    const char *path;    /* member, or NULL */
};

const struct pht_layout_field *pht_layout_fields(size_t *count);
uint64_t *pht_layout_value(struct pht_python_layout *layout, const struct pht_layout_field *field);

/* All values unknown. */
void pht_python_layout_clear(struct pht_python_layout *layout);

/*
 * From the image and its debug file into python->layout and its two sources. NULL, or
 * PHT_ERROR_NO_LAYOUT with what is missing and how to get it.
 */
struct pht_error *pht_python_layout_resolve(struct pht_target *target, struct pht_elf_image *image,
                                            struct pht_python *python);

/* True if all that a walk needs is there, and no member lies outside its struct. */
bool pht_python_layout_is_sound(const struct pht_python_layout *layout);

#endif
