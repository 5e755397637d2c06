#include "layout/tables.h"

#define TEXT(value) TEXT_OF(value)
#define TEXT_OF(value) #value

/* All files, one after the other; the build says where they are. */
__asm__(".pushsection .rodata\n"
        "pht_tables_text: .incbin " TEXT(PHT_TABLES) "\n"
                                                     "pht_tables_text_end:\n"
                                                     ".popsection\n");

extern const char text[] __asm__("pht_tables_text");
extern const char text_end[] __asm__("pht_tables_text_end");

bool pht_tables_next(size_t *at, const struct pht_record_kind *kind,
                     struct pht_layout_record *record)
{
    size_t size = (size_t)(text_end - text), bytes;

    while ((bytes = pht_record_bytes(text + *at, size - *at)) > 0) {
        const char *begin = text + *at;
        *at += bytes;
        if (pht_record_parse(begin, bytes, kind, record))
            return true;
    }
    return false;
}
