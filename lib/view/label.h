/* Labels of categories in little room. */
#ifndef PHT_LIB_VIEW_LABEL_H
#define PHT_LIB_VIEW_LABEL_H

#include <stddef.h>

/* Where there is not enough room, what explains it goes: "pymalloc slack: free blocks". */
void pht_label_cut(char *label, size_t room);

#endif
