/*
 * Since 2.41 glibc makes random numbers without a system call (sysdeps/unix/sysv/linux/getrandom.c,
 * 2.41 to 2.43). It keeps states in pages that it maps for them, and a list of these states in a
 * mapping of its own:
 *
 *     grnd_alloc {lock, states, len, total, cap}    40 bytes, in the library's .bss
 *     states[cap] -> states, of which the first `len` are free and `total` have ever been there
 *
 * No state lies across the end of a page.
 */
#include "base/checked.h"
#include "walk/regions.h"

#define RANDOM_BYTES 40

/* One state a thread: more are damage. */
#define STATES_MAX 65536

#define PAGE_WORDS (PHT_PAGE_BYTES / sizeof(uint64_t))

enum random_word {
    LOCK,
    STATES,
    LEN,
    TOTAL,
    CAP,
    WORDS,
};

_Static_assert(WORDS * sizeof(uint64_t) == RANDOM_BYTES, "the members are words");

static bool add_states(struct pht_region_walk *walk, const pht_addr *states, size_t count)
{
    pht_addr last = 0;

    for (size_t i = 0; i < count; i++) {
        pht_addr page = pht_round_down(states[i], PHT_PAGE_BYTES);
        if (page == last || page < PHT_PAGE_BYTES || page > PHT_USER_ADDR_MAX ||
            pht_owners_unclaimed(walk->owners, page, page + PHT_PAGE_BYTES) == 0 ||
            !pht_region_is_all_private(walk, page, page + PHT_PAGE_BYTES))
            continue;
        if (!pht_region_add(walk, page, page + PHT_PAGE_BYTES, PHT_REGION_RANDOM, 0))
            return false;
        last = page;
    }
    return true;
}

static bool is_sane(const uint64_t words[static WORDS])
{
    return words[STATES] >= PHT_PAGE_BYTES && words[STATES] <= PHT_USER_ADDR_MAX &&
           words[STATES] % PHT_PAGE_BYTES == 0 && words[LEN] <= words[TOTAL] &&
           words[TOTAL] <= words[CAP] && words[CAP] > 0 && words[CAP] <= STATES_MAX;
}

bool pht_regions_find_random(struct pht_region_walk *walk)
{
    const struct pht_libc *libc = walk->libc;
    uint64_t words[WORDS];

    if (libc == NULL || libc->layout.random == PHT_UNKNOWN ||
        libc->layout.random_bytes != RANDOM_BYTES ||
        pht_snapshot_read(walk->snapshot, libc->bias + libc->layout.random, words, sizeof(words)) !=
            PHT_READ_OK ||
        !is_sane(words))
        return true;
    pht_addr end = words[STATES] + pht_round_up(words[CAP] * sizeof(pht_addr), PHT_PAGE_BYTES);
    if (!pht_region_is_all_private(walk, words[STATES], end))
        return true;
    if (!pht_region_add(walk, words[STATES], end, PHT_REGION_RANDOM, 0))
        return false;
    for (size_t done = 0; done < words[TOTAL]; done += PAGE_WORDS) {
        pht_addr states[PAGE_WORDS];
        size_t count = words[TOTAL] - done < PAGE_WORDS ? words[TOTAL] - done : PAGE_WORDS;
        if (pht_snapshot_read(walk->snapshot, words[STATES] + done * sizeof(pht_addr), states,
                              count * sizeof(pht_addr)) != PHT_READ_OK)
            break;
        if (!add_states(walk, states, count))
            return false;
    }
    return true;
}
