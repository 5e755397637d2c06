#include "cmd/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"

/* A report may hold what others should not see, and a link may lead to what it should not hit. */
struct pht_error *output_open(const char *path, FILE **ret)
{
    *ret = stdout;
    if (path == NULL)
        return NULL;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

    *ret = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (*ret != NULL)
        return NULL;
    int cause = errno;
    if (fd >= 0)
        close(fd);
    _cleanup_free_ char *name = pht_text_printable(path, strlen(path));
    struct pht_error *error =
        pht_error_create(PHT_ERROR_OUTPUT_FILE, "cannot write %s: %s", name != NULL ? name : "",
                         cause == ELOOP ? "it is a symbolic link" : strerror(cause));
    return pht_error_try(error, "-o \"$HOME/heap.json\"");
}

struct pht_error *output_close(FILE *file, bool is_written)
{
    struct pht_error *error = NULL;

    if (!is_written && !ferror(file))
        error = pht_error_no_memory();
    else if (fflush(file) != 0 || ferror(file))
        error =
            pht_error_create(PHT_ERROR_OUTPUT_FILE, "cannot write the report: %s", strerror(errno));
    if (file != stdout)
        fclose(file);
    return error;
}
