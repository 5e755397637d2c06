#include "support/objects.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static bool freeze_nothing(struct pht_snapshot *snapshot, void *context)
{
    (void)snapshot, (void)context;
    return true;
}

/* ---- memory ------------------------------------------------------------------------------- */

pht_addr objects_alloc(struct objects *objects, uint64_t bytes)
{
    pht_addr addr = objects->next;

    /* What stood there before was nothing, and may have been seen. */
    if (objects->types != NULL)
        pht_types_look_again(objects->types);
    objects->next += (bytes + 15) / 16 * 16;
    ck_assert_uint_le(objects->next, OBJECTS_HEAP + OBJECTS_HEAP_BYTES);
    return addr;
}

pht_addr objects_c_string(struct objects *objects, const char *text)
{
    pht_addr addr = objects_alloc(objects, strlen(text) + 1);

    fake_target_put(objects->fake, addr, text, strlen(text) + 1);
    return addr;
}

static void put(struct objects *objects, pht_addr object, uint64_t offset, uint64_t value)
{
    fake_target_put_u64(objects->fake, object + offset, value);
}

/* ---- objects ------------------------------------------------------------------------------ */

/* state of a compact ASCII str: kind 1, compact, ascii, ready. */
#define COMPACT_ASCII (1 << 2 | 1 << 5 | 1 << 6 | 1 << 7)

pht_addr objects_str(struct objects *objects, const char *text)
{
    uint64_t head = objects->python.version.major == 2    ? 36
                    : objects->python.version.minor >= 12 ? 40
                                                          : 48;
    pht_addr str = objects_alloc(objects, head + strlen(text) + 1);

    put(objects, str, 8, objects->str_type);
    put(objects, str, 16, strlen(text));
    if (head != 36)
        fake_target_put_u32(objects->fake, str + 32, COMPACT_ASCII);
    fake_target_put(objects->fake, str + head, text, strlen(text) + 1);
    return str;
}

/* Up to 3.10: {refcnt, size, lookup, usable, nentries}; later logarithms of the sizes. */
static pht_addr put_keys(struct objects *objects, size_t count, uint64_t *entries)
{
    unsigned log2 = 3;

    while (((uint64_t)2 << log2) / 3 < count)
        log2++;
    uint64_t slots = (uint64_t)1 << log2;
    unsigned log2_index = log2 + (slots > 0xff) + (slots > 0xffff);
    bool is_old = objects->python.version.minor < 11;
    *entries = (is_old ? 40 : 32) + ((uint64_t)1 << log2_index);
    pht_addr keys = objects_alloc(objects, *entries + 24 * (2 * slots / 3));
    put(objects, keys, 0, 1);
    if (is_old) {
        put(objects, keys, 8, slots);
        put(objects, keys, 24, 2 * slots / 3 - count);
        put(objects, keys, 32, count);
    } else {
        put(objects, keys, 8, log2 | log2_index << 8);
        put(objects, keys, 16, 2 * slots / 3 - count);
        put(objects, keys, 24, count);
    }
    return keys;
}

pht_addr objects_dict(struct objects *objects, const pht_addr *keys, const pht_addr *values,
                      size_t count)
{
    pht_addr dict = objects_alloc(objects, 48);
    uint64_t entries;
    pht_addr table = put_keys(objects, count, &entries);

    put(objects, dict, 8, objects->dict_type);
    put(objects, dict, 16, count);
    put(objects, dict, 32, table);
    for (size_t i = 0; i < count; i++) {
        put(objects, table, entries + 24 * i + 8, keys[i]);
        put(objects, table, entries + 24 * i + 16, values[i]);
    }
    return dict;
}

/* ---- types -------------------------------------------------------------------------------- */

static uint64_t qualname_offset(const struct objects *objects)
{
    static const uint16_t offsets[] = {[6] = 848,  [7] = 848,  [8] = 864,  [9] = 856,  [10] = 864,
                                       [11] = 864, [12] = 872, [13] = 872, [14] = 872, [15] = 880};

    return objects->python.version.major == 2 ? 0 : offsets[objects->python.version.minor];
}

pht_addr objects_type(struct objects *objects, const struct objects_type *type)
{
    pht_addr addr = objects_alloc(objects, 960);

    put(objects, addr, 0, 1);
    put(objects, addr, 8, type->metatype != 0 ? type->metatype : objects->type_type);
    put(objects, addr, 24, type->name != NULL ? objects_c_string(objects, type->name) : 0);
    put(objects, addr, 32, type->basicsize);
    put(objects, addr, 40, type->itemsize);
    put(objects, addr, 168, type->flags | OBJECTS_READY);
    put(objects, addr, 256, type->base != 0 ? type->base : objects->object_type);
    put(objects, addr, 264, type->dict);
    if (qualname_offset(objects) != 0)
        put(objects, addr, qualname_offset(objects), type->qualname);
    if (type->attributes != 0) {
        uint64_t entries;
        pht_addr keys = put_keys(objects, type->attributes, &entries);
        put(objects, addr, objects->python.version.minor < 15 ? 880 : 888, keys);
    }
    return addr;
}

pht_addr objects_class(struct objects *objects, const char *name, const char *module, pht_addr base)
{
    pht_addr value = objects_str(objects, module);

    return objects_type(objects, &(struct objects_type){
                                     .name = name,
                                     .flags = OBJECTS_HEAPTYPE | OBJECTS_GC,
                                     .basicsize = 32,
                                     .base = base,
                                     .qualname = objects_str(objects, name),
                                     .dict = objects_dict(objects, &objects->module_key, &value, 1),
                                 });
}

static void put_builtins(struct objects *objects)
{
    objects->type_type = objects_type(
        objects,
        &(struct objects_type){
            .name = "type", .flags = OBJECTS_TYPE | OBJECTS_GC, .basicsize = 880, .itemsize = 40});
    put(objects, objects->type_type, 8, objects->type_type);
    objects->object_type =
        objects_type(objects, &(struct objects_type){.name = "object", .basicsize = 16});
    put(objects, objects->object_type, 256, 0);
    put(objects, objects->type_type, 256, objects->object_type);
    bool is_python2 = objects->python.version.major == 2;
    objects->str_type = objects_type(
        objects, &(struct objects_type){.name = "str",
                                        .flags = is_python2 ? OBJECTS_BYTES : OBJECTS_STR,
                                        .basicsize = is_python2 ? 37 : 80,
                                        .itemsize = is_python2});
    objects->dict_type = objects_type(
        objects, &(struct objects_type){
                     .name = "dict", .flags = OBJECTS_DICT | OBJECTS_GC, .basicsize = 48});
    objects->module_key = objects_str(objects, "__module__");
}

/* ---- the whole ---------------------------------------------------------------------------- */

struct objects *objects_create(unsigned major, unsigned minor)
{
    const struct pht_snapshot_options options = {.stop = PHT_STOP_NONE};
    struct objects *objects = calloc(1, sizeof(*objects));

    ck_assert_ptr_nonnull(objects);
    memset(&objects->python.layout, 0xff, sizeof(objects->python.layout));
    objects->python.version = (struct pht_version){major, minor, 1};
    objects->fake = fake_target_create();
    objects->next = OBJECTS_HEAP;
    fake_target_map(objects->fake, OBJECTS_HEAP, OBJECTS_HEAP + OBJECTS_HEAP_BYTES, FAKE_PRIVATE);
    fake_target_set_pages(objects->fake, OBJECTS_HEAP, OBJECTS_HEAP + OBJECTS_HEAP_BYTES,
                          FAKE_RESIDENT);
    put_builtins(objects);
    objects->python.bias = 0x1000;
    objects->python.layout.type_type = objects->type_type - 0x1000;
    ck_assert(pht_object_layout_find(&objects->python, &objects->layout));
    ck_assert_ptr_null(pht_snapshot_take(objects->fake->target, &options, freeze_nothing, NULL,
                                         &objects->snapshot));
    objects_restart(objects);
    return objects;
}

void objects_destroy(struct objects *objects)
{
    pht_types_destroy(objects->types);
    pht_snapshot_destroy(objects->snapshot);
    fake_target_destroy(objects->fake);
    free(objects);
}

void objects_restart(struct objects *objects)
{
    pht_types_destroy(objects->types);
    objects->types = pht_types_create(objects->snapshot, &objects->python, &objects->layout);
    ck_assert_ptr_nonnull(objects->types);
}
