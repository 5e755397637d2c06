#include "tui/keymap.h"

#include <stdio.h>

#define F(number) (PHT_KEY_F0 + (number))

static const struct pht_binding bindings[] = {
    {PHT_KEYS_MOVING,
     "1..5",
     "go to a screen",
     {{'1', PHT_COMMAND_SCREEN_1},
      {'2', PHT_COMMAND_SCREEN_2},
      {'3', PHT_COMMAND_SCREEN_3},
      {'4', PHT_COMMAND_SCREEN_4},
      {'5', PHT_COMMAND_SCREEN_5}}},
    {PHT_KEYS_MOVING,
     "Tab S-Tab",
     "next, previous screen",
     {{PHT_KEY_TAB, PHT_COMMAND_NEXT_SCREEN}, {PHT_KEY_BACKTAB, PHT_COMMAND_PREVIOUS_SCREEN}}},
    {PHT_KEYS_MOVING,
     "arrows hjkl",
     "move, scroll sideways",
     {{PHT_KEY_UP, PHT_COMMAND_MOVE},
      {PHT_KEY_DOWN, PHT_COMMAND_MOVE},
      {PHT_KEY_LEFT, PHT_COMMAND_MOVE},
      {PHT_KEY_RIGHT, PHT_COMMAND_MOVE},
      {'h', PHT_COMMAND_MOVE},
      {'j', PHT_COMMAND_MOVE},
      {'k', PHT_COMMAND_MOVE},
      {'l', PHT_COMMAND_MOVE}}},
    {PHT_KEYS_MOVING,
     "PgUp PgDn",
     "a page; Ctrl-U Ctrl-D: half",
     {{PHT_KEY_PAGE_UP, PHT_COMMAND_MOVE},
      {PHT_KEY_PAGE_DOWN, PHT_COMMAND_MOVE},
      {PHT_KEY_CONTROL('u'), PHT_COMMAND_MOVE},
      {PHT_KEY_CONTROL('d'), PHT_COMMAND_MOVE}}},
    {PHT_KEYS_MOVING,
     "g G",
     "first, last; Home End too",
     {{'g', PHT_COMMAND_MOVE},
      {'G', PHT_COMMAND_MOVE},
      {PHT_KEY_HOME, PHT_COMMAND_MOVE},
      {PHT_KEY_END, PHT_COMMAND_MOVE}}},
    {PHT_KEYS_MOVING, "Enter", "explain or open the row", {{PHT_KEY_ENTER, PHT_COMMAND_ENTER}}},
    {PHT_KEYS_MOVING,
     "Esc",
     "back; end a prompt or a walk",
     {{PHT_KEY_ESCAPE, PHT_COMMAND_BACK}, {PHT_KEY_BACKSPACE, PHT_COMMAND_BACK}}},

    {PHT_KEYS_SEEING,
     "s F6",
     "choose the column to sort by",
     {{'s', PHT_COMMAND_SORT},
      {F(6), PHT_COMMAND_SORT},
      {'<', PHT_COMMAND_SORT},
      {'>', PHT_COMMAND_SORT}}},
    {PHT_KEYS_SEEING, "I", "turn the order around", {{'I', PHT_COMMAND_REVERSE}}},
    {PHT_KEYS_SEEING,
     "/ F3",
     "search; n N: next, previous match",
     {{'/', PHT_COMMAND_SEARCH},
      {F(3), PHT_COMMAND_SEARCH},
      {'n', PHT_COMMAND_SEARCH_NEXT},
      {'N', PHT_COMMAND_SEARCH_PREVIOUS}}},
    {PHT_KEYS_SEEING,
     "\\ F4",
     "filter rows; empty text: all",
     {{'\\', PHT_COMMAND_FILTER}, {F(4), PHT_COMMAND_FILTER}}},
    {PHT_KEYS_SEEING, "d", "sort by change", {{'d', PHT_COMMAND_BY_CHANGE}}},
    {PHT_KEYS_SEEING, "u", "units: auto, KiB, MiB, bytes", {{'u', PHT_COMMAND_UNITS}}},
    {PHT_KEYS_SEEING, "x", "show addresses", {{'x', PHT_COMMAND_ADDRESSES}}},
    {PHT_KEYS_SEEING, "m", "mouse on, off", {{'m', PHT_COMMAND_MOUSE}}},

    {PHT_KEYS_MEASURING,
     "Space Z",
     "pause, resume the snapshots",
     {{' ', PHT_COMMAND_PAUSE}, {'Z', PHT_COMMAND_PAUSE}}},
    {PHT_KEYS_MEASURING,
     "r F8",
     "take a snapshot now",
     {{'r', PHT_COMMAND_TAKE}, {F(8), PHT_COMMAND_TAKE}}},
    {PHT_KEYS_MEASURING,
     "b F5",
     "make this snapshot the baseline",
     {{'b', PHT_COMMAND_BASELINE}, {F(5), PHT_COMMAND_BASELINE}}},
    {PHT_KEYS_MEASURING,
     "+ -",
     "longer, shorter interval",
     {{'+', PHT_COMMAND_SLOWER}, {'=', PHT_COMMAND_SLOWER}, {'-', PHT_COMMAND_FASTER}}},

    {PHT_KEYS_LEAVING,
     "e F9",
     "write the report as text and JSON",
     {{'e', PHT_COMMAND_EXPORT}, {F(9), PHT_COMMAND_EXPORT}}},
    {PHT_KEYS_LEAVING, "p", "choose another Python process", {{'p', PHT_COMMAND_PICK}}},
    {PHT_KEYS_LEAVING,
     "Ctrl-L",
     "redraw; Ctrl-Z: suspend",
     {{PHT_KEY_CONTROL('l'), PHT_COMMAND_REDRAW}, {PHT_KEY_CONTROL('z'), PHT_COMMAND_SUSPEND}}},
    {PHT_KEYS_LEAVING,
     "q F10",
     "quit; Ctrl-C too",
     {{'q', PHT_COMMAND_QUIT},
      {F(10), PHT_COMMAND_QUIT},
      {PHT_KEY_CONTROL('c'), PHT_COMMAND_QUIT}}},
    {PHT_KEYS_LEAVING, "? F1", "this help", {{'?', PHT_COMMAND_HELP}, {F(1), PHT_COMMAND_HELP}}},
};

const char *pht_key_group_name(enum pht_key_group group)
{
    static const char *const names[] = {"Moving", "Seeing", "Measuring", "Leaving"};

    return names[group];
}

const struct pht_binding *pht_keymap(size_t *count)
{
    *count = sizeof(bindings) / sizeof(bindings[0]);
    return bindings;
}

enum pht_command pht_keymap_find(int key)
{
    for (size_t i = 0; i < sizeof(bindings) / sizeof(bindings[0]); i++) {
        for (size_t j = 0; j < PHT_KEYS_EACH_MAX && bindings[i].keys[j].key != PHT_KEY_NONE; j++) {
            if (bindings[i].keys[j].key == key)
                return bindings[i].keys[j].command;
        }
    }
    return PHT_COMMAND_NONE;
}

const struct pht_footer_key *pht_keymap_footer(size_t *count)
{
    static const struct pht_footer_key keys[] = {
        {"?", "Help", 0, false},     {"1-5", "Screen", 1, true},   {"/", "Search", 5, false},
        {"\\", "Filter", 6, false},  {"s", "Sort", 5, false},      {"b", "Baseline", 4, false},
        {"r", "Snapshot", 2, false}, {"Space", "Pause", 3, false}, {"p", "Process", 7, false},
        {"e", "Export", 6, false},   {"q", "Quit", 0, false},
    };

    *count = sizeof(keys) / sizeof(keys[0]);
    return keys;
}

const char *pht_key_name(int key, char text[static PHT_KEY_NAME_MAX])
{
    if (key > PHT_KEY_F0 && key <= PHT_KEY_F10)
        snprintf(text, PHT_KEY_NAME_MAX, "F%d", key - PHT_KEY_F0);
    else if (key > ' ' && key < 0x7f)
        snprintf(text, PHT_KEY_NAME_MAX, "%c", key);
    else if (key > 0 && key < ' ')
        snprintf(text, PHT_KEY_NAME_MAX, "Ctrl-%c", key + '@');
    else
        text[0] = '\0';
    return text;
}
