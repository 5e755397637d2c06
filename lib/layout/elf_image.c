#include "layout/elf_image.h"

#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"

#if defined(__x86_64__)
#define OUR_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OUR_MACHINE EM_AARCH64
#else
#error "this architecture is not supported"
#endif

/* Code and constants of an interpreter are some MiB; of a program that it is linked into, more. */
#define SEGMENT_BYTES_MAX ((uint64_t)64 << 20)

enum pht_elf_kind pht_elf_image_kind(int fd, bool *is_32_bit)
{
    /* e_machine is at the same place in both classes. */
    Elf32_Ehdr header;

    if (pread(fd, &header, sizeof(header), 0) != sizeof(header) ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return PHT_ELF_NOT;
    *is_32_bit = header.e_ident[EI_CLASS] == ELFCLASS32;
    if (header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_machine == OUR_MACHINE)
        return PHT_ELF_OURS;
    return PHT_ELF_FOREIGN;
}

bool pht_elf_next_segment(Elf *elf, uint32_t type, size_t *at, GElf_Phdr *ret)
{
    size_t count;

    if (elf_getphdrnum(elf, &count) < 0)
        return false;
    while (*at < count) {
        if (gelf_getphdr(elf, (int)(*at)++, ret) != NULL && ret->p_type == type)
            return true;
    }
    return false;
}

/*
 * Notes are name size, desc size, type, name, desc; gelf_getnote() checks them against the end
 * of the data.
 */
static bool find_build_id(Elf_Data *data, char text[static 129])
{
    GElf_Nhdr header;
    size_t at = 0, next, name_at, desc_at;

    while (data != NULL && (next = gelf_getnote(data, at, &header, &name_at, &desc_at)) > 0) {
        if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == 4 && header.n_descsz <= 64 &&
            memcmp((char *)data->d_buf + name_at, "GNU", 4) == 0) {
            const unsigned char *bytes = (unsigned char *)data->d_buf + desc_at;
            for (size_t i = 0; i < header.n_descsz; i++)
                sprintf(text + 2 * i, "%02x", bytes[i]);
            return true;
        }
        at = next;
    }
    return false;
}

void pht_elf_build_id(Elf *elf, char text[static 129])
{
    GElf_Phdr segment;

    text[0] = '\0';
    for (size_t at = 0; pht_elf_next_segment(elf, PT_NOTE, &at, &segment);) {
        Elf_Data *data =
            elf_getdata_rawchunk(elf, (int64_t)segment.p_offset, segment.p_filesz, ELF_T_NHDR);
        if (find_build_id(data, text))
            return;
    }
    /* A debug file keeps the note's section, but its program headers may point to nothing. */
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section)) != NULL;) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) != NULL && header.sh_type == SHT_NOTE &&
            find_build_id(elf_getdata(section, NULL), text))
            return;
    }
}

bool pht_elf_same_file(const struct pht_mapping *a, const struct pht_mapping *b)
{
    return a->inode == b->inode && a->dev_major == b->dev_major && a->dev_minor == b->dev_minor;
}

/*
 * The loader maps each PT_LOAD segment from a page boundary of the file: the segment and the
 * mapping that begin at the same page of the file tell how far the image was moved.
 */
static bool find_bias(struct pht_elf_image *image, const struct pht_maps *maps,
                      const struct pht_mapping *mapping)
{
    GElf_Phdr header;

    for (size_t at = 0; pht_elf_next_segment(image->elf, PT_LOAD, &at, &header);) {
        uint64_t offset = pht_round_down(header.p_offset, PHT_PAGE_BYTES);
        uint64_t address = pht_round_down(header.p_vaddr, PHT_PAGE_BYTES);
        for (size_t j = 0; j < maps->count; j++) {
            const struct pht_mapping *candidate = &maps->items[j];
            if (pht_elf_same_file(candidate, mapping) && candidate->offset == offset) {
                image->bias = candidate->start - address;
                return true;
            }
        }
    }
    return false;
}

static bool begin(struct pht_elf_image *image)
{
    bool is_32_bit;

    if (image->fd < 0)
        return false;
    elf_version(EV_CURRENT);
    if (pht_elf_image_kind(image->fd, &is_32_bit) == PHT_ELF_OURS)
        image->elf = elf_begin(image->fd, ELF_C_READ, NULL);
    if (image->elf == NULL || elf_kind(image->elf) != ELF_K_ELF)
        return false;
    pht_elf_build_id(image->elf, image->build_id);
    return true;
}

bool pht_elf_image_open(struct pht_target *target, const struct pht_maps *maps,
                        const struct pht_mapping *mapping, struct pht_elf_image *ret)
{
    *ret = (struct pht_elf_image){.fd = pht_target_open_mapped(target, mapping),
                                  .path = mapping->name};
    if (begin(ret) && find_bias(ret, maps, mapping))
        return true;
    pht_elf_image_close(ret);
    return false;
}

bool pht_elf_image_open_fd(int fd, const char *path, struct pht_elf_image *ret)
{
    *ret = (struct pht_elf_image){.fd = fd, .path = path};
    if (begin(ret))
        return true;
    pht_elf_image_close(ret);
    return false;
}

bool pht_elf_image_open_file(const char *path, struct pht_elf_image *ret)
{
    return pht_elf_image_open_fd(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), path, ret);
}

void pht_elf_image_close(struct pht_elf_image *image)
{
    elf_end(image->elf);
    if (image->fd >= 0)
        close(image->fd);
    *image = (struct pht_elf_image){.fd = -1};
}

bool pht_elf_image_span(struct pht_elf_image *image, uint64_t *start, uint64_t *end)
{
    GElf_Phdr header;

    *start = UINT64_MAX;
    *end = 0;
    for (size_t at = 0; pht_elf_next_segment(image->elf, PT_LOAD, &at, &header);) {
        uint64_t segment_end;
        if (!pht_add_fits(header.p_vaddr, header.p_memsz, &segment_end) ||
            segment_end > UINT64_MAX - PHT_PAGE_BYTES)
            return false;
        if (header.p_vaddr < *start)
            *start = pht_round_down(header.p_vaddr, PHT_PAGE_BYTES);
        if (segment_end > *end)
            *end = pht_round_up(segment_end, PHT_PAGE_BYTES);
    }
    return *start < *end;
}

bool pht_elf_image_read(struct pht_elf_image *image, uint64_t address, void *buffer, size_t size)
{
    GElf_Phdr header;
    uint64_t end;

    if (!pht_add_fits(address, size, &end))
        return false;
    for (size_t at = 0; pht_elf_next_segment(image->elf, PT_LOAD, &at, &header);) {
        uint64_t segment_end;
        if (!pht_add_fits(header.p_vaddr, header.p_filesz, &segment_end) ||
            address < header.p_vaddr || end > segment_end)
            continue;
        uint64_t offset = header.p_offset + (address - header.p_vaddr);
        return pread(image->fd, buffer, size, (off_t)offset) == (ssize_t)size;
    }
    return false;
}

const char *pht_elf_image_segment(struct pht_elf_image *image, bool writable, size_t *at,
                                  size_t *size)
{
    GElf_Phdr header;

    while (pht_elf_next_segment(image->elf, PT_LOAD, at, &header)) {
        if (!!(header.p_flags & PF_W) != writable || header.p_filesz == 0 ||
            header.p_filesz > SEGMENT_BYTES_MAX)
            continue;
        Elf_Data *data =
            elf_getdata_rawchunk(image->elf, (int64_t)header.p_offset, header.p_filesz, ELF_T_BYTE);
        if (data == NULL)
            continue;
        *size = data->d_size;
        return data->d_buf;
    }
    return NULL;
}
