#include "cmd/pick.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/human.h"
#include "base/text.h"
#include "pyheaptop/target.h"

/* What the other columns leave of 80. */
#define COMMAND_COLUMNS 60

/* A pid is digits alone; "0x10", "12abc" and "-5" are names. */
static bool parse_pid(const char *text, pid_t *ret)
{
    char *end;

    errno = 0;
    long value = strtol(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value <= 0 ||
        value > INT32_MAX)
        return false;
    *ret = (pid_t)value;
    return true;
}

static struct pht_error *nobody_is_called(const char *name)
{
    struct pht_error *error = pht_error_create(
        PHT_ERROR_NO_SUCH_PROCESS, "'%s' is neither a pid nor the name of a Python process", name);

    return pht_error_try(error, "pyheaptop                         "
                                "(lists the Python processes you can read)");
}

static struct pht_error *several_are_called(const char *name, size_t count,
                                            const struct pht_candidate *largest)
{
    struct pht_error *error =
        pht_error_create(PHT_ERROR_USAGE, "'%s' is the name of %zu Python processes", name, count);

    return pht_error_try(error,
                         "pyheaptop %-24d(the largest of them)\n"
                         "pyheaptop                         "
                         "(lists the Python processes you can read)",
                         largest->pid);
}

struct pht_error *pick_process(const char *text, pid_t *ret)
{
    struct pht_candidates candidates;
    const struct pht_candidate *first = NULL;
    size_t count = 0;

    if (parse_pid(text, ret))
        return NULL;
    struct pht_error *error = pht_candidates_find(&candidates);
    if (error != NULL)
        return error;
    for (size_t i = 0; i < candidates.count; i++) {
        if (!pht_candidate_is_called(&candidates.items[i], text))
            continue;
        if (count++ == 0)
            first = &candidates.items[i];
    }
    _cleanup_free_ char *name = pht_text_printable(text, strlen(text));
    if (name != NULL)
        pht_text_cut(name, 40);
    if (count == 0)
        error = nobody_is_called(name != NULL ? name : "");
    else if (count > 1)
        error = several_are_called(name != NULL ? name : "", count, first);
    else
        *ret = first->pid;
    pht_candidates_deinit(&candidates);
    return error;
}

struct pht_error *pick_list(FILE *file)
{
    struct pht_candidates candidates;
    char rss[PHT_HUMAN_MAX];

    struct pht_error *error = pht_candidates_find(&candidates);
    if (error != NULL)
        return error;
    if (candidates.count == 0)
        error = pht_error_create(PHT_ERROR_NO_SUCH_PROCESS,
                                 "no Python process runs here that you can read");
    else
        fprintf(file, "%9s %8s  command\n", "pid", "RSS");
    for (size_t i = 0; i < candidates.count; i++) {
        const struct pht_candidate *candidate = &candidates.items[i];
        pht_text_cut(candidate->command, COMMAND_COLUMNS);
        fprintf(file, "%9d %8s  %s\n", candidate->pid, pht_human_bytes(candidate->rss_bytes, rss),
                candidate->command);
    }
    pht_candidates_deinit(&candidates);
    return error;
}
