#include "base/human.h"

#include <inttypes.h>
#include <stdio.h>

/*
 * Integer arithmetic, so that 1023.99 KiB becomes 1.00M and never "1024K": the value is rounded
 * in the unit it is shown in, and moves to the next unit when rounding carries it there.
 */
const char *pht_human_bytes(uint64_t bytes, char text[static PHT_HUMAN_MAX])
{
    static const char units[] = "BKMGTPE";
    int unit = 0;
    uint64_t scale = 1;

    while (unit < 6 && bytes / scale >= 1024) {
        scale *= 1024;
        unit++;
    }
    if (unit == 0) {
        snprintf(text, PHT_HUMAN_MAX, "%" PRIu64 "B", bytes);
        return text;
    }
    uint64_t whole = bytes / scale;
    unsigned __int128 hundredths = ((unsigned __int128)bytes * 100 + scale / 2) / scale;
    if (hundredths < 1000) {
        snprintf(text, PHT_HUMAN_MAX, "%u.%02u%c", (unsigned)hundredths / 100,
                 (unsigned)hundredths % 100, units[unit]);
        return text;
    }
    unsigned __int128 tenths = ((unsigned __int128)bytes * 10 + scale / 2) / scale;
    if (tenths < 1000) {
        snprintf(text, PHT_HUMAN_MAX, "%u.%u%c", (unsigned)tenths / 10, (unsigned)tenths % 10,
                 units[unit]);
        return text;
    }
    if (bytes % scale >= scale - scale / 2)
        whole++;
    if (whole >= 1024 && unit < 6)
        snprintf(text, PHT_HUMAN_MAX, "1.00%c", units[unit + 1]);
    else
        snprintf(text, PHT_HUMAN_MAX, "%" PRIu64 "%c", whole, units[unit]);
    return text;
}

const char *pht_human_count(uint64_t count, char text[static PHT_HUMAN_MAX])
{
    char digits[PHT_HUMAN_MAX];
    int length = snprintf(digits, sizeof(digits), "%" PRIu64, count);
    char *out = text;

    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    *out = '\0';
    return text;
}

/* What is not all of it must not seem to be. */
const char *pht_human_percent(uint64_t part, uint64_t whole, char text[static PHT_HUMAN_MAX])
{
    unsigned tenths = 1000;

    if (part < whole)
        tenths = (unsigned)(((unsigned __int128)part * 1000 + whole / 2) / whole);
    if (part < whole && tenths > 999)
        tenths = 999;
    snprintf(text, PHT_HUMAN_MAX, "%u.%u", tenths / 10, tenths % 10);
    return text;
}

const char *pht_human_plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

const char *pht_human_duration(uint64_t us, char text[static PHT_HUMAN_MAX])
{
    uint64_t ms_hundredths = us / 10 + (us % 10 >= 5);
    uint64_t ms = us / 1000 + (us % 1000 >= 500);
    uint64_t s_hundredths = us / 10000 + (us % 10000 >= 5000);

    if (ms_hundredths < 1000)
        snprintf(text, PHT_HUMAN_MAX, "%u.%02u ms", (unsigned)ms_hundredths / 100,
                 (unsigned)ms_hundredths % 100);
    else if (ms < 100)
        snprintf(text, PHT_HUMAN_MAX, "%u ms", (unsigned)ms);
    else
        snprintf(text, PHT_HUMAN_MAX, "%" PRIu64 ".%02u s", s_hundredths / 100,
                 (unsigned)(s_hundredths % 100));
    return text;
}

const char *pht_human_uptime(uint64_t seconds, char text[static PHT_HUMAN_MAX])
{
    uint64_t days = seconds / 86400;
    unsigned hours = (unsigned)(seconds % 86400 / 3600);
    unsigned minutes = (unsigned)(seconds % 3600 / 60);

    if (days > 0)
        snprintf(text, PHT_HUMAN_MAX, "%" PRIu64 "d %02u:%02u", days, hours, minutes);
    else
        snprintf(text, PHT_HUMAN_MAX, "%u:%02u:%02u", hours, minutes, (unsigned)(seconds % 60));
    return text;
}
