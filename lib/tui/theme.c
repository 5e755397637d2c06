#include "tui/theme.h"

enum pht_role pht_role_of(enum pht_category category)
{
    return (enum pht_role)(PHT_ROLE_CATEGORY + (int)category);
}

char pht_role_letter(enum pht_role role)
{
    static const char letters[PHT_ROLE_CATEGORY] = {
        [PHT_ROLE_TEXT] = '.',   [PHT_ROLE_DIM] = 'd',  [PHT_ROLE_TITLE] = 't',
        [PHT_ROLE_SORTED] = 's', [PHT_ROLE_TAB] = 'a',  [PHT_ROLE_KEY] = 'k',
        [PHT_ROLE_MATCH] = 'm',  [PHT_ROLE_GOOD] = 'g', [PHT_ROLE_WARN] = 'w',
        [PHT_ROLE_BAD] = 'b',
    };

    if (role < PHT_ROLE_CATEGORY)
        return letters[role];
    return pht_category_name((enum pht_category)(role - PHT_ROLE_CATEGORY))->letter;
}
