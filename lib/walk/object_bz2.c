/*
 * What compressors and decompressors of bz2 own. Nothing of it counts for sys.getsizeof().
 *
 * Members of the objects are at the same places in the DWARF of 3.6.15 to 3.13.0, and in 3.14.10
 * and 3.15.2 as they run: Modules/_bz2module.c. bz_stream is of the ABI of libbz2, bzlib.h; what
 * its state leads to is in bzlib_private.h, the same in 1.0.6 and 1.0.8, and believed where it
 * leads back to its stream.
 *
 * A compressor's memory is from PyMem_RawMalloc(), a decompressor's from malloc(3).
 */
#include "walk/field.h"
#include "walk/object_parts.h"

enum object_offset {
    STREAM = 16,
    STREAM_STATE = STREAM + 48,
    COMPRESSOR_LOCK = 104,
    DECOMPRESSOR_INPUT = 120,
    DECOMPRESSOR_INPUT_BYTES = 128,
    DECOMPRESSOR_LOCK = 144,
};

/* Both states begin with the address of their stream; the unit of blocks is 100,000 bytes. */
#define STATE_STREAM 0
#define BLOCK_UNIT ((uint64_t)100000)
#define BLOCK_UNITS_MAX 9

static bool read_state(struct pht_measure *measure, pht_addr addr, unsigned char *state,
                       size_t size)
{
    return pht_measure_peek(measure, addr, state, size) &&
           pht_field_u64(state, STATE_STREAM) == measure->object->address + STREAM;
}

/* 0 if no block has that size. */
static uint64_t block_bytes(const unsigned char *state, uint64_t units_offset)
{
    uint32_t units = pht_field_u32(state, units_offset);

    return units <= BLOCK_UNITS_MAX ? units * BLOCK_UNIT : 0;
}

/* ---- compressor --------------------------------------------------------------------------- */

/* EState */
enum encoder_offset {
    ENCODER_ARRAY_1 = 24,
    ENCODER_ARRAY_2 = 32,
    ENCODER_FREQUENCIES = 40,
    ENCODER_POINTERS = 56, /* again the first array */
    ENCODER_BLOCK = 64,    /* and the second */
    ENCODER_BLOCK_MAX = 112,
    ENCODER_BLOCK_UNITS = 664,
    ENCODER_BYTES = 668,
};

/* Beyond a block, sorting reads so many bytes; and the last of it are left empty. */
#define OVERSHOOT 34
#define BLOCK_RESERVE 19

#define FREQUENCIES 65537

void pht_measure_bz2_compressor(struct pht_measure *measure)
{
    unsigned char state[ENCODER_BYTES];
    pht_addr addr = pht_measure_u64(measure, STREAM_STATE);

    pht_measure_lock(measure, COMPRESSOR_LOCK);
    if (!read_state(measure, addr, state, sizeof(state)))
        return;
    pht_measure_own_raw(measure, addr, 0);
    uint64_t block = block_bytes(state, ENCODER_BLOCK_UNITS);
    pht_addr first = pht_field_u64(state, ENCODER_ARRAY_1);
    pht_addr second = pht_field_u64(state, ENCODER_ARRAY_2);
    if (block == 0 || pht_field_u32(state, ENCODER_BLOCK_MAX) != block - BLOCK_RESERVE ||
        pht_field_u64(state, ENCODER_POINTERS) != first ||
        pht_field_u64(state, ENCODER_BLOCK) != second)
        return;
    pht_measure_own_raw(measure, first, block * sizeof(uint32_t));
    pht_measure_own_raw(measure, second, (block + OVERSHOOT) * sizeof(uint32_t));
    pht_measure_own_raw(measure, pht_field_u64(state, ENCODER_FREQUENCIES),
                        FREQUENCIES * sizeof(uint32_t));
}

/* ---- decompressor ------------------------------------------------------------------------- */

/* DState */
enum decoder_offset {
    DECODER_BLOCK_UNITS = 40,
    DECODER_TABLE = 3152,
    DECODER_BYTES = 3160,
};

/* It learns the size of blocks from the head of what it is given, and has no table before. */
static void own_decoder(struct pht_measure *measure)
{
    unsigned char state[DECODER_BYTES];
    pht_addr addr = pht_measure_u64(measure, STREAM_STATE);

    if (!read_state(measure, addr, state, sizeof(state)))
        return;
    pht_measure_own_libc(measure, addr, 0);
    uint64_t block = block_bytes(state, DECODER_BLOCK_UNITS);
    if (block > 0)
        pht_measure_own_libc(measure, pht_field_u64(state, DECODER_TABLE),
                             block * sizeof(uint32_t));
}

void pht_measure_bz2_decompressor(struct pht_measure *measure)
{
    pht_measure_lock(measure, DECOMPRESSOR_LOCK);
    own_decoder(measure);
    pht_measure_own(measure, pht_measure_u64(measure, DECOMPRESSOR_INPUT),
                    pht_measure_count(measure, pht_measure_u64(measure, DECOMPRESSOR_INPUT_BYTES)));
}
