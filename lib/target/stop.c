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

/* How much longer than the limit the helper may take to answer before it is killed. */
#define ANSWER_GRACE_US 50000

struct pht_stopper {
    pid_t helper;
    int channel;
    uint64_t deadline_us;
};

struct pht_error *pht_stopper_create(pid_t pid, int process_fd, struct pht_stopper **ret)
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
        pht_tracer_main(pid, process_fd, ends[1], parent);
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

/* Waits for the answer until `until_us`; a helper that is late is killed, which ends the stop. */
static bool receive(struct pht_stopper *stopper, uint64_t until_us, struct pht_tracer_answer *ret)
{
    for (;;) {
        uint64_t now = pht_clock_us();
        int left_ms = now < until_us ? (int)((until_us - now) / 1000 + 1) : 0;
        struct pollfd poller = {.fd = stopper->channel, .events = POLLIN};
        int ready = poll(&poller, 1, left_ms);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready > 0 && recv(stopper->channel, ret, sizeof(*ret), 0) == sizeof(*ret))
            return true;
        end_helper(stopper);
        return false;
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

    stopper->deadline_us = pht_clock_us() + max_us + ANSWER_GRACE_US;
    if (!ask(stopper, &request))
        return PHT_STOPPER_FAILED;
    if (!receive(stopper, stopper->deadline_us, &answer))
        return PHT_STOPPER_GAVE_UP;
    return answer.result;
}

enum pht_stopper_result pht_stopper_resume(struct pht_stopper *stopper, uint64_t *stopped_us,
                                           bool *expired)
{
    struct pht_tracer_request request = {.stop = false};
    struct pht_tracer_answer answer;

    /* A helper that had to end to free the target has answered before it was asked. */
    ask(stopper, &request);
    if (!receive(stopper, pht_clock_us() + ANSWER_GRACE_US, &answer))
        return PHT_STOPPER_FAILED;
    *stopped_us = answer.stopped_us;
    *expired = answer.expired;
    return answer.result;
}
