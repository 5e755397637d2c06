#include "tui/units.h"

#include <stdio.h>
#include <string.h>

#include "pyheaptop/layout.h"

const char *pht_units_name(enum pht_units units)
{
    static const char *const names[] = {"auto", "KiB", "MiB", "bytes"};

    return names[units];
}

/* Whole units, rounded to the nearest. */
static const char *whole(uint64_t bytes, unsigned shift, char suffix,
                         char text[static PHT_HUMAN_MAX])
{
    uint64_t half = ((uint64_t)1 << shift) / 2;

    pht_human_count((bytes >> shift) + ((bytes & (2 * half - 1)) >= half), text);
    size_t length = strlen(text);
    text[length] = suffix;
    text[length + 1] = '\0';
    return text;
}

static const char *put(const char *word, char text[static PHT_HUMAN_MAX])
{
    snprintf(text, PHT_HUMAN_MAX, "%s", word);
    return text;
}

const char *pht_units_bytes(enum pht_units units, uint64_t bytes, char text[static PHT_HUMAN_MAX])
{
    if (bytes == PHT_UNKNOWN)
        return put("-", text);
    switch (units) {
    case PHT_UNITS_KIB:
        return whole(bytes, 10, 'K', text);
    case PHT_UNITS_MIB:
        return whole(bytes, 20, 'M', text);
    case PHT_UNITS_BYTES:
        return pht_human_count(bytes, text);
    default:
        return pht_human_bytes(bytes, text);
    }
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

static const char *sign(int64_t value, const char *number, char text[static PHT_HUMAN_MAX])
{
    if (value == 0)
        return put("0", text);
    snprintf(text, PHT_HUMAN_MAX, "%c%.*s", value < 0 ? '-' : '+', PHT_HUMAN_MAX - 2, number);
    return text;
}

const char *pht_units_change(enum pht_units units, int64_t bytes, char text[static PHT_HUMAN_MAX])
{
    char number[PHT_HUMAN_MAX];

    return sign(bytes, pht_units_bytes(units, magnitude(bytes), number), text);
}

const char *pht_units_count_change(int64_t count, char text[static PHT_HUMAN_MAX])
{
    char number[PHT_HUMAN_MAX];

    return sign(count, pht_human_count(magnitude(count), number), text);
}
