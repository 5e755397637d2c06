#include "view/mapping.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

const char *pht_mapping_perms(const struct pht_mapping *mapping, char text[static PHT_PERMS_MAX])
{
    text[0] = mapping->readable ? 'r' : '-';
    text[1] = mapping->writable ? 'w' : '-';
    text[2] = mapping->executable ? 'x' : '-';
    text[3] = mapping->shared ? 's' : 'p';
    text[4] = '\0';
    return text;
}

uint64_t pht_mapping_rss(const struct pht_report_mapping *row)
{
    return row->owned != NULL ? row->owned->resident_bytes : row->memory->rss_bytes;
}

/* "shared memory": names of kinds are made for scripts. */
static char *kind_for_people(enum pht_mapping_kind kind)
{
    char *text = pht_text_format("%s", pht_mapping_kind_name(kind));

    for (char *at = text; at != NULL && (at = strchr(at, '_')) != NULL;)
        *at = ' ';
    return text;
}

const char *pht_mapping_short_name(const char *name)
{
    const char *slash = name[0] == '/' ? strrchr(name, '/') : NULL;

    return slash != NULL && slash[1] != '\0' ? slash + 1 : name;
}

/* "[heap]", "libc.so.6": the kind would say it again. */
static bool says_enough(enum pht_mapping_kind kind, const char *name)
{
    return name[0] != '\0' && (kind == PHT_MAPPING_FILE || kind == PHT_MAPPING_HEAP ||
                               kind == PHT_MAPPING_STACK || kind == PHT_MAPPING_KERNEL);
}

char *pht_mapping_describe(const struct pht_report_mapping *row, size_t characters)
{
    const char *raw = pht_mapping_short_name(row->mapping->name);
    _cleanup_free_ char *name = pht_text_printable(raw, strlen(raw));
    _cleanup_free_ char *kind = kind_for_people(row->kind);
    char *text;

    if (name == NULL || kind == NULL)
        return NULL;
    bool is_alone = says_enough(row->kind, name);
    text = pht_text_format("%s%s%s%s", is_alone ? "" : kind, is_alone || name[0] == '\0' ? "" : " ",
                           name, row->mapping->deleted ? " (deleted)" : "");
    if (text != NULL)
        pht_text_cut(text, characters);
    return text;
}
