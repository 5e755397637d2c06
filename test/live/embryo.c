/*
 * Starts a program and stops it before its first instruction: the kernel has mapped the program
 * and the dynamic loader, and nothing else. Ends it when standard input ends.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static int start(char **command)
{
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    execv(command[0], command);
    perror("exec");
    return 127;
}

int main(int argc, char **argv)
{
    char byte;
    int status;

    if (argc < 2)
        return 1;
    pid_t child = fork();
    if (child == 0)
        return start(argv + 1);
    /* A traced process stops with SIGTRAP after exec; SIGSTOP is delivered in its place. */
    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
        return 1;
    ptrace(PTRACE_DETACH, child, NULL, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    printf("%d\n", child);
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    kill(child, SIGKILL);
    return 0;
}
