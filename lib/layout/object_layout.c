/*
 * Layouts of objects by version.
 *
 * Offsets and sizes were read from the DWARF of 2.7.18, 3.6.15, 3.7.16, 3.8.18, 3.9.18, 3.10.13,
 * 3.11.7, 3.12.1, 3.13.0, 3.14.10 and 3.15.2 on x86-64. Where they are declared:
 *
 *     types       Include/object.h, from 3.8 on Include/cpython/object.h
 *     str         Include/unicodeobject.h, from 3.8 on Include/cpython/unicodeobject.h
 *     dict keys   Objects/dict-common.h, from 3.11 on Include/internal/pycore_dict.h
 *     set         Include/setobject.h, from 3.10 on Include/cpython/setobject.h
 *     bytearray   Include/bytearrayobject.h, from 3.9 on Include/cpython/bytearrayobject.h
 *     deque       Modules/_collectionsmodule.c (no header)
 *     array       Modules/arraymodule.c (no header)
 *     code        Include/code.h, from 3.8 on Include/cpython/code.h
 *     frame       Include/frameobject.h, from 3.11 on Include/internal/pycore_frame.h
 *     generator   Include/genobject.h, from 3.14 on Include/internal/pycore_interpframe_structs.h
 *
 * Flags: MANAGED_DICT (bit 4) came with 3.11, MANAGED_WEAKREF (bit 3) with 3.12, INLINE_VALUES
 * (bit 2) with 3.13; in 2.7 these bits mean something else. The collector's head has two words
 * from 3.8 on; before, it has three, and a long double in a union makes 32 bytes of them. In 3.6
 * and 3.7 that came with blocks that are aligned to 16, in 3.7.4 (bpo-27987) and in
 * distributions' 3.6 and 3.7; without, it has 24.
 */
#include <stddef.h>
#include <string.h>

#include "pyheaptop/layout.h"

enum version {
    V2_7,
    V3_6,
    V3_7,
    V3_8,
    V3_9,
    V3_10,
    V3_11,
    V3_12,
    V3_13,
    V3_14,
    V3_15,
    VERSIONS,
};

#define INLINE_VALUES ((uint32_t)1 << 2)
#define MANAGED_WEAKREF ((uint32_t)1 << 3)
#define MANAGED_DICT ((uint32_t)1 << 4)

#define SHORT_HEAD_BYTES 24
#define SHORT_GENERATION_BYTES ((uint64_t)32)

/* A value of struct pht_object_layout in each version. */
struct row {
    size_t offset;
    uint16_t values[VERSIONS];
};

#define ROW(field, ...)                                                                            \
    {                                                                                              \
        offsetof(struct pht_object_layout, field),                                                 \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

/* clang-format off */
static const struct row rows[] = {
    /*                       2.7  3.6  3.7  3.8  3.9 3.10 3.11 3.12 3.13 3.14 3.15 */
    ROW(gc_head_bytes,        32,  32,  32,  16,  16,  16,  16,  16,  16,  16,  16),
    ROW(type_bytes,          392, 400, 400, 416, 408, 408, 408, 416, 416, 416, 424),
    ROW(heap_type_bytes,     872, 864, 864, 880, 880, 888, 904, 920, 928, 936, 944),
    ROW(type_qualname,         0, 848, 848, 864, 856, 864, 864, 872, 872, 872, 880),
    ROW(type_cached_keys,      0, 856, 856, 872, 864, 872, 872, 880, 880, 880, 888),
    ROW(type_owned_name,       0,   0,   0,   0,   0,   0, 888, 896, 896, 896, 904),
    ROW(str_ascii_bytes,       0,  48,  48,  48,  48,  48,  48,  40,  40,  40,  40),
    ROW(str_compact_bytes,     0,  72,  72,  72,  72,  72,  72,  56,  56,  56,  56),
    ROW(str_bytes,            48,  80,  80,  80,  80,  80,  80,  64,  64,  64,  64),
    ROW(str_utf8_length,       0,  48,  48,  48,  48,  48,  48,  40,  40,  40,  40),
    ROW(str_utf8,              0,  56,  56,  56,  56,  56,  56,  48,  48,  48,  48),
    ROW(str_wstr,              0,  40,  40,  40,  40,  40,  40,   0,   0,   0,   0),
    ROW(str_wstr_length,       0,  64,  64,  64,  64,  64,  64,   0,   0,   0,   0),
    ROW(str_data,             24,  72,  72,  72,  72,  72,  72,  56,  56,  56,  56),
    ROW(keys_bytes,            0,  40,  40,  40,  40,  40,  32,  32,  32,  32,  32),
    ROW(set_smalltable,       56,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64),
    ROW(bytearray_alloc,      32,  24,  24,  24,  24,  24,  24,  24,  24,  24,  24),
    ROW(bytearray_start,      40,  32,  32,  32,  32,  32,  32,  32,  32,  32,  32),
    ROW(bytearray_object,      0,   0,   0,   0,   0,   0,   0,   0,   0,   0,  56),
    ROW(deque_bytes,          80,  80,  80,  80,  80,  80, 216, 216, 216, 216, 216),
    ROW(deque_length,         48,  16,  16,  16,  16,  16,  16,  16,  16,  16,  16),
    ROW(deque_first_block,    16,  24,  24,  24,  24,  24,  24,  24,  24,  24,  24),
    ROW(deque_first_index,    32,  40,  40,  40,  40,  40,  40,  40,  40,  40,  40),
    ROW(deque_block_slots,    62,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64),
    ROW(deque_next_block,    496, 520, 520, 520, 520, 520, 520, 520, 520, 520, 520),
    ROW(deque_last_block,    504,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0),
    ROW(deque_spare_count,     0,   0,   0,   0,   0,   0,  72,  72,  72,  72,  72),
    ROW(deque_spares,          0,   0,   0,   0,   0,   0,  80,  80,  80,  80,  80),
    ROW(array_bytes,          56,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64),
    ROW(code_stacksize,       24,  28,  28,  32,  32,  32,  68,  64,  64,  64,  64),
    ROW(code_locals,          20,  24,  24,  28,  28,  28,  76,  72,  72,  72,  72),
    ROW(code_freevars,        64,  72,  72,  80,  80,  80,   0,   0,   0,   0,   0),
    ROW(code_cellvars,        72,  80,  80,  88,  88,  88,   0,   0,   0,   0,   0),
    ROW(code_cell2arg,         0,  88,  88,  96,  96,  96,   0,   0,   0,   0,   0),
    ROW(code_bytecode,        32,  40,  40,  48,  48,  48,   0,   0,   0,   0,   0),
    ROW(code_opcache_map,      0,   0,   0, 152, 152, 152,   0,   0,   0,   0,   0),
    ROW(code_opcache,          0,   0,   0, 160, 160, 160,   0,   0,   0,   0,   0),
    ROW(code_opcache_size,     0,   0,   0, 172, 172, 172,   0,   0,   0,   0,   0),
    ROW(code_extra,            0, 136, 136, 144, 144, 144, 176, 184, 192, 200, 200),
    ROW(code_cached,           0,   0,   0,   0,   0,   0, 160, 152, 160, 160, 160),
    ROW(code_monitoring,       0,   0,   0,   0,   0,   0,   0, 168, 176, 176, 176),
    ROW(frame_bytes,         384, 384, 368, 368, 368, 360,  48,  48,  64,  72,  72),
    ROW(frame_code,           32,  32,  32,  32,  32,  32,  24,  24,  24,  24,  24),
    ROW(generator_bytes,       0,   0,   0,   0,   0,   0,  80,  72,  72,  72,  72),
    ROW(generator_code,        0,   0,   0,   0,   0,   0,  16,  72,  72,  72,  72),
    ROW(inner_frame_bytes,     0,   0,   0,   0,   0,   0,  72,  72,  72,  80,  80),
    ROW(inner_frame_code,      0,   0,   0,   0,   0,   0,  32,   0,   0,   0,   0),
};
/* clang-format on */

static void take_column(enum version version, struct pht_object_layout *ret)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        memcpy((char *)ret + rows[i].offset, &rows[i].values[version], sizeof(uint16_t));
}

static void take_forms(enum version version, struct pht_object_layout *ret)
{
    if (version >= V3_6)
        ret->dict_form = version >= V3_11 ? PHT_DICT_LOG2 : PHT_DICT_SIZED;
    if (version >= V3_11) {
        ret->managed_dict_flag = MANAGED_DICT;
        ret->managed_flags = version >= V3_12 ? MANAGED_DICT | MANAGED_WEAKREF : MANAGED_DICT;
        ret->values_form = PHT_VALUES_POINTED;
    }
    if (version >= V3_12)
        ret->values_form = PHT_VALUES_TAGGED;
    if (version >= V3_13) {
        ret->values_form = PHT_VALUES_EMBEDDED;
        ret->inline_flag = INLINE_VALUES;
    }
}

/* A generation is a head and two ints: Modules/gcmodule.c, 3.7 Include/internal/mem.h. */
static bool has_short_heads(const struct pht_python_layout *layout)
{
    uint64_t generations = layout->gc_generations_bytes != PHT_UNKNOWN
                               ? layout->gc_generations_bytes
                               : layout->gc_static_generations_bytes;

    return generations == 3 * SHORT_GENERATION_BYTES;
}

static bool find_version(const struct pht_python *python, enum version *ret)
{
    const struct pht_version *version = &python->version;

    if (version->major == 2 && version->minor == 7) {
        *ret = V2_7;
        return true;
    }
    *ret = (enum version)(V3_6 + version->minor - 6);
    return version->major == 3 && version->minor >= 6 && version->minor <= 15;
}

bool pht_object_layout_find(const struct pht_python *python, struct pht_object_layout *ret)
{
    enum version version;

    *ret = (struct pht_object_layout){0};
    if (python->free_threaded || !find_version(python, &version) ||
        (python->debug_build && version <= V3_7))
        return false;
    ret->minor = python->version.minor;
    ret->is_python2 = version == V2_7;
    take_column(version, ret);
    take_forms(version, ret);
    if ((version == V3_6 || version == V3_7) && has_short_heads(&python->layout))
        ret->gc_head_bytes = SHORT_HEAD_BYTES;
    if (ret->is_python2)
        ret->str_char_bytes = python->layout.narrow_unicode == PHT_UNKNOWN ? 4 : 2;
    return true;
}
