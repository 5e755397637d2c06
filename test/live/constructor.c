/* Preloaded into a program, stops it after all its libraries are mapped and before main(). */
#include <signal.h>

__attribute__((constructor)) static void stop_here(void)
{
    raise(SIGSTOP);
}
