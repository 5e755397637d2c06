#include "view/finding.h"

#include <string.h>

const char *pht_finding_word(enum pht_severity severity)
{
    switch (severity) {
    case PHT_SEVERITY_HIGH:
        return "HIGH";
    case PHT_SEVERITY_MEDIUM:
        return "MED";
    case PHT_SEVERITY_INFO:
        break;
    }
    return "INFO";
}

bool pht_finding_is_size(const struct pht_finding_figure *figure)
{
    static const char end[] = "_bytes";
    size_t length = strlen(figure->name), tail = sizeof(end) - 1;

    return length >= tail && strcmp(figure->name + length - tail, end) == 0;
}
