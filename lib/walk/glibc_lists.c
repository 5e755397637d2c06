/*
 * A list is followed link by link, and each link is a read of its own somewhere in the heap. So
 * all lists are followed at once: a round reads the next link of each.
 */
#include "walk/glibc_lists.h"

#include <stdlib.h>
#include <string.h>

#include "base/sorted.h"
#include "walk/field.h"

/* A list that changes while it is followed is followed anew, so often in all. */
#define TRIES 3

/* Bins of one size each; the ones from 2.42 on behind them hold a range. */
#define SMALL_BINS 64

/* The size word before a chunk's memory, and the link that stands at its beginning. */
#define LINK_BYTES 16

/* Lists in one round; with more than that, some wait for the others to end. */
#define LISTS_MAX 256

enum outcome {
    OUTCOME_GOES_ON,
    OUTCOME_ENDED,
    OUTCOME_GIVEN_UP,
};

/* A list of chunks of one kind: a fastbin of an arena, or a bin of a thread's tcache. */
struct list {
    const struct pht_malloc_arena_root *arena; /* of a fastbin, else NULL */
    const struct pht_malloc_thread_root *root; /* of a tcache */
    struct pht_malloc_thread *thread;
    size_t bin;
    uint64_t chunk_bytes; /* 0: chunks of several sizes */
    uint64_t longest;     /* more chunks are damage */
    uint64_t held;        /* by the counter of a tcache */
    pht_addr head;        /* where it began, as it was last read */
    unsigned tries;
    bool moves;      /* it was another each time it was looked at */
    bool meets_swap; /* there its next chunk is */
    pht_addr memory; /* of the next chunk; 0: the end */
    pht_addr kept;   /* Brent: met again only in a circle */
    uint64_t until;
    uint64_t chunks;
    uint64_t bytes;
    struct pht_listed_chunks met;
};

struct follower {
    struct pht_malloc_lists *lists;
    struct pht_snapshot *snapshot;
    const struct pht_glibc_roots *roots;
    bool out_of_memory;
    struct list active[LISTS_MAX];
    size_t count;
};

/* ---- one list ----------------------------------------------------------------------------- */

static void begin(struct list *list, pht_addr head)
{
    list->head = head;
    /* Fastbins link chunks, tcaches the memory in them. */
    list->memory = list->arena != NULL && head != 0 ? head + PHT_CHUNK_HEADER_BYTES : head;
    list->kept = 0;
    list->until = 1;
    list->chunks = list->bytes = 0;
    list->met.count = 0;
}

static bool is_sane(const struct list *list)
{
    return pht_chunk_addr_is_sane(list->memory) && list->memory != list->kept &&
           list->chunks < list->longest;
}

/* `bytes` are LINK_BYTES from before the memory of the list's next chunk. */
static bool take_chunk(struct follower *self, struct list *list, const uint8_t *bytes)
{
    uint64_t size = pht_chunk_bytes(pht_field_u64(bytes, 0));
    uint64_t link = pht_field_u64(bytes, 8);
    pht_addr memory = list->memory;

    if (list->chunk_bytes != 0 ? size != list->chunk_bytes
                               : size < PHT_CHUNK_BYTES_MIN || size > PHT_USER_ADDR_MAX)
        return false;
    const struct pht_listed_chunk chunk = {memory - PHT_CHUNK_HEADER_BYTES, link};
    if (!pht_vec_push(&list->met, chunk))
        self->out_of_memory = true;
    list->chunks++;
    list->bytes += size;
    if (list->chunks == list->until) {
        list->kept = memory;
        list->until *= 2;
    }
    pht_addr next = pht_glibc_reveal(self->lists->safe_linking, memory, link);
    list->memory = list->arena != NULL && next != 0 ? next + PHT_CHUNK_HEADER_BYTES : next;
    return true;
}

/* ---- trying again ------------------------------------------------------------------------- */

static bool read_head(struct follower *self, struct list *list, pht_addr *head)
{
    const struct pht_libc_layout *layout = &self->roots->libc->layout;
    char bytes[PHT_TCACHE_BYTES_MAX];

    if (list->arena != NULL)
        return pht_snapshot_read(self->snapshot,
                                 list->arena->address + layout->state_fastbins +
                                     list->bin * sizeof(*head),
                                 head, sizeof(*head)) == PHT_READ_OK;
    if (pht_snapshot_read(self->snapshot, list->root->tcache, bytes, layout->tcache_bytes) !=
        PHT_READ_OK)
        return false;
    *head = pht_field_u64(bytes, layout->tcache_entries + list->bin * sizeof(*head));
    list->held = pht_glibc_tcache_held(self->roots, bytes, list->bin);
    return true;
}

/* A list that is not the same when it is looked at again is not damaged, but in use. */
static enum outcome try_again(struct follower *self, struct list *list)
{
    pht_addr head_before = list->head, head;
    uint64_t held_before = list->held;

    if (self->out_of_memory || !read_head(self, list, &head))
        return OUTCOME_GIVEN_UP;
    list->moves = list->moves || head != head_before || list->held != held_before;
    if (++list->tries == TRIES)
        return OUTCOME_GIVEN_UP;
    begin(list, head);
    return OUTCOME_GOES_ON;
}

/*
 * A tcache whose chunks are not as many as its counter says has changed since the counter was
 * read, or is damaged. It is looked at anew; if then the two agree, so did they in the beginning.
 */
static enum outcome check_end(struct follower *self, struct list *list)
{
    while (list->memory == 0) {
        if (list->arena != NULL || list->chunks == list->held)
            return OUTCOME_ENDED;
        if (try_again(self, list) == OUTCOME_GIVEN_UP)
            return OUTCOME_GIVEN_UP;
    }
    return OUTCOME_GOES_ON;
}

/* ---- what was found ----------------------------------------------------------------------- */

static bool append(struct pht_listed_chunks *all, const struct pht_listed_chunks *some)
{
    if (!pht_vec_reserve(all, all->count + some->count))
        return false;
    if (some->count > 0)
        memcpy(all->items + all->count, some->items, some->count * sizeof(some->items[0]));
    all->count += some->count;
    return true;
}

/*
 * What was met of a list that could not be followed to its end is kept all the same. Of a tcache
 * in use, its counter in the stop says what it held.
 */
static void finish(struct follower *self, struct list *list, enum outcome outcome)
{
    bool is_fast = list->arena != NULL;

    if (outcome == OUTCOME_GIVEN_UP && list->meets_swap)
        self->lists->swapped_pages++;
    else if (outcome == OUTCOME_GIVEN_UP && (is_fast || !list->moves))
        self->lists->torn_chunks++;
    if (!append(is_fast ? &self->lists->fast : &self->lists->tcache, &list->met))
        self->out_of_memory = true;
    free(list->met.items);
    if (is_fast)
        return;
    if ((outcome == OUTCOME_ENDED || list->moves || list->meets_swap) && list->chunk_bytes != 0) {
        list->chunks = list->root->held[list->bin];
        list->bytes = list->chunks * list->chunk_bytes;
    }
    list->thread->tcache_chunks += list->chunks;
    list->thread->tcache_bytes += list->bytes;
}

/* ---- all lists ---------------------------------------------------------------------------- */

static enum outcome step(struct follower *self, struct list *list, const uint8_t *bytes,
                         uint8_t result)
{
    list->meets_swap = result == PHT_READ_SWAPPED;
    if (!is_sane(list) || result != PHT_READ_OK || !take_chunk(self, list, bytes)) {
        enum outcome outcome = try_again(self, list);
        return outcome == OUTCOME_GOES_ON ? check_end(self, list) : outcome;
    }
    return check_end(self, list);
}

/* One link of each list; those that end give way to the last one. */
static void follow_round(struct follower *self)
{
    pht_addr addrs[LISTS_MAX];
    uint8_t bytes[LISTS_MAX][LINK_BYTES], results[LISTS_MAX];

    for (size_t i = 0; i < self->count; i++)
        addrs[i] = self->active[i].memory - sizeof(uint64_t);
    pht_snapshot_gather(self->snapshot, addrs, self->count, LINK_BYTES, bytes, results);
    for (size_t i = self->count; i-- > 0;) {
        enum outcome outcome = step(self, &self->active[i], bytes[i], results[i]);
        if (outcome == OUTCOME_GOES_ON)
            continue;
        finish(self, &self->active[i], outcome);
        self->active[i] = self->active[--self->count];
    }
}

static void add_list(struct follower *self, struct list *list, pht_addr head)
{
    begin(list, head);
    enum outcome outcome = check_end(self, list);
    if (outcome != OUTCOME_GOES_ON) {
        finish(self, list, outcome);
        return;
    }
    while (self->count == LISTS_MAX)
        follow_round(self);
    self->active[self->count++] = *list;
}

static void add_fastbins(struct follower *self, const struct pht_malloc_arena_root *arena)
{
    for (size_t bin = 0; bin < PHT_FASTBINS_MAX; bin++) {
        struct list list = {
            .arena = arena,
            .bin = bin,
            .chunk_bytes = PHT_CHUNK_BYTES_MIN + bin * PHT_CHUNK_ALIGNMENT,
            .longest = arena->system_bytes / PHT_CHUNK_BYTES_MIN,
        };
        if (arena->fastbins[bin] != 0)
            add_list(self, &list, arena->fastbins[bin]);
    }
}

static void add_tcache(struct follower *self, const struct pht_malloc_thread_root *root,
                       struct pht_malloc_thread *thread)
{
    for (size_t bin = 0; bin < pht_glibc_tcache_bins(&self->roots->libc->layout); bin++) {
        struct list list = {
            .root = root,
            .thread = thread,
            .bin = bin,
            .chunk_bytes = bin < SMALL_BINS ? PHT_CHUNK_BYTES_MIN + bin * PHT_CHUNK_ALIGNMENT : 0,
            .longest = UINT16_MAX,
            .held = root->held[bin],
        };
        if (root->entries[bin] != 0 || root->held[bin] != 0)
            add_list(self, &list, root->entries[bin]);
    }
}

/* ---- safe-linking ------------------------------------------------------------------------- */

/* A lead of so many votes decides. */
#define VOTES_LEAD 8

struct votes {
    int safe; /* less those for plain links */
    bool is_decided;
};

/* The size of the chunk before `memory`; 0 if it cannot be read. */
static uint64_t size_before(struct follower *self, pht_addr memory)
{
    uint64_t raw;

    if (!pht_chunk_addr_is_sane(memory) ||
        pht_snapshot_read(self->snapshot, memory - sizeof(raw), &raw, sizeof(raw)) != PHT_READ_OK)
        return 0;
    return pht_chunk_bytes(raw);
}

/* A link leads to the end, or to a chunk of the same size. */
static bool leads_on(struct follower *self, pht_addr next, bool links_chunks, uint64_t bytes)
{
    return next == 0 ||
           (next <= PHT_USER_ADDR_MAX &&
            size_before(self, next + (links_chunks ? PHT_CHUNK_HEADER_BYTES : 0)) == bytes);
}

static void vote(struct follower *self, pht_addr memory, bool links_chunks, struct votes *votes)
{
    uint64_t link, bytes = size_before(self, memory);

    if (votes->is_decided || bytes == 0 ||
        pht_snapshot_read(self->snapshot, memory, &link, sizeof(link)) != PHT_READ_OK)
        return;
    votes->safe += leads_on(self, pht_glibc_reveal(true, memory, link), links_chunks, bytes);
    votes->safe -= leads_on(self, link, links_chunks, bytes);
    votes->is_decided = abs(votes->safe) >= VOTES_LEAD;
}

/* Where no link tells: whoever has a key in the tcache has safe links, which are older. */
static void detect_safe_linking(struct follower *self)
{
    const struct pht_glibc_roots *roots = self->roots;
    struct votes votes = {0};

    for (size_t i = 0; i < roots->threads.count; i++) {
        /* The bins behind these are not of one size. */
        for (size_t bin = 0; bin < SMALL_BINS; bin++) {
            if (roots->threads.items[i].entries[bin] != 0)
                vote(self, roots->threads.items[i].entries[bin], false, &votes);
        }
    }
    for (size_t i = 0; i < roots->arenas.count; i++) {
        for (size_t bin = 0; bin < PHT_FASTBINS_MAX; bin++) {
            pht_addr chunk = roots->arenas.items[i].fastbins[bin];
            if (chunk != 0 && chunk <= PHT_USER_ADDR_MAX)
                vote(self, chunk + PHT_CHUNK_HEADER_BYTES, true, &votes);
        }
    }
    self->lists->safe_linking =
        votes.safe != 0 ? votes.safe > 0 : roots->libc->layout.tcache_key != PHT_UNKNOWN;
}

/* ---- the whole ---------------------------------------------------------------------------- */

void pht_listed_chunks_sort(struct pht_listed_chunks *chunks)
{
    size_t kept = 0;

    pht_sort(chunks->items, chunks->count, sizeof(chunks->items[0]));
    for (size_t i = 0; i < chunks->count; i++) {
        if (kept == 0 || chunks->items[kept - 1].address != chunks->items[i].address)
            chunks->items[kept++] = chunks->items[i];
    }
    chunks->count = kept;
}

size_t pht_listed_chunks_find(const struct pht_listed_chunks *chunks, pht_addr addr)
{
    return pht_sorted_find(chunks->items, chunks->count, sizeof(chunks->items[0]), addr);
}

bool pht_malloc_lists_follow(struct pht_malloc_lists *lists, struct pht_snapshot *snapshot,
                             const struct pht_glibc_roots *roots, struct pht_malloc_thread *threads)
{
    struct follower *self = calloc(1, sizeof(*self));

    *lists = (struct pht_malloc_lists){0};
    if (self == NULL)
        return false;
    self->lists = lists;
    self->snapshot = snapshot;
    self->roots = roots;
    detect_safe_linking(self);
    for (size_t i = 0; i < roots->threads.count; i++) {
        if (roots->threads.items[i].tcache != 0)
            add_tcache(self, &roots->threads.items[i], &threads[i]);
    }
    for (size_t i = 0; i < roots->arenas.count && !lists->safe_linking; i++)
        add_fastbins(self, &roots->arenas.items[i]);
    while (self->count > 0)
        follow_round(self);
    pht_listed_chunks_sort(&lists->fast);
    pht_listed_chunks_sort(&lists->tcache);
    bool followed = !self->out_of_memory;
    free(self);
    return followed;
}

void pht_malloc_lists_deinit(struct pht_malloc_lists *lists)
{
    free(lists->fast.items);
    free(lists->tcache.items);
}
