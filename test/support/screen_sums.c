#include "support/screen_sums.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* "+1,234" and "-5"; "-" and "" are nothing. */
static int64_t number_in(const struct pht_table_cell *cell)
{
    char digits[64];
    size_t length = 0;

    for (const char *at = cell->text; *at != '\0' && *at != '/'; at++) {
        if (*at != ',')
            digits[length++] = *at;
        ck_assert_uint_lt(length, sizeof(digits));
    }
    digits[length] = '\0';
    return strtoll(digits, NULL, 10);
}

static int64_t number_of_row(const struct pht_table_source *source, size_t row, size_t column)
{
    struct pht_table_cell cell = {.text = ""};

    source->cell(source->data, row, column, &cell);
    return number_in(&cell);
}

static int64_t number_of_hidden(const struct pht_table_source *source, size_t column, size_t count)
{
    struct pht_table_cell cell = {.text = ""};
    size_t *rows = calloc(count + 1, sizeof(*rows));

    ck_assert_ptr_nonnull(rows);
    for (size_t i = 0; i < count; i++)
        rows[i] = source->rows - 1 - i;
    if (count > 0)
        source->rest(source->data, rows, count, column, &cell);
    free(rows);
    return number_in(&cell);
}

void screen_check_sum(const struct pht_table_source *source, size_t column,
                      void (*line)(const void *data, size_t row, size_t column,
                                   struct pht_table_cell *ret),
                      size_t lines, size_t total)
{
    struct pht_table_cell cell = {.text = ""};
    int64_t sum = 0, below = 0;

    line(source->data, total, column, &cell);
    int64_t wanted = number_in(&cell);
    for (size_t i = 0; i < lines; i++) {
        struct pht_table_cell other = {.text = ""};
        line(source->data, i, column, &other);
        below += number_in(&other);
    }
    for (size_t row = 0; row < source->rows; row++)
        sum += number_of_row(source, row, column);
    ck_assert_int_eq(sum + below, wanted);
    for (size_t shown = 0; source->rest != NULL && shown <= source->rows; shown++) {
        int64_t rest = number_of_hidden(source, column, source->rows - shown);
        for (size_t row = 0; row < shown; row++)
            rest += number_of_row(source, row, column);
        ck_assert_int_eq(rest, sum);
    }
}
