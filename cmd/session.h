/* One process, and one report of it after the other. */
#ifndef PHT_CMD_SESSION_H
#define PHT_CMD_SESSION_H

#include "cmd/options.h"
#include "cmd/progress.h"

struct session {
    const struct options *options;
    struct pht_target *target;       /* NULL: no process was named */
    struct pht_layout_file *layouts; /* NULL: none was named */
    char *cache;
    struct pht_figures *baseline; /* NULL: none was named */
    struct progress progress;
    uint32_t number; /* of the last report */
};

/* The process that the options name, which the session *keeps*. To be closed in any case. */
struct pht_error *session_open(const struct options *options, struct session *ret);
void session_close(struct session *session);

/*
 * How reports of the session are taken: all but sections, number and who watches. `previews`: if
 * the options do not say whether they are shown.
 */
struct pht_report_options session_report_options(const struct session *session, bool previews);

/* `sections` of enum pht_section. Numbers rise from 1. */
struct pht_error *session_take(struct session *session, unsigned sections, struct pht_report **ret);

#endif
