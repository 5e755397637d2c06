#include "base/text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* No overlong forms, no surrogates, nothing above U+10FFFF (Unicode 15, table 3-7). */
static size_t utf8_length(const unsigned char *bytes, size_t size)
{
    unsigned char first = bytes[0];
    unsigned char low = 0x80, high = 0xbf;
    size_t length;

    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        length = 2;
    else if (first >= 0xe0 && first <= 0xef)
        length = 3;
    else if (first >= 0xf0 && first <= 0xf4)
        length = 4;
    else
        return 0;
    if (length > size)
        return 0;
    if (first == 0xe0)
        low = 0xa0;
    else if (first == 0xed)
        high = 0x9f;
    else if (first == 0xf0)
        low = 0x90;
    else if (first == 0xf4)
        high = 0x8f;
    if (bytes[1] < low || bytes[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++) {
        if (bytes[i] < 0x80 || bytes[i] > 0xbf)
            return 0;
    }
    return length;
}

size_t pht_text_utf8_length(const char *bytes, size_t size)
{
    return utf8_length((const unsigned char *)bytes, size);
}

static bool is_control(const unsigned char *bytes, size_t length)
{
    if (length == 1)
        return bytes[0] < 0x20 || bytes[0] == 0x7f;
    return length == 2 && bytes[0] == 0xc2 && bytes[1] < 0xa0;
}

/*
 * What turns the direction of the text behind it, which would move columns of a table, and what
 * ends a line: U+061C, U+200E and 200F, U+2028 to 202E, U+2066 to 2069.
 */
static bool is_mark(const unsigned char *bytes, size_t length)
{
    if (length == 2)
        return bytes[0] == 0xd8 && bytes[1] == 0x9c;
    if (length != 3 || bytes[0] != 0xe2)
        return false;
    if (bytes[1] == 0x80)
        return bytes[2] == 0x8e || bytes[2] == 0x8f || (bytes[2] >= 0xa8 && bytes[2] <= 0xae);
    return bytes[1] == 0x81 && bytes[2] >= 0xa6 && bytes[2] <= 0xa9;
}

char *pht_text_printable(const char *bytes, size_t size)
{
    if (size > SIZE_MAX / 4 - 1)
        return NULL;
    char *text = malloc(size * 4 + 1);
    if (text == NULL)
        return NULL;
    const unsigned char *from = (const unsigned char *)bytes;
    char *out = text;
    for (size_t at = 0; at < size;) {
        size_t length = utf8_length(from + at, size - at);
        if (length > 0 && !is_control(from + at, length) && !is_mark(from + at, length)) {
            memcpy(out, from + at, length);
            out += length;
            at += length;
            continue;
        }
        for (size_t end = at + (length > 0 ? length : 1); at < end; at++)
            out += sprintf(out, "\\x%02x", from[at]);
    }
    *out = '\0';
    return text;
}

char *pht_text_arguments(const char *bytes, size_t size)
{
    while (size > 0 && bytes[size - 1] == '\0')
        size--;
    char *joined = calloc(size + 1, 1);
    if (joined == NULL)
        return NULL;
    for (size_t i = 0; i < size; i++)
        joined[i] = bytes[i] == '\0' ? ' ' : bytes[i];
    char *text = pht_text_printable(joined, size);
    free(joined);
    return text;
}

char *pht_text_utf8(const char *bytes, size_t size)
{
    if (size > SIZE_MAX / 3 - 1)
        return NULL;
    char *text = malloc(size * 3 + 1);
    if (text == NULL)
        return NULL;
    const unsigned char *from = (const unsigned char *)bytes;
    char *out = text;
    for (size_t at = 0; at < size;) {
        size_t length = utf8_length(from + at, size - at);
        if (length == 0) {
            memcpy(out, "\xef\xbf\xbd", 3);
            out += 3;
            at++;
            continue;
        }
        if (from[at] != '\0') {
            memcpy(out, from + at, length);
            out += length;
        }
        at += length;
    }
    *out = '\0';
    return text;
}

void pht_text_cut(char *text, size_t characters)
{
    char *room_for_dots = text;
    size_t before = 0; /* characters before the one at hand */

    for (char *at = text; *at != '\0'; at++) {
        if (((unsigned char)*at & 0xc0) == 0x80)
            continue; /* inside a character */
        if (before == characters) {
            memcpy(room_for_dots, "..", sizeof(".."));
            return;
        }
        if (before + 2 == characters)
            room_for_dots = at;
        before++;
    }
}

size_t pht_text_characters(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

char *pht_text_format(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    return length < 0 ? NULL : text;
}

char *pht_text_time(struct timespec time)
{
    char seconds[32];
    struct tm broken;

    gmtime_r(&time.tv_sec, &broken);
    strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &broken);
    return pht_text_format("%s.%03ldZ", seconds, time.tv_nsec / 1000000);
}
