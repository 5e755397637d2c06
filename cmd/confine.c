#include "cmd/confine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cmd/once.h"
#include "cmd/output.h"
#include "pyheaptop/tui.h"

struct pht_error *confine_begin(struct options *options)
{
    _cleanup_free_ char *cache = once_cache_directory();
    struct output_duty output = {.path = options->output, .nameless_fd = -1};
    struct pht_export_duty exports = {0};
    const struct pht_duties duties = {
        .of = {[PHT_DUTY_CACHE] = {pht_cache_perform, cache},
               [PHT_DUTY_DEBUG_FILE] = {pht_debuginfod_perform, NULL},
               [PHT_DUTY_OUTPUT] = {output_perform, &output},
               [PHT_DUTY_EXPORT] = {pht_export_perform, &exports}},
    };

    if (options->no_sandbox)
        return NULL;
    /* The steward has copies of its own of all this. */
    struct pht_error *error = pht_steward_begin(&duties, &options->steward);
    if (error != NULL)
        return error;
    /* From here on it is asked, and libdwfl does not try to. */
    unsetenv("DEBUGINFOD_URLS");
    if (!pht_sandbox_enter())
        options->sandbox_failure = strerror(errno);
    return NULL;
}

void confine_end(struct options *options)
{
    pht_steward_end(options->steward);
    options->steward = NULL;
}
