#include "target/capabilities.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Numbers end at 63: sets have two words. */
#define NUMBERS 64

bool pht_capabilities_exist(uint64_t set)
{
    for (unsigned long number = 0; number < NUMBERS; number++) {
        if ((set >> number & 1) != 0 && prctl(PR_CAPBSET_READ, number, 0, 0, 0) < 0)
            return false;
    }
    return true;
}

/* Where they cannot be dropped they count for an exec only, which a filter refuses. */
static void bound(uint64_t kept, uint64_t ours)
{
    if ((ours & PHT_CAPABILITY(CAP_SETPCAP)) == 0)
        return;
    for (unsigned long number = 0; number < NUMBERS; number++) {
        if ((kept >> number & 1) == 0)
            prctl(PR_CAPBSET_DROP, number, 0, 0, 0);
    }
}

bool pht_capabilities_keep(uint64_t kept)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};

    if (syscall(SYS_capget, &header, data) < 0)
        return false;
    bound(kept, data[0].effective);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    for (int word = 0; word < 2; word++) {
        data[word].permitted &= (uint32_t)(kept >> 32 * word);
        data[word].effective &= data[word].permitted;
        data[word].inheritable = 0;
    }
    return syscall(SYS_capset, &header, data) == 0;
}
