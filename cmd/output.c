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

/* `*is_nameless`: it is to get its name later. -1 and errno. */
static int open_file(const char *path, bool *is_nameless)
{
    int fd = may_be_replaced(path) ? open_nameless(path) : -1;

    *is_nameless = fd >= 0;
    return fd >= 0 ? fd : open_in_place(path);
}

/* ---- the name ----------------------------------------------------------------------------- */

/* A name of its own first: only a rename replaces what is there. */
static bool give_name(int fd, const char *path)
{
    _cleanup_free_ char *file = pht_text_format("/proc/self/fd/%d", fd);
    _cleanup_free_ char *fresh = pht_text_format("%s.%d", path, getpid());

    if (file == NULL || fresh == NULL ||
        linkat(AT_FDCWD, file, AT_FDCWD, fresh, AT_SYMLINK_FOLLOW) < 0)
        return false;
    if (rename(fresh, path) == 0)
        return true;
    int cause = errno;
    unlink(fresh);
    errno = cause;
    return false;
}

/* ---- the steward's part ------------------------------------------------------------------- */

enum errand {
    OPEN = 'o',
    GROW = 'g',
    NAME = 'n',
};

static int perform_open(struct output_duty *duty, bool grows, struct pht_errand *errand)
{
    bool is_nameless = false;

    if (duty->nameless_fd >= 0)
        close(duty->nameless_fd);
    errand->answer = grows ? open_in_place(duty->path) : open_file(duty->path, &is_nameless);
    int cause = errno;
    duty->nameless_fd =
        errand->answer >= 0 && is_nameless ? fcntl(errand->answer, F_DUPFD_CLOEXEC, 0) : -1;
    return errand->answer < 0 ? cause : 0;
}

int output_perform(void *context, struct pht_errand *errand)
{
    struct output_duty *duty = context;
    const char *wanted = errand->request;

    if (errand->bytes != 1 || duty->path == NULL)
        return EINVAL;
    if (wanted[0] == OPEN || wanted[0] == GROW)
        return perform_open(duty, wanted[0] == GROW, errand);
    return duty->nameless_fd < 0 || give_name(duty->nameless_fd, duty->path) ? 0 : errno;
}

static int tell_steward(struct pht_steward *steward, enum errand errand, int *fd)
{
    const char request = (char)errand;

    return pht_steward_ask(steward, PHT_DUTY_OUTPUT, &request, 1, -1, fd);
}

/* ---- opening it, by whoever may ----------------------------------------------------------- */

static struct pht_error *open_stream(int fd, int cause, const char *path, struct output *ret)
{
    ret->file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (ret->file != NULL)
        return NULL;
    if (fd >= 0) {
        cause = errno;
        close(fd);
    }
    return cannot_write(path, cause);
}

struct pht_error *output_open(const char *path, struct pht_steward *steward, struct output *ret)
{
    bool is_nameless = true;
    int fd = -1, cause = 0;

    *ret = (struct output){.file = stdout, .steward = steward};
    if (path == NULL)
        return NULL;
    if (steward != NULL)
        cause = tell_steward(steward, OPEN, &fd);
    else if ((fd = open_file(path, &is_nameless)) < 0)
        cause = errno;
    ret->path = is_nameless ? path : NULL;
    return open_stream(fd, cause, path, ret);
}

struct pht_error *output_open_growing(const char *path, struct pht_steward *steward,
                                      struct output *ret)
{
    int fd = -1, cause = 0;

    *ret = (struct output){.file = stdout};
    if (path == NULL)
        return NULL;
    if (steward != NULL)
        cause = tell_steward(steward, GROW, &fd);
    else if ((fd = open_in_place(path)) < 0)
        cause = errno;
    return open_stream(fd, cause, path, ret);
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

/* Returns an errno. */
static int complete(const struct output *output)
{
    if (output->path == NULL)
        return 0;
    if (output->steward != NULL)
        return tell_steward(output->steward, NAME, NULL);
    return give_name(fileno(output->file), output->path) ? 0 : errno;
}

struct pht_error *output_close(struct output *output, bool is_written)
{
    struct pht_error *error = NULL;
    FILE *file = output->file;
    int cause = 0;

    if (!is_written && !ferror(file))
        error = pht_error_no_memory();
    else if (fflush(file) != 0 || ferror(file))
        error =
            pht_error_create(PHT_ERROR_OUTPUT_FILE, "cannot write the report: %s", strerror(errno));
    else if ((cause = complete(output)) != 0)
        error = cannot_write(output->path, cause);
    if (file != stdout)
        fclose(file);
    return error;
}
