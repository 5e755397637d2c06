/*
 * The rules behind the findings, a function each, by what they look at. A rule speaks only of what
 * was walked; it stays silent about what is not known.
 */
#ifndef PHT_LIB_MODEL_FINDINGS_H
#define PHT_LIB_MODEL_FINDINGS_H

#include "base/human.h"
#include "pyheaptop/model.h"

/* Judge a report of which everything else is known. False when memory is short. */
bool pht_findings_judge(struct pht_report *report);
void pht_findings_clear(struct pht_findings *findings);

/* ---- what a rule works with --------------------------------------------------------------- */

struct pht_judge {
    const struct pht_report *report;
    const struct pht_diff *diff; /* since the baseline; NULL: there is none */
    struct pht_findings *findings;
    bool no_memory;
};

#define PHT_MIB ((uint64_t)1 << 20)

/*
 * What is remarkable is worth somebody's time: it has to be large beside the process, and by
 * itself. Less than 16 MiB is not what a host runs short of; a process in order has up to a
 * twentieth of its memory in transit.
 */
#define PHT_REMARKABLE_BYTES (16 * PHT_MIB)
#define PHT_REMARKABLE_PERCENT 5

/* True if `bytes` are remarkable; then `ret` is HIGH from 15 % of RSS and 32 MiB on, else MEDIUM.
 */
bool pht_judge_weigh(const struct pht_judge *judge, uint64_t bytes, enum pht_severity *ret);

/* True if `bytes` is at least `percent` of `whole`. */
bool pht_is_share(uint64_t bytes, uint64_t percent, uint64_t whole);

/* Resident bytes of a category; 0 without a ledger. */
uint64_t pht_judge_category(const struct pht_judge *judge, enum pht_category category);

/*
 * Add a finding and say what there is to say. Text and remedy are put together from what is said in
 * turn: sentences, of which text ends with a full stop and the remedy does not. What is said must
 * be fit to print. The finding is valid until the next one is added, and NULL when memory is short,
 * which all of these accept.
 */
struct pht_finding *pht_judge_add(struct pht_judge *judge, const char *id,
                                  enum pht_severity severity, uint64_t bytes);
void pht_judge_say(struct pht_judge *judge, struct pht_finding *finding, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void pht_judge_advise(struct pht_judge *judge, struct pht_finding *finding, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void pht_judge_note(struct pht_finding *finding, const char *name, uint64_t number);
void pht_judge_note_text(struct pht_judge *judge, struct pht_finding *finding, const char *name,
                         const char *text);

/* How to replace the processes of this kind of server from time to time. */
const char *pht_judge_recycling(const struct pht_judge *judge);

/* "collections.deque", "dict" of a builtin, fit to print. The caller frees it; NULL: no memory. */
char *pht_judge_type_name(struct pht_judge *judge, const char *module, const char *name);
bool pht_is_builtin(const char *module);

/* "17%"; "<1%" of what is less. */
const char *pht_judge_rss_share(const struct pht_judge *judge, uint64_t bytes,
                                char text[static PHT_HUMAN_MAX]);
#define RSS_SHARE(judge, bytes) pht_judge_rss_share(judge, bytes, (char[PHT_HUMAN_MAX]){0})
#define BYTES(value) pht_human_bytes(value, (char[PHT_HUMAN_MAX]){0})
#define COUNT(value) pht_human_count(value, (char[PHT_HUMAN_MAX]){0})
#define PLURAL(count) pht_human_plural(count)

/* ---- the rules ---------------------------------------------------------------------------- */

void pht_judge_pymalloc(struct pht_judge *judge);
void pht_judge_glibc(struct pht_judge *judge);
void pht_judge_native(struct pht_judge *judge);
void pht_judge_types(struct pht_judge *judge);
void pht_judge_fork(struct pht_judge *judge);
void pht_judge_gc(struct pht_judge *judge);
void pht_judge_kernel(struct pht_judge *judge);
void pht_judge_other_allocators(struct pht_judge *judge);

/* Only with a baseline. */
void pht_judge_growth(struct pht_judge *judge);

#endif
