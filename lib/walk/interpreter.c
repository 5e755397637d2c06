#include "walk/interpreter.h"

bool pht_interpreter_is_known(const struct pht_python_layout *layout)
{
    return layout->runtime != PHT_UNKNOWN && layout->runtime_interpreters_main != PHT_UNKNOWN &&
           layout->runtime_interpreters_head != PHT_UNKNOWN && layout->interp_next != PHT_UNKNOWN &&
           layout->interp_id != PHT_UNKNOWN;
}

static bool read_word(struct pht_snapshot *snapshot, pht_addr addr, uint64_t *ret)
{
    return addr >= PHT_PAGE_BYTES && addr <= PHT_USER_ADDR_MAX &&
           pht_snapshot_read(snapshot, addr, ret, sizeof(*ret)) == PHT_READ_OK;
}

/* New interpreters stand in front of the older ones, so the main one is the last. */
pht_addr pht_interpreter_main(struct pht_snapshot *snapshot, const struct pht_python *python,
                              bool *is_only)
{
    const struct pht_python_layout *layout = &python->layout;
    pht_addr runtime = layout->runtime + python->bias, main, head, next;
    uint64_t id;

    *is_only = false;
    if (!pht_interpreter_is_known(layout) ||
        !read_word(snapshot, runtime + layout->runtime_interpreters_main, &main) ||
        main > PHT_USER_ADDR_MAX || !read_word(snapshot, main + layout->interp_id, &id) ||
        id != 0 || !read_word(snapshot, runtime + layout->runtime_interpreters_head, &head) ||
        !read_word(snapshot, main + layout->interp_next, &next))
        return 0;
    *is_only = head == main && next == 0;
    return main;
}
