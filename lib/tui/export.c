#include "tui/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

/* ---- files, made by whoever may ----------------------------------------------------------- */

static int create(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
}

enum errand {
    CREATE = 'c',
    REMOVE = 'r',
};

/* "pyheaptop-4711-20261122-140307.json": who asks may have been taken over. */
static bool is_export(const char *path)
{
    static const char beginning[] = "pyheaptop-";

    if (strncmp(path, beginning, strlen(beginning)) != 0)
        return false;
    path += strlen(beginning);
    path += strspn(path, "0123456789-");
    return strcmp(path, ".txt") == 0 || strcmp(path, ".json") == 0;
}

static int perform_create(struct pht_export_duty *duty, const char *path, struct pht_errand *errand)
{
    errand->answer = create(path);
    if (errand->answer < 0)
        return errno;
    memcpy(duty->created[0], duty->created[1], PHT_EXPORT_PATH_MAX);
    memcpy(duty->created[1], path, strlen(path) + 1);
    return 0;
}

static int perform_remove(const struct pht_export_duty *duty, const char *path)
{
    if (strcmp(path, duty->created[0]) != 0 && strcmp(path, duty->created[1]) != 0)
        return EPERM;
    return unlink(path) < 0 ? errno : 0;
}

int pht_export_perform(void *context, struct pht_errand *errand)
{
    const char *request = errand->request;

    if (errand->bytes < 2 || errand->bytes > PHT_EXPORT_PATH_MAX ||
        request[errand->bytes - 1] != '\0' || !is_export(request + 1))
        return EINVAL;
    if (request[0] == CREATE)
        return perform_create(context, request + 1, errand);
    return request[0] == REMOVE ? perform_remove(context, request + 1) : EINVAL;
}

static int tell_steward(struct pht_steward *steward, enum errand errand, const char *path, int *fd)
{
    char request[PHT_EXPORT_PATH_MAX];

    int bytes = snprintf(request, sizeof(request), "%c%s", errand, path) + 1;
    return pht_steward_ask(steward, PHT_DUTY_EXPORT, request, (size_t)bytes, -1, fd);
}

/* -1 and errno. */
static int create_through(struct pht_steward *steward, const char *path)
{
    int fd = -1;

    if (steward == NULL)
        return create(path);
    errno = tell_steward(steward, CREATE, path, &fd);
    return fd;
}

static void remove_through(struct pht_steward *steward, const char *path)
{
    if (steward == NULL)
        unlink(path);
    else
        tell_steward(steward, REMOVE, path, NULL);
}

/* ---- reports ------------------------------------------------------------------------------ */

static bool write_text(const struct pht_report *report, const char *version, FILE *file)
{
    const struct pht_text_options options = {.version = version, .full = true};

    pht_text_report_write(report, &options, file);
    return true;
}

static struct pht_error *cannot_write(const char *path, int number)
{
    return pht_error_create(PHT_ERROR_OUTPUT_FILE, "cannot write %s here: %s", path,
                            strerrordesc_np(number));
}

static struct pht_error *write_file(const struct pht_report *report, const char *version,
                                    struct pht_steward *steward, const char *path,
                                    bool (*write)(const struct pht_report *, const char *, FILE *))
{
    int fd = create_through(steward, path);

    if (fd < 0)
        return cannot_write(path, errno);
    FILE *file = fdopen(fd, "w");
    if (file == NULL) {
        close(fd);
        remove_through(steward, path);
        return pht_error_no_memory();
    }
    bool is_made = write(report, version, file);
    errno = 0;
    bool is_written = fflush(file) == 0 && !ferror(file);
    int number = errno;
    if (fclose(file) != 0 && number == 0)
        number = errno;
    if (is_made && is_written && number == 0)
        return NULL;
    remove_through(steward, path);
    return is_made ? cannot_write(path, number != 0 ? number : EIO) : pht_error_no_memory();
}

struct pht_error *pht_export(const struct pht_report *report, const char *version,
                             struct pht_steward *steward, char name[static PHT_EXPORT_NAME_MAX])
{
    char time[32], text[PHT_EXPORT_PATH_MAX - 1], json[PHT_EXPORT_PATH_MAX - 1];
    struct tm local;

    localtime_r(&report->taken_at.tv_sec, &local);
    strftime(time, sizeof(time), "%Y%m%d-%H%M%S", &local);
    snprintf(name, PHT_EXPORT_NAME_MAX, "pyheaptop-%d-%s", report->process.pid, time);
    snprintf(text, sizeof(text), "%s.txt", name);
    snprintf(json, sizeof(json), "%s.json", name);
    struct pht_error *error = write_file(report, version, steward, text, write_text);
    if (error != NULL)
        return error;
    error = write_file(report, version, steward, json, pht_json_report_write);
    if (error != NULL)
        remove_through(steward, text);
    return error;
}
