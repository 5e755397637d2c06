/* Families of real processes: each test forks what it needs, and ends it again. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "support/fake_target.h"
#include "support/proc_tree.h"
#include "support/suite.h"
#include "target/family.h"
#include "target/image.h"
#include "target/procfs.h"

/* A started program tells its pid here, and is the first of two where the other one is open. */
#define TELL_FD 78
#define FIRST_FD 77

#define GUARD_INSTALL 102 /* MADV_GUARD_INSTALL, Linux 6.13 */

static int proc_fd;
static int told[2];
static struct pht_family family;

static void setup(void)
{
    proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(proc_fd, 0);
    ck_assert_int_eq(pipe2(told, O_CLOEXEC), 0);
    family = (struct pht_family){0};
}

static void teardown(void)
{
    pht_family_deinit(&family);
    close(told[0]);
    close(told[1]);
    close(proc_fd);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
}

/* ---- processes ---------------------------------------------------------------------------- */

static void tell(void)
{
    pid_t pid = getpid();

    if (write(told[1], &pid, sizeof(pid)) != sizeof(pid))
        _exit(1);
}

static pid_t wait_told(void)
{
    pid_t pid = 0;

    ck_assert_int_eq(read(told[0], &pid, sizeof(pid)), sizeof(pid));
    return pid;
}

static void rest(void)
{
    tell();
    for (;;)
        pause();
}

/* A child that lives until we end it, or end ourselves. */
static pid_t start(void (*life)(void))
{
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        life();
        _exit(0);
    }
    return pid;
}

static pid_t start_resting(void)
{
    pid_t pid = start(rest);

    ck_assert_int_eq(wait_told(), pid);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static int open_process(pid_t pid)
{
    char path[16];

    snprintf(path, sizeof(path), "%d", pid);
    return openat(proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* ---- who is one --------------------------------------------------------------------------- */

static void find(pid_t pid)
{
    pht_family_deinit(&family);
    ck_assert_ptr_null(pht_family_find(proc_fd, pid, NULL, &family));
}

/* -1 if it is no relative. */
static int place(pid_t pid)
{
    int found = -1;

    for (size_t i = 0; i < family.count; i++) {
        if (family.items[i].pid == pid) {
            ck_assert_int_eq(found, -1);
            found = (int)i;
        }
    }
    return found;
}

static void check_order(pid_t target)
{
    for (int i = 0; i < (int)family.count; i++) {
        const struct pht_relative *relative = &family.items[i];
        ck_assert_int_lt(relative->parent, i);
        if (relative->parent >= 0)
            ck_assert_int_eq(relative->ppid, family.items[relative->parent].pid);
        ck_assert(relative->is_target == (relative->pid == target));
    }
    ck_assert_int_ge(place(target), 0);
}

START_TEST(a_process_is_of_its_own_family)
{
    find(getpid());
    check_order(getpid());
    const struct pht_relative *self = &family.items[place(getpid())];
    ck_assert_int_eq(self->ppid, getppid());
    ck_assert_int_ge(self->pagemap_fd, 0);
    ck_assert_str_eq(self->comm, "target_family_t");
    ck_assert(family.complete);
}
END_TEST

START_TEST(children_and_siblings_are_relatives)
{
    pid_t first = start_resting(), second = start_resting();
    const pid_t targets[] = {getpid(), first, second};

    for (int i = 0; i < 3; i++) {
        find(targets[i]);
        check_order(targets[i]);
        ck_assert_int_ge(place(first), 0);
        ck_assert_int_ge(place(second), 0);
        ck_assert_int_eq(family.items[place(first)].parent, place(getpid()));
        ck_assert_int_eq(family.items[place(second)].parent, place(getpid()));
        ck_assert(family.complete);
    }
    end(first);
    end(second);
}
END_TEST

static void have_child(void)
{
    start(rest);
    rest();
}

START_TEST(grandchildren_and_grandparents_are_relatives)
{
    pid_t child = start(have_child);
    pid_t told_pids[] = {wait_told(), wait_told()};
    pid_t grandchild = told_pids[0] == child ? told_pids[1] : told_pids[0];
    const pid_t targets[] = {getpid(), child, grandchild};

    for (int i = 0; i < 3; i++) {
        find(targets[i]);
        check_order(targets[i]);
        ck_assert_int_ge(place(grandchild), 0);
        ck_assert_int_eq(family.items[place(grandchild)].parent, place(child));
        ck_assert_int_eq(family.items[place(child)].parent, place(getpid()));
    }
    end(child);
}
END_TEST

START_TEST(sizes_are_the_kernels_own)
{
    pid_t child = start_resting();
    _cleanup_close_ int fd = open_process(child);
    _cleanup_free_ char *rollup = pht_procfs_read(fd, "smaps_rollup", NULL);

    find(getpid());
    ck_assert_ptr_nonnull(rollup);
    ck_assert_uint_gt(family.items[place(child)].rss_bytes, 0);
    ck_assert_uint_eq(family.items[place(child)].rss_bytes, pht_procfs_kib_field(rollup, "Rss"));
    ck_assert_uint_le(family.items[place(child)].pss_bytes, family.items[place(child)].rss_bytes);
    ck_assert_uint_gt(family.items[place(child)].pss_bytes, 0);
    /* The target's are known, and asking again would hold it up. */
    ck_assert_uint_eq(family.items[place(getpid())].rss_bytes, UINT64_MAX);
    ck_assert_uint_eq(family.items[place(getpid())].pss_bytes, UINT64_MAX);
    end(child);
}
END_TEST

START_TEST(a_zombie_is_no_relative)
{
    pid_t child = start_resting();
    siginfo_t info;

    kill(child, SIGKILL);
    ck_assert_int_eq(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    find(getpid());
    check_order(getpid());
    ck_assert_int_eq(place(child), -1);
    ck_assert(family.complete);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}
END_TEST

START_TEST(who_ended_has_no_family)
{
    pid_t child = start_resting();

    end(child);
    find(child);
    ck_assert_uint_eq(family.count, 0);
    ck_assert(!family.complete);
}
END_TEST

static int wait_in_borrowed_memory(void *argument)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (argument == NULL)
        pause();
    return 0;
}

START_TEST(a_child_of_vfork_is_no_relative)
{
    static _Alignas(16) char stack[64 << 10];
    pid_t child = clone(wait_in_borrowed_memory, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);

    ck_assert_int_ge(child, 0);
    bool tells = syscall(SYS_kcmp, child, getpid(), 1, 0, 0) == 0;
    find(getpid());
    end(child);
    if (!tells)
        SKIP_TEST("this kernel has no kcmp");
    ck_assert_int_eq(place(child), -1);
    check_order(getpid());
}
END_TEST

#define MANY 520

static void have_many(void)
{
    for (int i = 0; i < MANY; i++)
        start(rest);
    rest();
}

START_TEST(a_family_has_an_end)
{
    pid_t child = start(have_many);

    for (int i = 0; i <= MANY; i++)
        wait_told();
    find(child);
    check_order(child);
    ck_assert_uint_eq(family.count, 512);
    ck_assert(!family.complete);
    end(child);
}
END_TEST

/* ---- other programs ----------------------------------------------------------------------- */

static void run_ourselves(const char *mode)
{
    char *const arguments[] = {"target_family_test", (char *)mode, NULL};

    if (dup2(told[1], TELL_FD) < 0)
        _exit(1);
    execv("/proc/self/exe", arguments);
    _exit(1);
}

static void exec_same_program(void)
{
    run_ourselves("--rest");
}

START_TEST(an_exec_of_the_same_program_ends_the_family)
{
    pid_t child = start(exec_same_program);

    ck_assert_int_eq(wait_told(), child);
    find(getpid());
    check_order(getpid());
    ck_assert_int_eq(place(child), -1);
    find(child);
    ck_assert_uint_eq(family.count, 1);
    ck_assert_int_eq(family.items[0].parent, -1);
    ck_assert(family.complete);
    end(child);
}
END_TEST

static void have_children_and_exec(void)
{
    start(rest);
    start(rest);
    run_ourselves("--rest");
}

START_TEST(siblings_are_relatives_whatever_their_parent_became)
{
    pid_t parent = start(have_children_and_exec), children[2];
    int count = 0;

    for (int i = 0; i < 3; i++) {
        pid_t pid = wait_told();
        if (pid != parent && count < 2)
            children[count++] = pid;
    }
    find(children[0]);
    end(parent);
    ck_assert_uint_eq(family.count, 2);
    check_order(children[0]);
    ck_assert_int_ge(place(children[1]), 0);
    ck_assert_int_eq(family.items[0].parent, -1);
    ck_assert_int_eq(family.items[1].parent, -1);
}
END_TEST

static void exec_without_randomisation(void)
{
    if (personality(ADDR_NO_RANDOMIZE) < 0 || dup2(told[1], FIRST_FD) < 0)
        _exit(1);
    run_ourselves("--twins");
}

static struct pht_image read_image(pid_t pid)
{
    _cleanup_close_ int fd = open_process(pid);
    _cleanup_close_ int pagemap_fd = openat(fd, "pagemap", O_RDONLY | O_CLOEXEC);
    struct pht_image image;

    ck_assert_int_eq(pht_image_read(fd, pagemap_fd, &image), PHT_IMAGE_READ);
    return image;
}

/* Both start as target_family_test --twins, and the second one is a child of the first. */
START_TEST(without_randomisation_the_kernels_random_bytes_tell)
{
    pid_t first = start(exec_without_randomisation);
    pid_t told_pids[] = {wait_told(), wait_told()};
    pid_t second = told_pids[0] == first ? told_pids[1] : told_pids[0];
    struct pht_image images[] = {read_image(first), read_image(second)};

    find(first);
    end(first);
    if (images[0].stack_start != images[1].stack_start ||
        images[0].code_start != images[1].code_start)
        SKIP_TEST("address randomisation cannot be switched off");
    ck_assert_uint_eq(images[0].random_addr, images[1].random_addr);
    ck_assert(images[0].has_random && images[1].has_random);
    ck_assert(!pht_image_is_same(&images[0], &images[1]));
    ck_assert_int_eq(place(second), -1);
    ck_assert_uint_eq(family.count, 1);
}
END_TEST

static void lead_other_life(const char *mode)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    told[1] = TELL_FD;
    if (strcmp(mode, "--twins") == 0 && fcntl(FIRST_FD, F_GETFD) >= 0 && fork() == 0) {
        close(FIRST_FD);
        run_ourselves(mode);
    }
    rest();
}

/* ---- what may not be seen ----------------------------------------------------------------- */

/* A child's tests: its exit status is the line of the first that failed. */
#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            _exit(__LINE__ % 256);                                                                 \
    } while (0)

static void check_child(void (*life)(void))
{
    int status;
    pid_t pid = start(life);

    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    ck_assert_msg(WEXITSTATUS(status) == 0, "failed at line %d modulo 256", WEXITSTATUS(status));
}

static char *map_page(void)
{
    char *page =
        mmap(NULL, PHT_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return page == MAP_FAILED ? NULL : page;
}

static bool drop_capability(int capability)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];

    if (syscall(SYS_capget, &header, data) < 0)
        return false;
    data[capability / 32].effective &= ~(1U << capability % 32);
    data[capability / 32].permitted &= ~(1U << capability % 32);
    return syscall(SYS_capset, &header, data) == 0;
}

static void look_without_frames(void)
{
    struct pht_family_page page;
    char *memory = map_page();

    EXPECT(memory != NULL && drop_capability(CAP_SYS_ADMIN));
    memory[0] = 1;
    EXPECT(pht_family_find(proc_fd, getpid(), NULL, &family) == NULL);
    EXPECT(!family.sees_frames);
    int self = place(getpid());
    EXPECT(self >= 0);
    EXPECT(pht_family_read_pages(&family, (size_t)self, (uintptr_t)memory, 1, &page));
    EXPECT(page.anonymous && page.exclusive && page.frame == 0);
}

START_TEST(without_the_capability_there_are_no_frames)
{
    check_child(look_without_frames);
}
END_TEST

static void look_as_nobody(void)
{
    EXPECT(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
    /* A change of user hides our own files, too. */
    EXPECT(prctl(PR_SET_DUMPABLE, 1) == 0);
    EXPECT(pht_family_find(proc_fd, getpid(), NULL, &family) == NULL);
    EXPECT(family.count == 1 && family.items[0].is_target);
    EXPECT(!family.complete);
}

START_TEST(a_parent_that_may_not_be_seen_is_missed)
{
    if (geteuid() != 0)
        SKIP_TEST("only root can become another user");
    check_child(look_as_nobody);
}
END_TEST

START_TEST(children_are_found_where_the_kernel_does_not_list_them)
{
    struct proc_tree tree;
    char name[16], path[32];
    pid_t child = start(have_child);
    pid_t told_pids[] = {wait_told(), wait_told()};
    const pid_t pids[] = {told_pids[0], told_pids[1], getpid(), getppid()};

    proc_tree_init(&tree);
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof(name), "%d", pids[i]);
        snprintf(path, sizeof(path), "/proc/%d", pids[i]);
        proc_tree_link(&tree, name, path);
    }
    ck_assert_ptr_null(pht_family_find(tree.fd, getpid(), NULL, &family));
    check_order(getpid());
    ck_assert_int_ge(place(pids[0]), 0);
    ck_assert_int_ge(place(pids[1]), 0);
    proc_tree_deinit(&tree);
    end(child);
}
END_TEST

/* ---- pages -------------------------------------------------------------------------------- */

/* As many as take several reads, and a few that are told apart. */
enum { PAGES = 2500, WRITTEN = 1, KEPT = 1030, READ = 2100, UNTOUCHED = 2200, GUARD = 2300 };

static char *memory;
static struct pht_family_page ours[PAGES], theirs[PAGES];

static void map_memory(void)
{
    memory = mmap(NULL, PAGES * PHT_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                  -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    ck_assert_int_eq(madvise(memory, PAGES * PHT_PAGE_BYTES, MADV_NOHUGEPAGE), 0);
    memory[WRITTEN * PHT_PAGE_BYTES] = 1;
    memory[KEPT * PHT_PAGE_BYTES] = 1;
    (void)*(volatile char *)(memory + READ * PHT_PAGE_BYTES);
}

static void write_page_and_rest(void)
{
    memory[WRITTEN * PHT_PAGE_BYTES] = 2;
    rest();
}

static void read_memory(pid_t pid, struct pht_family_page *ret)
{
    ck_assert_int_ge(place(pid), 0);
    memset(ret, 0xff, PAGES * sizeof(*ret));
    ck_assert(pht_family_read_pages(&family, (size_t)place(pid), (uintptr_t)memory, PAGES, ret));
}

START_TEST(a_page_that_was_written_after_fork_is_another)
{
    map_memory();
    pid_t child = start(write_page_and_rest);
    ck_assert_int_eq(wait_told(), child);
    find(getpid());
    read_memory(getpid(), ours);
    read_memory(child, theirs);
    end(child);

    ck_assert(ours[WRITTEN].anonymous && theirs[WRITTEN].anonymous);
    ck_assert(ours[WRITTEN].exclusive && theirs[WRITTEN].exclusive);
    ck_assert(ours[KEPT].anonymous && theirs[KEPT].anonymous);
    ck_assert(!ours[KEPT].exclusive && !theirs[KEPT].exclusive);
    ck_assert(!ours[UNTOUCHED].anonymous && !ours[UNTOUCHED].exclusive);
    ck_assert_uint_eq(ours[UNTOUCHED].frame, 0);
    if (!family.sees_frames)
        SKIP_TEST("frames are hidden from us");
    ck_assert_uint_ne(ours[WRITTEN].frame, 0);
    ck_assert_uint_ne(ours[WRITTEN].frame, theirs[WRITTEN].frame);
    ck_assert_uint_ne(ours[KEPT].frame, 0);
    ck_assert_uint_eq(ours[KEPT].frame, theirs[KEPT].frame);
}
END_TEST

START_TEST(a_page_of_zeros_is_not_anonymous)
{
    struct pht_target *target;

    ck_assert_ptr_null(pht_target_open(getpid(), NULL, &target));
    bool sees_zeros = pht_target_sees_zero_pages(target);
    ck_assert_ptr_null(pht_target_read_family(target, &family));
    pht_target_destroy(target);
    map_memory();
    read_memory(getpid(), ours);
    if (!sees_zeros)
        SKIP_TEST("pages of zeros cannot be told");
    ck_assert(!ours[READ].anonymous);
    ck_assert(ours[KEPT].anonymous && ours[KEPT].exclusive);
}
END_TEST

START_TEST(pages_of_files_and_shared_memory_are_not_anonymous)
{
    struct pht_family_page page = {.anonymous = true};
    _cleanup_close_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    char *maps[] = {
        mmap(NULL, PHT_PAGE_BYTES, PROT_READ, MAP_PRIVATE, fd, 0),
        mmap(NULL, PHT_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0),
    };

    find(getpid());
    for (int i = 0; i < 2; i++) {
        ck_assert_ptr_ne(maps[i], MAP_FAILED);
        (void)*(volatile char *)maps[i];
        ck_assert(
            pht_family_read_pages(&family, (size_t)place(getpid()), (uintptr_t)maps[i], 1, &page));
        ck_assert(!page.anonymous);
        ck_assert(!family.sees_frames || page.frame != 0);
    }
}
END_TEST

START_TEST(pages_of_a_relative_that_ended_cannot_be_read)
{
    struct pht_family_page page = {.anonymous = true, .exclusive = true, .frame = 1};
    pid_t child = start_resting();

    find(getpid());
    size_t member = (size_t)place(child);
    end(child);
    ck_assert(!pht_family_read_pages(&family, member, (uintptr_t)&page, 1, &page));
    ck_assert(!page.anonymous && !page.exclusive);
    ck_assert_uint_eq(page.frame, 0);
    close(family.items[member].pagemap_fd);
    family.items[member].pagemap_fd = -1;
    ck_assert(!pht_family_read_pages(&family, member, (uintptr_t)&page, 1, &page));
}
END_TEST

/* What lies beyond the last address is not there, and the rest is read. */
START_TEST(the_end_of_the_address_space_is_no_failure)
{
    enum { COUNT = 3000 };
    static struct pht_family_page pages[COUNT];

    find(getpid());
    memset(pages, 0xff, sizeof(pages));
    ck_assert(pht_family_read_pages(&family, (size_t)place(getpid()),
                                    UINT64_C(0x7ffffffff000) - 1000 * PHT_PAGE_BYTES, COUNT,
                                    pages));
    for (size_t i = 1000; i < COUNT; i++)
        ck_assert(!pages[i].anonymous && !pages[i].exclusive && pages[i].frame == 0);
    ck_assert(!pht_family_read_pages(&family, (size_t)place(getpid()),
                                     PHT_USER_ADDR_MAX + 1 - PHT_PAGE_BYTES, 1, pages));
}
END_TEST

/* Not present, but its entry is not empty: what it says is no frame. A swapped page is the same. */
START_TEST(what_is_not_present_has_no_frame)
{
    map_memory();
    if (madvise(memory + GUARD * PHT_PAGE_BYTES, PHT_PAGE_BYTES, GUARD_INSTALL) < 0)
        SKIP_TEST("this kernel has no guard pages");
    find(getpid());
    read_memory(getpid(), ours);
    ck_assert(!ours[GUARD].anonymous && !ours[GUARD].exclusive);
    ck_assert_uint_eq(ours[GUARD].frame, 0);
}
END_TEST

/* ---- a family that is made up ------------------------------------------------------------- */

START_TEST(a_fake_has_the_pages_that_it_was_given)
{
    struct fake_target *fake = fake_target_create();
    struct pht_family_page pages[3];

    int parent = fake_target_add_relative(fake, 41, -1);
    int target = fake_target_add_relative(fake, 42, parent);
    fake_target_put_relative_page(fake, parent, 0x5000,
                                  (struct pht_family_page){.anonymous = true, .frame = 7});
    fake->relatives.items[target].relative.pagemap_fd = -1;
    ck_assert_ptr_null(pht_target_read_family(fake->target, &family));
    check_order(42);
    ck_assert_int_eq(family.items[target].parent, parent);
    ck_assert(family.complete);
    ck_assert(pht_family_read_pages(&family, (size_t)parent, 0x4000, 3, pages));
    ck_assert(!pages[0].anonymous && pages[1].anonymous && !pages[2].anonymous);
    ck_assert_uint_eq(pages[1].frame, 7);
    ck_assert(pht_family_read_pages(&family, (size_t)parent, 0x6000, 1, pages));
    ck_assert(!pages[0].anonymous);
    ck_assert(!pht_family_read_pages(&family, (size_t)target, 0x4000, 3, pages));
    pht_family_deinit(&family);
    fake_target_destroy(fake);
}
END_TEST

START_TEST(a_fake_alone_has_the_pages_that_are_resident_now)
{
    struct fake_target *fake = fake_target_create();
    struct pht_family_page page;

    fake_target_map(fake, 0x10000, 0x12000, FAKE_PRIVATE);
    fake->sees_frames = true;
    for (int resident = 0; resident < 2; resident++) {
        if (resident)
            fake_target_set_pages(fake, 0x11000, 0x12000, FAKE_RESIDENT);
        pht_family_deinit(&family);
        ck_assert_ptr_null(pht_target_read_family(fake->target, &family));
        check_order(42);
        ck_assert_uint_eq(family.count, 1);
        ck_assert(pht_family_read_pages(&family, 0, 0x11000, 1, &page));
        ck_assert(page.anonymous == resident && page.exclusive == resident);
        ck_assert_uint_eq(page.frame, resident ? 0x11 : 0);
    }
    pht_family_deinit(&family);
    fake_target_destroy(fake);
}
END_TEST

static Suite *family_suite(void)
{
    Suite *suite = suite_create("target/family");
    TCase *tcase = tcase_create("family");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_process_is_of_its_own_family);
    tcase_add_test(tcase, children_and_siblings_are_relatives);
    tcase_add_test(tcase, grandchildren_and_grandparents_are_relatives);
    tcase_add_test(tcase, sizes_are_the_kernels_own);
    tcase_add_test(tcase, a_zombie_is_no_relative);
    tcase_add_test(tcase, who_ended_has_no_family);
    tcase_add_test(tcase, a_child_of_vfork_is_no_relative);
    tcase_add_test(tcase, a_family_has_an_end);
    tcase_add_test(tcase, an_exec_of_the_same_program_ends_the_family);
    tcase_add_test(tcase, siblings_are_relatives_whatever_their_parent_became);
    tcase_add_test(tcase, without_randomisation_the_kernels_random_bytes_tell);
    tcase_add_test(tcase, without_the_capability_there_are_no_frames);
    tcase_add_test(tcase, a_parent_that_may_not_be_seen_is_missed);
    tcase_add_test(tcase, children_are_found_where_the_kernel_does_not_list_them);
    tcase_add_test(tcase, a_page_that_was_written_after_fork_is_another);
    tcase_add_test(tcase, a_page_of_zeros_is_not_anonymous);
    tcase_add_test(tcase, pages_of_files_and_shared_memory_are_not_anonymous);
    tcase_add_test(tcase, pages_of_a_relative_that_ended_cannot_be_read);
    tcase_add_test(tcase, what_is_not_present_has_no_frame);
    tcase_add_test(tcase, a_fake_has_the_pages_that_it_was_given);
    tcase_add_test(tcase, a_fake_alone_has_the_pages_that_are_resident_now);
    tcase_add_test(tcase, the_end_of_the_address_space_is_no_failure);
    suite_add_tcase(suite, tcase);
    return suite;
}

/* Tests start this program again, as one that only waits. */
int main(int argc, char **argv)
{
    if (argc == 2)
        lead_other_life(argv[1]);
    return suite_run(family_suite());
}
