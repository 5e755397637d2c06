/*
 * A layout as a table: a line for each value of struct pht_python_layout or struct
 * pht_libc_layout, for all code that does not care which value it is. That is the resolver, the
 * cache and the check of what they bring.
 */
#ifndef PHT_LIB_LAYOUT_FIELDS_H
#define PHT_LIB_LAYOUT_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pht_layout_field {
    enum {
        PHT_FIELD_SIZE,
        PHT_FIELD_MEMBER,
        PHT_FIELD_EXTENT,
        PHT_FIELD_ADDRESS,
        PHT_FIELD_LENGTH,
        PHT_FIELD_TLS,
    } kind;
    const char *name;
    size_t offset;       /* of the value in the layout's struct */
    const char *subject; /* type or symbol */
    const char *path;    /* member, or NULL */
    const char *file;    /* that must define the symbol, or NULL */
};

#define PHT_LAYOUT_FIELDS_MAX 192

struct pht_layout_table {
    const struct pht_layout_field *fields; /* those of one type stand together, its SIZE first */
    size_t count;
    const char *unit;     /* the source file that has the variables, and includes the types */
    const char *more;     /* another, for types that the first does not include; or NULL */
    const char *exported; /* a variable of another file, whose name is unique; or NULL */
    uint64_t struct_bytes_max;
    bool (*has_required)(const void *layout);   /* all that a walk needs, no member out of bounds */
    bool (*is_as_declared)(const void *layout); /* see order.h */
};

/*
 * The lines themselves, by the macros that the public lists of values take. The file that has the
 * table defines PHT_FIELDS_OF as the struct it describes.
 */
#define PHT_FIELD_LINE(kind_, field, subject_, path_, file_)                                       \
    {kind_, #field, offsetof(PHT_FIELDS_OF, field), subject_, path_, file_},
#define PHT_SIZE_LINE(field, type) PHT_FIELD_LINE(PHT_FIELD_SIZE, field, type, NULL, NULL)
#define PHT_MEMBER_LINE(field, type, path) PHT_FIELD_LINE(PHT_FIELD_MEMBER, field, type, path, NULL)
#define PHT_EXTENT_LINE(field, type, path) PHT_FIELD_LINE(PHT_FIELD_EXTENT, field, type, path, NULL)
#define PHT_ADDRESS_LINE(field, symbol) PHT_FIELD_LINE(PHT_FIELD_ADDRESS, field, symbol, NULL, NULL)
#define PHT_LENGTH_LINE(field, symbol) PHT_FIELD_LINE(PHT_FIELD_LENGTH, field, symbol, NULL, NULL)
#define PHT_TLS_LINE(field, symbol) PHT_FIELD_LINE(PHT_FIELD_TLS, field, symbol, NULL, NULL)
#define PHT_STATIC_LINE(field, symbol, file)                                                       \
    PHT_FIELD_LINE(PHT_FIELD_ADDRESS, field, symbol, NULL, file)
#define PHT_EXPANSE_LINE(field, symbol, file)                                                      \
    PHT_FIELD_LINE(PHT_FIELD_LENGTH, field, symbol, NULL, file)

/* True for SIZE, MEMBER and EXTENT; the others are of a symbol. */
bool pht_layout_is_of_type(const struct pht_layout_field *field);

uint64_t pht_layout_get(const void *layout, const struct pht_layout_field *field);
void pht_layout_set(void *layout, const struct pht_layout_field *field, uint64_t value);

/* All values unknown. */
void pht_layout_clear(const struct pht_layout_table *table, void *layout);

/* Sizes and offsets of types as `from` has them; what is of symbols stays as it is. */
void pht_layout_take_types(const struct pht_layout_table *table, const void *from, void *layout);

/* True if all that a walk needs is there, and no member lies outside its struct. */
bool pht_layout_is_sound(const struct pht_layout_table *table, const void *layout);

bool pht_layout_all_known(const uint64_t *const *values, size_t count);

/* A member of `bytes` bytes in a struct of `size`. */
struct pht_layout_room {
    uint64_t offset;
    uint64_t bytes;
    uint64_t size;
};

/* True if the members lie inside their structs; what is unknown lies nowhere. */
bool pht_layout_has_room(const struct pht_layout_room *members, size_t count);

#endif
