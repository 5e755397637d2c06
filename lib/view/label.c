#include "view/label.h"

#include <string.h>

#include "base/text.h"

void pht_label_cut(char *label, size_t room)
{
    static const char *const marks[] = {" (", ": ", ", "};

    for (size_t i = 0; i < 3 && strlen(label) > room; i++) {
        char *explanation = strstr(label, marks[i]);
        if (explanation != NULL)
            *explanation = '\0';
    }
    pht_text_cut(label, room);
}
