/* A thread that does nothing but malloc and free. */
#include "malloc.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define KEPT 4000

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Mostly small, some large, few that are mmapped. */
static size_t random_size(uint64_t random)
{
    if (random % 4000 == 0)
        return 150000 + random / 4000 % 400000;
    if (random % 20 == 0)
        return 1000 + random / 20 % 40000;
    return random / 20 % 900;
}

void malloc_churn(unsigned seed, volatile uint64_t *count)
{
    void **kept = calloc(KEPT, sizeof(*kept));
    uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;

    for (;;) {
        uint64_t random = next_random(&state);
        void **one = &kept[random % KEPT];
        size_t bytes = random_size(random >> 16);
        if (*one != NULL && random >> 60 == 0) {
            *one = realloc(*one, bytes + 1);
        } else if (*one != NULL) {
            free(*one);
            *one = NULL;
        } else {
            *one = malloc(bytes);
            memset(*one, 1, bytes);
        }
        ++*count;
    }
}
