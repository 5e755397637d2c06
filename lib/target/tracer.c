#include "target/tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "target/capabilities.h"
#include "target/descriptors.h"
#include "target/priority.h"

/* What there is room for; more than can be stopped in the default limit, see stop_budget.h. */
#define THREADS_MAX 4096

/* To let one go. */
#define RELEASE_US 5

/* While threads are waited for, look this often at the clock and at threads that died. */
#define TICK_US 1000

enum thread_state {
    THREAD_SEIZED,
    THREAD_STOPPED,
    THREAD_GONE,
};

struct thread {
    pid_t tid;
    enum thread_state state;
    int pending_signal; /* taken from the thread by its stop, given back when it is released */
};

/* One per process, in the helper only: it has no other purpose than this stop. */
struct tracer {
    int process_fd;
    int task_fd;
    int channel;
    uint64_t max_us;
    uint64_t started_us;
    uint64_t deadline_us;
    size_t count;
    size_t waiting; /* threads in THREAD_SEIZED */
    bool refused;
    bool execed;
    bool leftover; /* a dead thread is still ours: only our end hands it back */
    struct thread threads[THREADS_MAX];
};

static struct tracer tracer;

static struct thread *find_thread(struct tracer *self, pid_t tid)
{
    for (size_t i = self->count; i-- > 0;) {
        if (self->threads[i].tid == tid)
            return &self->threads[i];
    }
    return NULL;
}

/* 'Z', 'S' ... from task/TID/stat, 0 when the thread is gone. */
static char thread_state_letter(struct tracer *self, pid_t tid)
{
    char path[32] = "task/", digits[12], text[512];
    size_t length = 0;

    do {
        digits[length++] = (char)('0' + tid % 10);
        tid /= 10;
    } while (tid > 0);
    char *out = path + 5;
    while (length > 0)
        *out++ = digits[--length];
    memcpy(out, "/stat", 6);
    int fd = openat(self->process_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t got = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (got <= 0)
        return 0;
    text[got] = '\0';
    const char *at = strrchr(text, ')');
    return at != NULL && at[1] == ' ' ? at[2] : 0;
}

static bool is_dead(char letter)
{
    return letter == 0 || letter == 'Z' || letter == 'X';
}

/*
 * False when the table is full or tracing is refused. A thread that just ended is no failure; it
 * is entered too, since a first thread that ended stays in the list as long as others run.
 */
static bool seize(struct tracer *self, pid_t tid)
{
    struct thread *thread = &self->threads[self->count];

    if (self->count == THREADS_MAX)
        return false;
    if (ptrace(PTRACE_SEIZE, tid, NULL, PTRACE_O_TRACEEXEC) == 0) {
        *thread = (struct thread){.tid = tid, .state = THREAD_SEIZED};
        self->waiting++;
    } else if (errno == ESRCH || is_dead(thread_state_letter(self, tid))) {
        *thread = (struct thread){.tid = tid, .state = THREAD_GONE};
    } else {
        self->refused = true;
        return false;
    }
    self->count++;
    return true;
}

/* include/linux/dirent.h: what getdents64(2) fills in. */
struct directory_entry {
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

/* Seize every thread not seen before; `*found` counts them. */
static bool seize_new_threads(struct tracer *self, size_t *found)
{
    static _Alignas(8) char buffer[32 << 10];

    *found = 0;
    if (lseek(self->task_fd, 0, SEEK_SET) < 0)
        return true;
    for (;;) {
        long got = syscall(SYS_getdents64, self->task_fd, buffer, sizeof(buffer));
        if (got <= 0)
            return true;
        for (long at = 0; at < got;) {
            const struct directory_entry *entry = (const void *)(buffer + at);
            pid_t tid = (pid_t)atoi(entry->name);
            at += entry->length;
            if (tid <= 0 || find_thread(self, tid) != NULL)
                continue;
            if (!seize(self, tid))
                return false;
            (*found)++;
        }
    }
}

static void interrupt_from(struct tracer *self, size_t first)
{
    for (size_t i = first; i < self->count; i++) {
        if (self->threads[i].state == THREAD_SEIZED)
            ptrace(PTRACE_INTERRUPT, self->threads[i].tid, NULL, NULL);
    }
}

/*
 * A stop may be the one we asked for (PTRACE_EVENT_STOP), an exec, or a signal that was on its
 * way: that one is noted, to be delivered when the thread is released.
 */
static void note_status(struct tracer *self, pid_t tid, int status)
{
    struct thread *thread = find_thread(self, tid);

    if (thread == NULL)
        return;
    if (thread->state == THREAD_SEIZED)
        self->waiting--;
    if (!WIFSTOPPED(status)) {
        thread->state = THREAD_GONE;
        return;
    }
    thread->state = THREAD_STOPPED;
    int event = status >> 16;
    if (event == PTRACE_EVENT_EXEC)
        self->execed = true;
    else if (event == 0)
        thread->pending_signal = WSTOPSIG(status);
}

/*
 * A leader that ended before its other threads is never reported by waitpid(2), and neither is a
 * thread whose number an exec gave to the leader.
 */
static void drop_dead_threads(struct tracer *self)
{
    for (size_t i = 0; i < self->count; i++) {
        struct thread *thread = &self->threads[i];
        if (thread->state == THREAD_SEIZED && is_dead(thread_state_letter(self, thread->tid))) {
            thread->state = THREAD_GONE;
            self->waiting--;
            self->leftover = true;
        }
    }
}

/* Wait until no thread is missing. False at the deadline. */
static bool wait_for_threads(struct tracer *self)
{
    while (self->waiting > 0) {
        int status;
        pid_t tid = waitpid(-1, &status, __WALL);
        if (tid > 0) {
            note_status(self, tid, status);
            continue;
        }
        if (pht_clock_us() >= self->deadline_us)
            return false;
        drop_dead_threads(self);
        if (tid < 0 && errno == ECHILD)
            return self->waiting == 0;
    }
    return true;
}

/*
 * Threads that have stopped must be let go one by one, and the last one be free at the limit. From
 * the first request on; that attached to them is no stop.
 */
static void set_deadline(struct tracer *self)
{
    uint64_t release_us = self->count * RELEASE_US;

    if (release_us > self->max_us / 2)
        release_us = self->max_us / 2;
    self->started_us = pht_clock_us();
    self->deadline_us = self->started_us + self->max_us - release_us;
}

static enum pht_stopper_result stop_all(struct tracer *self)
{
    size_t found;

    /*
     * First attach to all, which stops none, then stop all at once. A thread that still ran
     * meanwhile may have made another, so look again until nothing is new.
     */
    do {
        size_t first = self->count;
        if (!seize_new_threads(self, &found))
            return self->refused ? PHT_STOPPER_REFUSED : PHT_STOPPER_GAVE_UP;
        if (first == 0)
            set_deadline(self);
        interrupt_from(self, first);
        if (!wait_for_threads(self))
            return PHT_STOPPER_GAVE_UP;
        if (self->execed)
            return PHT_STOPPER_EXECED;
    } while (found > 0);
    for (size_t i = 0; i < self->count; i++) {
        if (self->threads[i].state == THREAD_STOPPED)
            return PHT_STOPPER_STOPPED;
    }
    return PHT_STOPPER_EXITED;
}

/*
 * False if a thread could not be released because it was killed meanwhile, or never stopped: the
 * kernel then holds its remains for us, and its parent cannot collect it before our end.
 */
static bool release_all(struct tracer *self)
{
    bool clean = self->waiting == 0 && !self->leftover;

    for (size_t i = 0; i < self->count; i++) {
        struct thread *thread = &self->threads[i];
        if (thread->state == THREAD_STOPPED &&
            ptrace(PTRACE_DETACH, thread->tid, NULL, (long)thread->pending_signal) < 0)
            clean = false;
    }
    self->count = self->waiting = 0;
    return clean;
}

static void set_tick(uint64_t us)
{
    struct itimerval timer = {
        .it_value = {.tv_usec = (suseconds_t)us},
        .it_interval = {.tv_usec = (suseconds_t)us},
    };

    setitimer(ITIMER_REAL, &timer, NULL);
}

static void answer(struct tracer *self, const struct pht_tracer_answer *answer)
{
    if (send(self->channel, answer, sizeof(*answer), MSG_NOSIGNAL) != sizeof(*answer))
        _exit(0);
}

/* Wait for the next request until the deadline; true if one came. Without a peer, end. */
static bool receive(struct tracer *self, uint64_t deadline_us, struct pht_tracer_request *ret)
{
    for (;;) {
        uint64_t now = pht_clock_us();
        struct timespec left = {
            .tv_sec = (time_t)(now < deadline_us ? (deadline_us - now) / 1000000 : 0),
            .tv_nsec = (long)(now < deadline_us ? (deadline_us - now) % 1000000 * 1000 : 0),
        };
        struct pollfd poller = {.fd = self->channel, .events = POLLIN};
        int ready = ppoll(&poller, 1, deadline_us == UINT64_MAX ? NULL : &left, NULL);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready == 0)
            return false;
        if (ready < 0 || recv(self->channel, ret, sizeof(*ret), 0) != sizeof(*ret))
            _exit(0);
        return true;
    }
}

static void serve_stop(struct tracer *self, uint64_t max_us)
{
    struct pht_tracer_request request = {0};
    struct pht_tracer_answer reply = {0};

    self->refused = self->execed = self->leftover = false;
    self->max_us = max_us;
    set_deadline(self);
    set_tick(TICK_US);
    reply.result = stop_all(self);
    set_tick(0);
    if (reply.result != PHT_STOPPER_STOPPED) {
        bool clean = release_all(self);
        answer(self, &reply);
        if (!clean)
            _exit(0);
        return;
    }
    answer(self, &reply);
    reply.expired = !receive(self, self->deadline_us, &request);
    bool clean = release_all(self);
    reply.stopped_us = pht_clock_us() - self->started_us;
    if (reply.expired && clean)
        receive(self, UINT64_MAX, &request);
    answer(self, &reply);
    if (!clean)
        _exit(0);
}

static void on_tick(int signal)
{
    (void)signal;
}

static void prepare(struct tracer *self, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* Whoever stops our parent by its group, with SIGSTOP, does not mean the watch over the limit.
     */
    setpgid(0, 0);
    if (getppid() != parent)
        _exit(0);
    int *const used[] = {&self->channel, &self->process_fd, &self->task_fd};
    if (!pht_descriptors_keep_only(used, 3))
        _exit(0);
    struct sigaction action = {.sa_handler = on_tick};
    sigset_t tick;
    sigaction(SIGALRM, &action, NULL);
    sigemptyset(&tick);
    sigaddset(&tick, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &tick, NULL);
}

static void confine(const struct pht_filter *filter)
{
    pht_capabilities_keep(PHT_CAPABILITY(CAP_SYS_PTRACE) | PHT_CAPABILITY(CAP_SYS_NICE));
    pht_filter_install(filter);
}

void pht_tracer_main(int process_fd, int channel, pid_t parent, const struct pht_filter *filter)
{
    struct tracer *self = &tracer;
    struct pht_tracer_request request = {0};

    /* The first thread that is released would take the processor from us, and the others wait. */
    pht_priority_raise();
    self->process_fd = process_fd;
    self->channel = channel;
    self->task_fd = openat(process_fd, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (self->task_fd < 0)
        _exit(0);
    prepare(self, parent);
    confine(filter);
    for (;;) {
        receive(self, UINT64_MAX, &request);
        if (request.stop) {
            serve_stop(self, request.max_us);
        } else {
            struct pht_tracer_answer reply = {.result = PHT_STOPPER_FAILED};
            answer(self, &reply);
        }
    }
}
