#include "layout/dwarf_types.h"

#include <dwarf.h>
#include <string.h>

/* Unnamed structs inside unnamed structs: CPython nests two, a hostile file any number. */
#define NESTING_MAX 4

static bool is_aggregate(int tag)
{
    return tag == DW_TAG_structure_type || tag == DW_TAG_union_type;
}

static bool type_of(Dwarf_Die *die, Dwarf_Die *ret)
{
    Dwarf_Attribute attribute;
    Dwarf_Die type;

    return dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attribute), &type) != NULL &&
           dwarf_peel_type(&type, ret) == 0;
}

/* An incomplete struct ("struct _is;") has no size. */
static bool is_wanted(Dwarf_Die *die, const char *name, Dwarf_Die *ret)
{
    int tag = dwarf_tag(die);
    const char *found;

    if ((!is_aggregate(tag) && tag != DW_TAG_typedef) || (found = dwarf_diename(die)) == NULL ||
        strcmp(found, name) != 0)
        return false;
    if (tag == DW_TAG_typedef) {
        if (!type_of(die, ret) || !is_aggregate(dwarf_tag(ret)))
            return false;
    } else {
        *ret = *die;
    }
    return dwarf_hasattr(ret, DW_AT_byte_size);
}

static bool find_in_unit(const struct pht_dwarf_units *units, const struct pht_dwarf_unit *unit,
                         const char *name, Dwarf_Die *ret)
{
    Dwarf_Die root, child;

    if (dwarf_offdie(units->dwarf, unit->die_offset, &root) == NULL ||
        dwarf_child(&root, &child) != 0)
        return false;
    do {
        if (is_wanted(&child, name, ret))
            return true;
    } while (dwarf_siblingof(&child, &child) == 0);
    return false;
}

bool pht_dwarf_find_type(const struct pht_dwarf_units *units, const char *file, const char *name,
                         Dwarf_Die *ret)
{
    for (size_t i = 0; i < units->count; i++) {
        if (pht_dwarf_unit_is(&units->items[i], file) &&
            find_in_unit(units, &units->items[i], name, ret))
            return true;
    }
    return false;
}

/* A union's members have no location: they are at 0. */
static bool member_offset(Dwarf_Die *member, uint64_t *offset)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;

    *offset = 0;
    if (dwarf_attr_integrate(member, DW_AT_data_member_location, &attribute) == NULL)
        return true;
    if (dwarf_formudata(&attribute, &value) != 0)
        return false;
    *offset = value;
    return true;
}

static bool find_step(Dwarf_Die *type, const char *name, size_t length, int nesting,
                      Dwarf_Die *member, uint64_t *offset)
{
    Dwarf_Die child;

    if (!is_aggregate(dwarf_tag(type)) || dwarf_child(type, &child) != 0)
        return false;
    do {
        uint64_t here;
        if (dwarf_tag(&child) != DW_TAG_member || !member_offset(&child, &here))
            continue;
        const char *found = dwarf_diename(&child);
        if (found != NULL && strncmp(found, name, length) == 0 && found[length] == '\0') {
            *member = child;
            *offset = here;
            return true;
        }
        Dwarf_Die inner;
        if (found == NULL && nesting > 0 && type_of(&child, &inner) &&
            find_step(&inner, name, length, nesting - 1, member, offset)) {
            *offset += here;
            return true;
        }
    } while (dwarf_siblingof(&child, &child) == 0);
    return false;
}

bool pht_dwarf_find_member(Dwarf_Die *type, const char *path, uint64_t *offset, uint64_t *bytes)
{
    Dwarf_Die at = *type, member;
    Dwarf_Word size;

    *offset = 0;
    for (;;) {
        size_t length = strcspn(path, ".");
        uint64_t here;
        if (!find_step(&at, path, length, NESTING_MAX, &member, &here) || !type_of(&member, &at))
            return false;
        *offset += here;
        path += length;
        if (*path == '\0')
            break;
        path++;
    }
    if (dwarf_aggregate_size(&at, &size) != 0)
        return false;
    *bytes = size;
    return true;
}
