/*
 * Text of /proc/PID/maps and smaps. What is read of it is sorted, without overlaps, and no mapping
 * holds more memory than it has; the same lines are the same mappings in both.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/input.h"
#include "target/maps.h"
#include "target/smaps.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

static char *copy_of(const uint8_t *bytes, size_t size)
{
    char *text = malloc(size + 1);

    ck_assert(text != NULL);
    if (size > 0)
        memcpy(text, bytes, size);
    text[size] = '\0';
    return text;
}

static void check_maps(const struct pht_maps *maps)
{
    for (size_t i = 0; i < maps->count; i++) {
        const struct pht_mapping *mapping = &maps->items[i];
        ck_assert(mapping->start < mapping->end);
        ck_assert(i == 0 || maps->items[i - 1].end <= mapping->start);
        ck_assert(strlen(mapping->name) < 1 << 20);
        ck_assert(pht_maps_find(maps, mapping->start) == mapping);
        ck_assert(pht_maps_find(maps, mapping->end - 1) == mapping);
    }
}

static void check_smaps(const struct pht_smaps *smaps)
{
    check_maps(&smaps->maps);
    for (size_t i = 0; i < smaps->maps.count; i++) {
        const struct pht_mapping_memory *memory = &smaps->memory[i];
        uint64_t bytes = smaps->maps.items[i].end - smaps->maps.items[i].start;
        ck_assert(memory->rss_bytes <= bytes && memory->swap_bytes <= bytes);
        ck_assert(memory->pss_bytes <= bytes && memory->anonymous_bytes <= bytes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct pht_maps maps;
    struct pht_smaps smaps;
    char *text = copy_of(bytes, size);

    if (pht_maps_parse(text, &maps)) {
        check_maps(&maps);
        pht_maps_deinit(&maps);
    } else {
        free(text);
    }
    text = copy_of(bytes, size);
    if (pht_smaps_parse(text, &smaps)) {
        check_smaps(&smaps);
        pht_smaps_deinit(&smaps);
    } else {
        free(text);
    }
    return 0;
}
