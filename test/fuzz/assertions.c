/*
 * What test/support asserts with. Check's own needs a test that runs; here a failure is a crash,
 * which libFuzzer keeps the input of.
 */
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void _mark_point(const char *file, int line)
{
    (void)file;
    (void)line;
}

void _ck_assert_failed(const char *file, int line, const char *expr, const char *msg, ...)
{
    va_list arguments;

    fprintf(stderr, "%s:%d: %s", file, line, expr);
    if (msg != NULL) {
        fputs(": ", stderr);
        va_start(arguments, msg);
        vfprintf(stderr, msg, arguments);
        va_end(arguments);
    }
    fputc('\n', stderr);
    abort();
}
