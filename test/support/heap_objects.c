#include "support/heap_objects.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define MIB ((uint64_t)1 << 20)

static const struct {
    const char *module;
    const char *name;
    struct pht_type_sum sum;
} rows[] = {
    {"builtins", "dict", {0xa49d00, .objects = 612844, 169 * MIB, 181 * MIB, 9 * MIB, 598001}},
    {"builtins", "str", {0xa4b8a0, .objects = 2841022, 152 * MIB, 164 * MIB, 2 * MIB, 0}},
    {"numpy", "ndarray", {0x7f2bd5e4c2a0, .objects = 9120, 142 * MIB, 143 * MIB, 36 * MIB, 0}},
    {"builtins", "list", {0xa48e40, .objects = 498112, 88 * MIB, 91 * MIB, 800056, 498112}},
    {"shop.orders", "Order.Line", {0x1c3f0d0, .objects = 301000, 19264000, 19264000, 64, 301000}},
    {"__builtin__", "unicode", {0xa4a120, .objects = 20000, 2000000, 2240000, 4096, 0}},
    {"collections", "deque", {0xa51200, .objects = 1, 624, 640, 624, 1}},
    {"", "anonymous", {0x1c41110, .objects = 1, 16, 16, 16, 0}},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

void heap_objects_rename(struct pht_type_sum *type, const char *module, const char *name)
{
    free(type->module);
    free(type->name);
    type->module = strdup(module);
    type->name = strdup(name);
    ck_assert_ptr_nonnull(type->module);
    ck_assert_ptr_nonnull(type->name);
}

static void add_to_totals(struct pht_type_sum *totals, const struct pht_type_sum *sum)
{
    totals->objects += sum->objects;
    totals->size_bytes += sum->size_bytes;
    totals->allocated_bytes += sum->allocated_bytes;
    totals->gc_tracked += sum->gc_tracked;
    if (sum->max_bytes > totals->max_bytes)
        totals->max_bytes = sum->max_bytes;
}

struct pht_objects *heap_objects_create(void)
{
    struct pht_objects *objects = calloc(1, sizeof(*objects));

    ck_assert_ptr_nonnull(objects);
    objects->types = calloc(ROWS, sizeof(*objects->types));
    ck_assert_ptr_nonnull(objects->types);
    objects->type_count = ROWS;
    for (size_t i = 0; i < ROWS; i++) {
        objects->types[i] = rows[i].sum;
        heap_objects_rename(&objects->types[i], rows[i].module, rows[i].name);
        add_to_totals(&objects->totals, &rows[i].sum);
    }
    objects->unowned_blocks = 1204;
    objects->unowned_bytes = 88000;
    return objects;
}
