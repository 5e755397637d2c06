/* Capabilities that a process of ours gives up, for good. Linux: capabilities(7). */
#ifndef PHT_LIB_TARGET_CAPABILITIES_H
#define PHT_LIB_TARGET_CAPABILITIES_H

#include <stdbool.h>
#include <stdint.h>

/* A set, by the numbers of linux/capability.h. */
#define PHT_CAPABILITY(number) ((uint64_t)1 << (number))

/*
 * Keep those of `kept` that there are, and no other: permitted, effective, bounding; none is
 * inherited. Of the calling thread. False with errno set.
 */
bool pht_capabilities_keep(uint64_t kept);

/* True if the kernel has it, whether we do or not. */
bool pht_capabilities_exist(uint64_t set);

#endif
