/*
 * Holding still. Words on stdin, and what is answered on stdout:
 *   info         malloc_info(3) and mallinfo2(3) to the file; "info"
 *   trim         malloc_trim(0); "trim"
 *   swap         malloc_swap(); "swap"
 *   take N SIZE  N chunks for that size; "take BYTES EXACT": of all, and how many are no larger
 *   give         free them; "give"
 *   go           return
 * Nothing but the words themselves calls malloc.
 */
#include "malloc.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TAKEN_MAX 1000

/* gdb finds it by this name. */
extern FILE *malloc_figures;
FILE *malloc_figures;

struct figures {
    size_t values[10];
};

static struct figures (*get_mallinfo2)(void);

static void say(const char *line)
{
    if (write(STDOUT_FILENO, line, strlen(line)) < 0)
        _exit(1);
}

/* The fields of mallinfo(3), which are ints before 2.33. */
static struct figures get_figures(void)
{
    struct figures all;

    if (get_mallinfo2 != NULL)
        return get_mallinfo2();
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    struct mallinfo old = mallinfo();
#pragma GCC diagnostic pop
    const int *fields = &old.arena;
    for (size_t i = 0; i < 10; i++)
        all.values[i] = (unsigned)fields[i];
    return all;
}

static void write_info(void)
{
    static const char *const names[] = {"arena",   "ordblks", "smblks",   "hblks",    "hblkhd",
                                        "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"};

    rewind(malloc_figures);
    if (ftruncate(fileno(malloc_figures), 0) != 0 || malloc_info(0, malloc_figures) != 0)
        _exit(1);
    struct figures all = get_figures();
    for (size_t i = 0; i < 10; i++)
        fprintf(malloc_figures, "%s %zu\n", names[i], all.values[i]);
    fflush(malloc_figures);
}

static void *taken[TAKEN_MAX];
static size_t taken_count;

static void take(size_t count, size_t bytes)
{
    char line[64];
    const size_t wanted = (bytes + sizeof(size_t) + 15) & ~(size_t)15;
    size_t total = 0, exact = 0;

    for (taken_count = 0; taken_count < count && taken_count < TAKEN_MAX; taken_count++) {
        taken[taken_count] = malloc(bytes);
        size_t chunk_bytes = malloc_usable_size(taken[taken_count]) + sizeof(size_t);
        total += chunk_bytes;
        exact += chunk_bytes == wanted;
    }
    snprintf(line, sizeof(line), "take %zu %zu\n", total, exact);
    say(line);
}

static void give(void)
{
    while (taken_count > 0)
        free(taken[--taken_count]);
}

static void read_word(char *word, size_t size)
{
    size_t length = 0;

    while (length + 1 < size && read(STDIN_FILENO, word + length, 1) == 1)
        if (word[length++] == '\n')
            break;
    if (length == 0)
        _exit(0);
    word[length - 1] = '\0';
}

static void obey(void)
{
    char word[64], line[80];
    size_t count, bytes;

    for (;;) {
        read_word(word, sizeof(word));
        if (strcmp(word, "go") == 0)
            return;
        if (sscanf(word, "take %zu %zu", &count, &bytes) == 2) {
            take(count, bytes);
            continue;
        }
        if (strcmp(word, "info") == 0)
            write_info();
        else if (strcmp(word, "trim") == 0)
            malloc_trim(0);
        else if (strcmp(word, "swap") == 0)
            malloc_swap();
        else if (strcmp(word, "give") == 0)
            give();
        snprintf(line, sizeof(line), "%s\n", word);
        say(line);
    }
}

void malloc_hold(const char *path, void *mallinfo2, struct plan *plan)
{
    static char buffer[1 << 16];
    char line[128];

    *(void **)&get_mallinfo2 = mallinfo2;
    malloc_figures = fopen(path, "w");
    setvbuf(malloc_figures, buffer, _IOFBF, sizeof(buffer));
    plan->tid = syscall(SYS_gettid);
    malloc_shape(plan);
    for (int i = 0; i < malloc_told_count; i++) {
        snprintf(line, sizeof(line), "mmapped %p\n", malloc_told_chunks[i]);
        say(line);
    }
    snprintf(line, sizeof(line), "thread %ld %ld %ld\nholding\n", (long)plan->tid,
             (long)plan->tcache_chunks, (long)plan->tcache_bytes);
    say(line);
    obey();
    fclose(malloc_figures);
}

void malloc_work(struct plan *plan)
{
    const struct timespec pause = {.tv_sec = 1};

    plan->tid = syscall(SYS_gettid);
    malloc_shape(plan);
    plan->done = 1;
    for (;;)
        if (!plan->is_busy)
            nanosleep(&pause, NULL);
}
