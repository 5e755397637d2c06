#include "layout/libc_statics.h"

#include "base/checked.h"
#include "layout/libc_scan.h"

/* ---- places in the library ---------------------------------------------------------------- */

typedef bool is_wanted_fn(const struct pht_module_data *data, pht_addr addr, uint64_t wanted);

/* The only place where it is; PHT_UNKNOWN if there is none, or a second. */
static pht_addr find_only(const struct pht_module_data *data, is_wanted_fn *is_wanted,
                          uint64_t wanted)
{
    pht_addr found = PHT_UNKNOWN;

    for (size_t i = 0; i < data->count; i++) {
        const struct pht_module_segment *segment = &data->segments[i];
        for (size_t offset = 0; offset < segment->size; offset += sizeof(uint64_t)) {
            if (!is_wanted(data, segment->start + offset, wanted))
                continue;
            if (found != PHT_UNKNOWN)
                return PHT_UNKNOWN;
            found = segment->start + offset;
        }
    }
    return found;
}

/* ---- the key ------------------------------------------------------------------------------ */

static bool is_word(const struct pht_module_data *data, pht_addr addr, uint64_t wanted)
{
    const unsigned char *bytes = pht_module_data_at(data, addr, sizeof(wanted));

    return bytes != NULL && pht_libc_word(bytes, 0) == wanted;
}

/* Up to 2.33 it is the address of the tcache itself, which is nowhere in the library. */
static uint64_t key_of(const struct pht_module_data *data, const struct pht_libc_layout *layout,
                       pht_addr tcache)
{
    for (uint64_t at = 0; at < layout->tcache_entries_bytes; at += sizeof(pht_addr)) {
        pht_addr entry;
        uint64_t key;
        if (!pht_module_data_peek_u64(data, tcache + layout->tcache_entries + at, &entry))
            return 0;
        if (pht_libc_is_chunk_addr(entry) &&
            pht_module_data_peek_u64(data, entry + layout->tcache_entry_key, &key) && key != 0 &&
            key != tcache)
            return key;
    }
    return 0;
}

void pht_libc_key_find(const struct pht_module_data *data, const struct pht_libc_blocks *blocks,
                       struct pht_libc *libc)
{
    struct pht_libc_layout *layout = &libc->layout;

    if (layout->tcache_key != PHT_UNKNOWN || layout->tcache == PHT_UNKNOWN ||
        layout->tcache_entry_key == PHT_UNKNOWN)
        return;
    for (size_t i = 0; i < blocks->count; i++) {
        uint64_t key = key_of(data, layout, blocks->words[i][layout->tcache / sizeof(uint64_t)]);
        pht_addr found = key != 0 ? find_only(data, is_word, key) : PHT_UNKNOWN;
        if (found != PHT_UNKNOWN) {
            layout->tcache_key = found - libc->bias;
            return;
        }
    }
}

/* ---- states of random numbers ------------------------------------------------------------- */

/* struct grnd_alloc of getrandom.c, see walk/region_random.c */
enum random_word {
    RANDOM_LOCK,
    RANDOM_STATES,
    RANDOM_LEN,
    RANDOM_TOTAL,
    RANDOM_CAP,
    RANDOM_WORDS,
};

#define LOCK_MAX 2
#define STATES_MAX 65536

/* A mapping of pointers to states, of which at least one was made. */
static bool is_random(const struct pht_module_data *data, pht_addr addr, uint64_t wanted)
{
    const unsigned char *bytes = pht_module_data_at(data, addr, wanted);
    uint64_t words[RANDOM_WORDS];
    pht_addr state;

    if (bytes == NULL)
        return false;
    memcpy(words, bytes, sizeof(words));
    return words[RANDOM_LOCK] <= LOCK_MAX && words[RANDOM_LEN] <= words[RANDOM_TOTAL] &&
           words[RANDOM_TOTAL] > 0 && words[RANDOM_TOTAL] <= words[RANDOM_CAP] &&
           words[RANDOM_CAP] <= STATES_MAX && words[RANDOM_STATES] % PHT_PAGE_BYTES == 0 &&
           pht_libc_is_anonymous(data, words[RANDOM_STATES]) &&
           pht_module_data_peek_u64(data, words[RANDOM_STATES], &state) &&
           state % sizeof(uint64_t) == 0 && pht_libc_is_anonymous(data, state);
}

void pht_libc_random_find(const struct pht_module_data *data, struct pht_libc *libc)
{
    struct pht_libc_layout *layout = &libc->layout;

    if (layout->random == PHT_UNKNOWN && layout->random_bytes == RANDOM_WORDS * sizeof(uint64_t)) {
        pht_addr found = find_only(data, is_random, layout->random_bytes);
        if (found != PHT_UNKNOWN)
            layout->random = found - libc->bias;
    }
    if (layout->random == PHT_UNKNOWN)
        layout->random_bytes = PHT_UNKNOWN;
}
