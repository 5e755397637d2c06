#include "layout/references.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "layout/symbols.h"

/* No function that is asked about is longer; of one without a symbol no length is known. */
#define FUNCTION_BYTES_MAX ((uint64_t)8192)
#define CALLED_BYTES ((uint64_t)2048)
#define CALLS_MAX 16

#define ADDRESS_BYTES 4 /* of an operand: relative to the end of the instruction, or absolute */

#define SEGMENTS_MAX 16

struct search {
    struct pht_elf_image *image;
    struct pht_references *references;
    GElf_Phdr segments[SEGMENTS_MAX];
    size_t segment_count;
    bool is_fixed; /* not relocatable, so that code has absolute addresses as well */
};

/* ---- where an address lies ---------------------------------------------------------------- */

static void find_segments(struct search *search)
{
    size_t count;

    if (elf_getphdrnum(search->image->elf, &count) < 0)
        return;
    for (size_t i = 0; i < count && search->segment_count < SEGMENTS_MAX; i++) {
        GElf_Phdr *header = &search->segments[search->segment_count];
        if (gelf_getphdr(search->image->elf, (int)i, header) != NULL && header->p_type == PT_LOAD)
            search->segment_count++;
    }
}

/* The bytes from `address` on that a segment with those flags has. */
static uint64_t room_at(const struct search *search, uint64_t address, uint32_t flags)
{
    for (size_t i = 0; i < search->segment_count; i++) {
        const GElf_Phdr *header = &search->segments[i];
        if ((header->p_flags & flags) == flags && address >= header->p_vaddr &&
            address - header->p_vaddr < header->p_memsz)
            return header->p_memsz - (address - header->p_vaddr);
    }
    return 0;
}

static void add(struct search *search, uint64_t address, bool may_be_int)
{
    struct pht_references *references = search->references;
    size_t i = 0;

    while (i < references->count && references->items[i] != address)
        i++;
    if (i == PHT_REFERENCES_MAX || room_at(search, address, PF_W) == 0)
        return;
    if (i == references->count) {
        references->items[references->count++] = address;
        references->may_be_int[i] = false;
    }
    references->may_be_int[i] |= may_be_int;
}

/* ---- operands ----------------------------------------------------------------------------- */

/* Mod 00, r/m 101: a displacement from the next instruction. Intel SDM, volume 2, table 2-7. */
static bool is_relative(unsigned char modrm)
{
    return (modrm & 0xc7) == 0x05;
}

/* Bytes of an immediate operand behind the displacement, by the opcode in front of the ModRM. */
static size_t immediate_bytes(const unsigned char *modrm, size_t before)
{
    unsigned char opcode = before > 0 ? modrm[-1] : 0;
    bool is_escaped = before > 1 && modrm[-2] == 0x0f;
    bool is_test = (*modrm & 0x30) == 0; /* /0 and /1 of F6 and F7 */

    if (is_escaped)
        return opcode == 0xba || opcode == 0xa4 || opcode == 0xac || opcode == 0x70;
    switch (opcode) {
    case 0x6b:
    case 0x80:
    case 0x83:
    case 0xc0:
    case 0xc1:
    case 0xc6:
        return 1;
    case 0x69:
    case 0x81:
    case 0xc7:
        return 4;
    case 0xf6:
        return is_test;
    case 0xf7:
        return is_test ? 4 : 0;
    default:
        return 0;
    }
}

/*
 * REX.W in front of the opcode says 64 bits, but to movslq (63), which widens an int. Jumps and
 * pushes (FF /2 to /6) have no need to say so. What is escaped (0F) is mostly of vectors.
 */
static bool is_narrow(const unsigned char *modrm, size_t before)
{
    unsigned char opcode = before > 0 ? modrm[-1] : 0;
    bool has_rex_w = before > 1 && (modrm[-2] & 0xf8) == 0x48;
    bool is_escaped = before > 1 && modrm[-2] == 0x0f;

    if (opcode == 0x63)
        return has_rex_w;
    if (opcode == 0xff && (*modrm & 0x30) != 0)
        return false;
    return !has_rex_w && !is_escaped;
}

static int32_t operand_at(const unsigned char *code)
{
    int32_t value;

    memcpy(&value, code, sizeof(value));
    return value;
}

static void find_operands(struct search *search, const unsigned char *code, size_t size,
                          uint64_t address)
{
    for (size_t i = 1; i + ADDRESS_BYTES <= size; i++) {
        int32_t operand = operand_at(code + i);
        if (is_relative(code[i - 1])) {
            size_t end = i + ADDRESS_BYTES + immediate_bytes(code + i - 1, i - 1);
            add(search, address + end + (uint64_t)(int64_t)operand, is_narrow(code + i - 1, i - 1));
        }
        if (search->is_fixed && operand > 0)
            add(search, (uint64_t)operand, true);
    }
}

/* ---- functions ---------------------------------------------------------------------------- */

struct calls {
    uint64_t items[CALLS_MAX];
    size_t count;
};

static bool is_known(const struct calls *calls, uint64_t address)
{
    for (size_t i = 0; i < calls->count; i++) {
        if (calls->items[i] == address)
            return true;
    }
    return false;
}

/* call, jmp and long conditional jumps to elsewhere in the code. */
static void find_calls(const struct search *search, const unsigned char *code, size_t size,
                       uint64_t address, struct calls *ret)
{
    for (size_t i = 1; i + ADDRESS_BYTES <= size && ret->count < CALLS_MAX; i++) {
        bool is_call = code[i - 1] == 0xe8 || code[i - 1] == 0xe9 ||
                       (i > 1 && code[i - 2] == 0x0f && (code[i - 1] & 0xf0) == 0x80);
        uint64_t called = address + i + ADDRESS_BYTES + (uint64_t)(int64_t)operand_at(code + i);
        if (is_call && (called < address || called >= address + size) &&
            room_at(search, called, PF_X) > 0 && !is_known(ret, called))
            ret->items[ret->count++] = called;
    }
}

/* NULL when memory is short, or the file has not so much code there. */
static unsigned char *read_code(const struct search *search, uint64_t address, uint64_t size)
{
    uint64_t room = room_at(search, address, PF_X);
    unsigned char *code = room >= size ? malloc(size) : NULL;

    if (code != NULL && !pht_elf_image_read(search->image, address, code, size)) {
        free(code);
        return NULL;
    }
    return code;
}

/* The last functions of the code have less behind them than is looked at. */
static uint64_t called_bytes(const struct search *search, uint64_t address)
{
    uint64_t room = room_at(search, address, PF_X);

    return room < CALLED_BYTES ? room : CALLED_BYTES;
}

static void find_in_called(struct search *search, uint64_t address)
{
    uint64_t size = called_bytes(search, address);
    _cleanup_free_ unsigned char *code = size > 0 ? read_code(search, address, size) : NULL;

    if (code != NULL)
        find_operands(search, code, size, address);
}

static void find_in_function(struct search *search, uint64_t address, uint64_t size)
{
    _cleanup_free_ unsigned char *code = size > 0 ? read_code(search, address, size) : NULL;
    struct calls calls = {.count = 0};

    if (code == NULL)
        return;
    find_operands(search, code, size, address);
    find_calls(search, code, size, address, &calls);
    for (size_t i = 0; i < calls.count; i++)
        find_in_called(search, calls.items[i]);
}

static bool begin(struct pht_elf_image *image, struct pht_references *references,
                  struct search *ret)
{
    GElf_Ehdr header;

    *ret = (struct search){.image = image, .references = references};
    references->count = 0;
    if (gelf_getehdr(image->elf, &header) == NULL || header.e_machine != EM_X86_64)
        return false;
    ret->is_fixed = header.e_type == ET_EXEC;
    find_segments(ret);
    return true;
}

void pht_references_find(struct pht_elf_image *image, const char *function,
                         struct pht_references *ret)
{
    struct search search;
    struct pht_symbol symbol = {.name = function};

    if (!begin(image, ret, &search))
        return;
    pht_symbols_find(image->elf, SHT_DYNSYM, &symbol, 1);
    if (symbol.matches == 1 && symbol.size > 0 && symbol.size <= FUNCTION_BYTES_MAX)
        find_in_function(&search, symbol.address, symbol.size);
}

void pht_references_at(struct pht_elf_image *image, uint64_t function, struct pht_references *ret)
{
    struct search search;

    if (begin(image, ret, &search))
        find_in_function(&search, function, called_bytes(&search, function));
}
