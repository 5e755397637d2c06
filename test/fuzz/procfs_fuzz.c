/*
 * Files of /proc/PID, one of them with the fuzzer's text: what is read of it ends, and is marked
 * where it is not there.
 */
#include <stdlib.h>
#include <unistd.h>

#include "fuzz/input.h"
#include "support/proc_tree.h"
#include "target/cgroup.h"
#include "target/procfs.h"

static struct proc_tree tree;
static int proc_fd, process_fd;

static void remove_tree(void)
{
    close(process_fd);
    close(proc_fd);
    proc_tree_deinit(&tree);
}

static void write_all(void)
{
    const struct proc_tree_process process = {.pid = 42, .comm = "python3"};

    proc_tree_process(&tree, &process);
    proc_tree_write(&tree, "42/cgroup", "0::/some.slice\n");
    proc_tree_write(&tree, "42/mountinfo", "29 23 0:26 / %s/cgroup rw - cgroup2 cgroup2 rw\n",
                    tree.path);
    proc_tree_write(&tree, "cgroup/some.slice/memory.max", "max\n");
    proc_tree_write(&tree, "cgroup/some.slice/memory.current", "1234567\n");
    proc_tree_write(&tree, "cgroup/some.slice/memory.events", "oom_kill 3\n");
    proc_tree_write(&tree, "42/environ", "PATH=/bin");
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    proc_tree_init(&tree);
    write_all();
    proc_fd = proc_tree_open(&tree, ".");
    process_fd = proc_tree_open(&tree, "42");
    atexit(remove_tree);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const files[] = {"42/stat",
                                        "42/status",
                                        "42/cgroup",
                                        "42/mountinfo",
                                        "42/environ",
                                        "cgroup/some.slice/memory.max",
                                        "cgroup/some.slice/memory.events"};
    struct fuzz_input input = {.bytes = bytes, .size = size};
    struct pht_procfs_status status;
    struct pht_cgroup_memory cgroup;
    size_t length;

    const char *name = files[fuzz_take(&input, 1) % (sizeof(files) / sizeof(files[0]))];
    proc_tree_write_bytes(&tree, name, input.bytes, input.size);
    pht_procfs_read_stat(process_fd, &status);
    pht_procfs_read_status(process_fd, &status);
    pht_cgroup_read(proc_fd, process_fd, &cgroup);
    free(pht_procfs_read_environment(process_fd, &length));
    write_all();
    return 0;
}
