#include "support/screens.h"

#include <check.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/golden.h"

const unsigned screen_sizes[SCREEN_SIZES][2] = {{60, 200}, {30, 100}, {24, 80}, {12, 50}, {10, 40}};

static void press(const struct pht_screen *screen, void *state, const struct pht_view *view,
                  int key)
{
    struct pht_action action = {0};
    struct pht_table_source source;

    if (screen->on_key(state, view, key, &action))
        return;
    struct pht_table *table = screen->table(state, &source);
    ck_assert_ptr_nonnull(table);
    ck_assert(pht_table_move(table, key));
}

char *screen_text(const struct pht_screen *screen, const struct pht_view *view, const int *keys,
                  size_t key_count, unsigned rows, unsigned columns)
{
    struct pht_canvas canvas;

    ck_assert_ptr_nonnull(setlocale(LC_CTYPE, view->is_ascii ? "C" : "C.UTF-8"));
    ck_assert(pht_canvas_init(&canvas, rows, columns, view->is_ascii));
    void *state = screen->create();
    ck_assert_ptr_nonnull(state);
    screen->update(state, view);
    screen->draw(state, view, pht_canvas_area(&canvas)); /* tables learn their room */
    for (size_t i = 0; i < key_count; i++)
        press(screen, state, view, keys[i]);
    pht_canvas_deinit(&canvas);
    ck_assert(pht_canvas_init(&canvas, rows, columns, view->is_ascii));
    screen->draw(state, view, pht_canvas_area(&canvas));
    screen->destroy(state);
    char *text = pht_canvas_text(&canvas);
    ck_assert_ptr_nonnull(text);
    pht_canvas_deinit(&canvas);
    return text;
}

void screen_check(const struct pht_screen *screen, const struct pht_view *view, const int *keys,
                  size_t key_count, const char *name)
{
    /* Header and footer: six rows, fewer on small screens. */
    static const unsigned taken[SCREEN_SIZES] = {6, 6, 6, 4, 3};

    for (int i = 0; i < SCREEN_SIZES; i++) {
        char file[128];
        snprintf(file, sizeof(file), "screen_%s%s_%ux%u.txt", name, view->is_ascii ? "" : "_utf8",
                 screen_sizes[i][1], screen_sizes[i][0]);
        char *text = screen_text(screen, view, keys, key_count, screen_sizes[i][0] - taken[i],
                                 screen_sizes[i][1]);
        golden_check(text, file);
        free(text);
    }
}
