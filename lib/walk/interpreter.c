#include "walk/interpreter.h"

#include "walk/word_reader.h"

/* A longer list is damaged. */
#define INTERPRETERS_MAX 65536

bool pht_interpreter_is_known(const struct pht_python_layout *layout)
{
    return layout->runtime != PHT_UNKNOWN && layout->runtime_interpreters_main != PHT_UNKNOWN &&
           layout->runtime_interpreters_head != PHT_UNKNOWN && layout->interp_next != PHT_UNKNOWN &&
           layout->interp_id != PHT_UNKNOWN;
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
        !pht_word_read_at(snapshot, runtime + layout->runtime_interpreters_main, &main) ||
        main > PHT_USER_ADDR_MAX || !pht_word_read_at(snapshot, main + layout->interp_id, &id) ||
        id != 0 ||
        !pht_word_read_at(snapshot, runtime + layout->runtime_interpreters_head, &head) ||
        !pht_word_read_at(snapshot, main + layout->interp_next, &next))
        return 0;
    *is_only = head == main && next == 0;
    return main;
}

void pht_interpreters_begin(struct pht_interpreters *interpreters, struct pht_snapshot *snapshot,
                            const struct pht_python *python)
{
    const struct pht_python_layout *layout = &python->layout;
    bool is_known = layout->runtime != PHT_UNKNOWN && layout->interp_next != PHT_UNKNOWN &&
                    layout->runtime_interpreters_head != PHT_UNKNOWN;

    *interpreters = (struct pht_interpreters){.snapshot = snapshot, .layout = layout};
    if (is_known)
        interpreters->link = layout->runtime + python->bias + layout->runtime_interpreters_head;
}

pht_addr pht_interpreters_next(struct pht_interpreters *interpreters)
{
    pht_addr interpreter;

    if (interpreters->link == 0 ||
        !pht_word_read_at(interpreters->snapshot, interpreters->link, &interpreter) ||
        interpreter == 0 || interpreters->circle.seen == INTERPRETERS_MAX ||
        pht_circle_closes(&interpreters->circle, interpreter))
        return 0;
    interpreters->link = interpreter + interpreters->layout->interp_next;
    return interpreter;
}
