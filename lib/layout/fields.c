#include "layout/fields.h"

#include <string.h>

#include "pyheaptop/layout.h"

bool pht_layout_is_of_type(const struct pht_layout_field *field)
{
    return field->kind == PHT_FIELD_SIZE || field->kind == PHT_FIELD_MEMBER ||
           field->kind == PHT_FIELD_EXTENT;
}

uint64_t pht_layout_get(const void *layout, const struct pht_layout_field *field)
{
    return *(const uint64_t *)((const char *)layout + field->offset);
}

void pht_layout_set(void *layout, const struct pht_layout_field *field, uint64_t value)
{
    *(uint64_t *)((char *)layout + field->offset) = value;
}

void pht_layout_clear(const struct pht_layout_table *table, void *layout)
{
    for (size_t i = 0; i < table->count; i++)
        pht_layout_set(layout, &table->fields[i], PHT_UNKNOWN);
}

void pht_layout_take_types(const struct pht_layout_table *table, const void *from, void *layout)
{
    for (size_t i = 0; i < table->count; i++) {
        if (pht_layout_is_of_type(&table->fields[i]))
            pht_layout_set(layout, &table->fields[i], pht_layout_get(from, &table->fields[i]));
    }
}

bool pht_layout_all_known(const uint64_t *const *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (*values[i] == PHT_UNKNOWN)
            return false;
    }
    return true;
}

bool pht_layout_has_room(const struct pht_layout_room *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (members[i].offset == PHT_UNKNOWN)
            continue;
        if (members[i].bytes > members[i].size ||
            members[i].offset > members[i].size - members[i].bytes)
            return false;
    }
    return true;
}

bool pht_layout_is_sound(const struct pht_layout_table *table, const void *layout)
{
    uint64_t size = 0;
    const char *subject = "";

    for (size_t i = 0; i < table->count; i++) {
        const struct pht_layout_field *field = &table->fields[i];
        uint64_t value = pht_layout_get(layout, field);
        if (!pht_layout_is_of_type(field) || value == PHT_UNKNOWN)
            continue;
        /* A type without a SIZE line of its own is bounded by the largest struct. */
        if (strcmp(subject, field->subject) != 0) {
            subject = field->subject;
            size = table->struct_bytes_max;
        }
        if (field->kind == PHT_FIELD_SIZE)
            size = value;
        if (size > table->struct_bytes_max || value > size)
            return false;
    }
    return table->has_required(layout);
}
