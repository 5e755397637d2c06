#include "support/elf_layout.h"

#include <string.h>

#include "layout/python_layout.h"

static bool is_copied(const char *type)
{
    return strcmp(type, "pool_header") == 0 || strcmp(type, "arena_object") == 0;
}

/*
 * Structs that walkers copy get the most that is allowed, others 4096 bytes; every member has its
 * own place and every symbol its own address.
 */
struct pht_python_layout elf_layout_of_states(void)
{
    struct pht_python_layout layout;
    size_t count;
    const struct pht_layout_field *fields = pht_layout_fields(&count);

    for (size_t i = 0; i < count; i++) {
        uint64_t value = 8 * (i + 1);
        if (fields[i].kind == PHT_FIELD_SIZE)
            value = is_copied(fields[i].subject) ? PHT_COPIED_STRUCT_MAX : 4096;
        else if (fields[i].kind == PHT_FIELD_ADDRESS)
            value = 0x400000 + 0x1000 * i;
        *pht_layout_value(&layout, &fields[i]) = value;
    }
    return layout;
}

struct pht_python_layout elf_layout_of_statics(void)
{
    static const char *const newer[] = {"_obmalloc_state", "_is", "pyruntimestate", "_PyRuntime"};
    struct pht_python_layout layout = elf_layout_of_states();
    size_t count;
    const struct pht_layout_field *fields = pht_layout_fields(&count);

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < sizeof(newer) / sizeof(newer[0]); j++) {
            if (strcmp(fields[i].subject, newer[j]) == 0)
                *pht_layout_value(&layout, &fields[i]) = PHT_UNKNOWN;
        }
    }
    return layout;
}
