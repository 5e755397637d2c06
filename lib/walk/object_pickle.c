/*
 * Picklers, unpicklers and their stacks: Modules/_pickle.c. What they pickle into, and out of, are
 * bytes objects, which count for themselves.
 *
 * Where an Unpickler has what depends on the release, and not only on its first two numbers: the
 * layouts here are of the DWARF of 3.6.15 to 3.13.0, and of 3.13.5, 3.13.18, 3.14.10 and 3.15.2 as
 * they run. The rest is the same in all.
 */
#include <string.h>

#include "walk/field.h"
#include "walk/object_parts.h"

/* ---- Pickler ------------------------------------------------------------------------------ */

#define PICKLER_MEMO 16

/* PyMemoTable, and its entries: an object and its number. */
enum memo_offset {
    MEMO_MASK = 0,
    MEMO_ALLOCATED = 16,
    MEMO_TABLE = 24,
    MEMO_BYTES = 32,
};

#define MEMO_ENTRY_BYTES 16

/* _pickle_Pickler___sizeof___impl() */
void pht_measure_pickler(struct pht_measure *measure)
{
    unsigned char memo[MEMO_BYTES];
    pht_addr addr = pht_measure_u64(measure, PICKLER_MEMO);

    if (addr == 0 || !pht_measure_read(measure, addr, memo, sizeof(memo)))
        return;
    uint64_t allocated = pht_measure_count(measure, pht_field_u64(memo, MEMO_ALLOCATED));
    if (pht_field_u64(memo, MEMO_MASK) != allocated - 1 || (allocated & (allocated - 1)) != 0) {
        measure->ret->is_damaged = true;
        return;
    }
    pht_measure_count_in(measure, addr, MEMO_BYTES);
    pht_measure_count_in(measure, pht_field_u64(memo, MEMO_TABLE), allocated * MEMO_ENTRY_BYTES);
}

/* ---- Unpickler ---------------------------------------------------------------------------- */

#define UNPICKLER_MEMO 24
#define UNPICKLER_MEMO_SIZE 32

/* From its encoding on. */
enum unpickler_end {
    END_ENCODING = 0,
    END_ERRORS = 8,
    END_MARKS = 16,
    END_MARK_COUNT = 24,
    END_MARKS_SIZE = 32,
    END_PROTOCOL = 40,
    END_FIX_IMPORTS = 44,
    END_BYTES = 48,
};

struct unpickler_layout {
    uint32_t line;
    uint32_t end;
};

/* No address is so small, and no pickle nested so deeply. */
#define MARKS_MAX ((uint64_t)1 << 22)

#define PROTOCOL_MAX 5

/* What an Unpickler holds that nobody has initialised passes as well: zeros. */
static bool is_end(const unsigned char *end)
{
    bool has_encoding = pht_field_u64(end, END_ENCODING) != 0;
    bool has_errors = pht_field_u64(end, END_ERRORS) != 0;
    bool has_marks = pht_field_u64(end, END_MARKS) != 0;
    uint64_t marks_size = pht_field_u64(end, END_MARKS_SIZE);

    return has_encoding == has_errors && has_marks == (marks_size != 0) && marks_size < MARKS_MAX &&
           pht_field_u64(end, END_MARK_COUNT) <= marks_size &&
           pht_field_u32(end, END_PROTOCOL) <= PROTOCOL_MAX &&
           pht_field_u32(end, END_FIX_IMPORTS) <= 1;
}

/*
 * By rising offset: what is looked at too early has an address where a number should be, or has
 * marks without a size; of what is looked at too late all that is left may be zeros.
 */
static const struct unpickler_layout *find_layout(struct pht_measure *measure,
                                                  unsigned char ret[END_BYTES])
{
    static const struct unpickler_layout layouts[] = {
        {152, 208}, /* 3.6, 3.7 */
        {144, 216}, /* 3.13.0 */
        {152, 224}, /* 3.8 to 3.12, 3.13.5 */
        {152, 240}, /* 3.13.18, 3.14.10 */
        {160, 248}, /* 3.15.2 */
    };

    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
        if (layouts[i].end + END_BYTES > measure->object->type->basicsize)
            break;
        if (pht_measure_read(measure, measure->object->address + layouts[i].end, ret, END_BYTES) &&
            is_end(ret))
            return &layouts[i];
    }
    return NULL;
}

/* Of a text that ends in NUL, which its size counts. */
#define TEXT_PART_BYTES 512

static void count_text(struct pht_measure *measure, pht_addr addr)
{
    char part[TEXT_PART_BYTES];
    enum pht_read_result why;
    uint64_t length = 0;

    while (addr != 0 && pht_measure_step(measure)) {
        size_t got =
            pht_snapshot_read_some(measure->snapshot, addr + length, part, sizeof(part), &why);
        size_t used = strnlen(part, got);
        length += used;
        if (used < got) {
            pht_measure_count_in(measure, addr, length + 1);
            return;
        }
        if (got < sizeof(part)) {
            measure->ret->is_damaged = true;
            return;
        }
    }
}

/* _pickle_Unpickler___sizeof___impl() */
void pht_measure_unpickler(struct pht_measure *measure)
{
    unsigned char end[END_BYTES];
    pht_addr memo = pht_measure_u64(measure, UNPICKLER_MEMO);
    uint64_t memo_size = pht_measure_count(measure, pht_measure_u64(measure, UNPICKLER_MEMO_SIZE));
    const struct unpickler_layout *layout = find_layout(measure, end);

    if (memo != 0)
        pht_measure_count_in(measure, memo, memo_size * sizeof(pht_addr));
    if (layout == NULL)
        return;
    if (pht_field_u64(end, END_MARKS) != 0)
        pht_measure_count_in(measure, pht_field_u64(end, END_MARKS),
                             pht_field_u64(end, END_MARKS_SIZE) * sizeof(uint64_t));
    count_text(measure, pht_measure_u64(measure, layout->line));
    count_text(measure, pht_field_u64(end, END_ENCODING));
    count_text(measure, pht_field_u64(end, END_ERRORS));
}

/* ---- stack -------------------------------------------------------------------------------- */

enum stack_offset {
    STACK_ITEMS = 24,
    STACK_ALLOCATED = 48,
};

/* It says how many items it has, as if they stood in itself, and object.__sizeof__() says so. */
void pht_measure_pickle_stack(struct pht_measure *measure)
{
    uint64_t allocated = pht_measure_count(measure, pht_measure_u64(measure, STACK_ALLOCATED));

    pht_measure_items(measure);
    pht_measure_own(measure, pht_measure_u64(measure, STACK_ITEMS), allocated * sizeof(pht_addr));
}
