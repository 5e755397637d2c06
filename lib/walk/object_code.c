/* Types, code and what runs it: their sizes depend on other objects. */
#include <string.h>

#include "base/checked.h"
#include "walk/dict_keys.h"
#include "walk/field.h"
#include "walk/object_parts.h"
#include "walk/str_state.h"

/* ---- type --------------------------------------------------------------------------------- */

#define TYPE_DOC 176

/* tp_cache and the like are objects; what a heap type has besides are copies of strings. */
static void add_type_buffers(struct pht_measure *measure)
{
    const struct pht_object_layout *layout = measure->layout;

    pht_measure_own(measure, pht_measure_u64(measure, TYPE_DOC), 0);
    if (layout->type_owned_name != 0)
        pht_measure_own(measure, pht_measure_u64(measure, layout->type_owned_name), 0);
}

static uint64_t add_cached_keys(struct pht_measure *measure)
{
    unsigned char head[PHT_DICT_KEYS_HEAD_BYTES];
    struct pht_dict_keys keys;
    pht_addr addr = pht_measure_u64(measure, measure->layout->type_cached_keys);

    if (addr == 0 || !pht_measure_read(measure, addr, head, sizeof(head)))
        return 0;
    if (!pht_dict_keys_decode(measure->layout, head, &keys)) {
        measure->ret->is_damaged = true;
        return 0;
    }
    pht_measure_add(measure, &(struct pht_object_buffer){
                                 .address = addr, .bytes = keys.bytes, .is_shared = true});
    return keys.bytes;
}

/* The collector knows only heap types; but 3.11 and 3.12 count a head for static ones as well. */
static uint64_t static_prefix(const struct pht_object_layout *layout, const struct pht_type *type)
{
    return !layout->is_python2 && (layout->minor == 11 || layout->minor == 12) ? type->prefix_bytes
                                                                               : 0;
}

/*
 * Objects/typeobject.c:type___sizeof___impl: a metaclass counts for nothing. 2.7 has none, so
 * that object.__sizeof__() counts the descriptions of slots as items.
 */
void pht_measure_type(struct pht_measure *measure)
{
    const struct pht_object_layout *layout = measure->layout;
    const struct pht_type *type = measure->object->type;
    bool is_heap_type = pht_measure_u32(measure, PHT_TYPE_FLAGS) & PHT_TYPE_HEAPTYPE;
    uint64_t prefix = is_heap_type ? type->prefix_bytes : static_prefix(layout, type);
    uint64_t bytes = is_heap_type ? layout->heap_type_bytes : layout->type_bytes;

    if (layout->is_python2)
        bytes =
            type->basicsize +
            type->itemsize * pht_measure_count(measure, pht_measure_u64(measure, PHT_OBJECT_SIZE));
    if (is_heap_type)
        add_type_buffers(measure);
    if (is_heap_type && layout->type_cached_keys != 0)
        bytes += add_cached_keys(measure);
    measure->ret->size_bytes = prefix + bytes;
}

/* ---- code --------------------------------------------------------------------------------- */

#define OPCACHE_BYTES 32 /* sizeof(_PyOpcache), 3.8 to 3.10 */

static uint64_t length_of(struct pht_measure *measure, pht_addr object)
{
    uint64_t length;

    if (object == 0 ||
        !pht_measure_read(measure, object + PHT_OBJECT_SIZE, &length, sizeof(length)))
        return 0;
    return pht_measure_count(measure, length);
}

/* Up to 3.10: which cells are arguments, and from 3.8 on the cache of opcodes. */
static void add_code_tables(struct pht_measure *measure)
{
    const struct pht_object_layout *layout = measure->layout;
    pht_addr cells = pht_measure_u64(measure, layout->code_cell2arg);

    /* A number of eight bytes for each cell; in 3.6 it is one byte, but counts as eight. */
    if (cells != 0) {
        pht_measure_own(measure, cells, 0);
        measure->ret->size_bytes +=
            sizeof(uint64_t) * length_of(measure, pht_measure_u64(measure, layout->code_cellvars));
    }
    if (layout->code_opcache == 0 || pht_measure_u64(measure, layout->code_opcache) == 0)
        return;
    uint64_t opcodes = length_of(measure, pht_measure_u64(measure, layout->code_bytecode)) / 2;
    uint8_t slots = (uint8_t)pht_measure_u32(measure, layout->code_opcache_size);
    pht_measure_count_in(measure, pht_measure_u64(measure, layout->code_opcache_map), opcodes);
    pht_measure_count_in(measure, pht_measure_u64(measure, layout->code_opcache),
                         (uint64_t)slots * OPCACHE_BYTES);
}

/* {ce_size, ce_extras[]}, for tools that keep data with code. */
static void add_code_extra(struct pht_measure *measure)
{
    pht_addr extra = pht_measure_u64(measure, measure->layout->code_extra);
    uint64_t count;

    if (extra == 0 || !pht_measure_read(measure, extra, &count, sizeof(count)))
        return;
    count = pht_measure_count(measure, count);
    pht_measure_count_in(measure, extra, (count + 1) * sizeof(uint64_t));
}

/*
 * Objects/codeobject.c:code_sizeof; 2.7 has none. From 3.11 on bytecode is in the object, whose
 * size is rounded up as it is for malloc.
 */
void pht_measure_code(struct pht_measure *measure)
{
    const struct pht_object_layout *layout = measure->layout;
    uint64_t items = pht_measure_u64(measure, PHT_OBJECT_SIZE);

    if (measure->object->type->itemsize != 0)
        measure->ret->size_bytes +=
            measure->object->type->itemsize * pht_measure_count(measure, items);
    measure->ret->size_bytes = pht_round_up(measure->ret->size_bytes, sizeof(uint64_t));
    if (layout->code_extra != 0)
        add_code_extra(measure);
    if (layout->code_cell2arg != 0)
        add_code_tables(measure);
    if (layout->code_cached != 0)
        pht_measure_own(measure, pht_measure_u64(measure, layout->code_cached), 0);
    if (layout->code_monitoring != 0)
        pht_measure_own(measure, pht_measure_u64(measure, layout->code_monitoring), 0);
}

/* ---- frames and generators ---------------------------------------------------------------- */

/* From 3.14 on a reference to code has marks in its lower bits: pycore_stackref.h. */
static pht_addr unmarked(uint64_t reference)
{
    return reference & ~(uint64_t)7;
}

/* Locals and stack that a call of the code needs, from the code's first bytes. */
static uint64_t slots_of(struct pht_measure *measure, const void *code)
{
    uint64_t slots = (uint64_t)pht_field_u32(code, measure->layout->code_stacksize) +
                     pht_field_u32(code, measure->layout->code_locals);

    if (slots < UINT32_MAX)
        return slots;
    measure->ret->is_damaged = true;
    return 0;
}

static uint64_t read_slots(struct pht_measure *measure, pht_addr code)
{
    unsigned char head[PHT_OBJECT_MORE_BYTES];

    return pht_measure_read(measure, code, head, sizeof(head)) ? slots_of(measure, head) : 0;
}

/* Up to 3.10 cells stand apart from locals. */
static uint64_t read_cells(struct pht_measure *measure, pht_addr code)
{
    const struct pht_object_layout *layout = measure->layout;
    pht_addr cellvars, freevars;

    if (!pht_measure_read(measure, code + layout->code_cellvars, &cellvars, sizeof(cellvars)) ||
        !pht_measure_read(measure, code + layout->code_freevars, &freevars, sizeof(freevars)))
        return 0;
    return length_of(measure, cellvars) + length_of(measure, freevars);
}

/* The struct ends in one slot, which is subtracted. */
static void measure_old_frame(struct pht_measure *measure)
{
    pht_addr code = pht_measure_u64(measure, measure->layout->frame_code);
    uint64_t slots = read_slots(measure, code) + read_cells(measure, code);

    measure->ret->size_bytes = measure->object->type->prefix_bytes + measure->layout->frame_bytes +
                               slots * sizeof(pht_addr) - sizeof(pht_addr);
}

/*
 * Objects/frameobject.c:frame_sizeof. From 3.11 on it counts the inner frame wherever that is: in
 * the thread's stack as long as the call lasts.
 */
void pht_measure_frame(struct pht_measure *measure)
{
    const struct pht_object_layout *layout = measure->layout;
    uint64_t code;

    if (layout->inner_frame_bytes == 0) {
        measure_old_frame(measure);
        return;
    }
    measure->ret->size_bytes =
        measure->object->type->prefix_bytes + layout->frame_bytes + layout->inner_frame_bytes;
    pht_addr inner = pht_measure_u64(measure, layout->frame_code);
    if (pht_measure_read(measure, inner + layout->inner_frame_code, &code, sizeof(code)))
        measure->ret->size_bytes += read_slots(measure, unmarked(code)) * sizeof(pht_addr);
}

/* Objects/genobject.c:gen_sizeof, 3.11 and later: the inner frame is part of the generator. */
void pht_measure_generator(struct pht_measure *measure)
{
    const struct pht_object_layout *layout = measure->layout;
    pht_addr code = unmarked(pht_measure_u64(measure, layout->generator_code));
    uint64_t slots =
        measure->more != NULL ? slots_of(measure, measure->more) : read_slots(measure, code);

    measure->ret->size_bytes = measure->object->type->prefix_bytes + layout->generator_bytes +
                               layout->inner_frame_bytes + slots * sizeof(pht_addr);
}

bool pht_generator_needs(const struct pht_object_layout *layout, const struct pht_object *object,
                         pht_addr *addr)
{
    if (object->size < layout->generator_code + sizeof(uint64_t))
        return false;
    *addr = unmarked(pht_field_u64(object->bytes, layout->generator_code));
    return true;
}
