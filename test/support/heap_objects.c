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

/* The second shows bytes that no terminal may see. */
static void add_largest(struct pht_objects *objects)
{
    static const char text[] = "\x1b[31mSELECT * FROM orders";

    objects->largest[0] =
        (struct pht_large_object){.address = 0x7f2b9c3f1c60, .size_bytes = 83886176, .type = 0};
    objects->largest[1] = (struct pht_large_object){
        .address = 0x7f2b9c3f2000,
        .size_bytes = 524350,
        .type = 1,
        .has_preview = true,
        .preview_bytes = sizeof(text) - 1,
    };
    memcpy(objects->largest[1].preview, text, sizeof(text) - 1);
    objects->largest_count = 2;
}

static void add_sample(struct pht_unowned_size *size, const struct pht_chunk_sample *sample,
                       const char *text)
{
    struct pht_chunk_sample *place = &size->samples[size->sample_count++];

    *place = *sample;
    place->text_bytes = (uint32_t)strlen(text);
    memcpy(place->text, text, place->text_bytes);
}

static void add_unowned(struct pht_objects *objects)
{
    struct pht_unowned_size *sizes = calloc(5, sizeof(*sizes));

    ck_assert_ptr_nonnull(sizes);
    sizes[0] = (struct pht_unowned_size){
        .min_bytes = 4096, .max_bytes = 5104, .chunks = 41000, .bytes = 168592000};
    add_sample(&sizes[0], &(struct pht_chunk_sample){.address = 0x1c41110, .kind = PHT_SAMPLE_TEXT},
               "GET /index.html");
    add_sample(&sizes[0],
               &(struct pht_chunk_sample){
                   .address = 0x1c42120, .kind = PHT_SAMPLE_POINTER, .points_to = 0x7f2bec001230},
               "");
    add_sample(&sizes[0],
               &(struct pht_chunk_sample){.address = 0x1c43130, .kind = PHT_SAMPLE_ZEROS}, "");
    sizes[1] = (struct pht_unowned_size){
        .min_bytes = 262144, .max_bytes = 327664, .chunks = 12, .bytes = 3145728};
    add_sample(&sizes[1],
               &(struct pht_chunk_sample){.address = 0x1d41110, .kind = PHT_SAMPLE_OTHER}, "");
    for (size_t i = 2; i < 5; i++)
        sizes[i] = (struct pht_unowned_size){.min_bytes = 16 * i,
                                             .max_bytes = 16 * i,
                                             .chunks = 329 + i / 4,
                                             .bytes = 16 * i * (329 + i / 4)};
    objects->unowned = sizes;
    objects->unowned_count = 5;
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
    objects->interned = (struct pht_tally){31204, 2496320};
    objects->blocks = (struct pht_holders){
        .objects = {4281000, 400000000},
        .buffers = {512000, 80000000},
        .free_listed = {62, 4912},
        .unowned = {1204, 88000},
    };
    objects->chunks = (struct pht_holders){
        .objects = {1100, 90000000},
        .buffers = {64000, 58630160},
        .unowned = {42000, 171966464},
    };
    add_largest(objects);
    add_unowned(objects);
    return objects;
}
