#include "target/family.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/vec.h"
#include "target/children.h"
#include "target/image.h"
#include "target/pagemap.h"
#include "target/pages.h"
#include "target/procfs.h"

#define MEMBERS_MAX 512

/* Children of a parent that is no relative, init perhaps, are looked at as well. */
#define CANDIDATES_MAX 4096

/* include/uapi/linux/kcmp.h */
#define KCMP_VM 1

struct finder {
    int proc_fd;
    struct pht_steward *steward;
    struct pht_image image; /* of the target */
    struct pht_children children;
    PHT_VEC(struct pht_relative) members;
    size_t candidates;
    bool complete;
    bool no_memory;
};

static void drop(struct pht_relative *relative)
{
    free(relative->comm);
    if (relative->pagemap_fd >= 0)
        close(relative->pagemap_fd);
}

/* ---- one process -------------------------------------------------------------------------- */

static void read_sizes(int process_fd, struct pht_relative *ret)
{
    _cleanup_free_ char *text = pht_procfs_read_walked(process_fd, "smaps_rollup");

    ret->rss_bytes = text != NULL ? pht_procfs_kib_field(text, "Rss") : UINT64_MAX;
    ret->pss_bytes = text != NULL ? pht_procfs_kib_field(text, "Pss") : UINT64_MAX;
}

/* All but what tells whether it is a relative. False if it ended, or when memory is short. */
static bool describe(struct finder *self, int process_fd, struct pht_relative *ret)
{
    struct pht_procfs_status status;

    errno = 0;
    ret->comm = pht_procfs_read(process_fd, "comm", NULL);
    if (ret->comm == NULL || !pht_procfs_read_stat(process_fd, &status)) {
        self->no_memory |= errno == ENOMEM;
        return false;
    }
    ret->comm[strcspn(ret->comm, "\n")] = '\0';
    ret->ppid = status.ppid;
    /* The kernel walks all of its memory for them, at a stretch: of the target they are known. */
    if (self->members.count > 0)
        read_sizes(process_fd, ret);
    return true;
}

/* A child of vfork(2) that has not called exec yet has no pages of its own. */
static bool shares_memory(pid_t pid, pid_t with)
{
    return with > 0 && syscall(SYS_kcmp, pid, with, KCMP_VM, 0, 0) == 0;
}

/* Most processes are others: that is told from one short file. */
static bool may_be_relative(const struct finder *self, int process_fd)
{
    struct pht_procfs_status status;

    return pht_procfs_read_stat(process_fd, &status) &&
           (status.stack_start == self->image.stack_start || status.stack_start == 0);
}

static bool is_relative(struct finder *self, int process_fd, int pagemap_fd)
{
    struct pht_image image;
    enum pht_image_access access = pht_image_read(process_fd, pagemap_fd, &image);

    if (access == PHT_IMAGE_HIDDEN && image.code_pages == self->image.code_pages)
        self->complete = false;
    return access == PHT_IMAGE_READ && pht_image_is_same(&image, &self->image);
}

/*
 * `near` is a member that it was reached from, 0 if none. Every file is opened below /proc/PID as
 * it is now: a pid that is used again meanwhile has another folder.
 */
static bool examine(struct finder *self, pid_t pid, pid_t near, struct pht_relative *ret)
{
    char path[16];

    snprintf(path, sizeof(path), "%d", pid);
    _cleanup_close_ int fd = openat(self->proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || !may_be_relative(self, fd))
        return false;
    /* Before its image is read: one that replaces it in between shows another image. */
    *ret = (struct pht_relative){
        .pid = pid,
        .pagemap_fd = pht_pagemap_open(self->steward, fd),
        .rss_bytes = UINT64_MAX,
        .pss_bytes = UINT64_MAX,
        .parent = -1,
    };
    if (is_relative(self, fd, ret->pagemap_fd) && !shares_memory(pid, near) &&
        describe(self, fd, ret)) {
        self->complete &= ret->pagemap_fd >= 0;
        return true;
    }
    drop(ret);
    return false;
}

/* ---- all of them -------------------------------------------------------------------------- */

static bool is_member(const struct finder *self, pid_t pid)
{
    for (size_t i = 0; i < self->members.count; i++) {
        if (self->members.items[i].pid == pid)
            return true;
    }
    return false;
}

/* True if it was added. */
static bool consider(struct finder *self, pid_t pid, pid_t near)
{
    struct pht_relative relative;

    if (self->no_memory || pid <= 0 || is_member(self, pid))
        return false;
    if (self->members.count == MEMBERS_MAX || self->candidates == CANDIDATES_MAX) {
        self->complete = false;
        return false;
    }
    self->candidates++;
    if (!examine(self, pid, near, &relative))
        return false;
    if (pht_vec_push(&self->members, relative))
        return true;
    drop(&relative);
    self->no_memory = true;
    return false;
}

/* The target, then its parent, and so on; turned around afterwards. */
static void add_ancestors(struct finder *self, pid_t pid)
{
    if (!consider(self, pid, 0))
        return;
    self->members.items[0].is_target = true;
    for (size_t i = 0; i < self->members.count; i++)
        consider(self, self->members.items[i].ppid, self->members.items[i].pid);
    for (size_t i = 0, j = self->members.count - 1; i < j; i++, j--) {
        struct pht_relative swapped = self->members.items[i];
        self->members.items[i] = self->members.items[j];
        self->members.items[j] = swapped;
    }
}

static void add_children(struct finder *self, pid_t parent, bool is_relative_too)
{
    struct pht_pids pids = {0};

    self->no_memory |= !pht_children_of(&self->children, parent, &pids);
    for (size_t i = 0; i < pids.count; i++)
        consider(self, pids.items[i], is_relative_too ? parent : 0);
    free(pids.items);
}

static void add_family(struct finder *self, pid_t pid)
{
    add_ancestors(self, pid);
    if (self->members.count == 0) {
        self->complete = false;
        return;
    }
    /* Members are added behind the one whose children they are. */
    for (size_t i = 0; i < self->members.count; i++)
        add_children(self, self->members.items[i].pid, true);
    size_t descendants = self->members.count;
    if (self->members.items[0].ppid > 0)
        add_children(self, self->members.items[0].ppid, false);
    for (size_t i = descendants; i < self->members.count; i++)
        add_children(self, self->members.items[i].pid, true);
}

static void link_parents(struct finder *self)
{
    for (size_t i = 0; i < self->members.count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (self->members.items[j].pid == self->members.items[i].ppid)
                self->members.items[i].parent = (int)j;
        }
    }
}

static bool read_target_image(int proc_fd, pid_t pid, struct pht_steward *steward,
                              struct pht_image *ret)
{
    char path[16];

    snprintf(path, sizeof(path), "%d", pid);
    _cleanup_close_ int fd = openat(proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_close_ int pagemap_fd = fd >= 0 ? pht_pagemap_open(steward, fd) : -1;
    return fd >= 0 && pht_image_read(fd, pagemap_fd, ret) == PHT_IMAGE_READ;
}

/* False when memory is short. */
static bool make_reader(struct pht_family *family, struct pht_steward *steward)
{
    uint64_t zero_frame = pht_pagemap_zero_frame(steward);
    struct pht_pages *pages = malloc(sizeof(*pages));
    _cleanup_close_ int fd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (pages == NULL)
        return false;
    /* What the kernel can do is found out on ourselves; each relative has its own descriptor. */
    if (fd < 0 || !pht_pages_init(pages, fd, steward))
        *pages = (struct pht_pages){.pagemap_fd = -1, .no_scan = true, .zero_frame = zero_frame};
    pht_pages_deinit(pages);
    family->sees_frames = zero_frame != 0;
    family->reader = pages;
    return true;
}

struct pht_error *pht_family_find(int proc_fd, pid_t pid, struct pht_steward *steward,
                                  struct pht_family *ret)
{
    struct finder self = {.proc_fd = proc_fd, .steward = steward, .complete = true};

    *ret = (struct pht_family){.read_pages = pht_family_read_pagemap};
    if (!make_reader(ret, steward))
        return pht_error_no_memory();
    if (!read_target_image(proc_fd, pid, steward, &self.image))
        return NULL;
    self.no_memory = !pht_children_init(&self.children, proc_fd);
    add_family(&self, pid);
    pht_children_deinit(&self.children);
    link_parents(&self);
    ret->items = self.members.items;
    ret->count = self.members.count;
    ret->complete = self.complete;
    if (!self.no_memory)
        return NULL;
    pht_family_deinit(ret);
    return pht_error_no_memory();
}

void pht_family_deinit(struct pht_family *family)
{
    for (size_t i = 0; i < family->count; i++)
        drop(&family->items[i]);
    free(family->items);
    free(family->reader);
    *family = (struct pht_family){0};
}
