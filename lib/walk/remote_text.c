#include "walk/remote_text.h"

#include <string.h>

#include "walk/field.h"
#include "walk/str_state.h"

/* Heads have at most 80 bytes; a text of ASCII comes with the first read. */
#define FIRST_READ_BYTES (80 + PHT_REMOTE_TEXT_MAX)

/* Leave out what was cut of the last character. Other bytes are none of our business. */
static void trim(struct pht_remote_text *text)
{
    size_t i = text->length, back = 0;

    while (i > 0 && back < 3 && ((unsigned char)text->bytes[i - 1] & 0xc0) == 0x80) {
        i--;
        back++;
    }
    if (i == 0)
        return;
    unsigned char lead = (unsigned char)text->bytes[i - 1];
    size_t wanted = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
    if (back < wanted)
        text->length = i - 1;
}

bool pht_remote_text_c(struct pht_snapshot *snapshot, pht_addr addr, struct pht_remote_text *ret)
{
    enum pht_read_result why;

    ret->length = pht_snapshot_read_some(snapshot, addr, ret->bytes, PHT_REMOTE_TEXT_MAX, &why);
    const char *end = memchr(ret->bytes, '\0', ret->length);
    if (end == NULL && why == PHT_READ_ABSENT) {
        ret->length =
            pht_snapshot_read_as_loaded(snapshot, addr, ret->bytes, PHT_REMOTE_TEXT_MAX, &why);
        end = memchr(ret->bytes, '\0', ret->length);
    }
    if (end != NULL)
        ret->length = (size_t)(end - ret->bytes);
    else if (ret->length < PHT_REMOTE_TEXT_MAX)
        return false;
    else
        trim(ret);
    ret->bytes[ret->length] = '\0';
    return true;
}

/* ---- str ---------------------------------------------------------------------------------- */

static bool put(struct pht_remote_text *text, uint32_t c)
{
    size_t bytes = c == 0 ? 2 : c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    char *out = text->bytes + text->length;

    if (text->length + bytes > PHT_REMOTE_TEXT_MAX)
        return false;
    text->length += bytes;
    if (bytes == 1) {
        out[0] = (char)c;
        return true;
    }
    for (size_t i = bytes - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(leads[bytes] | c);
    return true;
}

static uint32_t character(const unsigned char *data, uint8_t char_bytes, size_t i)
{
    uint32_t c = 0;

    memcpy(&c, data + i * char_bytes, char_bytes);
    return c;
}

static bool encode(const unsigned char *data, uint8_t char_bytes, size_t count,
                   struct pht_remote_text *ret)
{
    ret->length = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t c = character(data, char_bytes, i);
        if (c > 0x10ffff)
            return false;
        if (!put(ret, c))
            break;
    }
    ret->bytes[ret->length] = '\0';
    return true;
}

static bool read_far(struct pht_snapshot *snapshot, pht_addr addr, uint8_t char_bytes, size_t count,
                     struct pht_remote_text *ret)
{
    unsigned char data[PHT_REMOTE_TEXT_MAX * 4];

    return pht_snapshot_read(snapshot, addr, data, count * char_bytes) == PHT_READ_OK &&
           encode(data, char_bytes, count, ret);
}

/* An object's first bytes, as many as could be read. */
struct head {
    pht_addr addr;
    unsigned char bytes[FIRST_READ_BYTES];
    size_t size;
};

static bool read_at(struct pht_snapshot *snapshot, const struct head *head, uint64_t offset,
                    uint8_t char_bytes, uint64_t length, struct pht_remote_text *ret)
{
    size_t count = length < PHT_REMOTE_TEXT_MAX ? (size_t)length : PHT_REMOTE_TEXT_MAX;

    if (offset + count * char_bytes <= head->size)
        return encode(head->bytes + offset, char_bytes, count, ret);
    return read_far(snapshot, head->addr + offset, char_bytes, count, ret);
}

/* A byte string is taken as it is, NUL bytes aside. */
static bool read_byte_string(const struct head *head, struct pht_remote_text *ret)
{
    uint64_t length = pht_field_u64(head->bytes, PHT_OBJECT_SIZE);
    size_t count = length < PHT_REMOTE_TEXT_MAX ? (size_t)length : PHT_REMOTE_TEXT_MAX;

    if (PHT_BYTE_STRING_DATA + count > head->size)
        return false;
    memcpy(ret->bytes, head->bytes + PHT_BYTE_STRING_DATA, count);
    ret->length = strnlen(ret->bytes, count);
    if (length > count)
        trim(ret);
    ret->bytes[ret->length] = '\0';
    return true;
}

bool pht_remote_text_str(struct pht_snapshot *snapshot, const struct pht_object_layout *layout,
                         pht_addr addr, struct pht_remote_text *ret)
{
    struct head head = {.addr = addr};
    enum pht_read_result why;

    head.size = pht_snapshot_read_some(snapshot, addr, head.bytes, sizeof(head.bytes), &why);
    if (layout->is_python2)
        return head.size >= PHT_BYTE_STRING_DATA && read_byte_string(&head, ret);
    if (head.size < layout->str_ascii_bytes)
        return false;
    uint64_t length = pht_field_u64(head.bytes, PHT_STR_LENGTH);
    struct pht_str_state state = pht_str_state(pht_field_u32(head.bytes, PHT_STR_STATE));
    if (!pht_str_state_is_sane(state))
        return false;
    if (state.is_compact)
        return read_at(snapshot, &head,
                       state.is_ascii ? layout->str_ascii_bytes : layout->str_compact_bytes,
                       state.char_bytes, length, ret);
    if (head.size < layout->str_bytes)
        return false;
    return read_far(snapshot, pht_field_u64(head.bytes, layout->str_data), state.char_bytes,
                    length < PHT_REMOTE_TEXT_MAX ? (size_t)length : PHT_REMOTE_TEXT_MAX, ret);
}
