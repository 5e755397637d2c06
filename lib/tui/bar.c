#include "tui/bar.h"

_Static_assert(PHT_CATEGORIES <= PHT_BAR_PARTS_MAX, "a bar of all categories");

/* value * cells / whole without overflow. */
static unsigned share_of(uint64_t value, uint64_t whole, unsigned cells)
{
    return whole == 0 ? 0 : (unsigned)((__extension__(unsigned __int128) value * cells) / whole);
}

static uint64_t remainder_of(uint64_t value, uint64_t whole, unsigned cells)
{
    return (uint64_t)((__extension__(unsigned __int128) value * cells) % whole);
}

static uint64_t bytes_of(const struct pht_bar_part *parts, size_t count, uint64_t whole, size_t i)
{
    if (i < count)
        return parts[i].bytes;
    for (size_t part = 0; part < count; part++)
        whole -= parts[part].bytes < whole ? parts[part].bytes : whole;
    return whole;
}

/* The part that has lost most by rounding, of those that got `share` or none in particular. */
static size_t most_owed(const struct pht_bar_part *parts, size_t count, uint64_t whole,
                        unsigned cells, const unsigned *shares)
{
    size_t best = count;
    uint64_t most = 0;

    for (size_t i = 0; i <= count; i++) {
        uint64_t bytes = bytes_of(parts, count, whole, i);
        uint64_t owed = remainder_of(bytes, whole, cells);
        if (shares[i] > share_of(bytes, whole, cells))
            continue; /* rounded up already */
        if (owed > most) {
            most = owed;
            best = i;
        }
    }
    return best;
}

static size_t largest(const unsigned *shares, size_t count)
{
    size_t best = 0;

    for (size_t i = 1; i <= count; i++) {
        if (shares[i] > shares[best])
            best = i;
    }
    return best;
}

void pht_bar_share(const struct pht_bar_part *parts, size_t count, uint64_t whole, unsigned cells,
                   unsigned *shares)
{
    unsigned given = 0;

    for (size_t i = 0; i <= count; i++) {
        uint64_t bytes = bytes_of(parts, count, whole, i);
        shares[i] = share_of(bytes, whole, cells);
        if (shares[i] == 0 && bytes > 0 && i < count)
            shares[i] = 1;
        given += shares[i];
    }
    if (whole == 0) {
        shares[count] = cells;
        return;
    }
    while (given < cells) {
        shares[most_owed(parts, count, whole, cells, shares)]++;
        given++;
    }
    while (given > cells) { /* small parts were given more than their share */
        shares[largest(shares, count)]--;
        given--;
    }
}

static unsigned fill(struct pht_area area, unsigned row, unsigned column, unsigned cells,
                     enum pht_role role, char letter)
{
    const char text[] = {letter, '\0'};

    for (unsigned i = 0; i < cells; i++)
        column = pht_area_put(area, row, column, role, text);
    return column;
}

void pht_bar_draw(struct pht_area area, unsigned row, unsigned column, unsigned columns,
                  const struct pht_bar_part *parts, size_t count, uint64_t whole)
{
    unsigned shares[PHT_BAR_PARTS_MAX + 1];

    if (columns < 3)
        return;
    if (whole == 0) {
        for (size_t i = 0; i < count; i++)
            whole += parts[i].bytes;
    }
    pht_bar_share(parts, count, whole, columns - 2, shares);
    column = pht_area_put(area, row, column, PHT_ROLE_TEXT, "[");
    for (size_t i = 0; i < count; i++)
        column = fill(area, row, column, shares[i], parts[i].role, parts[i].letter);
    column = fill(area, row, column, shares[count], PHT_ROLE_DIM, '.');
    pht_area_put(area, row, column, PHT_ROLE_TEXT, "]");
}

size_t pht_bar_categories(const struct pht_split *split,
                          struct pht_bar_part parts[static PHT_CATEGORIES])
{
    size_t count = 0;

    for (int i = 0; i < PHT_CATEGORIES; i++) {
        enum pht_category category = (enum pht_category)i;
        if (split->bytes[i] == 0)
            continue;
        parts[count++] = (struct pht_bar_part){.letter = pht_category_name(category)->letter,
                                               .role = pht_role_of(category),
                                               .bytes = split->bytes[i]};
    }
    return count;
}
