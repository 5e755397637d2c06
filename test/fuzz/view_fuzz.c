/*
 * Names and texts of a hostile target in all formats: JSON is valid, text holds no byte that a
 * terminal acts on.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/input.h"
#include "support/heap_json.h"
#include "support/heap_objects.h"
#include "support/heap_report.h"
#include "support/heap_text.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

/* Up to the next byte 0xfe, which no text has; freed by the caller. */
static char *take_text(struct fuzz_input *input, size_t *length)
{
    const uint8_t *end = input->size > 0 ? memchr(input->bytes, 0xfe, input->size) : NULL;
    char *text;

    *length = end != NULL ? (size_t)(end - input->bytes) : input->size;
    text = calloc(1, *length + 1);
    ck_assert(text != NULL);
    if (*length > 0)
        memcpy(text, input->bytes, *length);
    input->bytes += *length + (end != NULL);
    input->size -= *length + (end != NULL);
    return text;
}

static void put_name(struct pht_report *report, char *text, size_t length, unsigned place)
{
    struct pht_objects *objects = report->objects;
    struct pht_large_object *large = &objects->largest[place % objects->largest_count];
    struct pht_chunk_sample *sample = &objects->unowned[0].samples[0];

    switch (place % 9) {
    case 0:
        heap_report_set(&report->process.comm, text);
        break;
    case 1:
        heap_report_set(&report->process.exe, text);
        break;
    case 2:
        heap_report_set_command(report, text, length + 1);
        break;
    case 3:
        heap_report_set(&report->python->image, text);
        break;
    case 4:
        pht_report_warn(report, "some-id", text, "%s", text);
        break;
    case 5:
        heap_objects_rename(&objects->types[place % objects->type_count], text, text);
        break;
    case 6:
        large->has_preview = true;
        large->preview_bytes =
            length < PHT_PREVIEW_BYTES ? (uint32_t)length : (uint32_t)PHT_PREVIEW_BYTES;
        memcpy(large->preview, text, large->preview_bytes);
        break;
    case 7:
        sample->kind = PHT_SAMPLE_TEXT;
        sample->text_bytes =
            length < PHT_PREVIEW_BYTES ? (uint32_t)length : (uint32_t)PHT_PREVIEW_BYTES;
        memcpy(sample->text, text, sample->text_bytes);
        break;
    default:
        heap_report_set(&report->family[place % report->family_count].comm, text);
        break;
    }
}

/*
 * Neither controls of ASCII nor those from U+0080 on, which steer a terminal as ESC does. JSON may
 * hold DEL, which does nothing.
 */
static void check_text(const char *text, bool is_json)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++)
        ck_assert((*at >= 0x20 || *at == '\n') && (is_json || *at != 0x7f) &&
                  !(*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0));
}

static void check_views(const struct pht_report *report)
{
    static const enum pht_type_order orders[] = {PHT_BY_SIZE, PHT_BY_NAME};
    char *text;

    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        text = heap_text_write_types(report, i > 0, orders[i], 0);
        check_text(text, false);
        free(text);
    }
    json_decref(heap_json_write(report, &text));
    check_text(text, true);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_input input = {.bytes = bytes, .size = size};
    struct pht_report *report = heap_report_create();

    while (input.size > 0) {
        unsigned place = (unsigned)fuzz_take(&input, 1);
        size_t length;
        char *text = take_text(&input, &length);
        put_name(report, text, length, place);
        free(text);
    }
    check_views(report);
    pht_report_destroy(report);
    return 0;
}
