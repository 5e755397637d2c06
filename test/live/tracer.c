/* Traces a process, without stopping it, until its own standard input ends. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char byte;

    if (argc != 2 || ptrace(PTRACE_SEIZE, (pid_t)atoi(argv[1]), NULL, NULL) < 0) {
        perror("ptrace");
        return 1;
    }
    puts("tracing");
    fflush(stdout);
    return read(STDIN_FILENO, &byte, 1) < 0;
}
