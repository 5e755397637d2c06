#include "target/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "target/tracer.h"

/* How much longer than the limit of a stop the helper may take to answer before it is killed. */
#define STOP_GRACE_US 50000

/* A helper that is to release the target does so at once; to say so it needs the processor. */
#define RESUME_GRACE_US 1000000

struct pht_stopper {
    pid_t helper;
    int channel;
};

struct pht_error *pht_stopper_create(int process_fd, struct pht_stopper **ret)
{
    struct pht_stopper *stopper = malloc(sizeof(*stopper));
    int ends[2];

    if (stopper == NULL)
        return pht_error_no_memory();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        free(stopper);
        return pht_error_create(PHT_ERROR_INTERNAL, "cannot make a socket pair: errno %d", errno);
    }
    /* No signal may reach the helper between fork and its own mask: a Ctrl-C goes to us alone. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    pid_t helper = fork();
    if (helper == 0)
        pht_tracer_main(process_fd, ends[1], parent);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (helper < 0) {
        close(ends[0]);
        free(stopper);
        return pht_error_create(PHT_ERROR_INTERNAL, "cannot fork: errno %d", errno);
    }
    *stopper = (struct pht_stopper){.helper = helper, .channel = ends[0]};
    *ret = stopper;
    return NULL;
}

static void end_helper(struct pht_stopper *stopper)
{
    if (stopper->helper <= 0)
        return;
    kill(stopper->helper, SIGKILL);
    while (waitpid(stopper->helper, NULL, 0) < 0 && errno == EINTR)
        ;
    stopper->helper = -1;
}

void pht_stopper_destroy(struct pht_stopper *stopper)
{
    if (stopper == NULL)
        return;
    end_helper(stopper);
    close(stopper->channel);
    free(stopper);
}

enum reception {
    RECEIVED,
    LATE,
    GONE,
};

/* Waits for the answer; a helper that is late is killed, which ends the stop. */
static enum reception receive(struct pht_stopper *stopper, uint64_t wait_us,
                              struct pht_tracer_answer *ret)
{
    uint64_t until_us = pht_clock_us() + wait_us;

    for (;;) {
        uint64_t now = pht_clock_us();
        int left_ms = now < until_us ? (int)((until_us - now) / 1000 + 1) : 0;
        struct pollfd poller = {.fd = stopper->channel, .events = POLLIN};
        int ready = poll(&poller, 1, left_ms);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready > 0 && recv(stopper->channel, ret, sizeof(*ret), 0) == sizeof(*ret))
            return RECEIVED;
        end_helper(stopper);
        return ready > 0 ? GONE : LATE;
    }
}

static bool ask(struct pht_stopper *stopper, const struct pht_tracer_request *request)
{
    return stopper->helper > 0 &&
           send(stopper->channel, request, sizeof(*request), MSG_NOSIGNAL) == sizeof(*request);
}

enum pht_stopper_result pht_stopper_stop(struct pht_stopper *stopper, uint64_t max_us)
{
    struct pht_tracer_request request = {.stop = true, .max_us = max_us};
    struct pht_tracer_answer answer;

    if (!ask(stopper, &request))
        return PHT_STOPPER_FAILED;
    switch (receive(stopper, max_us + STOP_GRACE_US, &answer)) {
    case RECEIVED:
        return answer.result;
    case LATE:
        return PHT_STOPPER_GAVE_UP;
    case GONE:
        break;
    }
    return PHT_STOPPER_FAILED;
}

enum pht_stopper_result pht_stopper_resume(struct pht_stopper *stopper, uint64_t *stopped_us,
                                           bool *expired)
{
    struct pht_tracer_request request = {.stop = false};
    struct pht_tracer_answer answer;

    /* A helper that had to end to free the target has answered before it was asked. */
    ask(stopper, &request);
    if (receive(stopper, RESUME_GRACE_US, &answer) != RECEIVED)
        return PHT_STOPPER_FAILED;
    *stopped_us = answer.stopped_us;
    *expired = answer.expired;
    return answer.result;
}
