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
#include "target/filter.h"
#include "target/tracer.h"

/* How much longer than the limit of a stop the helper may take to answer before it is killed. */
#define STOP_GRACE_US 50000

/* A helper that is to release the target does so at once; to say so it needs the processor. */
#define RESUME_GRACE_US 1000000

struct pht_stopper {
    pid_t helper; /* -1: none, or the steward's */
    int channel;  /* -1 once the helper has been ended */
    struct pht_steward *steward;
};

/* False with errno set. */
static bool fork_helper(int process_fd, pid_t *helper, int *channel)
{
    struct pht_filter filter;
    int ends[2];

    /* A kernel without filters does without. */
    if (!pht_tracer_make_filter(&filter) && errno == ENOMEM)
        return false;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        pht_filter_deinit(&filter);
        return false;
    }
    /* No signal may reach the helper between fork and its own mask: a Ctrl-C goes to us alone. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    *helper = fork();
    int cause = errno;
    if (*helper == 0)
        pht_tracer_main(process_fd, ends[1], parent, &filter);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pht_filter_deinit(&filter);
    close(ends[1]);
    *channel = ends[0];
    if (*helper > 0)
        return true;
    close(ends[0]);
    errno = cause;
    return false;
}

static void end_process(pid_t *helper)
{
    if (*helper <= 0)
        return;
    kill(*helper, SIGKILL);
    while (waitpid(*helper, NULL, 0) < 0 && errno == EINTR)
        ;
    *helper = -1;
}

/* ---- the steward's part ------------------------------------------------------------------- */

enum errand {
    BEGIN,
    END,
};

int pht_stopper_perform(void *context, struct pht_errand *errand)
{
    pid_t *helper = context;
    const unsigned char *wanted = errand->request;

    if (errand->bytes != 1)
        return EINVAL;
    end_process(helper);
    if (wanted[0] != BEGIN)
        return 0;
    return fork_helper(errand->with, helper, &errand->answer) ? 0 : errno;
}

static int tell_steward(struct pht_steward *steward, enum errand errand, int process_fd,
                        int *channel)
{
    const unsigned char request = (unsigned char)errand;

    return pht_steward_ask(steward, PHT_DUTY_STOP, &request, 1, process_fd, channel);
}

/* ---- lifetime ----------------------------------------------------------------------------- */

struct pht_error *pht_stopper_create(int process_fd, struct pht_steward *steward,
                                     struct pht_stopper **ret)
{
    struct pht_stopper *stopper = malloc(sizeof(*stopper));
    int cause = 0;

    if (stopper == NULL)
        return pht_error_no_memory();
    *stopper = (struct pht_stopper){.helper = -1, .channel = -1, .steward = steward};
    if (steward != NULL)
        cause = tell_steward(steward, BEGIN, process_fd, &stopper->channel);
    else if (!fork_helper(process_fd, &stopper->helper, &stopper->channel))
        cause = errno;
    if (cause != 0) {
        free(stopper);
        return pht_error_create(PHT_ERROR_INTERNAL, "cannot fork a helper: errno %d", cause);
    }
    *ret = stopper;
    return NULL;
}

/* Without its helper the target runs. */
static void end_helper(struct pht_stopper *stopper)
{
    if (stopper->channel < 0)
        return;
    if (stopper->steward != NULL)
        tell_steward(stopper->steward, END, -1, NULL);
    else
        end_process(&stopper->helper);
    close(stopper->channel);
    stopper->channel = -1;
}

void pht_stopper_destroy(struct pht_stopper *stopper)
{
    if (stopper == NULL)
        return;
    end_helper(stopper);
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
    return stopper->channel >= 0 &&
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
    if (stopper->channel < 0 || receive(stopper, RESUME_GRACE_US, &answer) != RECEIVED)
        return PHT_STOPPER_FAILED;
    *stopped_us = answer.stopped_us;
    *expired = answer.expired;
    return answer.result;
}
