/* The bytes that a fuzzer is given, taken from the front. What is missing at the end is zeros. */
#ifndef PHT_TEST_FUZZ_INPUT_H
#define PHT_TEST_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct fuzz_input {
    const uint8_t *bytes;
    size_t size;
};

/* What libFuzzer calls. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A number of `count` bytes, at most 8. */
static inline uint64_t fuzz_take(struct fuzz_input *input, size_t count)
{
    uint64_t value = 0;
    size_t taken = count < input->size ? count : input->size;

    if (taken > 0)
        memcpy(&value, input->bytes, taken);
    input->bytes += taken;
    input->size -= taken;
    return value;
}

#endif
