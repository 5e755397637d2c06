/*
 * dict and OrderedDict, and the values of instances.
 *
 * Objects/dictobject.c:_PyDict_SizeOf, in 2.7 dict_sizeof: the table or the keys count unless they
 * are shared, which their reference count tells; values of a split dict count always.
 */
#include <string.h>

#include "walk/dict_keys.h"
#include "walk/field.h"
#include "walk/object_parts.h"

/* Words in front of an object's head for the collector, see Include/internal/pycore_object.h. */
#define POINTED_VALUES 32 /* 3.11 */
#define TAGGED_VALUES 24  /* 3.12 */

static void measure_table(struct pht_measure *measure)
{
    uint64_t mask = pht_measure_count(measure, pht_measure_u64(measure, PHT_DICT_MASK));
    pht_addr table = pht_measure_u64(measure, PHT_DICT_SLOTS);

    if (table != measure->object->address + PHT_DICT_SMALL)
        pht_measure_count_in(measure, table, (mask + 1) * PHT_DICT_ENTRY_BYTES);
}

static bool read_keys(struct pht_measure *measure, pht_addr addr, struct pht_dict_keys *ret)
{
    unsigned char head[PHT_DICT_KEYS_HEAD_BYTES];
    const void *bytes = measure->more;

    if (bytes == NULL) {
        if (!pht_measure_read(measure, addr, head, sizeof(head)))
            return false;
        bytes = head;
    }
    if (pht_dict_keys_decode(measure->layout, bytes, ret))
        return true;
    measure->ret->is_damaged = true;
    return false;
}

/* In 3.11 and 3.12 a dict may have taken over values of an instance, with what is before them. */
static void add_values(struct pht_measure *measure, pht_addr values,
                       const struct pht_dict_keys *keys)
{
    bool is_prefixed = measure->layout->values_form == PHT_VALUES_POINTED ||
                       measure->layout->values_form == PHT_VALUES_TAGGED;
    bool is_plain = measure->layout->values_form == PHT_VALUES_IN_DICT;

    measure->ret->size_bytes += keys->values * sizeof(uint64_t);
    pht_measure_add(measure, &(struct pht_object_buffer){
                                 .address = values,
                                 .bytes = is_plain ? keys->values * sizeof(uint64_t) : 0,
                                 .is_prefixed = is_prefixed,
                             });
}

void pht_measure_dict(struct pht_measure *measure)
{
    struct pht_dict_keys keys;

    if (measure->layout->dict_form == PHT_DICT_TABLE) {
        measure_table(measure);
        return;
    }
    pht_addr addr = pht_measure_u64(measure, PHT_DICT_KEYS);
    pht_addr values = pht_measure_u64(measure, PHT_DICT_VALUES);
    /* All empty dicts share keys without room for an entry, which are static. */
    if (!read_keys(measure, addr, &keys) || keys.usable == 0)
        return;
    if (values != 0)
        add_values(measure, values, &keys);
    pht_measure_add(measure, &(struct pht_object_buffer){
                                 .address = addr, .bytes = keys.bytes, .is_shared = true});
    if (keys.refcount == 1)
        measure->ret->size_bytes += keys.bytes;
}

bool pht_dict_needs(const struct pht_object_layout *layout, const struct pht_object *object,
                    pht_addr *addr)
{
    if (layout->dict_form == PHT_DICT_TABLE || object->size < PHT_DICT_BYTES)
        return false;
    *addr = pht_field_u64(object->bytes, PHT_DICT_KEYS);
    return true;
}

/* ---- OrderedDict -------------------------------------------------------------------------- */

/*
 * Objects/odictobject.c, the same from 3.6 to 3.15: a table with a node for each slot of the keys,
 * and nodes of 32 bytes, each asked of malloc by itself. They are found through the table, since
 * it can be read at once.
 */
enum ordered_dict_offset {
    ODICT_FIRST = 48,
    ODICT_TABLE = 64,
    ODICT_TABLE_SIZE = 72,
    NODE_BYTES = 32,
};

#define SLOTS_AT_ONCE 256

static void add_nodes(struct pht_measure *measure, pht_addr table, uint64_t slots, uint64_t nodes)
{
    pht_addr run[SLOTS_AT_ONCE];

    for (uint64_t i = 0; i < slots && nodes > 0; i += SLOTS_AT_ONCE) {
        uint64_t count = slots - i < SLOTS_AT_ONCE ? slots - i : SLOTS_AT_ONCE;
        if (!pht_measure_step(measure) ||
            !pht_measure_read(measure, table + i * sizeof(pht_addr), run, count * sizeof(pht_addr)))
            return;
        for (uint64_t j = 0; j < count && nodes > 0; j++) {
            pht_measure_own(measure, run[j], NODE_BYTES);
            nodes -= run[j] != 0;
        }
    }
}

void pht_measure_ordered_dict(struct pht_measure *measure)
{
    pht_measure_dict(measure);
    pht_addr table = pht_measure_u64(measure, ODICT_TABLE);
    uint64_t slots = pht_measure_count(measure, pht_measure_u64(measure, ODICT_TABLE_SIZE));
    uint64_t used = pht_measure_count(measure, pht_measure_u64(measure, PHT_DICT_USED));
    if (table != 0)
        pht_measure_count_in(measure, table, slots * sizeof(pht_addr));
    if (pht_measure_u64(measure, ODICT_FIRST) == 0)
        return;
    measure->ret->size_bytes += used * NODE_BYTES;
    add_nodes(measure, table, slots, used);
}

/* ---- values of instances ------------------------------------------------------------------ */

void pht_measure_values(struct pht_measure *measure)
{
    const unsigned char *object = measure->object->prefix + measure->object->type->prefix_bytes;
    struct pht_object_buffer values = {.is_prefixed = true};

    if (measure->layout->values_form == PHT_VALUES_POINTED) {
        values.address = pht_field_u64(object - POINTED_VALUES, 0);
    } else if (measure->layout->values_form == PHT_VALUES_TAGGED) {
        uint64_t word = pht_field_u64(object - TAGGED_VALUES, 0);
        values.address = word & 1 ? word + 1 : 0;
    }
    pht_measure_add(measure, &values);
}
