#include "cmd/output.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"

static struct pht_error *cannot_write(const char *path, int cause)
{
    _cleanup_free_ char *name = pht_text_printable(path, strlen(path));
    struct pht_error *error =
        pht_error_create(PHT_ERROR_OUTPUT_FILE, "cannot write %s: %s", name != NULL ? name : "",
                         cause == ELOOP ? "it is a symbolic link" : strerror(cause));

    return pht_error_try(error, "-o \"$HOME/heap.json\"");
}

/* ---- opening ------------------------------------------------------------------------------ */

/* A device is written to, and what may not be written is not replaced either. */
static bool may_be_replaced(const char *path)
{
    struct stat status;

    if (lstat(path, &status) < 0)
        return errno == ENOENT;
    return S_ISREG(status.st_mode) && access(path, W_OK) == 0;
}

/* A file without a name in the folder of `path`. */
static int open_nameless(const char *path)
{
    const char *slash = strrchr(path, '/');
    _cleanup_free_ char *folder =
        slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);

    return folder != NULL ? open(folder, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600) : -1;
}

/* A report may hold what others should not see, and a link may lead to what it should not hit. */
static int open_in_place(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static struct pht_error *open_stream(int fd, const char *path, struct output *ret)
{
    ret->file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (ret->file != NULL)
        return NULL;
    int cause = errno;
    if (fd >= 0)
        close(fd);
    return cannot_write(path, cause);
}

struct pht_error *output_open(const char *path, struct output *ret)
{
    *ret = (struct output){.file = stdout};
    if (path == NULL)
        return NULL;
    int fd = may_be_replaced(path) ? open_nameless(path) : -1;

    if (fd >= 0)
        ret->path = path;
    else
        fd = open_in_place(path);
    return open_stream(fd, path, ret);
}

struct pht_error *output_open_growing(const char *path, struct output *ret)
{
    *ret = (struct output){.file = stdout};
    return path != NULL ? open_stream(open_in_place(path), path, ret) : NULL;
}

/* ---- appending ---------------------------------------------------------------------------- */

static bool is_regular(FILE *file)
{
    struct stat status;

    return fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode);
}

struct pht_error *output_append(struct output *output, const char *line, size_t bytes)
{
    bool is_safe = is_regular(output->file);
    sigset_t ending, before;

    sigemptyset(&ending);
    sigaddset(&ending, SIGHUP);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    if (is_safe)
        pthread_sigmask(SIG_BLOCK, &ending, &before);
    fwrite(line, 1, bytes, output->file);
    bool is_written = fflush(output->file) == 0 && !ferror(output->file);
    int cause = errno;
    if (is_safe)
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    return is_written ? NULL
                      : pht_error_create(PHT_ERROR_OUTPUT_FILE, "cannot write the report: %s",
                                         strerror(cause));
}

/* ---- closing ------------------------------------------------------------------------------ */

/* A name of its own first: only a rename replaces what is there. */
static bool give_name(const struct output *output)
{
    _cleanup_free_ char *file = pht_text_format("/proc/self/fd/%d", fileno(output->file));
    _cleanup_free_ char *fresh = pht_text_format("%s.%d", output->path, getpid());

    if (file == NULL || fresh == NULL ||
        linkat(AT_FDCWD, file, AT_FDCWD, fresh, AT_SYMLINK_FOLLOW) < 0)
        return false;
    if (rename(fresh, output->path) == 0)
        return true;
    int cause = errno;
    unlink(fresh);
    errno = cause;
    return false;
}

struct pht_error *output_close(struct output *output, bool is_written)
{
    struct pht_error *error = NULL;
    FILE *file = output->file;

    if (!is_written && !ferror(file))
        error = pht_error_no_memory();
    else if (fflush(file) != 0 || ferror(file))
        error =
            pht_error_create(PHT_ERROR_OUTPUT_FILE, "cannot write the report: %s", strerror(errno));
    else if (output->path != NULL && !give_name(output))
        error = cannot_write(output->path, errno);
    if (file != stdout)
        fclose(file);
    return error;
}
