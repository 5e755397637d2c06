#include "layout/dwarf_vars.h"

#include <dwarf.h>
#include <string.h>

/* location entry -> nameless definition -> named declaration: two steps, never more. */
#define HOPS_MAX 3

/* DW_OP_addr, or an index into .debug_addr (DW_OP_addrx), which clang prefers. */
static bool static_address(Dwarf_Attribute *location, Dwarf_Op *operation, uint64_t *address)
{
    Dwarf_Attribute indexed;

    if (operation->atom == DW_OP_addr) {
        *address = operation->number;
        return true;
    }
    return operation->atom == DW_OP_addrx &&
           dwarf_getlocation_attr(location, operation, &indexed) == 0 &&
           dwarf_formaddr(&indexed, address) == 0;
}

/* The offset as a constant, then an operation that turns it into an address of some thread. */
static bool thread_local_offset(const Dwarf_Op operations[static 2], uint64_t *offset)
{
    if (operations[0].atom != DW_OP_const4u && operations[0].atom != DW_OP_const8u &&
        operations[0].atom != DW_OP_constu)
        return false;
    *offset = operations[0].number;
    return operations[1].atom == DW_OP_GNU_push_tls_address ||
           operations[1].atom == DW_OP_form_tls_address;
}

/* Other locations are not those of a variable that stands in one place all the time. */
static bool find_location(Dwarf_Die *die, uint64_t *address, bool *is_thread_local)
{
    Dwarf_Attribute attribute;
    Dwarf_Op *operations;
    size_t count;

    if (dwarf_attr(die, DW_AT_location, &attribute) == NULL ||
        dwarf_getlocation(&attribute, &operations, &count) != 0)
        return false;
    *is_thread_local = count == 2;
    if (count == 2)
        return thread_local_offset(operations, address);
    return count == 1 && static_address(&attribute, operations, address);
}

static bool follow(Dwarf_Die *die, Dwarf_Die *ret)
{
    Dwarf_Attribute attribute;

    if (dwarf_attr(die, DW_AT_abstract_origin, &attribute) == NULL &&
        dwarf_attr(die, DW_AT_specification, &attribute) == NULL)
        return false;
    return dwarf_formref_die(&attribute, ret) != NULL;
}

static const char *unit_name(Dwarf_Die *die)
{
    Dwarf_Die unit;

    return dwarf_diecu(die, &unit, NULL, NULL) != NULL ? dwarf_diename(&unit) : NULL;
}

static uint64_t variable_bytes(Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    Dwarf_Die type;
    Dwarf_Word size;

    if (dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attribute), &type) == NULL ||
        dwarf_aggregate_size(&type, &size) != 0)
        return 0;
    return size;
}

static void consider(Dwarf_Die *die, struct pht_dwarf_variable *variables, size_t count)
{
    Dwarf_Die named = *die;
    uint64_t address;
    bool is_thread_local;

    if (!find_location(die, &address, &is_thread_local))
        return;
    for (int hop = 0; hop < HOPS_MAX && !dwarf_hasattr(&named, DW_AT_name); hop++) {
        if (!follow(&named, &named))
            return;
    }
    const char *name = dwarf_diename(&named);
    for (size_t i = 0; name != NULL && i < count; i++) {
        struct pht_dwarf_variable *variable = &variables[i];
        if (variable->found || variable->is_thread_local != is_thread_local ||
            strcmp(variable->name, name) != 0 ||
            (variable->file != NULL && !pht_dwarf_name_is(unit_name(&named), variable->file)))
            continue;
        variable->found = true;
        variable->address = address;
        variable->bytes = variable_bytes(die);
        return;
    }
}

void pht_dwarf_find_variables(const struct pht_dwarf_units *units,
                              struct pht_dwarf_variable *variables, size_t count)
{
    for (size_t i = 0; i < units->count; i++) {
        Dwarf_Die root, child;
        if (dwarf_offdie(units->dwarf, units->items[i].die_offset, &root) == NULL ||
            dwarf_child(&root, &child) != 0)
            continue;
        do {
            if (dwarf_tag(&child) == DW_TAG_variable)
                consider(&child, variables, count);
        } while (dwarf_siblingof(&child, &child) == 0);
    }
}
