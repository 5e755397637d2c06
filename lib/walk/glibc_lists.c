#include "walk/glibc_lists.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "walk/field.h"
#include "walk/word_reader.h"

/* A list that changes while it is followed is followed anew, so often in all. */
#define TRIES 3

struct follower {
    struct pht_malloc_lists *lists;
    const struct pht_glibc_roots *roots;
    struct pht_word_reader *reader;
    bool out_of_memory;
};

/* A list of chunks of one kind. */
struct list {
    pht_addr head;                  /* memory of the first chunk; 0: empty */
    pht_addr head_field;            /* where it stands, to be read again */
    bool links_chunks;              /* fastbins link chunks, tcaches the memory in them */
    uint64_t chunk_bytes;           /* 0: chunks of several sizes */
    uint64_t longest;               /* more chunks are damage */
    struct pht_listed_chunks *into; /* NULL: only counted */
};

struct found {
    uint64_t chunks;
    uint64_t bytes;
};

/* What a link or a head holds, as the address of a chunk's memory. */
static pht_addr memory_of(const struct list *list, pht_addr value)
{
    return value != 0 && list->links_chunks ? value + PHT_CHUNK_HEADER_BYTES : value;
}

static bool follow_link(struct follower *self, const struct list *list, pht_addr memory,
                        struct found *found, pht_addr *next)
{
    uint64_t size, link;

    if (!pht_chunk_addr_is_sane(memory) || memory < 2 * PHT_PAGE_BYTES ||
        !pht_word_read(self->reader, memory - sizeof(uint64_t), &size) ||
        !pht_word_read(self->reader, memory, &link))
        return false;
    size &= ~(uint64_t)PHT_CHUNK_FLAGS;
    if (list->chunk_bytes != 0 ? size != list->chunk_bytes
                               : size < PHT_CHUNK_BYTES_MIN || size > PHT_USER_ADDR_MAX)
        return false;
    const struct pht_listed_chunk chunk = {memory - PHT_CHUNK_HEADER_BYTES, link};
    if (list->into != NULL && !pht_vec_push(list->into, chunk)) {
        self->out_of_memory = true;
        return false;
    }
    found->chunks++;
    found->bytes += size;
    *next = memory_of(list, pht_glibc_reveal(self->lists->safe_linking, memory, link));
    return true;
}

/* Brent: a chunk that is kept for ever longer times is met again only in a circle. */
static bool follow_once(struct follower *self, const struct list *list, struct found *found)
{
    pht_addr memory = list->head, kept = 0;
    uint64_t until = 1;

    *found = (struct found){0};
    while (memory != 0) {
        pht_addr at = memory;
        if (at == kept || found->chunks == list->longest ||
            !follow_link(self, list, at, found, &memory))
            return false;
        if (found->chunks == until) {
            kept = at;
            until *= 2;
        }
    }
    return true;
}

/* False if the list could not be followed to its end; what was met in the last try is kept. */
static bool follow(struct follower *self, struct list *list, struct found *found)
{
    size_t before = list->into != NULL ? list->into->count : 0;

    for (int tries = 1; !follow_once(self, list, found); tries++) {
        pht_word_reader_clear(self->reader);
        if (tries == TRIES || self->out_of_memory ||
            !pht_word_read(self->reader, list->head_field, &list->head))
            return false;
        list->head = memory_of(list, list->head);
        if (list->into != NULL)
            list->into->count = before;
    }
    return true;
}

/* ---- safe-linking -------------------------------------------------------------------------------
 */

struct votes {
    unsigned plain;
    unsigned safe;
};

static void vote(struct follower *self, pht_addr memory, struct votes *votes)
{
    uint64_t link;

    if (!pht_chunk_addr_is_sane(memory) || !pht_word_read(self->reader, memory, &link))
        return;
    uint64_t revealed = pht_glibc_reveal(true, memory, link);
    votes->plain += link == 0 || pht_chunk_addr_is_sane(link);
    votes->safe += revealed == 0 || pht_chunk_addr_is_sane(revealed);
}

static void detect_safe_linking(struct follower *self)
{
    const struct pht_glibc_roots *roots = self->roots;
    struct votes votes = {0};

    for (size_t i = 0; i < roots->threads.count; i++) {
        for (size_t bin = 0; bin < PHT_TCACHE_BINS_MAX; bin++) {
            if (roots->threads.items[i].entries[bin] != 0)
                vote(self, roots->threads.items[i].entries[bin], &votes);
        }
    }
    for (size_t i = 0; i < roots->arenas.count; i++) {
        for (size_t bin = 0; bin < PHT_FASTBINS_MAX; bin++) {
            pht_addr chunk = roots->arenas.items[i].fastbins[bin];
            if (chunk != 0 && chunk <= PHT_USER_ADDR_MAX)
                vote(self, chunk + PHT_CHUNK_HEADER_BYTES, &votes);
        }
    }
    self->lists->safe_linking = votes.safe > votes.plain;
}

/* ---- fastbins and tcaches ----------------------------------------------------------------------
 */

static void follow_fastbins(struct follower *self, const struct pht_malloc_arena_root *arena)
{
    for (size_t bin = 0; bin < PHT_FASTBINS_MAX; bin++) {
        struct list list = {
            .links_chunks = true,
            .head_field =
                arena->address + self->roots->libc->layout.state_fastbins + bin * sizeof(pht_addr),
            .chunk_bytes = PHT_CHUNK_BYTES_MIN + bin * PHT_CHUNK_ALIGNMENT,
            .longest = arena->system_bytes / PHT_CHUNK_BYTES_MIN,
            .into = &self->lists->fast,
        };
        struct found found;
        list.head = memory_of(&list, arena->fastbins[bin]);
        if (!follow(self, &list, &found))
            self->lists->torn_chunks++;
    }
}

/* Bins of one size each; the ones from 2.42 on behind them hold a range. */
#define SMALL_BINS 64

/* How a tcache's bin stands now. */
static bool look_at_bin(struct follower *self, pht_addr tcache, size_t bin, struct list *list,
                        uint64_t *held)
{
    const struct pht_libc_layout *layout = &self->roots->libc->layout;
    char bytes[PHT_TCACHE_BYTES_MAX];

    if (pht_snapshot_read(self->reader->snapshot, tcache, bytes, layout->tcache_bytes) !=
        PHT_READ_OK)
        return false;
    list->head = pht_field_u64(bytes, layout->tcache_entries + bin * sizeof(pht_addr));
    *held = pht_glibc_tcache_held(self->roots, bytes, bin);
    return true;
}

/*
 * A bin whose chunks are not as many as its counter says has changed since the counter was read,
 * or is damaged. It is looked at anew; if then the two agree, the counter was right as well.
 */
static bool confirm_bin(struct follower *self, const struct pht_malloc_thread_root *root,
                        size_t bin, struct list *list, struct found *found)
{
    size_t before = list->into != NULL ? list->into->count : 0;
    uint64_t held = root->held[bin];

    for (int tries = 1;; tries++) {
        if (follow_once(self, list, found) && found->chunks == held)
            return true;
        pht_word_reader_clear(self->reader);
        if (tries == TRIES || self->out_of_memory ||
            !look_at_bin(self, root->tcache, bin, list, &held))
            return false;
        if (list->into != NULL)
            list->into->count = before;
    }
}

static void follow_tcache(struct follower *self, const struct pht_malloc_thread_root *root,
                          struct pht_malloc_thread *thread)
{
    const struct pht_libc_layout *layout = &self->roots->libc->layout;
    bool has_key = layout->tcache_entry_key != PHT_UNKNOWN;

    for (size_t bin = 0; bin < pht_glibc_tcache_bins(layout); bin++) {
        struct list list = {
            .head = root->entries[bin],
            .chunk_bytes = bin < SMALL_BINS ? PHT_CHUNK_BYTES_MIN + bin * PHT_CHUNK_ALIGNMENT : 0,
            .longest = UINT16_MAX,
            .into = has_key ? NULL : &self->lists->tcache,
        };
        struct found found;
        if (list.head == 0 && root->held[bin] == 0)
            continue;
        if (!confirm_bin(self, root, bin, &list, &found))
            self->lists->torn_chunks++;
        else if (list.chunk_bytes != 0)
            found = (struct found){root->held[bin], root->held[bin] * list.chunk_bytes};
        thread->tcache_chunks += found.chunks;
        thread->tcache_bytes += found.bytes;
    }
}

static int compare(const void *a, const void *b)
{
    const struct pht_listed_chunk *left = a, *right = b;

    return left->address < right->address ? -1 : left->address > right->address;
}

/* Lists that run into each other would count a chunk twice. */
static void sort(struct pht_listed_chunks *chunks)
{
    size_t kept = 0;

    if (chunks->count > 0)
        qsort(chunks->items, chunks->count, sizeof(chunks->items[0]), compare);
    for (size_t i = 0; i < chunks->count; i++) {
        if (kept == 0 || chunks->items[kept - 1].address != chunks->items[i].address)
            chunks->items[kept++] = chunks->items[i];
    }
    chunks->count = kept;
}

bool pht_malloc_lists_follow(struct pht_malloc_lists *lists, struct pht_snapshot *snapshot,
                             const struct pht_glibc_roots *roots, struct pht_malloc_thread *threads)
{
    struct follower self = {
        .lists = lists,
        .roots = roots,
        .reader = pht_word_reader_create(snapshot),
    };

    *lists = (struct pht_malloc_lists){0};
    if (self.reader == NULL)
        return false;
    detect_safe_linking(&self);
    for (size_t i = 0; i < roots->threads.count && !self.out_of_memory; i++) {
        if (roots->threads.items[i].tcache != 0)
            follow_tcache(&self, &roots->threads.items[i], &threads[i]);
    }
    for (size_t i = 0; i < roots->arenas.count && !self.out_of_memory; i++)
        follow_fastbins(&self, &roots->arenas.items[i]);
    pht_word_reader_destroy(self.reader);
    sort(&lists->fast);
    sort(&lists->tcache);
    return !self.out_of_memory;
}

void pht_malloc_lists_deinit(struct pht_malloc_lists *lists)
{
    free(lists->fast.items);
    free(lists->tcache.items);
}
