/*
 * Whether memory is a type, and of which kind.
 *
 * The invariants: the type of it is `type`, or a class derived from `type` whose own chain of
 * types ends there; flags are READY and need 32 bits; one in the heap has references, for a class
 * that was freed keeps the rest; an object has 16 to 65,536 bytes and items of no more; its name is
 * a string, without control characters if a compiler has put it there.
 *
 * 2.7 does without READY: there a static type can serve for long before someone asks for an
 * attribute of it, which makes it ready.
 */
#include <string.h>

#include "base/checked.h"
#include "walk/dict_keys.h"
#include "walk/field.h"
#include "walk/types_parts.h"

/* type(type(T)) and so on: a metaclass of a metaclass is rare, more is not seen. */
#define CHAIN_MAX 16

/* Classes are derived from one another no deeper than this before it is given up. */
#define BASES_MAX 128

#define BASICSIZE_MIN 16
#define BASICSIZE_MAX ((uint64_t)65536)

/* ---- the chain of types ------------------------------------------------------------------- */

static bool has_flags(struct pht_types *types, pht_addr type, uint64_t wanted)
{
    uint64_t flags;

    return pht_word_read(types->words, type + PHT_TYPE_FLAGS, &flags) &&
           (flags & wanted) == wanted && flags >> 32 == 0;
}

/* Where no symbol tells which one `type` is: it is its own type, and so it says. */
static bool is_type_itself(struct pht_types *types, pht_addr type, pht_addr its_type)
{
    struct pht_remote_text name;
    uint64_t addr;

    if (types->type_type != 0)
        return type == types->type_type;
    if (type != its_type || !pht_word_read(types->words, type + PHT_TYPE_NAME, &addr) ||
        !pht_remote_text_c(types->snapshot, addr, &name) || strcmp(name.bytes, "type") != 0)
        return false;
    types->type_type = type;
    return true;
}

static bool is_metatype(struct pht_types *types, pht_addr type)
{
    for (int i = 0; i < CHAIN_MAX; i++) {
        const struct pht_type *known = pht_types_known(types, type);
        uint64_t its_type;
        if (type == types->type_type || (known != NULL && known->kind == PHT_KIND_TYPE))
            return true;
        if (!pht_object_may_be_at(type) ||
            !has_flags(types, type, PHT_TYPE_READY | PHT_TYPE_TYPE_SUBCLASS) ||
            !pht_word_read(types->words, type + PHT_OBJECT_TYPE, &its_type))
            return false;
        if (is_type_itself(types, type, its_type))
            return true;
        type = its_type;
    }
    return false;
}

/* ---- the type itself ---------------------------------------------------------------------- */

static bool has_sane_sizes(const struct pht_type_proof *proof)
{
    uint64_t basicsize = pht_field_u64(proof->bytes, PHT_TYPE_BASICSIZE);
    uint64_t itemsize = pht_field_u64(proof->bytes, PHT_TYPE_ITEMSIZE);
    uint64_t dictoffset = pht_field_u64(proof->bytes, PHT_TYPE_DICTOFFSET);

    return basicsize >= BASICSIZE_MIN && basicsize <= BASICSIZE_MAX && itemsize <= BASICSIZE_MAX &&
           dictoffset + BASICSIZE_MAX <= 2 * BASICSIZE_MAX;
}

static bool has_sane_flags(const struct pht_object_layout *layout,
                           const struct pht_type_proof *proof)
{
    uint64_t flags = pht_field_u64(proof->bytes, PHT_TYPE_FLAGS);

    if (flags >> 32 != 0)
        return false;
    if (flags & PHT_TYPE_HEAPTYPE)
        return flags & PHT_TYPE_READY && proof->size >= layout->heap_type_bytes &&
               pht_field_u64(proof->bytes, 0) != 0;
    return flags & PHT_TYPE_READY || layout->is_python2;
}

static bool is_printable(const struct pht_remote_text *text)
{
    for (size_t i = 0; i < text->length; i++) {
        unsigned char c = (unsigned char)text->bytes[i];
        if (c < 0x20 || c == 0x7f)
            return false;
    }
    return text->length > 0;
}

/* A static type's name stands among the constants of its file, whose page may not be loaded. */
static bool is_not_loaded(struct pht_types *types, pht_addr addr)
{
    char c;
    enum pht_read_result result = pht_snapshot_read(types->snapshot, addr, &c, 1);

    return result == PHT_READ_ABSENT || result == PHT_READ_SWAPPED;
}

static bool read_name(struct pht_types *types, struct pht_type_proof *proof)
{
    pht_addr addr = pht_field_u64(proof->bytes, PHT_TYPE_NAME);
    bool is_heap_type = pht_field_u32(proof->bytes, PHT_TYPE_FLAGS) & PHT_TYPE_HEAPTYPE;

    if (pht_remote_text_c(types->snapshot, addr, &proof->name))
        return is_heap_type || is_printable(&proof->name);
    proof->name = (struct pht_remote_text){0};
    return is_not_loaded(types, addr);
}

bool pht_type_prove(struct pht_types *types, pht_addr address, struct pht_type_proof *ret)
{
    enum pht_read_result why;
    uint64_t metatype;

    if (!pht_word_read(types->words, address + PHT_OBJECT_TYPE, &metatype) ||
        !is_metatype(types, metatype))
        return false;
    ret->address = address;
    ret->size = pht_snapshot_read_some(types->snapshot, address, ret->bytes,
                                       types->layout->heap_type_bytes, &why);
    return ret->size >= types->layout->type_bytes &&
           pht_field_u64(ret->bytes, PHT_OBJECT_TYPE) == metatype && has_sane_sizes(ret) &&
           has_sane_flags(types->layout, ret) && read_name(types, ret);
}

/* ---- kinds -------------------------------------------------------------------------------- */

/* Bits that classes inherit, and that tell the most frequent kinds. */
static enum pht_kind kind_of_flags(uint32_t flags)
{
    static const struct {
        uint32_t flag;
        enum pht_kind kind;
    } kinds[] = {
        {PHT_TYPE_UNICODE_SUBCLASS, PHT_KIND_STR}, {PHT_TYPE_BYTES_SUBCLASS, PHT_KIND_BYTES},
        {PHT_TYPE_LONG_SUBCLASS, PHT_KIND_INT},    {PHT_TYPE_LIST_SUBCLASS, PHT_KIND_LIST},
        {PHT_TYPE_TUPLE_SUBCLASS, PHT_KIND_TUPLE}, {PHT_TYPE_DICT_SUBCLASS, PHT_KIND_DICT},
        {PHT_TYPE_TYPE_SUBCLASS, PHT_KIND_TYPE},
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (flags & kinds[i].flag)
            return kinds[i].kind;
    }
    return PHT_KIND_GENERIC;
}

/* So much of an object the rules of modules read, at most. */
static uint64_t least_bytes_of_kind(enum pht_kind kind)
{
    static const uint16_t bytes[PHT_KINDS] = {
        [PHT_KIND_MMAP] = PHT_MMAP_BYTES_MIN,
        [PHT_KIND_BUFFERED] = 128,
        [PHT_KIND_BYTES_IO] = 48,
        [PHT_KIND_STRING_IO] = 48,
        [PHT_KIND_CDATA] = 80,
        [PHT_KIND_ZLIB_COMPRESS] = 168,
        [PHT_KIND_ZLIB_DECOMPRESS] = 168,
        [PHT_KIND_ZLIB_DECOMPRESSOR] = 184,
        [PHT_KIND_BZ2_COMPRESSOR] = 104,
        [PHT_KIND_BZ2_DECOMPRESSOR] = 152,
        [PHT_KIND_LZMA_COMPRESSOR] = 184,
        [PHT_KIND_LZMA_DECOMPRESSOR] = 224,
        [PHT_KIND_PICKLER] = 136,
        [PHT_KIND_UNPICKLER] = 256,
        [PHT_KIND_PICKLE_STACK] = 56,
    };

    return bytes[kind];
}

/* A kind whose type may be one that is in the heap, because its module makes it. */
static bool has_size_of_kind(const struct pht_object_layout *layout, enum pht_kind kind,
                             uint64_t basicsize)
{
    switch (kind) {
    case PHT_KIND_ARRAY:
        return basicsize == layout->array_bytes;
    case PHT_KIND_DEQUE:
        return basicsize == layout->deque_bytes;
    default:
        return basicsize >= least_bytes_of_kind(kind);
    }
}

/*
 * The others go by the name of a type that C code has made. A class made in Python may have any
 * name; it is told by its size, which has room for what the kind's rule reads.
 */
static enum pht_kind kind_of_name(const struct pht_object_layout *layout, const char *name,
                                  uint32_t flags, uint64_t basicsize)
{
    static const struct {
        const char *name;
        enum pht_kind kind;
        uint16_t minor; /* before this one it has no rule of its own; of 2.7 too */
        bool may_be_heap_type;
    } kinds[] = {
        {"set", PHT_KIND_SET, 0, false},
        {"frozenset", PHT_KIND_FROZENSET, 0, false},
        {"bytearray", PHT_KIND_BYTEARRAY, 0, false},
        {"array.array", PHT_KIND_ARRAY, 0, true},
        {"collections.deque", PHT_KIND_DEQUE, 0, true},
        {"mmap.mmap", PHT_KIND_MMAP, 0, true},
        {"_io.BufferedReader", PHT_KIND_BUFFERED, 0, true},
        {"_io.BufferedWriter", PHT_KIND_BUFFERED, 0, true},
        {"_io.BufferedRandom", PHT_KIND_BUFFERED, 0, true},
        {"_io.BytesIO", PHT_KIND_BYTES_IO, 0, true},
        {"_io.StringIO", PHT_KIND_STRING_IO, 0, true},
        {"_ctypes._CData", PHT_KIND_CDATA, 0, true},
        {"numpy.ndarray", PHT_KIND_NDARRAY, 0, false},
        {"zlib.Compress", PHT_KIND_ZLIB_COMPRESS, 0, true},
        {"zlib.Decompress", PHT_KIND_ZLIB_DECOMPRESS, 0, true},
        {"zlib._ZlibDecompressor", PHT_KIND_ZLIB_DECOMPRESSOR, 0, true},
        {"_bz2.BZ2Compressor", PHT_KIND_BZ2_COMPRESSOR, 0, true},
        {"_bz2.BZ2Decompressor", PHT_KIND_BZ2_DECOMPRESSOR, 0, true},
        {"_lzma.LZMACompressor", PHT_KIND_LZMA_COMPRESSOR, 0, true},
        {"_lzma.LZMADecompressor", PHT_KIND_LZMA_DECOMPRESSOR, 0, true},
        {"_pickle.Pickler", PHT_KIND_PICKLER, 0, true},
        {"_pickle.Unpickler", PHT_KIND_UNPICKLER, 0, true},
        {"_pickle.Pdata", PHT_KIND_PICKLE_STACK, 0, true},
        {"collections.OrderedDict", PHT_KIND_ORDERED_DICT, 0, false},
        {"frozendict", PHT_KIND_DICT, 0, false},
        {"code", PHT_KIND_CODE, 0, false},
        {"frame", PHT_KIND_FRAME, 0, false},
        {"generator", PHT_KIND_GENERATOR, 11, false},
        {"coroutine", PHT_KIND_GENERATOR, 11, false},
        {"async_generator", PHT_KIND_GENERATOR, 11, false},
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(name, kinds[i].name) != 0 || layout->minor < kinds[i].minor)
            continue;
        if (!(flags & PHT_TYPE_HEAPTYPE))
            return kinds[i].kind;
        if (kinds[i].may_be_heap_type && has_size_of_kind(layout, kinds[i].kind, basicsize))
            return kinds[i].kind;
    }
    return PHT_KIND_GENERIC;
}

static enum pht_kind kind_of_base(struct pht_types *types, pht_addr base, pht_addr *next)
{
    unsigned char bytes[PHT_TYPE_DICT];
    struct pht_remote_text name;
    const struct pht_type *known = pht_types_known(types, base);

    *next = 0;
    if (known != NULL)
        return known->kind;
    if (pht_snapshot_read(types->snapshot, base, bytes, sizeof(bytes)) != PHT_READ_OK ||
        !pht_remote_text_c(types->snapshot, pht_field_u64(bytes, PHT_TYPE_NAME), &name))
        return PHT_KIND_GENERIC;
    *next = pht_field_u64(bytes, PHT_TYPE_BASE);
    if (*next == 0 && strcmp(name.bytes, "object") == 0)
        types->object_type = base;
    return kind_of_name(types->layout, name.bytes, pht_field_u32(bytes, PHT_TYPE_FLAGS),
                        pht_field_u64(bytes, PHT_TYPE_BASICSIZE));
}

enum pht_kind pht_type_kind(struct pht_types *types, const struct pht_type_proof *proof)
{
    uint32_t flags = pht_field_u32(proof->bytes, PHT_TYPE_FLAGS);
    enum pht_kind general = kind_of_flags(flags);
    pht_addr base = pht_field_u64(proof->bytes, PHT_TYPE_BASE);

    /* Of the kinds that flags tell, only dict has a class with more to it. */
    if (general != PHT_KIND_GENERIC && general != PHT_KIND_DICT)
        return general;
    enum pht_kind kind = kind_of_name(types->layout, proof->name.bytes, flags,
                                      pht_field_u64(proof->bytes, PHT_TYPE_BASICSIZE));
    for (int i = 0; i < BASES_MAX && kind == PHT_KIND_GENERIC && base != 0; i++) {
        if (base == types->object_type)
            break;
        kind = kind_of_base(types, base, &base);
    }
    return kind != PHT_KIND_GENERIC ? kind : general;
}

/* ---- values of instances ------------------------------------------------------------------ */

/*
 * {u8 capacity, size, embedded, valid; values; the order of insertion, a byte each}, in words:
 * Include/internal/pycore_dict.h:_PyInlineValuesSize, 3.13 and later. There is room for as many as
 * the keys of the class have, which become fewer as instances are made.
 */
uint32_t pht_type_inline_bytes(struct pht_types *types, const struct pht_type_proof *proof)
{
    unsigned char head[PHT_DICT_KEYS_HEAD_BYTES];
    struct pht_dict_keys keys;

    if (proof->size < types->layout->type_cached_keys + sizeof(uint64_t))
        return 0;
    pht_addr addr = pht_field_u64(proof->bytes, types->layout->type_cached_keys);
    if (addr == 0 || pht_snapshot_read(types->snapshot, addr, head, sizeof(head)) != PHT_READ_OK ||
        !pht_dict_keys_decode(types->layout, head, &keys) || keys.values > UINT8_MAX)
        return 0;
    return (uint32_t)((keys.values + 1) * sizeof(uint64_t) +
                      pht_round_up(keys.values, sizeof(uint64_t)));
}
