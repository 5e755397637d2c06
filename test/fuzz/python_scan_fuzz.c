/*
 * An interpreter without symbols whose variables, and what they lead to, are damaged: a library
 * that passes for one, in this very process. What the scan makes of it ends, and where the library
 * is whole again all there is is found.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz/input.h"
#include "support/scan_fixture.h"

#define PATCHES_MAX 32
#define ROUNDS_TO_CHECK 500
#define AREAS_MAX 8

/* What the library may write to, and how it was. */
static struct {
    uint8_t *bytes;
    uint8_t *whole;
    size_t size;
} areas[AREAS_MAX];
static size_t area_count;

static void add_area(pht_addr start, pht_addr end)
{
    size_t size = (size_t)(end - start);
    uint8_t *bytes = (uint8_t *)(uintptr_t)start;

    ck_assert_uint_lt(area_count, AREAS_MAX);
    areas[area_count].bytes = bytes;
    areas[area_count].size = size;
    areas[area_count].whole = malloc(size);
    ck_assert_ptr_nonnull(areas[area_count].whole);
    memcpy(areas[area_count].whole, bytes, size);
    area_count++;
}

/* Its .data, and the .bss behind that, which may be one mapping with what is not its own. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    uint64_t start, end;

    (void)argc;
    (void)argv;
    if (!OPEN_SCANNED())
        return 0;
    run();
    ck_assert(pht_elf_image_span(&fixture.image, &start, &end));
    start += fixture.image.bias;
    end += fixture.image.bias;
    for (size_t i = 0; i < fixture.maps.count; i++) {
        const struct pht_mapping *mapping = &fixture.maps.items[i];
        if (mapping->writable && mapping->start >= start && mapping->start < end)
            add_area(mapping->start, mapping->end < end ? mapping->end : end);
    }
    ck_assert_uint_gt(area_count, 0);
    ck_assert(scan_anew());
    check_truth();
    return 0;
}

/* Words of the library: which (4), what is done (1), a value (6), a byte to spare. */
static void patch(struct fuzz_input *input)
{
    size_t number = (size_t)fuzz_take(input, 4), action = (size_t)fuzz_take(input, 1);
    uint64_t value = (uint64_t)((int64_t)(fuzz_take(input, 6) << 16) >> 16), word;
    size_t area = number % area_count;
    size_t at = number / area_count % (areas[area].size / 8) * 8;

    fuzz_take(input, 1);
    memcpy(&word, areas[area].bytes + at, 8);
    switch (action % 4) {
    case 0:
        word = value;
        break;
    case 1:
        word += value;
        break;
    case 2:
        word ^= (uint64_t)1 << value % 64;
        break;
    default: /* another word of it, most of which are addresses or 0 */
        memcpy(&word, areas[area].whole + value % (areas[area].size / 8) * 8, 8);
        break;
    }
    memcpy(areas[area].bytes + at, &word, 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_input input = {.bytes = bytes, .size = size};
    static unsigned rounds;

    if (area_count == 0)
        return 0;
    for (int i = 0; i < PATCHES_MAX && input.size > 0; i++)
        patch(&input);
    scan_anew();
    for (size_t i = 0; i < area_count; i++)
        memcpy(areas[i].bytes, areas[i].whole, areas[i].size);
    if (++rounds % ROUNDS_TO_CHECK == 0) {
        ck_assert(scan_anew());
        check_truth();
    }
    return 0;
}
