/* The steward: what it does for us, what it refuses, and that it ends when we do. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "support/child.h"
#include "support/suite.h"
#include "target/pagemap.h"

static struct child child;
static struct pht_steward *steward;

/* ---- a duty ------------------------------------------------------------------------------- */

/* Adds up what it is asked to, byte by byte, and tells its own number and the sum by a pipe. */
static int add_up(void *context, struct pht_errand *errand)
{
    const unsigned char *bytes = errand->request;
    unsigned *sum = context;
    int ends[2];

    if (errand->bytes == 0)
        return ENODATA;
    for (size_t i = 0; i < errand->bytes; i++)
        *sum += bytes[i];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return errno;
    const long told[2] = {getpid(), (long)*sum};
    if (write(ends[1], told, sizeof(told)) != sizeof(told))
        return EIO;
    close(ends[1]);
    errand->answer = ends[0];
    return 0;
}

static int tell_inode(void *context, struct pht_errand *errand)
{
    struct stat status;

    (void)context;
    return fstat(errand->with, &status) == 0 ? (int)(status.st_ino % 1000000) + 1000 : errno;
}

static void setup(void)
{
    unsigned sum = 7;
    const struct pht_duties duties = {
        .of = {[PHT_DUTY_CACHE] = {add_up, &sum}, [PHT_DUTY_OUTPUT] = {tell_inode, NULL}},
    };

    ck_assert_ptr_null(pht_steward_begin(&duties, &steward));
    child_init(&child);
}

static void teardown(void)
{
    pht_stopper_destroy(child.stopper);
    child.stopper = NULL;
    pht_steward_end(steward);
    child_deinit(&child);
}

/* ---- errands ------------------------------------------------------------------------------ */

static long ask_sum(const char *bytes, pid_t *process)
{
    long told[2];
    int fd;

    ck_assert_int_eq(pht_steward_ask(steward, PHT_DUTY_CACHE, bytes, strlen(bytes), -1, &fd), 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(read(fd, told, sizeof(told)), sizeof(told));
    close(fd);
    *process = (pid_t)told[0];
    return told[1];
}

START_TEST(a_duty_is_done_elsewhere_and_remembers)
{
    pid_t first, second;

    ck_assert_int_eq(ask_sum("\1\2", &first), 10);
    ck_assert_int_eq(ask_sum("\1", &second), 11);
    ck_assert_int_eq(first, second);
    ck_assert_int_ne(first, getpid());
}
END_TEST

START_TEST(a_descriptor_goes_along)
{
    struct stat status;
    _cleanup_close_ int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    ck_assert_int_eq(fstat(fd, &status), 0);
    ck_assert_int_eq(pht_steward_ask(steward, PHT_DUTY_OUTPUT, NULL, 0, fd, NULL),
                     (int)(status.st_ino % 1000000) + 1000);
    ck_assert_int_eq(pht_steward_ask(steward, PHT_DUTY_OUTPUT, NULL, 0, -1, NULL), EBADF);
}
END_TEST

START_TEST(what_is_no_errand_is_refused_and_the_next_is_served)
{
    static char large[PHT_ERRAND_BYTES_MAX + 1];
    pid_t process;

    ck_assert_int_eq(pht_steward_ask(steward, PHT_DUTIES, "x", 1, -1, NULL), EINVAL);
    ck_assert_int_eq(pht_steward_ask(steward, (enum pht_duty) - 1, "x", 1, -1, NULL), EINVAL);
    ck_assert_int_eq(pht_steward_ask(steward, PHT_DUTY_STOP, "xx", 2, -1, NULL), EINVAL);
    ck_assert_int_eq(pht_steward_ask(steward, PHT_DUTY_CACHE, "", 0, -1, NULL), ENODATA);
    ck_assert_int_eq(pht_steward_ask(steward, PHT_DUTY_CACHE, large, sizeof(large), -1, NULL),
                     E2BIG);
    ck_assert_int_eq(
        pht_steward_ask(steward, PHT_DUTY_OUTPUT, large, PHT_ERRAND_BYTES_MAX, -1, NULL), EBADF);
    ck_assert_int_eq(ask_sum("\1", &process), 8);
}
END_TEST

static void *ask_often(void *unused)
{
    (void)unused;
    for (int i = 0; i < 200; i++) {
        if (pht_steward_ask(steward, PHT_DUTY_CACHE, "", 0, -1, NULL) != ENODATA)
            return &steward;
    }
    return NULL;
}

START_TEST(threads_take_turns)
{
    pthread_t threads[4];
    void *bad;

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_often, NULL), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &bad);
        ck_assert_ptr_null(bad);
    }
}
END_TEST

/* ---- its end, and ours -------------------------------------------------------------------- */

static pid_t steward_pid(void)
{
    pid_t process;

    ask_sum("\1", &process);
    return process;
}

START_TEST(a_steward_that_is_gone_is_noticed)
{
    kill(steward_pid(), SIGKILL);
    ck_assert_int_eq(pht_steward_ask(steward, PHT_DUTY_CACHE, "x", 1, -1, NULL), EPIPE);
    ck_assert_int_eq(pht_steward_ask(steward, PHT_DUTY_CACHE, "x", 1, -1, NULL), EPIPE);
}
END_TEST

START_TEST(signals_from_a_terminal_do_not_end_it)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGPIPE};
    pid_t process = steward_pid();

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        kill(process, signals[i]);
    ck_assert_int_eq(steward_pid(), process);
}
END_TEST

/* Has a stopped child and a steward, says so, and waits for its end. */
static void be_a_program(int ready)
{
    const struct pht_duties none = {0};
    struct pht_steward *own;
    struct pht_stopper *stopper;

    if (pht_steward_begin(&none, &own) != NULL ||
        pht_stopper_create(child.process_fd, own, &stopper) != NULL ||
        pht_stopper_stop(stopper, CHILD_STOP_US) != PHT_STOPPER_STOPPED ||
        write(ready, "s", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

START_TEST(the_target_runs_when_we_are_killed)
{
    struct pollfd poller;
    int ready[2];
    char said;

    child_start_beating(&child, child_beat_in_threads);
    ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
    pid_t program = fork();
    if (program == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        be_a_program(ready[1]);
    }
    close(ready[1]);
    ck_assert_int_eq(read(ready[0], &said, 1), 1);
    child_check_stands_still(&child);
    kill(program, SIGKILL);
    child_check_runs(&child);
    waitpid(program, NULL, 0);
    /* Neither it nor its helper has kept our files open. */
    poller = (struct pollfd){.fd = ready[0], .events = POLLIN};
    ck_assert_int_eq(poll(&poller, 1, 1000), 1);
    ck_assert_int_ne(poller.revents & POLLHUP, 0);
    close(ready[0]);
}
END_TEST

START_TEST(it_keeps_none_of_our_files_open)
{
    const struct pht_duties none = {0};
    struct pht_steward *own;
    struct pollfd poller;
    int ends[2];

    ck_assert_int_eq(pipe2(ends, 0), 0);
    ck_assert_ptr_null(pht_steward_begin(&none, &own));
    close(ends[1]);
    poller = (struct pollfd){.fd = ends[0], .events = POLLIN};
    ck_assert_int_eq(poll(&poller, 1, 1000), 1);
    ck_assert_int_ne(poller.revents & POLLHUP, 0);
    close(ends[0]);
    pht_steward_end(own);
}
END_TEST

/* ---- stops -------------------------------------------------------------------------------- */

static void make_stopper(void)
{
    pht_stopper_destroy(child.stopper);
    ck_assert_ptr_null(pht_stopper_create(child.process_fd, steward, &child.stopper));
}

START_TEST(a_process_is_stopped_through_it)
{
    child_start_beating(&child, child_beat_in_threads);
    make_stopper();
    for (int i = 0; i < 3; i++) {
        child_stop(&child);
        child_check_stands_still(&child);
        child_resume(&child);
        child_check_all_threads_run(&child);
    }
}
END_TEST

START_TEST(the_target_runs_when_the_stopper_is_destroyed)
{
    child_start_beating(&child, child_beat_in_threads);
    make_stopper();
    child_stop(&child);
    pht_stopper_destroy(child.stopper);
    child.stopper = NULL;
    child_check_runs(&child);
    ck_assert_int_eq(child_status(&child).tracer, 0);
}
END_TEST

START_TEST(a_helper_can_be_replaced)
{
    uint64_t stopped_us;
    bool expired;

    child_start_beating(&child, child_beat_in_threads);
    make_stopper();
    child_stop(&child);
    kill(child_status(&child).tracer, SIGKILL);
    child_check_runs(&child);
    ck_assert_int_eq(pht_stopper_resume(child.stopper, &stopped_us, &expired), PHT_STOPPER_FAILED);
    make_stopper();
    child_stop(&child);
    child_resume(&child);
    child_check_runs(&child);
}
END_TEST

/* ---- page maps ---------------------------------------------------------------------------- */

START_TEST(a_page_map_is_opened_and_no_other_file)
{
    uint64_t entry;
    char folder[] = "/tmp/steward_test.XXXXXX";

    child_start_beating(&child, child_beat);
    _cleanup_close_ int fd = pht_pagemap_open(steward, child.process_fd);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pht_pagemap_read(fd, (uintptr_t)folder, 1, &entry), 1);
    ck_assert_int_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    _cleanup_close_ int elsewhere = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(pht_pagemap_open(steward, elsewhere), -1);
    ck_assert_int_eq(errno, EINVAL);
    rmdir(folder);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("target/steward");
    TCase *tcase = tcase_create("steward");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_duty_is_done_elsewhere_and_remembers);
    tcase_add_test(tcase, a_descriptor_goes_along);
    tcase_add_test(tcase, what_is_no_errand_is_refused_and_the_next_is_served);
    tcase_add_test(tcase, threads_take_turns);
    tcase_add_test(tcase, a_steward_that_is_gone_is_noticed);
    tcase_add_test(tcase, signals_from_a_terminal_do_not_end_it);
    tcase_add_test(tcase, the_target_runs_when_we_are_killed);
    tcase_add_test(tcase, it_keeps_none_of_our_files_open);
    tcase_add_test(tcase, a_process_is_stopped_through_it);
    tcase_add_test(tcase, the_target_runs_when_the_stopper_is_destroyed);
    tcase_add_test(tcase, a_helper_can_be_replaced);
    tcase_add_test(tcase, a_page_map_is_opened_and_no_other_file);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
