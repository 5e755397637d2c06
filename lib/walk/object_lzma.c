/*
 * What compressors and decompressors of lzma own. Nothing of it counts for sys.getsizeof().
 *
 * Members of the objects are at the same places in the DWARF of 3.6.15 to 3.13.0, and in 3.14.10
 * and 3.15.2 as they run: Modules/_lzmamodule.c. lzma_stream is of the ABI of liblzma, lzma/base.h.
 *
 * What stands behind lzma_stream.internal is a chain of coders, liblzma's own affair: a stream's, a
 * block's, perhaps filters', at last one that has a dictionary. common/common.h,
 * lz/lz_encoder.[ch], lz/lz_decoder.[ch], lzma/lzma2_encoder.c and lzma2_decoder.c
 * of 5.2.5, 5.4.1, 5.8.1 and 5.8.4, as they run. Each link proves itself: its functions are in the
 * same mapped code as those of the first, and its sizes agree. Small parts beside the chain, an
 * index and options of filters, stay unowned.
 */
#include <string.h>

#include "pyheaptop/target.h"
#include "walk/field.h"
#include "walk/object_parts.h"

enum object_offset {
    ALLOCATOR = 16,
    STREAM = 40,
    STREAM_ALLOCATOR = STREAM + 48,
    STREAM_INTERNAL = STREAM + 56,
    COMPRESSOR_LOCK = 184,
    DECOMPRESSOR_INPUT = 200,
    DECOMPRESSOR_INPUT_BYTES = 208,
    DECOMPRESSOR_LOCK = 216,
};

/* lzma_next_coder, with which lzma_internal begins. */
enum link_offset {
    LINK_CODER = 0,
    LINK_ID = 8, /* of a filter */
    LINK_INIT = 16,
    LINK_CODE = 24,
    LINK_END = 32,
    LINK_BYTES = 40,
};

#define ID_LZMA2 0x21

/* One that chooses among formats, a stream's, a block's, and of four filters: there are no more. */
#define LINKS_MAX 8

/* So much of a coder is looked at. */
#define CODER_BYTES 176

struct chain {
    struct pht_measure *measure;
    struct pht_range code; /* no mapping: a read may replace them all */
    unsigned char coder[CODER_BYTES];
};

static bool is_code(const struct chain *chain, const unsigned char *bytes, uint64_t offset)
{
    pht_addr addr = pht_field_u64(bytes, offset);

    return addr >= chain->code.start && addr < chain->code.end;
}

static bool is_code_or_null(const struct chain *chain, const unsigned char *bytes, uint64_t offset)
{
    return pht_field_u64(bytes, offset) == 0 || is_code(chain, bytes, offset);
}

/* ---- coders with a dictionary ------------------------------------------------------------- */

/* An LZMA2 coder has one of LZMA, whose address is its second word. */
#define LZMA2_LZMA 8

static void own_lz_coder(struct chain *chain, pht_addr coder, uint64_t id)
{
    pht_addr lzma;

    pht_measure_own_raw(chain->measure, coder, 0);
    if (id == ID_LZMA2 && pht_measure_peek(chain->measure, coder + LZMA2_LZMA, &lzma, sizeof(lzma)))
        pht_measure_own_raw(chain->measure, lzma, 0);
}

/* lzma_coder of lz_encoder.c: {lzma_lz_encoder, lzma_mf, ...}. */
enum encoder_offset {
    ENCODER_LZ_CODER = 0,
    ENCODER_LZ_CODE = 8,
    ENCODER_LZ_END = 16,
    ENCODER_FINDER = 32, /* one function more from 5.4 on */
    ENCODER_FINDER_LATER = 40,
};

/* lzma_mf */
enum finder_offset {
    FINDER_BUFFER = 0,
    FINDER_BUFFER_BYTES = 8,
    FINDER_READ = 24, /* up to which of these */
    FINDER_WRITTEN = 36,
    FINDER_FIND = 48,
    FINDER_SKIP = 56,
    FINDER_HASH = 64,
    FINDER_SON = 72,
    FINDER_HASH_COUNT = 108,
    FINDER_SON_COUNT = 112,
};

static bool own_encoder(struct chain *chain, uint64_t id, uint64_t finder_offset)
{
    const unsigned char *finder = chain->coder + finder_offset;
    uint32_t size = pht_field_u32(finder, FINDER_BUFFER_BYTES);
    uint32_t written = pht_field_u32(finder, FINDER_WRITTEN);

    if (!is_code(chain, chain->coder, ENCODER_LZ_CODE) ||
        !is_code_or_null(chain, chain->coder, ENCODER_LZ_END) ||
        !is_code(chain, finder, FINDER_FIND) || !is_code(chain, finder, FINDER_SKIP) ||
        written > size || pht_field_u32(finder, FINDER_READ) > written)
        return false;
    own_lz_coder(chain, pht_field_u64(chain->coder, ENCODER_LZ_CODER), id);
    /* Some bytes more than it says are asked for, so that comparisons may run over. */
    pht_measure_own_raw(chain->measure, pht_field_u64(finder, FINDER_BUFFER), 0);
    pht_measure_own_raw(chain->measure, pht_field_u64(finder, FINDER_HASH),
                        pht_field_u32(finder, FINDER_HASH_COUNT) * sizeof(uint32_t));
    pht_measure_own_raw(chain->measure, pht_field_u64(finder, FINDER_SON),
                        pht_field_u32(finder, FINDER_SON_COUNT) * sizeof(uint32_t));
    return true;
}

/* lzma_coder of lz_decoder.c: {lzma_dict, lzma_lz_decoder, ...}. */
enum decoder_offset {
    DECODER_BUFFER = 0,
    DECODER_SIZE = 32,
    DECODER_LZ_CODER = 48,
    DECODER_LZ_CODE = 56,
    DECODER_LZ_RESET = 64,
    DECODER_LZ_SET_SIZE = 72,
    DECODER_LZ_END = 80,
};

/* A dictionary has 4 GiB at most, and some more around it. */
#define DICTIONARY_BYTES_MAX ((uint64_t)1 << 33)

/* Positions in the dictionary are anything until something is in it. */
static void own_decoder(struct chain *chain, uint64_t id)
{
    if (!is_code(chain, chain->coder, DECODER_LZ_CODE) ||
        !is_code_or_null(chain, chain->coder, DECODER_LZ_RESET) ||
        !is_code_or_null(chain, chain->coder, DECODER_LZ_SET_SIZE) ||
        !is_code_or_null(chain, chain->coder, DECODER_LZ_END) ||
        pht_field_u64(chain->coder, DECODER_SIZE) > DICTIONARY_BYTES_MAX)
        return;
    own_lz_coder(chain, pht_field_u64(chain->coder, DECODER_LZ_CODER), id);
    pht_measure_own_raw(chain->measure, pht_field_u64(chain->coder, DECODER_BUFFER), 0);
}

/* ---- the chain ---------------------------------------------------------------------------- */

static bool is_link(const struct chain *chain, const unsigned char *bytes)
{
    return pht_field_u64(bytes, LINK_CODER) != 0 && is_code(chain, bytes, LINK_INIT) &&
           is_code(chain, bytes, LINK_CODE) && is_code_or_null(chain, bytes, LINK_END);
}

/* It is the first member, or there is one before it that says how far the coder is. */
static const unsigned char *find_next_link(const struct chain *chain)
{
    for (unsigned i = 0; i <= sizeof(uint64_t); i += sizeof(uint64_t)) {
        if (is_link(chain, chain->coder + i))
            return chain->coder + i;
    }
    return NULL;
}

/* The coder of `link`, and `link` becomes what leads on. False at the end of the chain. */
static bool own_coder(struct chain *chain, unsigned char link[LINK_BYTES])
{
    pht_addr coder = pht_field_u64(link, LINK_CODER);
    uint64_t id = pht_field_u64(link, LINK_ID);

    pht_measure_own_raw(chain->measure, coder, 0);
    if (!pht_measure_peek(chain->measure, coder, chain->coder, sizeof(chain->coder)) ||
        own_encoder(chain, id, ENCODER_FINDER_LATER) || own_encoder(chain, id, ENCODER_FINDER))
        return false;
    const unsigned char *next = find_next_link(chain);
    if (next == NULL) {
        own_decoder(chain, id);
        return false;
    }
    memcpy(link, next, LINK_BYTES);
    return true;
}

static void own_chain(struct pht_measure *measure)
{
    unsigned char link[LINK_BYTES];
    pht_addr internal = pht_measure_u64(measure, STREAM_INTERNAL);
    struct chain chain = {.measure = measure};

    if (pht_measure_u64(measure, STREAM_ALLOCATOR) != measure->object->address + ALLOCATOR ||
        !pht_measure_peek(measure, internal, link, sizeof(link)))
        return;
    const struct pht_mapping *code =
        pht_maps_find(pht_snapshot_maps(measure->snapshot), pht_field_u64(link, LINK_CODE));
    if (code == NULL || !code->executable)
        return;
    chain.code = (struct pht_range){code->start, code->end};
    if (!is_link(&chain, link))
        return;
    pht_measure_own_raw(measure, internal, 0);
    for (int i = 0; i < LINKS_MAX && own_coder(&chain, link); i++)
        continue;
}

void pht_measure_lzma_compressor(struct pht_measure *measure)
{
    pht_measure_lock(measure, COMPRESSOR_LOCK);
    own_chain(measure);
}

void pht_measure_lzma_decompressor(struct pht_measure *measure)
{
    pht_measure_lock(measure, DECOMPRESSOR_LOCK);
    own_chain(measure);
    pht_measure_own(measure, pht_measure_u64(measure, DECOMPRESSOR_INPUT),
                    pht_measure_count(measure, pht_measure_u64(measure, DECOMPRESSOR_INPUT_BYTES)));
}
