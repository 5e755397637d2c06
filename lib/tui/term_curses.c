#include "tui/terminal.h"

#include <langinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <ncurses.h>

#include "base/text.h"

/* How long a lone Esc waits for the rest of a key. */
#define ESCAPE_MS 25

struct pht_terminal {
    SCREEN *screen;
    bool has_color;
    attr_t looks[PHT_ROLES];
    short pairs[PHT_ROLES];
};

/* ---- the terminal as it was, for a handler that can call nothing -------------------------- */

#define RESTORE_MAX 256

static struct {
    struct termios modes;
    char text[RESTORE_MAX];
    size_t length;
} before;

static const int damages[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

static void restore_and_die(int number)
{
    if (write(STDOUT_FILENO, before.text, before.length) < 0)
        before.length = 0; /* nobody is left to be told */
    tcsetattr(STDIN_FILENO, TCSANOW, &before.modes);
    raise(number); /* its handler was for once */
}

static bool is_capable(const char *capability)
{
    const char *text = tigetstr(capability);

    return text != NULL && text != (char *)-1;
}

/* Without the delays that old terminals ask for, "$<5>". */
static void remember(const char *text)
{
    while (*text != '\0' && before.length < sizeof(before.text)) {
        if (text[0] == '$' && text[1] == '<' && strchr(text, '>') != NULL)
            text = strchr(text, '>') + 1;
        else
            before.text[before.length++] = *text++;
    }
}

static void guard_against_damage(void)
{
    static const char *const capabilities[] = {"rmkx", "sgr0", "cnorm", "rmcup"};
    struct sigaction action = {.sa_handler = restore_and_die,
                               .sa_flags = (int)SA_RESETHAND | SA_NODEFER};

    before.length = 0;
    for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
        if (is_capable(capabilities[i]))
            remember(tigetstr(capabilities[i]));
    }
    if (is_capable("kmous"))
        remember("\x1b[?1000l\x1b[?1006l"); /* reports of the mouse */
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++)
        sigaction(damages[i], &action, NULL);
}

static void stop_guarding(void)
{
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++)
        signal(damages[i], SIG_DFL);
}

/* ---- looks -------------------------------------------------------------------------------- */

struct look {
    short color;    /* of 8; -1: the terminal's own */
    bool is_bright; /* of 16 */
    attr_t attributes;
};

#define CATEGORY(name) (PHT_ROLE_CATEGORY + PHT_CATEGORY_##name)

static const struct look looks[PHT_ROLES] = {
    [PHT_ROLE_TEXT] = {-1, false, A_NORMAL},
    [PHT_ROLE_DIM] = {-1, false, A_DIM},
    [PHT_ROLE_TITLE] = {-1, false, A_BOLD},
    [PHT_ROLE_SORTED] = {-1, false, A_BOLD | A_UNDERLINE},
    [PHT_ROLE_TAB] = {-1, false, A_REVERSE},
    [PHT_ROLE_KEY] = {COLOR_CYAN, false, A_BOLD},
    [PHT_ROLE_MATCH] = {COLOR_YELLOW, false, A_UNDERLINE},
    [PHT_ROLE_GOOD] = {COLOR_GREEN, false, A_NORMAL},
    [PHT_ROLE_WARN] = {COLOR_YELLOW, false, A_BOLD},
    [PHT_ROLE_BAD] = {COLOR_RED, false, A_BOLD},
    [CATEGORY(PYTHON_SMALL)] = {COLOR_GREEN, true, A_NORMAL},
    [CATEGORY(PYMALLOC_SLACK)] = {COLOR_YELLOW, false, A_NORMAL},
    [CATEGORY(PYTHON_LARGE)] = {COLOR_GREEN, false, A_NORMAL},
    [CATEGORY(MALLOC_UNOWNED)] = {COLOR_MAGENTA, false, A_NORMAL},
    [CATEGORY(MALLOC_FREE)] = {COLOR_YELLOW, true, A_NORMAL},
    [CATEGORY(MALLOC_TOP)] = {COLOR_YELLOW, false, A_NORMAL},
    [CATEGORY(MALLOC_MMAPPED)] = {COLOR_MAGENTA, true, A_NORMAL},
    [CATEGORY(OTHER_ALLOCATOR)] = {COLOR_MAGENTA, false, A_BOLD},
    [CATEGORY(FILES)] = {COLOR_BLUE, true, A_NORMAL},
    [CATEGORY(STACKS)] = {COLOR_CYAN, false, A_NORMAL},
    [CATEGORY(SHARED_MEMORY)] = {COLOR_CYAN, true, A_NORMAL},
    [CATEGORY(UNATTRIBUTED)] = {COLOR_RED, false, A_NORMAL},
};

static bool wants_color(enum pht_tui_color color)
{
    const char *no_color = getenv("NO_COLOR");

    if (color == PHT_TUI_COLOR_AUTO)
        return no_color == NULL || no_color[0] == '\0';
    return color == PHT_TUI_COLOR_ALWAYS;
}

static void choose_looks(struct pht_terminal *terminal, enum pht_tui_color color)
{
    terminal->has_color = wants_color(color) && has_colors() && start_color() != ERR &&
                          use_default_colors() != ERR && COLOR_PAIRS > PHT_ROLES;
    for (int role = 0; role < PHT_ROLES; role++) {
        struct look look = looks[role];
        terminal->looks[role] = look.attributes;
        if (!terminal->has_color || look.color < 0)
            continue;
        short number = (short)(look.color + (look.is_bright && COLORS >= 16 ? 8 : 0));
        terminal->pairs[role] = (short)(role + 1);
        init_pair(terminal->pairs[role], number, -1);
    }
}

const char *pht_tui_library(void)
{
    return curses_version();
}

/* ---- opening and closing ------------------------------------------------------------------ */

bool pht_terminal_is_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static void set_modes(void)
{
    raw(); /* Ctrl-C and Ctrl-Z are keys: the target must not be left stopped */
    noecho();
    nonl();
    nodelay(stdscr, TRUE);
    keypad(stdscr, TRUE);
    leaveok(stdscr, FALSE);
    curs_set(0);
    set_escdelay(ESCAPE_MS);
}

static struct pht_error *refuse(const char *name)
{
    struct pht_error *error;

    if (name == NULL || name[0] == '\0') {
        error = pht_error_create(PHT_ERROR_TERMINAL, "TERM is not set, so no screen can be shown");
    } else {
        char *printable = pht_text_printable(name, strnlen(name, 40));
        error = pht_error_create(PHT_ERROR_TERMINAL, "this terminal (TERM=%s) cannot show screens",
                                 printable != NULL ? printable : "");
        free(printable);
    }
    return pht_error_try(error, "pyheaptop -1 PID                   (text report)");
}

/* What a screen cannot be without. */
static bool can_show(void)
{
    return is_capable("cup") && is_capable("clear");
}

struct pht_error *pht_terminal_open(enum pht_tui_color color, struct pht_terminal **ret)
{
    const char *name = getenv("TERM");

    if (name == NULL || name[0] == '\0')
        return refuse(name);
    struct pht_terminal *terminal = calloc(1, sizeof(*terminal));
    if (terminal == NULL)
        return pht_error_no_memory();
    tcgetattr(STDIN_FILENO, &before.modes);
    terminal->screen = newterm(name, stdout, stdin);
    if (terminal->screen == NULL) {
        free(terminal);
        return refuse(name);
    }
    if (!can_show()) {
        endwin();
        delscreen(terminal->screen);
        free(terminal);
        return refuse(name);
    }
    guard_against_damage();
    set_modes();
    choose_looks(terminal, color);
    *ret = terminal;
    return NULL;
}

void pht_terminal_close(struct pht_terminal *terminal)
{
    if (terminal == NULL)
        return;
    mousemask(0, NULL);
    endwin();
    stop_guarding();
    delscreen(terminal->screen);
    free(terminal);
}

void pht_terminal_leave(struct pht_terminal *terminal)
{
    (void)terminal;
    endwin();
}

void pht_terminal_return(struct pht_terminal *terminal)
{
    pht_terminal_redraw(terminal);
    refresh();
    curs_set(0);
}

void pht_terminal_measure(struct pht_terminal *terminal, unsigned *rows, unsigned *columns)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0 &&
        (size.ws_row != LINES || size.ws_col != COLS)) {
        resizeterm(size.ws_row, size.ws_col);
        pht_terminal_redraw(terminal);
    }
    *rows = (unsigned)LINES;
    *columns = (unsigned)COLS;
}

/* ---- showing ------------------------------------------------------------------------------ */

void pht_terminal_redraw(struct pht_terminal *terminal)
{
    (void)terminal;
    clearok(stdscr, TRUE);
}

static void show_cell(const struct pht_terminal *terminal, const struct pht_cell *cell)
{
    wchar_t text[CCHARW_MAX + 1];
    attr_t look = terminal->looks[cell->role];
    cchar_t character;

    size_t length = mbstowcs(text, cell->text, CCHARW_MAX);
    if (length == (size_t)-1 || length == 0) {
        text[0] = L'?';
        length = 1;
    }
    text[length] = L'\0';
    if (cell->is_selected)
        look |= A_REVERSE;
    if (setcchar(&character, text, look, terminal->pairs[cell->role], NULL) != ERR)
        add_wch(&character);
}

void pht_terminal_show(struct pht_terminal *terminal, const struct pht_canvas *canvas)
{
    for (unsigned row = 0; row < canvas->rows; row++) {
        for (unsigned column = 0; column < canvas->columns; column++) {
            const struct pht_cell *cell = pht_canvas_cell(canvas, row, column);
            if (cell->text[0] == '\0')
                continue; /* the second half of the one before */
            move((int)row, (int)column);
            show_cell(terminal, cell);
        }
    }
    refresh();
}

/* ---- keys --------------------------------------------------------------------------------- */

static int function_key(wint_t code)
{
    static const struct {
        wint_t code;
        int key;
    } keys[] = {
        {KEY_UP, PHT_KEY_UP},
        {KEY_DOWN, PHT_KEY_DOWN},
        {KEY_LEFT, PHT_KEY_LEFT},
        {KEY_RIGHT, PHT_KEY_RIGHT},
        {KEY_PPAGE, PHT_KEY_PAGE_UP},
        {KEY_NPAGE, PHT_KEY_PAGE_DOWN},
        {KEY_HOME, PHT_KEY_HOME},
        {KEY_END, PHT_KEY_END},
        {KEY_BACKSPACE, PHT_KEY_BACKSPACE},
        {KEY_BTAB, PHT_KEY_BACKTAB},
        {KEY_ENTER, PHT_KEY_ENTER},
    };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (keys[i].code == code)
            return keys[i].key;
    }
    if (code >= KEY_F(1) && code <= KEY_F(10))
        return PHT_KEY_F0 + (int)(code - KEY_F0);
    return PHT_KEY_OTHER;
}

static struct pht_input mouse_input(void)
{
    MEVENT event;

    if (getmouse(&event) == ERR)
        return (struct pht_input){.key = PHT_KEY_OTHER};
    struct pht_input input = {.key = PHT_KEY_OTHER,
                              .row = event.y > 0 ? (unsigned)event.y : 0,
                              .column = event.x > 0 ? (unsigned)event.x : 0};
    if (event.bstate & BUTTON4_PRESSED)
        input.key = PHT_KEY_UP;
    else if (event.bstate & BUTTON5_PRESSED)
        input.key = PHT_KEY_DOWN;
    else if (event.bstate & BUTTON1_PRESSED)
        input.key = PHT_KEY_CLICK;
    return input;
}

struct pht_input pht_terminal_read(struct pht_terminal *terminal)
{
    wint_t code;

    (void)terminal;
    int result = get_wch(&code);
    if (result == ERR)
        return (struct pht_input){.key = PHT_KEY_NONE};
    if (result == KEY_CODE_YES && code == KEY_MOUSE)
        return mouse_input();
    if (result == KEY_CODE_YES)
        return (struct pht_input){.key = function_key(code)};
    if (code == '\r')
        return (struct pht_input){.key = PHT_KEY_ENTER};
    if (code == 0x7f || code == '\b')
        return (struct pht_input){.key = PHT_KEY_BACKSPACE};
    return (struct pht_input){.key = code != 0 ? (int)code : PHT_KEY_OTHER};
}

void pht_terminal_use_mouse(struct pht_terminal *terminal, bool on)
{
    (void)terminal;
    mouseinterval(0);
    mousemask(on ? BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED : 0, NULL);
}
