/*
 * A library that the interpreters under test load through ctypes: it gives malloc's heap a shape,
 * and holds the process still while malloc itself counts. It calls only functions that glibc has
 * had for long, under versions that 2.31 knows; nothing here frees what it keeps.
 */
#ifndef LIVE_MALLOC_H
#define LIVE_MALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a thread does to the heap, and what it then says of itself. ctypes has this layout too
 * (programs/malloc.py).
 */
struct plan {
    int64_t shape;        /* an index in shapes[] */
    int64_t bytes;        /* for the shapes that have a size */
    int64_t tcache_count; /* at most so many chunks a tcache bin; -1: leave the tcache alone */
    int64_t large_bins;   /* fill the tcache's bins above 1032 bytes too */
    int64_t is_busy;      /* spins when it is done, and does not sleep */
    volatile int64_t tid;
    volatile int64_t tcache_chunks; /* in the tcache, all bins; -1 if that is not known */
    volatile int64_t tcache_bytes;
    volatile int64_t done;
};

/* Give the heap its shape, then the tcache its content. From `done` on it calls no malloc. */
void malloc_shape(struct plan *plan);

/* The same, and never returns. To be called without the GIL. */
void malloc_work(struct plan *plan);

/* Take from malloc until the tcache is empty, then put in it what the plan allows, and count. */
void malloc_fill_tcache(struct plan *plan);

/* If this is an mmapped chunk, remember its address to tell it. */
bool malloc_told(void *chunk);

/*
 * Prepare a heap whose free chunks only the tcache keeps apart; swap puts others into the tcache,
 * so that the first ones are free like any.
 */
void malloc_keep_apart(struct plan *plan);
void malloc_swap(void);

/* A tcache that has nothing but a list of two chunks. */
void malloc_one_list(struct plan *plan);

#define TOLD_MAX 64
extern void *malloc_told_chunks[TOLD_MAX];
extern int malloc_told_count;

/*
 * Hold still, without a call of malloc, until "go" comes on stdin; see hold.c for the words that
 * come before. `path` is where malloc's own figures go; `mallinfo2` its address, NULL before 2.33.
 */
void malloc_hold(const char *path, void *mallinfo2, struct plan *plan);

/* Allocate and free for ever; `count` goes on. To be called without the GIL. */
void malloc_churn(unsigned seed, volatile uint64_t *count);

#endif
