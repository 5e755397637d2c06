/*
 * Preloaded into the program: the n-th call of a function fails, once. Also those of libraries that
 * it uses, and of processes that it forks, which share the counters.
 *
 *     PHT_FAULT=malloc:17        the 17th malloc() fails; without it none does
 *     PHT_FAULT=read:3:5         the 3rd read() fails with errno 5
 *     PHT_FAULT=read:3:short     it yields half of what was asked for
 *     PHT_FAULT_COUNTS=FILE      how often each was called, written when the program exits
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* A function, and what it fails with if nothing else is asked for. */
#define FUNCTIONS(X)                                                                               \
    X(read, EIO)                                                                                   \
    X(pread, EIO)                                                                                  \
    X(open, EMFILE)                                                                                \
    X(openat, EMFILE)                                                                              \
    X(fopen, EMFILE)                                                                               \
    X(fdopen, ENOMEM)                                                                              \
    X(ioctl, EPERM)                                                                                \
    X(process_vm_readv, EPERM)                                                                     \
    X(ptrace, EPERM)                                                                               \
    X(fork, EAGAIN)                                                                                \
    X(waitpid, EINTR)                                                                              \
    X(pthread_create, EAGAIN)                                                                      \
    X(mmap, ENOMEM)                                                                                \
    X(malloc, ENOMEM)                                                                              \
    X(calloc, ENOMEM)                                                                              \
    X(realloc, ENOMEM)                                                                             \
    X(free, 0) /* never fails, and is not counted */                                               \
    X(fstat, EIO)                                                                                  \
    X(fstatat, EIO)                                                                                \
    X(lseek, EINVAL)                                                                               \
    X(fdopendir, ENOMEM)                                                                           \
    X(readlinkat, EACCES)                                                                          \
    X(socketpair, EMFILE)                                                                          \
    X(send, EPIPE)                                                                                 \
    X(recv, EIO)                                                                                   \
    X(poll, EINTR)                                                                                 \
    X(fcntl, EMFILE)                                                                               \
    X(syscall, ENOSYS)                                                                             \
    X(renameat, EACCES)                                                                            \
    X(mkdir, EACCES)

enum function {
#define NUMBER(name, error) FUNCTION_##name,
    FUNCTIONS(NUMBER)
#undef NUMBER
        FUNCTION_COUNT,
};

static const char *const names[] = {
#define NAME(name, error) #name,
    FUNCTIONS(NAME)
#undef NAME
};

static int errors[] = {
#define ERROR(name, error) error,
    FUNCTIONS(ERROR)
#undef ERROR
};

static void *originals[FUNCTION_COUNT];
static unsigned long *counters; /* in memory that forks share */
static int failing = -1;
static unsigned long failing_at;
static bool fails_short;
static bool is_ready;

/* What dlsym(3) itself asks for while it looks for the allocator. Nothing of it is freed. */
static _Alignas(16) char early[8192];
static size_t early_used;
static volatile bool is_looking; /* dlsym(3) is declared to call nothing of ours, and does */

static void *take_early(size_t size)
{
    void *taken = early + early_used;

    early_used += (size + 15) / 16 * 16;
    if (early_used > sizeof(early))
        abort();
    return taken;
}

static void *find(enum function function)
{
    if (originals[function] == NULL && !is_looking) {
        is_looking = true;
        originals[function] = dlsym(RTLD_NEXT, names[function]);
        is_looking = false;
    }
    return originals[function];
}

/* The real function, as a pointer of the type of ours; looked for when it is first called. */
#define REAL(name)                                                                                 \
    ({                                                                                             \
        __typeof__(&name) real;                                                                    \
        void *found = find(FUNCTION_##name);                                                       \
        memcpy(&real, &found, sizeof(real));                                                       \
        real;                                                                                      \
    })

static void parse(const char *wanted)
{
    char name[32];
    char how[16] = "";

    if (sscanf(wanted, "%31[^:]:%lu:%15s", name, &failing_at, how) < 2)
        abort();
    for (int i = 0; i < FUNCTION_COUNT; i++) {
        if (strcmp(name, names[i]) == 0)
            failing = i;
    }
    if (failing < 0)
        abort();
    fails_short = strcmp(how, "short") == 0;
    if (how[0] != '\0' && !fails_short)
        errors[failing] = atoi(how);
}

__attribute__((constructor)) static void begin(void)
{
    const char *wanted = getenv("PHT_FAULT");

    for (int i = 0; i < FUNCTION_COUNT; i++)
        find((enum function)i);
    counters = REAL(mmap)(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (counters == MAP_FAILED)
        abort();
    if (wanted != NULL)
        parse(wanted);
    is_ready = true;
}

__attribute__((destructor)) static void end(void)
{
    const char *path = getenv("PHT_FAULT_COUNTS");

    is_ready = false;
    FILE *file = path != NULL ? fopen(path, "w") : NULL;
    if (file == NULL)
        return;
    for (int i = 0; i < FUNCTION_COUNT; i++)
        if (i != FUNCTION_free)
            fprintf(file, "%s %lu\n", names[i], counters[i]);
    fclose(file);
}

static bool fails(enum function function)
{
    if (!is_ready)
        return false;
    unsigned long number = __atomic_add_fetch(&counters[function], 1, __ATOMIC_RELAXED);
    if ((int)function != failing || number != failing_at)
        return false;
    errno = errors[function];
    return true;
}

/* ---- files ---------------------------------------------------------------------------------- */

ssize_t read(int fd, void *buffer, size_t size)
{
    if (!fails(FUNCTION_read))
        return REAL(read)(fd, buffer, size);
    return fails_short ? REAL(read)(fd, buffer, size / 2) : -1;
}

ssize_t pread(int fd, void *buffer, size_t size, off_t offset)
{
    if (!fails(FUNCTION_pread))
        return REAL(pread)(fd, buffer, size, offset);
    return fails_short ? REAL(pread)(fd, buffer, size / 2, offset) : -1;
}

ssize_t pread64(int fd, void *buffer, size_t size, off_t offset) __attribute__((alias("pread")));

int open(const char *path, int flags, ...)
{
    va_list arguments;

    va_start(arguments, flags);
    mode_t mode = va_arg(arguments, mode_t);
    va_end(arguments);
    return fails(FUNCTION_open) ? -1 : REAL(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

int openat(int folder, const char *path, int flags, ...)
{
    va_list arguments;

    va_start(arguments, flags);
    mode_t mode = va_arg(arguments, mode_t);
    va_end(arguments);
    return fails(FUNCTION_openat) ? -1 : REAL(openat)(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) __attribute__((alias("openat")));

FILE *fopen(const char *path, const char *mode)
{
    return fails(FUNCTION_fopen) ? NULL : REAL(fopen)(path, mode);
}

FILE *fopen64(const char *path, const char *mode) __attribute__((alias("fopen")));

FILE *fdopen(int fd, const char *mode)
{
    return fails(FUNCTION_fdopen) ? NULL : REAL(fdopen)(fd, mode);
}

DIR *fdopendir(int fd)
{
    return fails(FUNCTION_fdopendir) ? NULL : REAL(fdopendir)(fd);
}

int fstat(int fd, struct stat *status)
{
    return fails(FUNCTION_fstat) ? -1 : REAL(fstat)(fd, status);
}

int fstat64(int fd, struct stat64 *status) __attribute__((alias("fstat")));

int fstatat(int folder, const char *path, struct stat *status, int flags)
{
    return fails(FUNCTION_fstatat) ? -1 : REAL(fstatat)(folder, path, status, flags);
}

off_t lseek(int fd, off_t offset, int whence)
{
    return fails(FUNCTION_lseek) ? -1 : REAL(lseek)(fd, offset, whence);
}

off_t lseek64(int fd, off_t offset, int whence) __attribute__((alias("lseek")));

ssize_t readlinkat(int folder, const char *path, char *buffer, size_t size)
{
    return fails(FUNCTION_readlinkat) ? -1 : REAL(readlinkat)(folder, path, buffer, size);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    return fails(FUNCTION_renameat) ? -1 : REAL(renameat)(from_folder, from, to_folder, to);
}

int mkdir(const char *path, mode_t mode)
{
    return fails(FUNCTION_mkdir) ? -1 : REAL(mkdir)(path, mode);
}

int fcntl(int fd, int command, ...)
{
    va_list arguments;

    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return fails(FUNCTION_fcntl) ? -1 : REAL(fcntl)(fd, command, argument);
}

int fcntl64(int fd, int command, ...) __attribute__((alias("fcntl")));

int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;

    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return fails(FUNCTION_ioctl) ? -1 : REAL(ioctl)(fd, request, argument);
}

/* ---- processes ------------------------------------------------------------------------------ */

ssize_t process_vm_readv(pid_t pid, const struct iovec *local, unsigned long local_count,
                         const struct iovec *remote, unsigned long remote_count,
                         unsigned long flags)
{
    if (!fails(FUNCTION_process_vm_readv))
        return REAL(process_vm_readv)(pid, local, local_count, remote, remote_count, flags);
    if (!fails_short)
        return -1;
    return REAL(process_vm_readv)(pid, local, local_count, remote, (remote_count + 1) / 2, flags);
}

long ptrace(enum __ptrace_request request, ...)
{
    va_list arguments;

    va_start(arguments, request);
    pid_t pid = va_arg(arguments, pid_t);
    void *address = va_arg(arguments, void *);
    void *data = va_arg(arguments, void *);
    va_end(arguments);
    return fails(FUNCTION_ptrace) ? -1 : REAL(ptrace)(request, pid, address, data);
}

pid_t fork(void)
{
    return fails(FUNCTION_fork) ? -1 : REAL(fork)();
}

pid_t waitpid(pid_t pid, int *status, int options)
{
    return fails(FUNCTION_waitpid) ? -1 : REAL(waitpid)(pid, status, options);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *argument)
{
    if (fails(FUNCTION_pthread_create))
        return errors[FUNCTION_pthread_create];
    return REAL(pthread_create)(thread, attributes, start, argument);
}

int socketpair(int domain, int type, int protocol, int ends[2])
{
    return fails(FUNCTION_socketpair) ? -1 : REAL(socketpair)(domain, type, protocol, ends);
}

ssize_t send(int fd, const void *buffer, size_t size, int flags)
{
    return fails(FUNCTION_send) ? -1 : REAL(send)(fd, buffer, size, flags);
}

ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
    return fails(FUNCTION_recv) ? -1 : REAL(recv)(fd, buffer, size, flags);
}

int poll(struct pollfd *items, nfds_t count, int timeout_ms)
{
    return fails(FUNCTION_poll) ? -1 : REAL(poll)(items, count, timeout_ms);
}

long syscall(long number, ...)
{
    va_list arguments;
    long values[6];

    va_start(arguments, number);
    for (int i = 0; i < 6; i++)
        values[i] = va_arg(arguments, long);
    va_end(arguments);
    if (fails(FUNCTION_syscall))
        return -1;
    return REAL(syscall)(number, values[0], values[1], values[2], values[3], values[4], values[5]);
}

/* ---- memory --------------------------------------------------------------------------------- */

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (fails(FUNCTION_mmap))
        return MAP_FAILED;
    return REAL(mmap)(address, size, protection, flags, fd, offset);
}

void *mmap64(void *address, size_t size, int protection, int flags, int fd, off_t offset)
    __attribute__((alias("mmap")));

void *malloc(size_t size)
{
    if (find(FUNCTION_malloc) == NULL)
        return take_early(size);
    return fails(FUNCTION_malloc) ? NULL : REAL(malloc)(size);
}

void *calloc(size_t count, size_t size)
{
    if (find(FUNCTION_calloc) == NULL)
        return take_early(count * size);
    return fails(FUNCTION_calloc) ? NULL : REAL(calloc)(count, size);
}

static bool is_early(const void *memory)
{
    return (const char *)memory >= early && (const char *)memory < early + sizeof(early);
}

void *realloc(void *before, size_t size)
{
    if (!is_early(before))
        return fails(FUNCTION_realloc) ? NULL : REAL(realloc)(before, size);
    size_t left = (size_t)(early + sizeof(early) - (char *)before);
    void *after = malloc(size);
    return after != NULL ? memcpy(after, before, size < left ? size : left) : NULL;
}

/* What is freed while the real one is looked for is a word of dlsym(3)'s, and lost. */
void free(void *memory)
{
    if (!is_early(memory) && find(FUNCTION_free) != NULL)
        REAL(free)(memory);
}
