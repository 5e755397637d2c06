#include "cmd/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "base/vec.h"

#define FILE_BYTES_MAX ((size_t)64 << 10)
#define BLANKS " \t\r"

static const char *home(void)
{
    const char *path = getenv("HOME");

    return path != NULL && path[0] == '/' ? path : NULL;
}

char *config_path(void)
{
    const char *folder = getenv("XDG_CONFIG_HOME");

    if (folder != NULL && folder[0] == '/')
        return pht_text_format("%s/pyheaptop/config", folder);
    return home() != NULL ? pht_text_format("%s/.config/pyheaptop/config", home()) : NULL;
}

/* ---- what is wrong ------------------------------------------------------------------------ */

/* The user's own folder is "~". */
static char *show(const char *path)
{
    _cleanup_free_ char *printable = pht_text_printable(path, strlen(path));
    size_t length = home() != NULL ? strlen(home()) : 0;

    if (printable != NULL && length > 1 && strncmp(printable, home(), length) == 0 &&
        printable[length] == '/')
        return pht_text_format("~%s", printable + length);
    return pht_take_ptr(printable);
}

/* A note that there is no memory for is lost. */
static void add_note(struct config *config, const char *note)
{
    char *longer = note != NULL
                       ? pht_text_format("%s%s", config->notes != NULL ? config->notes : "", note)
                       : NULL;

    if (longer == NULL)
        return;
    free(config->notes);
    config->notes = longer;
}

void config_note(struct config *config, unsigned line, const char *text, const char *remedy)
{
    _cleanup_free_ char *note = pht_text_format(
        "pyheaptop: %s:%u: %s (ignored)\n%s%s%s", config->shown != NULL ? config->shown : "config",
        line, text, remedy != NULL ? "  try: " : "", remedy != NULL ? remedy : "",
        remedy != NULL ? "\n" : "");

    add_note(config, note);
}

static void note_file(struct config *config, const char *text)
{
    _cleanup_free_ char *note = pht_text_format(
        "pyheaptop: %s %s (ignored)\n", config->shown != NULL ? config->shown : "config", text);

    add_note(config, note);
}

/* ---- reading ------------------------------------------------------------------------------ */

static bool is_ours_alone(const struct stat *status)
{
    return status->st_uid == geteuid() && (status->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* Of a file that may be read: its text, NULL if it is none of ours. */
static char *read_ours(int fd, struct config *config)
{
    _cleanup_free_ char *text = malloc(FILE_BYTES_MAX + 1);
    struct stat status;
    ssize_t bytes = -1;

    if (text == NULL || fstat(fd, &status) < 0)
        return NULL;
    if (!S_ISREG(status.st_mode)) {
        note_file(config, "is no regular file");
    } else if (!is_ours_alone(&status)) {
        note_file(config, "belongs to another user, or others may write it");
    } else if ((bytes = read(fd, text, FILE_BYTES_MAX + 1)) > (ssize_t)FILE_BYTES_MAX) {
        note_file(config, "is longer than 64K");
        bytes = -1;
    } else if (bytes < 0) {
        note_file(config, strerror(errno));
    }
    if (bytes < 0)
        return NULL;
    text[bytes] = '\0';
    return pht_take_ptr(text);
}

/* Without blanks at both ends; cut in place. */
static char *trim(char *text)
{
    text += strspn(text, BLANKS);
    size_t length = strlen(text);
    while (length > 0 && strchr(BLANKS, text[length - 1]) != NULL)
        length--;
    text[length] = '\0';
    return text;
}

static void take_line(struct config *config, char *line, unsigned number)
{
    struct config_setting setting = {.line = number};
    char *equals = strchr(line, '=');

    line = trim(line);
    if (line[0] == '\0' || line[0] == '#')
        return;
    if (equals == NULL) {
        config_note(config, number, "there is no '='", "delay = 10");
        return;
    }
    *equals = '\0';
    setting.name = trim(line);
    setting.value = trim(equals + 1);
    /* No memory for one, no memory for a report. */
    (void)pht_vec_push(config, setting);
}

void config_read(const char *path, struct config *config)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    unsigned number = 0;

    config->shown = show(path);
    if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
        note_file(config, strerror(errno));
    if (fd < 0)
        return;
    config->text = read_ours(fd, config);
    char *rest = config->text, *line;
    while ((line = strsep(&rest, "\n")) != NULL)
        take_line(config, line, ++number);
}

void config_deinit(struct config *config)
{
    free(config->shown);
    free(config->text);
    free(config->items);
    free(config->notes);
    *config = (struct config){0};
}
