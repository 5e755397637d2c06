/*
 * Reports that --diff reads. Whatever stands in the file: it is refused with a reason, or its
 * figures can be compared with themselves and with those of another report, and what is written is
 * valid and harms no terminal.
 */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/input.h"
#include "pyheaptop/view.h"

static struct pht_figures *other;

static struct pht_figures *read_figures(FILE *file)
{
    struct pht_figures *figures = NULL;
    struct pht_error *error;

    ck_assert(file != NULL);
    error = pht_json_figures_read(file, "dump\x1b.json", &figures);
    fclose(file);
    if (error != NULL)
        ck_assert(error->text[0] != '\0' && strchr(error->text, '\x1b') == NULL &&
                  (error->why == NULL || strchr(error->why, '\x1b') == NULL));
    ck_assert((error == NULL) == (figures != NULL));
    pht_error_destroy(error);
    return figures;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    other = read_figures(fopen(PHT_GOLDEN_DIR "/report.json", "r"));
    ck_assert(other != NULL);
    return 0;
}

static void check_text(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++)
        ck_assert(*at >= 0x20 || *at == '\n');
}

static void compare(struct pht_figures *before, struct pht_figures *after)
{
    struct pht_diff diff;
    char *text;
    size_t size;

    ck_assert(pht_diff_make(before, after, &diff));
    FILE *memory = open_memstream(&text, &size);
    ck_assert(memory != NULL);
    pht_text_diff_write(&diff, "1.2.3", memory);
    ck_assert(fclose(memory) == 0);
    check_text(text);
    free(text);
    memory = open_memstream(&text, &size);
    ck_assert(memory != NULL && pht_json_diff_write(&diff, "1.2.3", memory) && fclose(memory) == 0);
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    ck_assert(root != NULL);
    check_text(text);
    json_decref(root);
    free(text);
    pht_diff_deinit(&diff);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct pht_figures *figures;

    if (size == 0)
        return 0;
    figures = read_figures(fmemopen((void *)(uintptr_t)bytes, size, "r"));
    if (figures == NULL)
        return 0;
    compare(figures, other);
    compare(other, figures);
    compare(figures, figures);
    pht_figures_destroy(figures);
    return 0;
}
