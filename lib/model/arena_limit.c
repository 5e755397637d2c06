#include "model/arena_limit.h"

#include <stdlib.h>
#include <string.h>

/* NARENAS_FROM_NCORES of malloc/malloc.c, 64-bit. */
#define ARENAS_PER_PROCESSOR 8

/* The longest number is an octal one of 64 bits. */
#define NUMBER_MAX 32

struct slice {
    const char *text;
    size_t length;
};

/* Take the text up to the next `end`, or all that is left, and move behind it. */
static struct slice next_part(struct slice *rest, char end)
{
    const char *found = memchr(rest->text, end, rest->length);
    struct slice part = {rest->text, found != NULL ? (size_t)(found - rest->text) : rest->length};
    size_t taken = found != NULL ? part.length + 1 : part.length;

    rest->text += taken;
    rest->length -= taken;
    return part;
}

/* The value of the first "name=value" among parts that `end` ends; false if there is none. */
static bool find_value(struct slice all, char end, const char *name, struct slice *ret)
{
    const size_t length = strlen(name);

    while (all.length > 0) {
        struct slice part = next_part(&all, end);
        if (part.length <= length || part.text[length] != '=' ||
            memcmp(part.text, name, length) != 0)
            continue;
        *ret = (struct slice){part.text + length + 1, part.length - length - 1};
        return true;
    }
    return false;
}

/* As glibc reads a tunable: decimal, octal or hexadecimal, whatever may follow. */
static bool is_number(struct slice value, uint64_t number)
{
    char text[NUMBER_MAX];
    char *end;

    if (value.length == 0 || value.length >= sizeof(text))
        return false;
    memcpy(text, value.text, value.length);
    text[value.length] = '\0';
    return strtoull(text, &end, 0) == number && end != text;
}

/* Programs that write a title over their arguments often write over their environment too. */
static bool is_an_environment(struct slice all)
{
    while (all.length > 0) {
        struct slice part = next_part(&all, '\0');
        if (part.length > 0 && memchr(part.text + 1, '=', part.length - 1) != NULL)
            return true;
    }
    return false;
}

static const char *source_of(uint64_t limit, struct slice environment)
{
    struct slice value;

    if (!is_an_environment(environment))
        return NULL;
    if (find_value(environment, '\0', "MALLOC_ARENA_MAX", &value) && is_number(value, limit))
        return "MALLOC_ARENA_MAX";
    if (find_value(environment, '\0', "GLIBC_TUNABLES", &value) &&
        find_value(value, ':', "glibc.malloc.arena_max", &value) && is_number(value, limit))
        return "GLIBC_TUNABLES";
    return "mallopt";
}

struct pht_arena_limit pht_arena_limit(const struct pht_malloc_params *params, uint32_t processors,
                                       const char *environment, size_t bytes)
{
    struct pht_arena_limit limit = {.arenas = PHT_UNKNOWN};

    if (params->arena_max == PHT_UNKNOWN)
        return limit;
    if (params->arena_max != 0) {
        limit.arenas = params->arena_max;
        if (environment != NULL)
            limit.source = source_of(params->arena_max, (struct slice){environment, bytes});
    } else if (processors > 0) {
        limit.arenas = (uint64_t)processors * ARENAS_PER_PROCESSOR;
        limit.source = "processors";
    }
    return limit;
}
