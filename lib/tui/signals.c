#include "tui/signals.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct pht_error *pht_signals_catch(struct pht_signals *signals)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP};
    sigset_t caught;

    sigemptyset(&caught);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaddset(&caught, numbers[i]);
    signals->fd = signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals->fd < 0)
        return pht_error_create(PHT_ERROR_INTERNAL, "cannot read signals: errno %d", errno);
    pthread_sigmask(SIG_BLOCK, &caught, &signals->before);
    return NULL;
}

void pht_signals_release(struct pht_signals *signals)
{
    pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
    close(signals->fd);
}

int pht_signals_next(struct pht_signals *signals)
{
    struct signalfd_siginfo info;

    return read(signals->fd, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

void pht_signals_suspend(struct pht_terminal *terminal)
{
    sigset_t stop;

    pht_terminal_leave(terminal);
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    signal(SIGTSTP, SIG_DFL);
    kill(0, SIGTSTP); /* as the terminal would have done */
    pthread_sigmask(SIG_UNBLOCK, &stop, NULL);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    pht_terminal_return(terminal);
}
