/* Which program this is, what it was built with, and what it understands. */
#ifndef PHT_CMD_VERSION_H
#define PHT_CMD_VERSION_H

#include <stdio.h>

void version_write(FILE *file);

#endif
