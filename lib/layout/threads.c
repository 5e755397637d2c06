#include "layout/threads.h"

#include <elf.h>

#include "layout/library.h"
#include "layout/symbols.h"

/* struct list_head {next, prev} */
#define LIST_BYTES 16

/* struct pthread and link_map have less than 2,400 bytes, _rtld_global less than 6,000. */
#define OFFSET_MAX ((uint64_t)64 << 10)

enum thread_symbol {
    MAP_TLS_OFFSET,
    PTHREAD_LIST,
    PTHREAD_TID,
    PTHREAD_BYTES,
    RTLD_STACK_USED,
    RTLD_STACK_USER,
    STACK_USED,
    STACK_USER,
    STACK_CACHE,
    SYMBOLS,
};

/*
 * RTLD_*: since 2.34 (commit 1daccf403b) the lists are members of the loader's _rtld_global.
 * STACK_*: before, they were statics of libpthread. PTHREAD_BYTES is a plain uint32_t.
 */
static const char *const names[SYMBOLS] = {
    [MAP_TLS_OFFSET] = "_thread_db_link_map_l_tls_offset",
    [PTHREAD_LIST] = "_thread_db_pthread_list",
    [PTHREAD_TID] = "_thread_db_pthread_tid",
    [PTHREAD_BYTES] = "_thread_db_sizeof_pthread",
    [RTLD_STACK_USED] = "_thread_db_rtld_global__dl_stack_used",
    [RTLD_STACK_USER] = "_thread_db_rtld_global__dl_stack_user",
    [STACK_USED] = "stack_used",
    [STACK_USER] = "__stack_user",
    [STACK_CACHE] = "stack_cache",
};

static void find_symbols(struct pht_elf_image *image, uint32_t type,
                         struct pht_symbol symbols[static SYMBOLS])
{
    for (int i = 0; i < SYMBOLS; i++)
        symbols[i] = (struct pht_symbol){.name = names[i]};
    pht_symbols_find(image->elf, type, symbols, SYMBOLS);
}

/* The offset of a member that must have `bytes` bytes, and end before `limit`. */
static bool read_record(struct pht_elf_image *image, const struct pht_symbol *symbol,
                        uint32_t bytes, uint64_t limit, uint64_t *offset)
{
    struct {
        uint32_t bits;
        uint32_t count;
        uint32_t offset;
    } record;

    if (symbol->matches != 1 ||
        !pht_elf_image_read(image, symbol->address, &record, sizeof(record)) ||
        record.bits != bytes * 8 || record.count != 1 || limit < bytes ||
        record.offset > limit - bytes)
        return false;
    *offset = record.offset;
    return true;
}

static void read_size(struct pht_elf_image *image, const struct pht_symbol *symbol, uint64_t *size)
{
    uint32_t bytes;

    if (symbol->matches == 1 && pht_elf_image_read(image, symbol->address, &bytes, sizeof(bytes)) &&
        bytes <= OFFSET_MAX)
        *size = bytes;
}

static bool read_common(struct pht_elf_image *image, const struct pht_symbol *symbols,
                        struct pht_thread_layout *ret)
{
    read_size(image, &symbols[PTHREAD_BYTES], &ret->pthread_bytes);
    return read_record(image, &symbols[MAP_TLS_OFFSET], 8, OFFSET_MAX, &ret->link_map_tls_offset) &&
           read_record(image, &symbols[PTHREAD_LIST], LIST_BYTES, OFFSET_MAX, &ret->pthread_list) &&
           read_record(image, &symbols[PTHREAD_TID], 4, OFFSET_MAX, &ret->pthread_tid);
}

/* What the loader adds: where it is, and how large _rtld_global is. */
struct loader {
    pht_addr debug;
    pht_addr rtld_global;
    uint64_t rtld_global_bytes;
};

static bool find_loader(struct pht_target *target, const struct pht_maps *maps, struct loader *ret)
{
    const struct pht_mapping *mapping = pht_library_find(maps, PHT_LIBRARY_LOADER);
    struct pht_symbol symbols[] = {{.name = "_r_debug"}, {.name = "_rtld_global"}};
    struct pht_elf_image image;

    if (mapping == NULL || !pht_elf_image_open(target, maps, mapping, &image))
        return false;
    pht_symbols_find(image.elf, SHT_DYNSYM, symbols, 2);
    *ret = (struct loader){
        .debug = image.bias + symbols[0].address,
        .rtld_global = image.bias + symbols[1].address,
        .rtld_global_bytes = symbols[1].size < OFFSET_MAX ? symbols[1].size : OFFSET_MAX,
    };
    pht_elf_image_close(&image);
    return symbols[0].matches == 1 && symbols[1].matches == 1;
}

static bool read_since_2_34(struct pht_elf_image *libc, const struct pht_symbol *symbols,
                            const struct loader *loader, struct pht_thread_layout *ret)
{
    uint64_t used, user;

    if (!read_common(libc, symbols, ret) ||
        !read_record(libc, &symbols[RTLD_STACK_USED], LIST_BYTES, loader->rtld_global_bytes,
                     &used) ||
        !read_record(libc, &symbols[RTLD_STACK_USER], LIST_BYTES, loader->rtld_global_bytes, &user))
        return false;
    ret->stack_lists[0] = loader->rtld_global + used;
    ret->stack_lists[1] = loader->rtld_global + user;
    /* No record tells where the third list is: behind the second, in all releases since 2.34. */
    if (user + LIST_BYTES <= loader->rtld_global_bytes - LIST_BYTES)
        ret->stack_cache = ret->stack_lists[1] + LIST_BYTES;
    return true;
}

/* Its .symtab is there even where all others are stripped: libthread_db needs it. */
static bool read_before_2_34(struct pht_target *target, const struct pht_maps *maps,
                             struct pht_thread_layout *ret)
{
    const struct pht_mapping *mapping = pht_library_find(maps, PHT_LIBRARY_PTHREAD);
    struct pht_symbol symbols[SYMBOLS];
    struct pht_elf_image image;

    if (mapping == NULL || !pht_elf_image_open(target, maps, mapping, &image))
        return false;
    find_symbols(&image, SHT_SYMTAB, symbols);
    bool read = read_common(&image, symbols, ret) && symbols[STACK_USED].matches == 1 &&
                symbols[STACK_USER].matches == 1;
    ret->stack_lists[0] = image.bias + symbols[STACK_USED].address;
    ret->stack_lists[1] = image.bias + symbols[STACK_USER].address;
    if (symbols[STACK_CACHE].matches == 1)
        ret->stack_cache = image.bias + symbols[STACK_CACHE].address;
    pht_elf_image_close(&image);
    return read;
}

void pht_thread_layout_find(struct pht_target *target, const struct pht_maps *maps,
                            struct pht_elf_image *libc, struct pht_thread_layout *ret)
{
    struct pht_symbol symbols[SYMBOLS];
    struct pht_thread_layout found = {0};
    struct loader loader;

    *ret = (struct pht_thread_layout){0};
    if (!find_loader(target, maps, &loader)) {
        pht_target_note(target, "%s: its threads cannot be found without the loader", libc->path);
        return;
    }
    find_symbols(libc, SHT_DYNSYM, symbols);
    found.known = symbols[PTHREAD_LIST].matches > 0
                      ? read_since_2_34(libc, symbols, &loader, &found)
                      : read_before_2_34(target, maps, &found);
    found.debug = loader.debug;
    if (found.known)
        *ret = found;
    else
        pht_target_note(target, "%s: no usable records of how to find its threads", libc->path);
}
