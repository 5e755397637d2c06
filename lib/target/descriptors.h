/*
 * What a helper process inherits and must not keep: a pipe that its parent writes to has to end
 * when the parent does.
 */
#ifndef PHT_LIB_TARGET_DESCRIPTORS_H
#define PHT_LIB_TARGET_DESCRIPTORS_H

#include <stdbool.h>

void pht_descriptors_close_from(int first);

/* Move `count` descriptors to 0, 1 ... and close all others. False if there is no room. */
bool pht_descriptors_keep_only(int *const descriptors[], int count);

#endif
