#include "tui/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define PATH_ROOM (PHT_EXPORT_NAME_MAX + 8)

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
                                    const char *path,
                                    bool (*write)(const struct pht_report *, const char *, FILE *))
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return cannot_write(path, errno);
    FILE *file = fdopen(fd, "w");
    if (file == NULL) {
        close(fd);
        unlink(path);
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
    unlink(path);
    return is_made ? cannot_write(path, number != 0 ? number : EIO) : pht_error_no_memory();
}

struct pht_error *pht_export(const struct pht_report *report, const char *version,
                             char name[static PHT_EXPORT_NAME_MAX])
{
    char time[32], text[PATH_ROOM], json[PATH_ROOM];
    struct tm local;

    localtime_r(&report->taken_at.tv_sec, &local);
    strftime(time, sizeof(time), "%Y%m%d-%H%M%S", &local);
    snprintf(name, PHT_EXPORT_NAME_MAX, "pyheaptop-%d-%s", report->process.pid, time);
    snprintf(text, sizeof(text), "%s.txt", name);
    snprintf(json, sizeof(json), "%s.json", name);
    struct pht_error *error = write_file(report, version, text, write_text);
    if (error != NULL)
        return error;
    error = write_file(report, version, json, pht_json_report_write);
    if (error != NULL)
        unlink(text);
    return error;
}
