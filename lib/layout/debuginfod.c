#include "layout/debuginfod.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* elfutils/debuginfod.h; the library is used where it is installed, as libdwfl does. */
#define LIBRARY "libdebuginfod.so.1"

struct client;

struct functions {
    void *library;
    struct client *(*begin)(void);
    int (*find)(struct client *client, const unsigned char *build_id, int bytes, char **path);
    void (*end)(struct client *client);
};

/* Not unloaded: libcurl is not made for that. */
static bool load(struct functions *ret)
{
    ret->library = dlopen(LIBRARY, RTLD_LAZY | RTLD_LOCAL);
    if (ret->library == NULL)
        return false;
    *(void **)&ret->begin = dlsym(ret->library, "debuginfod_begin");
    *(void **)&ret->find = dlsym(ret->library, "debuginfod_find_debuginfo");
    *(void **)&ret->end = dlsym(ret->library, "debuginfod_end");
    return ret->begin != NULL && ret->find != NULL && ret->end != NULL;
}

/* Returns a descriptor, or -errno. */
static int find(const char *build_id)
{
    struct functions functions;
    char *path = NULL;

    if (!load(&functions))
        return -ENOSYS;
    struct client *client = functions.begin();
    if (client == NULL)
        return -ENOMEM;
    /* A length of 0 says that it is text. */
    int fd = functions.find(client, (const unsigned char *)build_id, 0, &path);
    free(path);
    functions.end(client);
    return fd;
}

static bool is_configured(void)
{
    const char *urls = getenv("DEBUGINFOD_URLS");

    return urls != NULL && urls[0] != '\0';
}

int pht_debuginfod_perform(void *context, struct pht_errand *errand)
{
    char build_id[129];

    (void)context;
    if (!is_configured())
        return ENOSYS;
    if (errand->bytes == 0 || errand->bytes >= sizeof(build_id))
        return EINVAL;
    memcpy(build_id, errand->request, errand->bytes);
    build_id[errand->bytes] = '\0';
    if (build_id[strspn(build_id, "0123456789abcdef")] != '\0')
        return EINVAL;
    int fd = find(build_id);
    errand->answer = fd >= 0 ? fd : -1;
    return fd >= 0 ? 0 : -fd;
}

int pht_debuginfod_find(struct pht_steward *steward, const char *build_id)
{
    int fd = -1;

    if (steward == NULL || build_id[0] == '\0')
        return -1;
    return pht_steward_ask(steward, PHT_DUTY_DEBUG_FILE, build_id, strlen(build_id), -1, &fd) == 0
               ? fd
               : -1;
}
