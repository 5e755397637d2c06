/*
 * A report to be judged: of a process in order, of 1,000 MiB, about which there is nothing to find.
 * A test changes one thing.
 */
#ifndef PHT_TEST_SUPPORT_JUDGED_H
#define PHT_TEST_SUPPORT_JUDGED_H

#include "pyheaptop/model.h"

#define MIB ((uint64_t)1 << 20)
#define JUDGED_RSS_BYTES (1000 * MIB)
#define JUDGED_THREAD_ARENAS 8

extern struct pht_report *judged;

void judged_setup(void);
void judged_teardown(void);

/* Judge it. */
void judged_judge(void);

/* The finding of that id; the test fails if there is none. */
const struct pht_finding *judged_find(const char *id);

/* It is the only finding, and of this severity. */
const struct pht_finding *judged_only(const char *id, enum pht_severity severity);
void judged_none(void);

/* A figure of the evidence; the test fails if there is none of this name. */
uint64_t judged_figure(const struct pht_finding *finding, const char *name);
const char *judged_figure_text(const struct pht_finding *finding, const char *name);

/* `part` is in the text, or in the remedy. */
void judged_says(const struct pht_finding *finding, const char *part);
void judged_advises(const struct pht_finding *finding, const char *part);

void judged_set_command(const char *command);

/* A type more, with all sizes the same. */
struct pht_type_sum *judged_add_type(const char *module, const char *name, uint64_t objects,
                                     uint64_t bytes);

/* No object of any type is left. */
void judged_drop_types(void);

/* A size more of chunks that no object owns. */
struct pht_unowned_size *judged_add_unowned(uint64_t min_bytes, uint64_t chunks, uint64_t bytes);

#endif
