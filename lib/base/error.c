#include "pyheaptop/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Failing to allocate an error must not fail, so this one is never allocated and never freed. */
static char no_memory_text[] = "out of memory";
static struct pht_error no_memory = {.code = PHT_ERROR_NO_MEMORY, .text = no_memory_text};

struct pht_error *pht_error_no_memory(void)
{
    return &no_memory;
}

struct pht_error *pht_error_create(enum pht_error_code code, const char *format, ...)
{
    struct pht_error *error = calloc(1, sizeof(*error));

    if (error == NULL)
        return &no_memory;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&error->text, format, arguments);
    va_end(arguments);
    if (length < 0) {
        free(error);
        return &no_memory;
    }
    error->code = code;
    return error;
}

void pht_error_destroy(struct pht_error *error)
{
    if (error == NULL || error == &no_memory)
        return;
    free(error->text);
    free(error->why);
    free(error->remedy);
    free(error);
}

/* A cause or remedy that does not fit into memory is left out; the error itself stands. */
static void set_text(char **text, const char *format, va_list arguments)
{
    char *fresh = NULL;

    if (vasprintf(&fresh, format, arguments) < 0)
        return;
    free(*text);
    *text = fresh;
}

struct pht_error *pht_error_because(struct pht_error *error, const char *format, ...)
{
    if (error == &no_memory)
        return error;
    va_list arguments;
    va_start(arguments, format);
    set_text(&error->why, format, arguments);
    va_end(arguments);
    return error;
}

struct pht_error *pht_error_try(struct pht_error *error, const char *format, ...)
{
    if (error == &no_memory)
        return error;
    va_list arguments;
    va_start(arguments, format);
    set_text(&error->remedy, format, arguments);
    va_end(arguments);
    return error;
}

const char *pht_error_id(enum pht_error_code code)
{
    switch (code) {
    case PHT_ERROR_NO_MEMORY:
        return "no-memory";
    case PHT_ERROR_INTERNAL:
        return "internal";
    case PHT_ERROR_USAGE:
        return "usage";
    case PHT_ERROR_OUTPUT_FILE:
        return "output-file";
    case PHT_ERROR_FROM_FILE:
        return "from-file";
    case PHT_ERROR_NO_SUCH_PROCESS:
        return "no-such-process";
    case PHT_ERROR_EXITED_EARLY:
        return "exited-early";
    case PHT_ERROR_EXEC_DURING_SNAPSHOT:
        return "exec-during-snapshot";
    case PHT_ERROR_NOT_PYTHON:
        return "not-python";
    case PHT_ERROR_PYTHON_CHILD:
        return "python-child";
    case PHT_ERROR_PYPY:
        return "pypy";
    case PHT_ERROR_NOT_INITIALISED:
        return "not-initialised";
    case PHT_ERROR_EPERM_OWNER:
        return "eperm-owner";
    case PHT_ERROR_EPERM_YAMA:
        return "eperm-yama";
    case PHT_ERROR_EPERM_CAPABILITY:
        return "eperm-capability";
    case PHT_ERROR_EPERM_NOT_DUMPABLE:
        return "eperm-not-dumpable";
    case PHT_ERROR_EPERM_TRACED:
        return "eperm-traced";
    case PHT_ERROR_EPERM_UNKNOWN:
        return "eperm-unknown";
    case PHT_ERROR_UNSUPPORTED_ARCH:
        return "unsupported-arch";
    case PHT_ERROR_INCOMPLETE:
        return "incomplete";
    case PHT_ERROR_TERMINAL:
        return "terminal-dumb";
    case PHT_ERROR_CANCELLED:
        return "cancelled";
    case PHT_ERROR_NO_LAYOUT:
        return "no-layout";
    }
    return "internal";
}
