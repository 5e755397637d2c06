#include "cmd/failure.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "pyheaptop/view.h"

static int exit_code(enum pht_error_code code)
{
    switch (code) {
    case PHT_ERROR_NO_MEMORY:
    case PHT_ERROR_INTERNAL:
        return 1;
    case PHT_ERROR_USAGE:
    case PHT_ERROR_OUTPUT_FILE:
    case PHT_ERROR_FROM_FILE:
    case PHT_ERROR_TERMINAL:
        return 2;
    case PHT_ERROR_NO_SUCH_PROCESS:
    case PHT_ERROR_EXITED_EARLY:
    case PHT_ERROR_EXEC_DURING_SNAPSHOT:
        return 3;
    case PHT_ERROR_NOT_PYTHON:
    case PHT_ERROR_PYTHON_CHILD:
    case PHT_ERROR_PYPY:
    case PHT_ERROR_NOT_INITIALISED:
        return 4;
    case PHT_ERROR_EPERM_OWNER:
    case PHT_ERROR_EPERM_YAMA:
    case PHT_ERROR_EPERM_CAPABILITY:
    case PHT_ERROR_EPERM_NOT_DUMPABLE:
    case PHT_ERROR_EPERM_TRACED:
    case PHT_ERROR_EPERM_UNKNOWN:
        return 5;
    case PHT_ERROR_UNSUPPORTED_ARCH:
    case PHT_ERROR_NO_LAYOUT:
        return 6;
    case PHT_ERROR_INCOMPLETE:
        return 8;
    case PHT_ERROR_CANCELLED:
        return 130;
    }
    return 1;
}

/*
 * Lines of a text: the first after `label`, the rest below it. A remedy's further line is another
 * way ("or:"), unless it begins with a space and goes on with the one before.
 */
static void write_lines(const char *label, const char *next, const char *text)
{
    for (const char *end = text; end != NULL; text = end + 1, label = next) {
        end = strchr(text, '\n');
        int length = end != NULL ? (int)(end - text) : (int)strlen(text);
        fprintf(stderr, "%s%.*s\n", text[0] == ' ' ? "  " : label, length, text);
        if (end == NULL)
            break;
    }
}

struct pht_error *failure_of_incomplete(const struct pht_report *report)
{
    _cleanup_free_ char *ids = NULL;

    if (report->complete)
        return NULL;
    for (size_t i = 0; i < report->warnings.count; i++) {
        char *longer = pht_text_format("%s%s%s", ids != NULL ? ids : "", ids != NULL ? ", " : "",
                                       report->warnings.items[i].id);
        free(ids);
        ids = longer;
    }
    struct pht_error *error =
        pht_error_create(PHT_ERROR_INCOMPLETE, "something had to be left out of the report");
    return ids != NULL ? pht_error_because(error, "%s", ids) : error;
}

int failure_tell(struct pht_error *error, bool json)
{
    int code = exit_code(error->code);

    write_lines("pyheaptop: ", "  ", error->text);
    if (error->why != NULL)
        write_lines("  why: ", "       ", error->why);
    if (error->remedy != NULL)
        write_lines("  try: ", "   or: ", error->remedy);
    if (json && error->code != PHT_ERROR_INCOMPLETE)
        pht_json_error_write(error, stdout);
    pht_error_destroy(error);
    return code;
}
