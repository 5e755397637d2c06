/*
 * The process that traces on our behalf (target/stop.h). It allocates nothing and calls only
 * what is safe after a fork in a program with threads.
 */
#ifndef PHT_LIB_TARGET_TRACER_H
#define PHT_LIB_TARGET_TRACER_H

#include "target/filter.h"
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

/*
 * What it may do: attach, interrupt, detach, and what is needed to wait. No other request of
 * ptrace(2), so that nothing of a target can be changed. False with errno set.
 */
bool pht_tracer_make_filter(struct pht_filter *ret);

/*
 * Does not return. Ends when `channel` is closed or `parent` is gone. `filter` may be empty: the
 * kernel has none.
 */
void pht_tracer_main(int process_fd, int channel, pid_t parent, const struct pht_filter *filter)
    __attribute__((noreturn));

#endif
