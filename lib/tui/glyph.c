#include "tui/glyph.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base/text.h"

static uint32_t decode(const unsigned char *bytes, size_t length)
{
    static const unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t value = bytes[0] & first_bits[length];

    for (size_t i = 1; i < length; i++)
        value = value << 6 | (bytes[i] & 0x3fU);
    return value;
}

/*
 * Characters of no width that change how others look: joiners, direction marks and overrides,
 * variation selectors, tags. A name that holds them is shown as what it is.
 */
static bool is_invisible(uint32_t value)
{
    static const struct {
        uint32_t first;
        uint32_t last;
    } ranges[] = {
        {0x00ad, 0x00ad},   {0x034f, 0x034f}, {0x061c, 0x061c},   {0x115f, 0x1160},
        {0x17b4, 0x17b5},   {0x180b, 0x180f}, {0x200b, 0x200f},   {0x2028, 0x202e},
        {0x2060, 0x206f},   {0x3164, 0x3164}, {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
        {0xffa0, 0xffa0},   {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
        {0xe0000, 0xe0fff},
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (value >= ranges[i].first && value <= ranges[i].last)
            return true;
    }
    return false;
}

static void escape(struct pht_glyph *glyph, const char *format, uint32_t value)
{
    int length = snprintf(glyph->text, sizeof(glyph->text), format, value); // NOLINT: our formats

    glyph->is_escape = true;
    glyph->bytes = (unsigned)length;
    glyph->width = (unsigned)length;
}

bool pht_glyph_next(const char **text, bool is_ascii, struct pht_glyph *ret)
{
    const unsigned char *bytes = (const unsigned char *)*text;

    *ret = (struct pht_glyph){0};
    if (bytes[0] == '\0')
        return false;
    size_t length = pht_text_utf8_length(*text, strnlen(*text, 4));
    *text += length > 0 ? length : 1;
    uint32_t value = length > 0 ? decode(bytes, length) : bytes[0];
    int width = length > 0 && (length == 1 || !is_ascii) ? wcwidth((wchar_t)value) : -1;
    if (length <= 1 && (value < 0x20 || value >= 0x7f))
        escape(ret, "\\x%02x", value);
    else if (width < 0 || is_invisible(value))
        escape(ret, value <= 0xffff ? "\\u%04x" : "\\U%08x", value);
    else {
        memcpy(ret->text, bytes, length);
        ret->bytes = (unsigned)length;
        ret->width = (unsigned)width;
    }
    return true;
}
