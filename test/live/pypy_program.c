/* A program that runs "PyPy": it waits for its standard input to end. */
#include <stdio.h>
#include <unistd.h>

int rpython_startup_code(void);

int main(void)
{
    char byte;

    puts("ready");
    fflush(stdout);
    if (rpython_startup_code() != 0)
        return 1;
    return read(STDIN_FILENO, &byte, 1) < 0;
}
