/*
 * The process that traces on our behalf (target/stop.h). It allocates nothing and calls only
 * what is safe after a fork in a program with threads.
 */
#ifndef PHT_LIB_TARGET_TRACER_H
#define PHT_LIB_TARGET_TRACER_H

#include "target/stop.h"

/* One request, one answer, in turn, over a SOCK_SEQPACKET socket. */
struct pht_tracer_request {
    bool stop; /* else resume */
    uint64_t max_us;
};

struct pht_tracer_answer {
    enum pht_stopper_result result;
    uint64_t stopped_us;
    bool expired;
};

/* Does not return. Ends when `channel` is closed or `parent` is gone. */
void pht_tracer_main(int process_fd, int channel, pid_t parent) __attribute__((noreturn));

#endif
