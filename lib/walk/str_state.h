/*
 * The state word of a str of 3.x, the same since 3.3: Include/cpython/unicodeobject.h. Its bit 7
 * means `ready` up to 3.11, `statically allocated` later.
 */
#ifndef PHT_LIB_WALK_STR_STATE_H
#define PHT_LIB_WALK_STR_STATE_H

#include <stdbool.h>
#include <stdint.h>

#define PHT_STR_LENGTH 16
#define PHT_STR_STATE 32
#define PHT_STR_INTERNED 3      /* bits of the state; in 2.7 it has no others */
#define PHT_BYTES_DATA 32       /* of 3.x */
#define PHT_BYTE_STRING_DATA 36 /* str of 2.7 */

struct pht_str_state {
    uint8_t char_bytes; /* 1, 2 or 4; 0: a str of before 3.12 that has only its wchar_t */
    bool is_compact;    /* its characters follow its head */
    bool is_ascii;
    bool is_ready;
};

static inline struct pht_str_state pht_str_state(uint32_t state)
{
    return (struct pht_str_state){
        .char_bytes = state >> 2 & 7,
        .is_compact = state >> 5 & 1,
        .is_ascii = state >> 6 & 1,
        .is_ready = state >> 7 & 1,
    };
}

static inline bool pht_str_state_is_sane(struct pht_str_state state)
{
    return state.char_bytes == 1 ||
           (!state.is_ascii && (state.char_bytes == 2 || state.char_bytes == 4));
}

#endif
