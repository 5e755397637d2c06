#include "target/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

bool pht_memory_init(struct pht_memory *memory, pid_t pid, int process_fd)
{
    *memory = (struct pht_memory){
        .pid = pid,
        .mem_fd = openat(process_fd, "mem", O_RDONLY | O_CLOEXEC),
    };
    return memory->mem_fd >= 0;
}

void pht_memory_deinit(struct pht_memory *memory)
{
    if (memory->mem_fd >= 0)
        close(memory->mem_fd);
    memory->mem_fd = -1;
}

static void read_through_file(struct pht_memory *memory, struct pht_read *read)
{
    while (read->got < read->size) {
        ssize_t got = pread(memory->mem_fd, (char *)read->buffer + read->got,
                            read->size - read->got, (off_t)(read->addr + read->got));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return;
        read->got += (uint32_t)got;
    }
}

/*
 * One system call. The kernel fills the ranges in order and stops at the first page that it
 * cannot read; what it returns is how much came before.
 */
static ssize_t read_batch(struct pht_memory *memory, struct pht_read *reads, size_t count)
{
    struct iovec local[PHT_MEMORY_BATCH], remote[PHT_MEMORY_BATCH];

    for (size_t i = 0; i < count; i++) {
        local[i] = (struct iovec){.iov_base = reads[i].buffer, .iov_len = reads[i].size};
        remote[i] = (struct iovec){
            .iov_base = (void *)(uintptr_t)reads[i].addr, // NOLINT: a remote address
            .iov_len = reads[i].size,
        };
    }
    return process_vm_readv(memory->pid, local, count, remote, count, 0);
}

/* Share out `total` bytes to the ranges, in order; returns how many ranges are complete. */
static size_t account(struct pht_read *reads, size_t count, size_t total)
{
    size_t done = 0;

    for (; done < count; done++) {
        size_t part = total < reads[done].size ? total : reads[done].size;
        reads[done].got = (uint32_t)part;
        total -= part;
        if (part < reads[done].size)
            break;
    }
    return done;
}

/* All of them exclusive. */
static void read_in_batches(struct pht_memory *memory, struct pht_read *reads, size_t count)
{
    while (count > 0 && !memory->no_vm_readv) {
        size_t batch = count < PHT_MEMORY_BATCH ? count : PHT_MEMORY_BATCH;
        ssize_t got = read_batch(memory, reads, batch);
        if (got < 0 && (errno == EPERM || errno == ENOSYS)) {
            memory->no_vm_readv = true;
            break;
        }
        if (got < 0 && errno == ESRCH)
            return;
        size_t done = account(reads, batch, got < 0 ? 0 : (size_t)got);
        /* The range with the hole keeps what it got; the ones behind it are tried again. */
        size_t skip = done < batch ? done + 1 : done;
        reads += skip;
        count -= skip;
    }
    for (size_t i = 0; i < count; i++)
        read_through_file(memory, &reads[i]);
}

void pht_memory_read(struct pht_memory *memory, struct pht_read *reads, size_t count)
{
    for (size_t i = 0; i < count; i++)
        reads[i].got = 0;
    for (size_t i = 0; i < count;) {
        size_t end = i;
        while (end < count && reads[end].exclusive)
            end++;
        read_in_batches(memory, reads + i, end - i);
        if (end < count)
            read_through_file(memory, &reads[end++]);
        i = end;
    }
}
