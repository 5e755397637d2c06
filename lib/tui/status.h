/* What the frame around a screen tells: whose memory, as of when, and what is going on. */
#ifndef PHT_LIB_TUI_STATUS_H
#define PHT_LIB_TUI_STATUS_H

#include <time.h>

#include "pyheaptop/progress.h"
#include "tui/prompt.h"
#include "tui/screen.h"

struct pht_status {
    const struct pht_process *process;
    const struct pht_report *report; /* NULL: nothing is known yet */
    const struct pht_diff *diff;     /* NULL: no baseline, or it is this snapshot */
    enum pht_units units;
    bool is_utf8;

    enum pht_screen_id screen;
    bool is_help;
    const char *filter;              /* of the screen's table; NULL or "": none */
    const struct pht_prompt *prompt; /* NULL: none is open */
    const char *message;             /* "": none */
    const struct pht_key_row *keys;  /* of the screen */
    size_t key_count;

    uint64_t uptime_seconds;
    uint64_t age_us;      /* of the snapshot */
    uint64_t interval_us; /* 0: off */
    bool is_raised;       /* it is longer than what was chosen */
    bool is_paused;
    bool is_exited;
    time_t exited_at;
    bool is_working; /* and long enough to be told */
    struct pht_progress progress;
};

#endif
