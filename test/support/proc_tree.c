#include "support/proc_tree.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void proc_tree_init(struct proc_tree *tree)
{
    const char *base = getenv("TMPDIR");

    if (base == NULL || strlen(base) > 30)
        base = "/tmp";
    snprintf(tree->path, sizeof(tree->path), "%s/pht-test-XXXXXX", base);
    ck_assert_ptr_nonnull(mkdtemp(tree->path));
    tree->fd = open(tree->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(tree->fd, 0);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void proc_tree_deinit(struct proc_tree *tree)
{
    close(tree->fd);
    nftw(tree->path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void make_parents(const struct proc_tree *tree, const char *name)
{
    char folder[512];

    snprintf(folder, sizeof(folder), "%s", name);
    for (char *slash = folder; (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
        *slash = '\0';
        ck_assert(mkdirat(tree->fd, folder, 0755) == 0 || errno == EEXIST);
    }
}

void proc_tree_write_bytes(const struct proc_tree *tree, const char *name, const void *bytes,
                           size_t size)
{
    make_parents(tree, name);
    unlinkat(tree->fd, name, 0);
    int fd = openat(tree->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ck_assert_msg(fd >= 0, "cannot make %s: %s", name, strerror(errno));
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    close(fd);
}

void proc_tree_write(const struct proc_tree *tree, const char *name, const char *format, ...)
{
    char *text;
    va_list arguments;

    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    ck_assert_int_ge(length, 0);
    proc_tree_write_bytes(tree, name, text, (size_t)length);
    free(text);
}

void proc_tree_link(const struct proc_tree *tree, const char *name, const char *leads_to)
{
    make_parents(tree, name);
    unlinkat(tree->fd, name, 0);
    ck_assert_int_eq(symlinkat(leads_to, tree->fd, name), 0);
}

void proc_tree_folder(const struct proc_tree *tree, const char *name)
{
    make_parents(tree, name);
    ck_assert(mkdirat(tree->fd, name, 0755) == 0 || errno == EEXIST);
}

int proc_tree_open(const struct proc_tree *tree, const char *name)
{
    int fd = openat(tree->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    ck_assert_msg(fd >= 0, "cannot open %s: %s", name, strerror(errno));
    return fd;
}

void proc_tree_process(const struct proc_tree *tree, const struct proc_tree_process *process)
{
    char name[64];

    snprintf(name, sizeof(name), "%d/stat", process->pid);
    proc_tree_write(tree, name,
                    "%d (%s) S 1 17 18 0 -1 4194560 2101 0 13 0 56 7 0 0 20 0 9 0 987654321 "
                    "1179648 256 18446744073709551615 1 2 140722551312345 0 0 0 0 4096 0 0 0 0 17 "
                    "3 0 0 0 0 0 4 5 6 7 8 9 10 0\n",
                    process->pid, process->comm);
    snprintf(name, sizeof(name), "%d/status", process->pid);
    proc_tree_write(tree, name,
                    "Name:\t%s\nState:\tS (sleeping)\nTgid:\t%d\nPid:\t%d\nTracerPid:\t%d\n"
                    "Uid:\t%u\t%u\t%u\t%u\nVmPeak:\t    9000 kB\nVmHWM:\t   12345 kB\n",
                    process->comm, process->pid, process->pid, process->tracer, process->ruid,
                    process->euid, process->suid, process->euid);
    snprintf(name, sizeof(name), "%d/comm", process->pid);
    proc_tree_write(tree, name, "%s\n", process->comm);
    snprintf(name, sizeof(name), "%d/environ", process->pid);
    proc_tree_write(tree, name, "LANG=C");
}
