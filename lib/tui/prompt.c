#include "tui/prompt.h"

#include <string.h>

#include "tui/key.h"

static void append(char text[static PHT_FILTER_MAX], unsigned character)
{
    size_t length = strlen(text);
    unsigned char bytes[4];
    size_t count = 0;

    if (character < 0x80) {
        bytes[count++] = (unsigned char)character;
    } else if (character < 0x800) {
        bytes[count++] = (unsigned char)(0xc0 | character >> 6);
    } else if (character < 0x10000) {
        bytes[count++] = (unsigned char)(0xe0 | character >> 12);
        bytes[count++] = (unsigned char)(0x80 | (character >> 6 & 0x3f));
    } else {
        bytes[count++] = (unsigned char)(0xf0 | character >> 18);
        bytes[count++] = (unsigned char)(0x80 | (character >> 12 & 0x3f));
        bytes[count++] = (unsigned char)(0x80 | (character >> 6 & 0x3f));
    }
    if (character >= 0x80)
        bytes[count++] = (unsigned char)(0x80 | (character & 0x3f));
    if (length + count >= PHT_FILTER_MAX)
        return;
    memcpy(text + length, bytes, count);
    text[length + count] = '\0';
}

static void delete_last(char *text)
{
    size_t length = strlen(text);

    while (length > 0 && ((unsigned char)text[length - 1] & 0xc0) == 0x80)
        length--;
    if (length > 0)
        text[length - 1] = '\0';
}

enum pht_prompt_result pht_prompt_on_key(struct pht_prompt *prompt, int key)
{
    switch (key) {
    case PHT_KEY_ENTER:
        return PHT_PROMPT_DONE;
    case PHT_KEY_ESCAPE:
    case PHT_KEY_CONTROL('c'):
        return PHT_PROMPT_DROPPED;
    case PHT_KEY_BACKSPACE:
        if (prompt->text[0] == '\0')
            return PHT_PROMPT_DROPPED;
        delete_last(prompt->text);
        return PHT_PROMPT_OPEN;
    case PHT_KEY_CONTROL('u'):
        prompt->text[0] = '\0';
        return PHT_PROMPT_OPEN;
    default:
        if (key >= ' ' && key < PHT_KEY_UP)
            append(prompt->text, (unsigned)key);
        return PHT_PROMPT_OPEN;
    }
}
