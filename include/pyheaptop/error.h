/*
 * Errors: a code for programs, a text, the diagnosed cause and a remedy for people.
 *
 * Functions that touch the target or the file system return `struct pht_error *`; NULL is
 * success, and the caller owns what is not NULL. Damaged data in the target is not an error: the
 * walkers count it. An error is never recognised by its text.
 */
#ifndef PHT_ERROR_H
#define PHT_ERROR_H

#include <stdbool.h>

enum pht_error_code {
    PHT_ERROR_NO_MEMORY,
    PHT_ERROR_INTERNAL,
    PHT_ERROR_USAGE,
    PHT_ERROR_OUTPUT_FILE,
    PHT_ERROR_FROM_FILE,
    PHT_ERROR_NO_SUCH_PROCESS,
    PHT_ERROR_EXITED_EARLY,
    PHT_ERROR_EXEC_DURING_SNAPSHOT,
    PHT_ERROR_NOT_PYTHON,
    PHT_ERROR_PYTHON_CHILD,
    PHT_ERROR_PYPY,
    PHT_ERROR_NOT_INITIALISED,
    PHT_ERROR_EPERM_OWNER,
    PHT_ERROR_EPERM_YAMA,
    PHT_ERROR_EPERM_CAPABILITY,
    PHT_ERROR_EPERM_NOT_DUMPABLE,
    PHT_ERROR_EPERM_TRACED,
    PHT_ERROR_EPERM_UNKNOWN,
    PHT_ERROR_UNSUPPORTED_ARCH,
    PHT_ERROR_NO_LAYOUT,
    PHT_ERROR_TERMINAL, /* it cannot show screens */
    PHT_ERROR_CANCELLED,
    PHT_ERROR_INCOMPLETE,
};

/*
 * `text` names subject and situation ("pid 42: no such process"), `why` holds a cause only when
 * it was diagnosed, `remedy` one command or action. Texts may span lines; `why` and `remedy` may
 * be NULL. All are printable as they are: names from the target were escaped on the way in.
 */
struct pht_error {
    enum pht_error_code code;
    char *text;
    char *why;
    char *remedy;
};

/* Never NULL: out of memory yields a static error, which pht_error_destroy() accepts too. */
struct pht_error *pht_error_create(enum pht_error_code code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void pht_error_destroy(struct pht_error *error);

/* Set the cause or the remedy of a fresh error and return it, so that calls can be nested. */
struct pht_error *pht_error_because(struct pht_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct pht_error *pht_error_try(struct pht_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct pht_error *pht_error_no_memory(void);

/* The stable id of the catalogue, such as "eperm-yama". */
const char *pht_error_id(enum pht_error_code code);

#endif
