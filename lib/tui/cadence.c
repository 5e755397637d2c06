#include "tui/cadence.h"

#include <stddef.h>

#define SECOND_US ((uint64_t)1000000)

void pht_cadence_init(struct pht_cadence *cadence, uint64_t interval_us, uint64_t count)
{
    *cadence =
        (struct pht_cadence){.chosen_us = interval_us, .left = count == 0 ? UINT64_MAX : count};
}

void pht_cadence_step(struct pht_cadence *cadence, int direction)
{
    static const uint64_t steps[] = {1, 2, 5, 10, 30, 60};
    uint64_t seconds = 0; /* off, which is beyond the longest */

    if (direction > 0) {
        for (int i = 5; i >= 0; i--) {
            if (cadence->chosen_us != 0 && steps[i] * SECOND_US > cadence->chosen_us)
                seconds = steps[i];
        }
    } else {
        seconds = steps[0];
        for (int i = 0; i <= 5; i++) {
            if (cadence->chosen_us == 0 || steps[i] * SECOND_US < cadence->chosen_us)
                seconds = steps[i];
        }
    }
    cadence->chosen_us = seconds * SECOND_US;
}

void pht_cadence_begin(struct pht_cadence *cadence, uint64_t now_us)
{
    cadence->started_us = now_us;
    if (cadence->left != UINT64_MAX && cadence->left > 0)
        cadence->left--;
}

void pht_cadence_end(struct pht_cadence *cadence, uint64_t now_us, uint64_t work_us,
                     uint64_t stopped_us)
{
    const uint64_t asked[] = {work_us * PHT_CADENCE_WORK_SHARE, stopped_us * PHT_CADENCE_STOP_SHARE,
                              (now_us - cadence->started_us) * PHT_CADENCE_TIME_SHARE};
    uint64_t needed = 0;

    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
        needed = asked[i] > needed ? asked[i] : needed;
    cadence->needed_us = (needed + SECOND_US - 1) / SECOND_US * SECOND_US;
}

uint64_t pht_cadence_interval(const struct pht_cadence *cadence)
{
    if (cadence->chosen_us == 0)
        return 0;
    return cadence->needed_us > cadence->chosen_us ? cadence->needed_us : cadence->chosen_us;
}

bool pht_cadence_is_raised(const struct pht_cadence *cadence)
{
    return pht_cadence_interval(cadence) > cadence->chosen_us;
}

uint64_t pht_cadence_due_us(const struct pht_cadence *cadence)
{
    if (cadence->is_paused || cadence->left == 0)
        return UINT64_MAX;
    if (cadence->started_us == 0)
        return 0; /* the first one at once */
    if (cadence->chosen_us == 0)
        return UINT64_MAX;
    return cadence->started_us + pht_cadence_interval(cadence);
}
