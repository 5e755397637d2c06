/* str, bytes and int: their data is in their own block, but for a few strings. */
#include "walk/object_parts.h"
#include "walk/str_state.h"

#define WCHAR_BYTES 4

/* The rules of these three look at no class derived from them: its tp_basicsize does not count. */
static void set_size(struct pht_measure *measure, uint64_t bytes)
{
    measure->ret->size_bytes = measure->object->type->prefix_bytes + bytes;
}

/* ---- str ---------------------------------------------------------------------------------- */

/*
 * unicode of 2.7, Objects/unicodeobject.c:unicode_sizeof: its characters are always apart. The
 * encoded form that it may keep (defenc) is an object.
 */
static void measure_wide(struct pht_measure *measure)
{
    uint64_t length = pht_measure_count(measure, pht_measure_u64(measure, PHT_STR_LENGTH));

    set_size(measure, measure->layout->str_bytes);
    pht_measure_count_in(measure, pht_measure_u64(measure, measure->layout->str_data),
                         (length + 1) * measure->layout->str_char_bytes);
}

/* Up to 3.11 a str may keep itself as wchar_t, which may be the very same memory as its data. */
static void add_wchars(struct pht_measure *measure, struct pht_str_state state, uint64_t length,
                       pht_addr data)
{
    const struct pht_object_layout *layout = measure->layout;
    pht_addr wstr = pht_measure_u64(measure, layout->str_wstr);

    if (wstr == 0 || (state.is_ready && wstr == data))
        return;
    if (!state.is_compact || !state.is_ascii)
        length = pht_measure_count(measure, pht_measure_u64(measure, layout->str_wstr_length));
    pht_measure_count_in(measure, wstr, (length + 1) * WCHAR_BYTES);
}

/* Encoded as UTF-8, kept since somebody asked for it; that of ASCII is its data. */
static void add_utf8(struct pht_measure *measure, pht_addr data)
{
    const struct pht_object_layout *layout = measure->layout;
    pht_addr utf8 = pht_measure_u64(measure, layout->str_utf8);

    if (utf8 == 0 || utf8 == data)
        return;
    uint64_t length = pht_measure_u64(measure, layout->str_utf8_length);
    pht_measure_count_in(measure, utf8, pht_measure_count(measure, length) + 1);
}

/* Instances of derived classes have their data apart; and so have strings of an old interface. */
static pht_addr add_far_data(struct pht_measure *measure, struct pht_str_state state,
                             uint64_t length)
{
    pht_addr data = pht_measure_u64(measure, measure->layout->str_data);

    set_size(measure, measure->layout->str_bytes);
    if (data != 0)
        pht_measure_count_in(measure, data, (length + 1) * state.char_bytes);
    return data;
}

/* Objects/unicodeobject.c:unicode_sizeof, 3.6 to 3.15. */
void pht_measure_str(struct pht_measure *measure)
{
    const struct pht_object_layout *layout = measure->layout;

    if (layout->is_python2) {
        measure_wide(measure);
        return;
    }
    uint64_t length = pht_measure_count(measure, pht_measure_u64(measure, PHT_STR_LENGTH));
    struct pht_str_state state = pht_str_state(pht_measure_u32(measure, PHT_STR_STATE));
    pht_addr data = measure->object->address;

    if (state.char_bytes != 0 && !pht_str_state_is_sane(state))
        measure->ret->is_damaged = true;
    if (state.is_compact && state.is_ascii) {
        set_size(measure, layout->str_ascii_bytes + length + 1);
        data += layout->str_ascii_bytes;
    } else if (state.is_compact) {
        set_size(measure, layout->str_compact_bytes + (length + 1) * state.char_bytes);
        data += layout->str_compact_bytes;
    } else {
        data = add_far_data(measure, state, length);
    }
    if (layout->str_wstr != 0)
        add_wchars(measure, state, length, data);
    if (!state.is_compact || !state.is_ascii)
        add_utf8(measure, data);
}

/* ---- bytes and int ------------------------------------------------------------------------ */

/*
 * Objects/bytesobject.c has no __sizeof__(), so that a derived class counts in full; 2.7 has one,
 * Objects/stringobject.c:string_sizeof.
 */
void pht_measure_bytes(struct pht_measure *measure)
{
    uint64_t length = pht_measure_count(measure, pht_measure_u64(measure, PHT_OBJECT_SIZE));

    if (measure->layout->is_python2)
        set_size(measure, PHT_BYTE_STRING_DATA + 1 + length);
    else
        measure->ret->size_bytes += length;
}

#define INT_DIGITS_OFFSET 24
#define DIGIT_BYTES 4

static uint64_t count_digits(struct pht_measure *measure)
{
    uint64_t size = pht_measure_u64(measure, PHT_OBJECT_SIZE);

    /* Include/cpython/longintrepr.h of 3.12: lv_tag, whose lower three bits are sign and more. */
    if (!measure->layout->is_python2 && measure->layout->minor >= 12)
        return size >> 3;
    return (int64_t)size < 0 ? -size : size;
}

/* Objects/longobject.c:int___sizeof___impl; from 3.11 on 0 has a digit too. */
void pht_measure_int(struct pht_measure *measure)
{
    const struct pht_object_layout *layout = measure->layout;
    uint64_t digits = pht_measure_count(measure, count_digits(measure));
    uint64_t fixed = INT_DIGITS_OFFSET;

    if (!layout->is_python2 && layout->minor >= 11 && digits == 0)
        digits = 1;
    if (!layout->is_python2 && layout->minor >= 12)
        fixed = measure->object->type->basicsize;
    set_size(measure, fixed + digits * DIGIT_BYTES);
}
