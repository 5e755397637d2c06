#include "cmd/version.h"

#include <elfutils/libdwfl.h>
#include <jansson.h>

#include "cmd/commit.h"
#include "pyheaptop/tui.h"

void version_write(FILE *file)
{
    fprintf(file, "pyheaptop " PHT_VERSION "%s\n",
            PHT_COMMIT[0] != '\0' ? " (" PHT_COMMIT ")" : "");
    fprintf(file, "elfutils %s, jansson %s, %s\n", dwfl_version(NULL), jansson_version_str(),
            pht_tui_library());
    fprintf(file, "understands CPython 2.7, 3.6-3.15, glibc 2.17-2.44, x86-64\n");
}
