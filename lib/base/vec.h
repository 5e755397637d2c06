/*
 * A growing array of a given type:
 *
 *     PHT_VEC(struct pht_mapping) mappings = {0};
 *     if (!pht_vec_push(&mappings, mapping)) ...no memory...
 *     free(mappings.items);
 *
 * Clearing (`count = 0`) keeps the capacity, so that an array filled before can be filled again
 * without allocating.
 */
#ifndef PHT_LIB_BASE_VEC_H
#define PHT_LIB_BASE_VEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define PHT_VEC(type)                                                                              \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count;                                                                              \
        size_t capacity;                                                                           \
    }

static inline bool pht_vec_grow(void **items, size_t *capacity, size_t wanted, size_t item_size)
{
    size_t fresh = *capacity < 16 ? 16 : *capacity;

    while (fresh < wanted) {
        if (fresh > SIZE_MAX / 2)
            return false;
        fresh *= 2;
    }
    void *grown = reallocarray(*items, fresh, item_size);
    if (grown == NULL)
        return false;
    *items = grown;
    *capacity = fresh;
    return true;
}

/* Room for `wanted` items in all; false when memory is short, and the array stays as it was. */
#define pht_vec_reserve(vec, wanted)                                                               \
    ((wanted) <= (vec)->capacity ||                                                                \
     pht_vec_grow((void **)&(vec)->items, &(vec)->capacity, (wanted), sizeof(*(vec)->items)))

#define pht_vec_push(vec, value)                                                                   \
    (pht_vec_reserve(vec, (vec)->count + 1) ? ((vec)->items[(vec)->count++] = (value), true)       \
                                            : false)

#endif
