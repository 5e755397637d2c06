#include "fuzz/patches.h"

#include <stdlib.h>

enum action {
    PUT_1,
    PUT_4,
    PUT_8, /* a small number, or one below zero */
    PUT_ADDRESS,
    ADD_8,
    FLIP,
    COPY, /* from the other place */
    PUT_FAR,
    /* The others only before all: nobody could tell in the middle of a read. */
    SET_PAGE,
    UNMAP,
    CUT,
    SET_KIND,
    ACTIONS,
};

static size_t find(const struct fake_target *fake, pht_addr addr)
{
    for (size_t i = 0; i < fake->mappings.count; i++) {
        const struct fake_mapping *mapping = &fake->mappings.items[i];
        if (addr >= mapping->start && addr < mapping->end)
            return i;
    }
    return fake->mappings.count;
}

pht_addr fuzz_place_anywhere(const struct fake_target *fake, unsigned number, unsigned offset)
{
    const struct fake_mapping *mapping = &fake->mappings.items[number % fake->mappings.count];
    uint64_t bytes = mapping->end - mapping->start;

    /* Pages far from the beginning are reached as well. */
    return mapping->start + (number / fake->mappings.count * PHT_PAGE_BYTES + offset) % bytes;
}

/* ---- making one ----------------------------------------------------------------------------- */

/* `size` bytes at `addr`, kept to be undone; NULL if they are not in one mapping. */
static uint8_t *change(struct fuzz_patches *patches, pht_addr addr, size_t size)
{
    size_t i = find(patches->fake, addr);

    if (i == patches->fake->mappings.count)
        return NULL;
    struct fake_mapping *mapping = &patches->fake->mappings.items[i];
    if (mapping->end - addr < size)
        return NULL;
    struct fuzz_undo *undo = &patches->undo[patches->undo_count++];
    *undo =
        (struct fuzz_undo){.mapping = i, .offset = (size_t)(addr - mapping->start), .size = size};
    memcpy(undo->bytes, mapping->bytes + undo->offset, size);
    return mapping->bytes + undo->offset;
}

static void put(struct fuzz_patches *patches, pht_addr addr, uint64_t value, size_t size)
{
    uint8_t *to = change(patches, addr, size);

    if (to != NULL)
        memcpy(to, &value, size);
}

static void add(struct fuzz_patches *patches, const struct fuzz_patch *patch)
{
    uint8_t *to = change(patches, patch->addr, sizeof(uint64_t));
    uint64_t word;

    if (to == NULL)
        return;
    memcpy(&word, to, sizeof(word));
    word += patch->value;
    memcpy(to, &word, sizeof(word));
}

static void flip(struct fuzz_patches *patches, const struct fuzz_patch *patch)
{
    uint8_t *to = change(patches, patch->addr, 1);

    if (to != NULL)
        *to ^= (uint8_t)(1u << patch->value % 8);
}

static void copy(struct fuzz_patches *patches, const struct fuzz_patch *patch)
{
    size_t i = find(patches->fake, patch->other), size = 8 + patch->value % 57;

    if (i == patches->fake->mappings.count)
        return;
    const struct fake_mapping *from = &patches->fake->mappings.items[i];
    uint8_t *to = from->end - patch->other >= size ? change(patches, patch->addr, size) : NULL;
    if (to != NULL)
        memmove(to, from->bytes + (patch->other - from->start), size);
}

static void set_mapping(struct fuzz_patches *patches, const struct fuzz_patch *patch)
{
    static const unsigned kinds[] = {
        FAKE_PRIVATE, FAKE_SHARED,     FAKE_UNREADABLE, FAKE_FILE,
        FAKE_FORKED,  FAKE_EXECUTABLE, FAKE_READ_ONLY,  FAKE_FILE | FAKE_SHARED};
    size_t i = find(patches->fake, patch->addr);

    if (i == patches->fake->mappings.count)
        return;
    struct fake_mapping *mapping = &patches->fake->mappings.items[i];
    struct fuzz_undo *undo = &patches->undo[patches->undo_count++];
    size_t page = (size_t)(patch->addr - mapping->start) / PHT_PAGE_BYTES;
    *undo = (struct fuzz_undo){.mapping = i, .whole = *mapping, .offset = page};
    undo->is_page = patch->action == SET_PAGE;
    undo->bytes[0] = mapping->pages[page];
    if (patch->action == SET_PAGE)
        mapping->pages[page] = (uint8_t)(patch->value % 3);
    else if (patch->action == UNMAP)
        mapping->gone = true;
    else if (patch->action == CUT)
        mapping->cut = mapping->start + page * PHT_PAGE_BYTES;
    else
        mapping->kind = kinds[patch->value % (sizeof(kinds) / sizeof(kinds[0]))];
}

static void make(struct fuzz_patches *patches, const struct fuzz_patch *patch)
{
    switch ((enum action)patch->action) {
    case PUT_1:
        put(patches, patch->addr, patch->value, 1);
        break;
    case PUT_4:
        put(patches, patch->addr, patch->value, 4);
        break;
    case PUT_8:
        put(patches, patch->addr, patch->value, 8);
        break;
    case PUT_FAR:
        put(patches, patch->addr, patch->value << 32 | patch->value, 8);
        break;
    case PUT_ADDRESS:
        put(patches, patch->addr, patch->other, 8);
        break;
    case ADD_8:
        add(patches, patch);
        break;
    case FLIP:
        flip(patches, patch);
        break;
    case COPY:
        copy(patches, patch);
        break;
    case SET_PAGE:
    case UNMAP:
    case CUT:
    case SET_KIND:
        set_mapping(patches, patch);
        break;
    case ACTIONS:
        break;
    }
}

static void make_due(struct fake_target *fake, uint64_t number, pht_addr addr, void *context)
{
    struct fuzz_patches *patches = context;

    (void)fake;
    (void)addr;
    for (size_t i = 0; i < patches->count; i++) {
        if (patches->items[i].when == number)
            make(patches, &patches->items[i]);
    }
}

/* ---- all of them ---------------------------------------------------------------------------- */

static struct fuzz_patch read_one(struct fuzz_input *input, fuzz_place place, void *heap)
{
    unsigned kind = (unsigned)fuzz_take(input, 1), number = (unsigned)fuzz_take(input, 2);
    unsigned offset = (unsigned)fuzz_take(input, 2);
    struct fuzz_patch patch = {.addr = place(heap, kind, number, offset)};

    patch.action = (unsigned)fuzz_take(input, 1) % ACTIONS;
    /* Sparse behind the first few, which are the roots. */
    patch.when = fuzz_take(input, 1);
    if (patch.when > 64)
        patch.when = patch.action >= SET_PAGE ? 0 : patch.when * (patch.when - 64);
    if (patch.when < 32 || patch.action >= SET_PAGE)
        patch.when = 0;
    uint64_t value = fuzz_take(input, 5);
    patch.value = (uint64_t)((int64_t)(value << 24) >> 24);
    patch.other = place(heap, value & 0xff, value >> 8 & 0xffff, value >> 24 & 0xffff);
    return patch;
}

void fuzz_patches_begin(struct fuzz_patches *patches, struct fake_target *fake,
                        struct fuzz_input *input, fuzz_place place, void *heap)
{
    *patches = (struct fuzz_patches){.fake = fake};
    while (input->size > 0 && patches->count < FUZZ_PATCHES_MAX)
        patches->items[patches->count++] = read_one(input, place, heap);
    for (size_t i = 0; i < patches->count; i++) {
        if (patches->items[i].when == 0)
            make(patches, &patches->items[i]);
    }
    fake->on_read = make_due;
    fake->context = patches;
}

void fuzz_patches_undo(struct fuzz_patches *patches)
{
    while (patches->undo_count > 0) {
        const struct fuzz_undo *undo = &patches->undo[--patches->undo_count];
        struct fake_mapping *mapping = &patches->fake->mappings.items[undo->mapping];
        if (undo->size > 0) {
            memcpy(mapping->bytes + undo->offset, undo->bytes, undo->size);
        } else if (undo->is_page) {
            mapping->pages[undo->offset] = undo->bytes[0];
        } else {
            mapping->gone = undo->whole.gone;
            mapping->cut = undo->whole.cut;
            mapping->kind = undo->whole.kind;
        }
    }
    patches->fake->on_read = NULL;
    patches->fake->context = NULL;
}
