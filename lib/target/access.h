/*
 * Why a process may not be read or stopped: the facts, and from them one cause with one remedy.
 * Linux: ptrace(2), "Ptrace access mode checking"; Documentation/admin-guide/LSM/Yama.rst.
 */
#ifndef PHT_LIB_TARGET_ACCESS_H
#define PHT_LIB_TARGET_ACCESS_H

#include "pyheaptop/target.h"

enum pht_access_wish {
    PHT_ACCESS_READ,
    PHT_ACCESS_STOP,
};

struct pht_access_facts {
    pid_t pid;
    uid_t our_uid;
    bool can_ptrace; /* CAP_SYS_PTRACE is effective */
    uid_t target_uid;
    bool same_ids;  /* real, effective and saved ids of the target are all ours */
    bool dumpable;  /* else the kernel gives /proc/PID to root */
    int yama_scope; /* kernel.yama.ptrace_scope, 0 where there is no Yama */
    pid_t tracer;   /* 0: none */
    char tracer_comm[64];
};

/*
 * `proc_fd` is /proc, or a tree laid out like it. Facts that cannot be read get their harmless
 * value. False when the process itself is gone.
 */
bool pht_access_collect(int proc_fd, pid_t pid, uid_t our_uid, struct pht_access_facts *ret);

/* Never NULL. */
struct pht_error *pht_access_explain(const struct pht_access_facts *facts,
                                     enum pht_access_wish wish);

#endif
