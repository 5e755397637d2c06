#include "layout/debug_offsets.h"

#include <string.h>

#define FIRST_MINOR 13
#define FIRST_MINOR_WITH_MAIN_THREAD 14
#define STRUCT_BYTES_MAX ((uint64_t)4 << 20)

enum word {
    COOKIE,
    VERSION,
    FREE_THREADED,
    RUNTIME_SIZE,
    RUNTIME_FINALIZING,
    RUNTIME_INTERPRETERS_HEAD,
    INTERPRETER_SIZE,
    INTERPRETER_ID,
    INTERPRETER_NEXT,
    INTERPRETER_THREADS_HEAD,
    INTERPRETER_GC,
    INTERPRETER_GC_BEHIND_MAIN_THREAD,
    WORDS,
};

static bool is_of(const uint64_t words[static WORDS], const struct pht_version *version)
{
    return memcmp(&words[COOKIE], "xdebugpy", sizeof(words[COOKIE])) == 0 &&
           words[VERSION] >> 24 == version->major &&
           (words[VERSION] >> 16 & 0xff) == version->minor && words[FREE_THREADED] == 0;
}

static bool lies_in(uint64_t offset, uint64_t bytes, uint64_t size)
{
    return size <= STRUCT_BYTES_MAX && size >= bytes && offset % 8 == 0 && offset <= size - bytes;
}

bool pht_debug_offsets_read(const struct pht_module_data *data, uint64_t bias,
                            const struct pht_version *version, struct pht_python_layout *layout)
{
    uint64_t words[WORDS];

    if (version->major != 3 || version->minor < FIRST_MINOR || layout->runtime == PHT_UNKNOWN ||
        !pht_module_data_peek(data, layout->runtime + bias, words, sizeof(words)) ||
        !is_of(words, version))
        return false;
    uint64_t gc =
        words[version->minor < FIRST_MINOR_WITH_MAIN_THREAD ? INTERPRETER_GC
                                                            : INTERPRETER_GC_BEHIND_MAIN_THREAD];
    uint64_t size = words[INTERPRETER_SIZE];
    if (!lies_in(words[RUNTIME_INTERPRETERS_HEAD], 16, words[RUNTIME_SIZE]) ||
        !lies_in(words[INTERPRETER_ID], 8, size) || !lies_in(words[INTERPRETER_NEXT], 8, size) ||
        !lies_in(words[INTERPRETER_THREADS_HEAD], 8, size) || !lies_in(gc, 8, size))
        return false;
    layout->runtime_bytes = words[RUNTIME_SIZE];
    layout->runtime_interpreters_head = words[RUNTIME_INTERPRETERS_HEAD];
    layout->runtime_interpreters_main = words[RUNTIME_INTERPRETERS_HEAD] + 8;
    layout->interp_bytes = size;
    layout->interp_id = words[INTERPRETER_ID];
    layout->interp_next = words[INTERPRETER_NEXT];
    layout->interp_threads_head = words[INTERPRETER_THREADS_HEAD];
    layout->interp_gc = gc;
    return true;
}
