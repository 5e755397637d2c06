/*
 * What compressors and decompressors of zlib own. Nothing of it counts for sys.getsizeof().
 *
 * Members of the objects are at the same places in the DWARF of 3.6.15 to 3.13.0, and in 3.14.10
 * and 3.15.2 as they run: Modules/zlibmodule.c. z_stream is of the ABI of zlib, zlib.h.
 *
 * What z_stream.state leads to is zlib's own affair: deflate.h and inflate.h. 1.2.11, 1.2.13, 1.3.1
 * and 1.3.2 were seen to run; what is older than 1.2.9 is known by its source alone. The state is
 * believed only where it says what z_stream it is of, and its window only where its sizes agree
 * with one another; other libraries of the same ABI, as zlib-ng, keep what they have to
 * themselves, and it stays unowned.
 */
#include "walk/field.h"
#include "walk/object_parts.h"

enum object_offset {
    STREAM = 16,
    STREAM_STATE = STREAM + 56,
    COMPRESS_LOCK = 160, /* and of a Decompress */
    DECOMPRESSOR_LOCK = 136,
    DECOMPRESSOR_INPUT = 152,
    DECOMPRESSOR_INPUT_BYTES = 160,
};

#define WINDOW_BITS_MIN 8
#define WINDOW_BITS_MAX 15
#define HASH_BITS_MAX 16

static pht_addr stream_of(const struct pht_measure *measure)
{
    return measure->object->address + STREAM;
}

/* ---- deflate ------------------------------------------------------------------------------ */

/* Of 1.2.9 and later. Before, two counts had four bytes, and what follows them began earlier. */
enum deflate_offset {
    DEFLATE_STREAM = 0,
    DEFLATE_PENDING = 16,
    DEFLATE_PENDING_BYTES = 24,
    DEFLATE_WINDOW_LENGTH = 80,
    DEFLATE_WINDOW_BITS = 84,
    DEFLATE_WINDOW_MASK = 88,
    DEFLATE_WINDOW = 96,
    DEFLATE_WINDOW_BYTES = 104,
    DEFLATE_PREVIOUS = 112,
    DEFLATE_HEAD = 120,
    DEFLATE_HASH_LENGTH = 132,
    DEFLATE_HASH_BITS = 136,
    DEFLATE_HASH_MASK = 140,
    DEFLATE_BYTES = 144,
};

/* The three numbers of a window and the rest have moved by different lengths, for alignment. */
#define OLD_WINDOW_NUMBERS 12
#define OLD_REST 16

/* The table of previous strings and that of hashes have a number of two bytes for each. */
#define POSITION_BYTES 2

struct deflate {
    uint64_t window_length;
    uint64_t hash_length;
    pht_addr window;
    pht_addr previous;
    pht_addr head;
};

/* `numbers` and `rest`: how much earlier they begin. False if it contradicts itself. */
static bool decode_deflate(const unsigned char *state, unsigned numbers, unsigned rest,
                           struct deflate *ret)
{
    uint32_t window_bits = pht_field_u32(state, DEFLATE_WINDOW_BITS - numbers);
    uint32_t hash_bits = pht_field_u32(state, DEFLATE_HASH_BITS - rest);

    *ret = (struct deflate){
        .window_length = pht_field_u32(state, DEFLATE_WINDOW_LENGTH - numbers),
        .hash_length = pht_field_u32(state, DEFLATE_HASH_LENGTH - rest),
        .window = pht_field_u64(state, DEFLATE_WINDOW - rest),
        .previous = pht_field_u64(state, DEFLATE_PREVIOUS - rest),
        .head = pht_field_u64(state, DEFLATE_HEAD - rest),
    };
    return window_bits >= WINDOW_BITS_MIN && window_bits <= WINDOW_BITS_MAX &&
           hash_bits <= HASH_BITS_MAX && ret->window_length == (uint64_t)1 << window_bits &&
           pht_field_u32(state, DEFLATE_WINDOW_MASK - numbers) == ret->window_length - 1 &&
           pht_field_u64(state, DEFLATE_WINDOW_BYTES - rest) == 2 * ret->window_length &&
           ret->hash_length == (uint64_t)1 << hash_bits &&
           pht_field_u32(state, DEFLATE_HASH_MASK - rest) == ret->hash_length - 1;
}

void pht_measure_zlib_compress(struct pht_measure *measure)
{
    unsigned char state[DEFLATE_BYTES];
    pht_addr addr = pht_measure_u64(measure, STREAM_STATE);
    struct deflate deflate;

    pht_measure_lock(measure, COMPRESS_LOCK);
    if (!pht_measure_peek(measure, addr, state, sizeof(state)) ||
        pht_field_u64(state, DEFLATE_STREAM) != stream_of(measure))
        return;
    pht_measure_own_raw(measure, addr, 0);
    if (!decode_deflate(state, 0, 0, &deflate) &&
        !decode_deflate(state, OLD_WINDOW_NUMBERS, OLD_REST, &deflate))
        return;
    pht_measure_own_raw(measure, deflate.window, deflate.window_length * 2);
    pht_measure_own_raw(measure, deflate.previous, deflate.window_length * POSITION_BYTES);
    pht_measure_own_raw(measure, deflate.head, deflate.hash_length * POSITION_BYTES);
    /* What it says of this one's size leaves out what it has for symbols from 1.3.1 on. */
    pht_measure_own_raw(measure, pht_field_u64(state, DEFLATE_PENDING), 0);
}

/* ---- inflate ------------------------------------------------------------------------------ */

/* Of 1.2.9 and later. Before, it did not begin with the address of its stream. */
enum inflate_offset {
    INFLATE_STREAM = 0,
    INFLATE_WINDOW_BITS = 56,
    INFLATE_WINDOW_LENGTH = 60, /* 0 until something is in it */
    INFLATE_WINDOW_USED = 64,
    INFLATE_WINDOW_NEXT = 68,
    INFLATE_WINDOW = 72,
    INFLATE_NEXT_CODE = 144,
    INFLATE_BYTES = 152,
};

#define OLD_INFLATE 8

/* Where its codes are, to which it leads itself; so much is asked of malloc for it at least. */
#define INFLATE_CODES 1360
#define INFLATE_CODES_END 7152

static bool is_window(const unsigned char *state, unsigned earlier)
{
    uint32_t bits = pht_field_u32(state, INFLATE_WINDOW_BITS - earlier);
    uint32_t length = pht_field_u32(state, INFLATE_WINDOW_LENGTH - earlier);

    return bits >= WINDOW_BITS_MIN && bits <= WINDOW_BITS_MAX &&
           (length == 0 || length == (uint32_t)1 << bits) &&
           pht_field_u32(state, INFLATE_WINDOW_USED - earlier) <= length &&
           pht_field_u32(state, INFLATE_WINDOW_NEXT - earlier) <= length;
}

static void own_inflate(struct pht_measure *measure)
{
    unsigned char state[INFLATE_BYTES];
    pht_addr addr = pht_measure_u64(measure, STREAM_STATE);

    if (!pht_measure_peek(measure, addr, state, sizeof(state)))
        return;
    bool is_new = pht_field_u64(state, INFLATE_STREAM) == stream_of(measure);
    unsigned earlier = is_new ? 0 : OLD_INFLATE;
    uint64_t next_code = pht_field_u64(state, INFLATE_NEXT_CODE - earlier) - addr;
    bool has_codes = next_code >= INFLATE_CODES && next_code <= INFLATE_CODES_END;
    if (!is_new && !has_codes)
        return;
    pht_measure_own_raw(measure, addr, 0);
    if (has_codes && is_window(state, earlier))
        pht_measure_own_raw(measure, pht_field_u64(state, INFLATE_WINDOW - earlier),
                            (uint64_t)1 << pht_field_u32(state, INFLATE_WINDOW_BITS - earlier));
}

void pht_measure_zlib_decompress(struct pht_measure *measure)
{
    pht_measure_lock(measure, COMPRESS_LOCK);
    own_inflate(measure);
}

void pht_measure_zlib_decompressor(struct pht_measure *measure)
{
    pht_measure_lock(measure, DECOMPRESSOR_LOCK);
    own_inflate(measure);
    pht_measure_own(measure, pht_measure_u64(measure, DECOMPRESSOR_INPUT),
                    pht_measure_count(measure, pht_measure_u64(measure, DECOMPRESSOR_INPUT_BYTES)));
}
