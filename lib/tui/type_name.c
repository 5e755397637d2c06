#include "tui/type_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool is_builtin(const char *module)
{
    return module[0] == '\0' || strcmp(module, "builtins") == 0 ||
           strcmp(module, "__builtin__") == 0;
}

/* Not within a character of UTF-8. */
static void cut(char *text, size_t size)
{
    size_t length = strlen(text);

    if (length + 1 < size)
        return;
    while (length > 0 && ((unsigned char)text[length - 1] & 0xc0) == 0x80)
        length--;
    text[length > 0 ? length - 1 : 0] = '\0';
}

const char *pht_type_name(const struct pht_type_sum *type, char *text, size_t size)
{
    if (type->name[0] == '\0')
        snprintf(text, size, "type at %" PRIx64, type->address);
    else if (is_builtin(type->module))
        snprintf(text, size, "%s", type->name);
    else
        snprintf(text, size, "%s.%s", type->module, type->name);
    cut(text, size);
    return text;
}

const char *pht_type_module(const struct pht_type_sum *type)
{
    return is_builtin(type->module) ? "builtins" : type->module;
}

int pht_type_compare_names(const struct pht_type_sum *left, const struct pht_type_sum *right)
{
    int order = is_builtin(right->module) - is_builtin(left->module);

    if (order == 0 && !is_builtin(left->module))
        order = strcmp(left->module, right->module);
    return order != 0 ? order : strcmp(left->name, right->name);
}
