#include "support/golden.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static void update(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    ck_assert_msg(file != NULL, "cannot write %s", path);
    fputs(text, file);
    fclose(file);
}

static char *load(const char *path)
{
    char *content = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "r");

    ck_assert_msg(file != NULL, "no %s: run with PHT_UPDATE_GOLDEN=1 and read what it says", path);
    ck_assert_int_ge(getdelim(&content, &size, '\0', file), 0);
    fclose(file);
    return content;
}

void golden_check(const char *text, const char *name)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s", PHT_GOLDEN_DIR, name);
    if (getenv("PHT_UPDATE_GOLDEN") != NULL)
        update(path, text);
    char *expected = load(path);
    ck_assert_str_eq(text, expected);
    free(expected);
}
