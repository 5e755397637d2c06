/* Members of a struct of the target, out of a copy of its bytes. */
#ifndef PHT_LIB_WALK_FIELD_H
#define PHT_LIB_WALK_FIELD_H

#include <stdint.h>
#include <string.h>

static inline uint32_t pht_field_u32(const void *bytes, uint64_t offset)
{
    uint32_t value;

    memcpy(&value, (const char *)bytes + offset, sizeof(value));
    return value;
}

static inline uint64_t pht_field_u64(const void *bytes, uint64_t offset)
{
    uint64_t value;

    memcpy(&value, (const char *)bytes + offset, sizeof(value));
    return value;
}

#endif
