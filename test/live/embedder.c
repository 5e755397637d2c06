/*
 * A program that has a Python inside and nothing of Python in its name, as application servers and
 * self-extracting programs have: it waits for a byte, then loads the library that its first
 * argument names, and runs the program that the second names with the rest as arguments.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CODE                                                                                       \
    "import os, sys\n"                                                                             \
    "sys.argv = os.environ['EMBEDDER_ARGUMENTS'].split(' ')\n"                                     \
    "sys.path.insert(0, os.path.dirname(sys.argv[0]))\n"                                           \
    "exec(open(sys.argv[0]).read())\n"

static void *find(void *library, const char *name)
{
    void *found = dlsym(library, name);

    if (found == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    return found;
}

static void join_arguments(char **arguments)
{
    static char joined[4096];

    for (; *arguments != NULL; arguments++) {
        strncat(joined, *arguments, sizeof(joined) - strlen(joined) - 1);
        if (arguments[1] != NULL)
            strncat(joined, " ", sizeof(joined) - strlen(joined) - 1);
    }
    setenv("EMBEDDER_ARGUMENTS", joined, 1);
}

int main(int argc, char **argv)
{
    void (*initialise)(void);
    int (*run)(const char *);
    char byte;

    if (argc < 3)
        return 1;
    puts("ready");
    fflush(stdout);
    if (read(STDIN_FILENO, &byte, 1) != 1)
        return 1;
    join_arguments(argv + 2);
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL);
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    *(void **)&initialise = find(library, "Py_Initialize");
    *(void **)&run = find(library, "PyRun_SimpleString");
    initialise();
    return run(CODE) != 0;
}
