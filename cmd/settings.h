/* From the config file to the options. */
#ifndef PHT_CMD_SETTINGS_H
#define PHT_CMD_SETTINGS_H

#include "cmd/config.h"
#include "cmd/options.h"

/*
 * Each setting as the option of its name would; one that is none, or has a wrong value, is noted.
 * The options *keep* texts of the config.
 */
void settings_apply(struct config *config, struct options *options);

#endif
