/*
 * Settings of a user, in $XDG_CONFIG_HOME/pyheaptop/config or ~/.config/pyheaptop/config:
 *
 *     # a comment
 *     delay = 10
 *     no-types = yes
 *
 * The names are those of the long options. What is wrong there is noted, and never more than
 * ignored. The file is only read.
 */
#ifndef PHT_CMD_CONFIG_H
#define PHT_CMD_CONFIG_H

#include <stddef.h>

struct config_setting {
    const char *name;
    const char *value;
    unsigned line;
};

/* Begins as zeros. */
struct config {
    char *shown; /* how the file is called to the user, fit to print */
    char *text;  /* which the settings lie in */
    struct config_setting *items;
    size_t count;
    size_t capacity;
    char *notes; /* whole lines for the user; NULL: none */
};

/* The user's file. NULL where there is no place for it; the caller frees it. */
char *config_path(void);

/*
 * Read a file. One that is not there has no settings, and one that others own or may write is
 * noted and left alone. The settings live as long as `config`.
 */
void config_read(const char *path, struct config *config);
void config_deinit(struct config *config);

/* "~/.config/pyheaptop/config:4: ... (ignored)". `remedy` may be NULL. */
void config_note(struct config *config, unsigned line, const char *text, const char *remedy);

#endif
