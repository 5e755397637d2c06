/*
 * A program on musl, and nothing of Python: some memory of malloc, which it holds until its
 * standard input ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCKS 20000

static void *blocks[BLOCKS];

int main(void)
{
    char byte;

    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(16 + i % 500);
        if (blocks[i] == NULL)
            return 1;
        memset(blocks[i], 1, 16 + i % 500);
    }
    puts("ready");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    return 0;
}
