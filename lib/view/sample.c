#include "view/sample.h"

const char *pht_sample_kind_name(enum pht_sample_kind kind)
{
    static const char *const names[] = {
        [PHT_SAMPLE_OTHER] = "other",
        [PHT_SAMPLE_ZEROS] = "zeros",
        [PHT_SAMPLE_TEXT] = "text",
        [PHT_SAMPLE_POINTER] = "pointer",
    };

    return names[kind];
}

const struct pht_mapping *pht_sample_mapping(const struct pht_report *report,
                                             const struct pht_chunk_sample *sample)
{
    return sample->kind == PHT_SAMPLE_POINTER
               ? pht_maps_find(&report->smaps.maps, sample->points_to)
               : NULL;
}
