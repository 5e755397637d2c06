/*
 * The steward: a process that is forked before the sandbox is entered, and does the few things that
 * the sandbox forbids, and those only.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pyheaptop/target.h"
#include "target/capabilities.h"
#include "target/descriptors.h"
#include "target/pagemap.h"
#include "target/stop.h"

/* Where standard output is closed, nothing that we open may take its place. */
#define FD_FIRST 3

/* In the steward, which has no other use for it. */
#define FD_CHANNEL FD_FIRST

struct pht_steward {
    pid_t process;
    int channel;
    pthread_mutex_t lock; /* one errand at a time */
};

struct head {
    enum pht_duty duty;
};

static void close_if(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* Takes `fd`; -1 if there is no other number. */
static int move_up(int fd)
{
    if (fd < 0 || fd >= FD_FIRST)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, FD_FIRST);
    close(fd);
    return moved;
}

/* ---- messages ----------------------------------------------------------------------------- */

/* Room for one descriptor. */
union control {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr aligned;
};

static bool send_message(int channel, struct iovec *parts, size_t count, int fd)
{
    union control control = {0};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};

    if (fd >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof(control);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        *header = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof(fd)),
            .cmsg_level = SOL_SOCKET,
            .cmsg_type = SCM_RIGHTS,
        };
        memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    }
    return sendmsg(channel, &message, MSG_NOSIGNAL) >= 0;
}

/* How much came; 0 if the other side is gone, -1 if it was too much. `*fd` is -1 if none came. */
static ssize_t receive_message(int channel, struct iovec *parts, size_t count, int *fd)
{
    union control control;
    struct msghdr message = {
        .msg_iov = parts,
        .msg_iovlen = count,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    ssize_t got;

    *fd = -1;
    do
        got = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return 0;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        memcpy(fd, CMSG_DATA(header), sizeof(*fd));
    return message.msg_flags & MSG_TRUNC ? -1 : got;
}

/* ---- the steward's side ------------------------------------------------------------------- */

static void serve(const struct pht_duties *duties)
{
    static char request[PHT_ERRAND_BYTES_MAX];
    struct head head;
    struct iovec parts[] = {{&head, sizeof(head)}, {request, sizeof(request)}};
    struct pht_errand errand = {.request = request, .answer = -1};

    ssize_t got = receive_message(FD_CHANNEL, parts, 2, &errand.with);
    if (got == 0)
        _exit(0);
    int status = EINVAL;
    if (got >= (ssize_t)sizeof(head) && head.duty < PHT_DUTIES && duties->of[head.duty].perform) {
        errand.bytes = (size_t)got - sizeof(head);
        status = duties->of[head.duty].perform(duties->of[head.duty].context, &errand);
    }
    struct iovec reply = {&status, sizeof(status)};
    if (!send_message(FD_CHANNEL, &reply, 1, errand.answer))
        _exit(0);
    close_if(errand.with);
    close_if(errand.answer);
}

/* What it writes for us it opens itself. */
static void keep_only(int channel)
{
    int fd = fcntl(channel, F_DUPFD_CLOEXEC, FD_CHANNEL + 1);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (fd < 0 || null < 0)
        _exit(0);
    for (int i = 0; i < FD_FIRST; i++)
        dup2(null, i);
    dup3(fd, FD_CHANNEL, O_CLOEXEC);
    pht_descriptors_close_from(FD_CHANNEL + 1);
}

static void run(int channel, pid_t parent, const struct pht_duties *duties)
    __attribute__((noreturn));

static void run(int channel, pid_t parent, const struct pht_duties *duties)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (getppid() != parent)
        _exit(0);
    keep_only(channel);
    /* It stops targets, sees page frames, and writes files where its parent could have. */
    pht_capabilities_keep(PHT_CAPABILITY(CAP_SYS_PTRACE) | PHT_CAPABILITY(CAP_SYS_NICE) |
                          PHT_CAPABILITY(CAP_SYS_ADMIN) | PHT_CAPABILITY(CAP_DAC_READ_SEARCH) |
                          PHT_CAPABILITY(CAP_DAC_OVERRIDE) | PHT_CAPABILITY(CAP_FOWNER));
    for (;;)
        serve(duties);
}

/* ---- our side ----------------------------------------------------------------------------- */

static struct pht_error *begin(const struct pht_duties *duties, struct pht_steward *ret)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return pht_error_create(PHT_ERROR_INTERNAL, "cannot make a socket pair: errno %d", errno);
    /* A Ctrl-C goes to us alone, and the steward ends when we do. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    pid_t process = fork();
    if (process == 0)
        run(ends[1], parent, duties);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (process < 0) {
        close(ends[0]);
        return pht_error_create(PHT_ERROR_INTERNAL, "cannot fork: errno %d", errno);
    }
    *ret = (struct pht_steward){.process = process, .channel = move_up(ends[0])};
    return NULL;
}

struct pht_error *pht_steward_begin(const struct pht_duties *duties, struct pht_steward **ret)
{
    struct pht_steward *steward = malloc(sizeof(*steward));

    if (steward == NULL)
        return pht_error_no_memory();
    struct pht_duties all = *duties;
    pid_t tracer = -1;
    all.of[PHT_DUTY_STOP] = (struct pht_duty_row){pht_stopper_perform, &tracer};
    all.of[PHT_DUTY_PAGEMAP] = (struct pht_duty_row){pht_pagemap_perform, NULL};
    struct pht_error *error = begin(&all, steward);
    if (error != NULL) {
        free(steward);
        return error;
    }
    pthread_mutex_init(&steward->lock, NULL);
    *ret = steward;
    return NULL;
}

void pht_steward_end(struct pht_steward *steward)
{
    if (steward == NULL)
        return;
    /* A child of ours may have a copy. */
    shutdown(steward->channel, SHUT_RDWR);
    close(steward->channel);
    while (waitpid(steward->process, NULL, 0) < 0 && errno == EINTR)
        ;
    pthread_mutex_destroy(&steward->lock);
    free(steward);
}

static int ask(struct pht_steward *steward, enum pht_duty duty, const void *request, size_t bytes,
               int with, int *answer)
{
    struct head head = {.duty = duty};
    int status;
    struct iovec parts[] = {{&head, sizeof(head)}, {(void *)(uintptr_t)request, bytes}};
    struct iovec reply = {&status, sizeof(status)};

    if (bytes > PHT_ERRAND_BYTES_MAX)
        return E2BIG;
    if (!send_message(steward->channel, parts, 2, with) ||
        receive_message(steward->channel, &reply, 1, answer) != sizeof(status))
        return EPIPE;
    return status;
}

int pht_steward_ask(struct pht_steward *steward, enum pht_duty duty, const void *request,
                    size_t bytes, int with, int *answer)
{
    int fd = -1;

    pthread_mutex_lock(&steward->lock);
    int status = ask(steward, duty, request, bytes, with, &fd);
    pthread_mutex_unlock(&steward->lock);
    if (fd >= 0 && (fd = move_up(fd)) < 0)
        status = EMFILE;
    if (answer != NULL)
        *answer = fd;
    else
        close_if(fd);
    return status;
}
