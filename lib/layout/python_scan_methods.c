/*
 * Functions that nobody exports, but a table of methods names: that of a module which is built in,
 * Include/moduleobject.h and methodobject.h of 3.x. What initialises the module uses its
 * definition, and that leads to the table.
 */
#include <string.h>

#include "layout/initial_data.h"
#include "layout/python_scan_parts.h"

#define MODULE_METHODS 64 /* PyModuleDef.m_methods */
#define METHOD_BYTES 32   /* PyMethodDef: {name, function, flags, documentation} */
#define METHOD_FUNCTION 8
#define METHODS_MAX 64
#define NAME_BYTES_MAX 32

static bool is_called(const struct pht_python_scan *scan, uint64_t method, const char *wanted)
{
    char name[NAME_BYTES_MAX];
    uint64_t address;

    return strlen(wanted) < sizeof(name) && pht_initial_u64(scan->image, method, &address) &&
           pht_elf_image_read(scan->image, address, name, strlen(wanted) + 1) &&
           memcmp(name, wanted, strlen(wanted) + 1) == 0;
}

static uint64_t find_in_table(const struct pht_python_scan *scan, uint64_t table, const char *name)
{
    uint64_t function;

    for (uint64_t i = 0; i < METHODS_MAX; i++) {
        uint64_t method = table + i * METHOD_BYTES;
        if (!pht_initial_u64(scan->image, method + METHOD_FUNCTION, &function) || function == 0)
            break;
        if (is_called(scan, method, name))
            return function;
    }
    return PHT_UNKNOWN;
}

uint64_t pht_python_scan_find_method(const struct pht_python_scan *scan, const char *init,
                                     const char *name)
{
    struct pht_references references;
    uint64_t table, function = PHT_UNKNOWN;

    pht_references_find(scan->image, init, &references);
    for (size_t i = 0; i < references.count && function == PHT_UNKNOWN; i++) {
        if (references.items[i] % 8 == 0 &&
            pht_initial_u64(scan->image, references.items[i] + MODULE_METHODS, &table) &&
            table != 0)
            function = find_in_table(scan, table, name);
    }
    return function;
}
