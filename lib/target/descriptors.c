#include "target/descriptors.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

void pht_descriptors_close_from(int first)
{
    if (syscall(SYS_close_range, first, ~0U, 0) == 0)
        return;
    for (int fd = first; fd < 4096; fd++) /* before Linux 5.9 */
        close(fd);
}

/* First they are copied out of the way, then moved down. */
bool pht_descriptors_keep_only(int *const descriptors[], int count)
{
    for (int i = 0; i < count; i++) {
        *descriptors[i] = fcntl(*descriptors[i], F_DUPFD_CLOEXEC, count);
        if (*descriptors[i] < 0)
            return false;
    }
    for (int i = 0; i < count; i++)
        *descriptors[i] = dup2(*descriptors[i], i);
    pht_descriptors_close_from(count);
    return true;
}
