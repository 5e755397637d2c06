#include "cmd/dump_layout.h"

#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "cmd/once.h"
#include "cmd/output.h"

/* A pid names no file, and a file beside us is named by its path. */
static bool is_file(const char *name)
{
    struct stat status;

    return strchr(name, '/') != NULL || (stat(name, &status) == 0 && S_ISREG(status.st_mode));
}

static struct pht_error *dump_process(const struct options *options, FILE *file)
{
    _cleanup_free_ char *cache = once_cache_directory();
    const struct pht_layout_options layout_options = {.cache_directory = cache,
                                                      .steward = options->steward};
    struct pht_target *target;
    struct pht_error *error = once_open(options, &target);

    if (error != NULL)
        return error;
    error = pht_layout_dump(target, &layout_options, file);
    pht_target_destroy(target);
    return error;
}

/* Into memory first: half of it would be worse than nothing. */
static struct pht_error *dump(const struct options *options, char **text, size_t *bytes)
{
    FILE *file = open_memstream(text, bytes);

    if (file == NULL)
        return pht_error_no_memory();
    struct pht_error *error = is_file(options->process)
                                  ? pht_layout_dump_image(options->process, file)
                                  : dump_process(options, file);
    if (fclose(file) != 0 && error == NULL)
        error = pht_error_no_memory();
    return error;
}

struct pht_error *dump_layout(const struct options *options)
{
    _cleanup_free_ char *text = NULL;
    size_t bytes = 0;
    struct output output;

    struct pht_error *error = dump(options, &text, &bytes);
    if (error == NULL)
        error = output_open(options->output, options->steward, &output);
    if (error != NULL)
        return error;
    fwrite(text, 1, bytes, output.file);
    return output_close(&output, true);
}
