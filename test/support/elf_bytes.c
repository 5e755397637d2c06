#include "support/elf_bytes.h"

#include <check.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#else
#define MACHINE EM_AARCH64
#endif

/* Sections: none, symbols, their names. */
enum {
    NOTHING,
    SYMBOLS,
    NAMES,
    SECTIONS,
};

static uint64_t write_bytes(FILE *stream, const void *bytes, size_t size)
{
    long at = ftell(stream);

    ck_assert_int_ge(at, 0);
    if (size > 0)
        ck_assert_uint_eq(fwrite(bytes, 1, size, stream), size);
    return (uint64_t)at;
}

static Elf64_Shdr write_names(FILE *stream, const struct elf_bytes *file)
{
    Elf64_Shdr header = {.sh_type = SHT_STRTAB};

    header.sh_offset = write_bytes(stream, "", 1);
    for (size_t i = 0; i < file->symbol_count; i++)
        write_bytes(stream, file->symbols[i].name, strlen(file->symbols[i].name) + 1);
    header.sh_size = (uint64_t)ftell(stream) - header.sh_offset;
    return header;
}

static Elf64_Shdr write_symbols(FILE *stream, const struct elf_bytes *file)
{
    Elf64_Sym entry = {0};
    Elf64_Shdr header = {
        .sh_type = SHT_DYNSYM, .sh_link = NAMES, .sh_entsize = sizeof(entry), .sh_addralign = 8};

    header.sh_offset = write_bytes(stream, &entry, sizeof(entry));
    entry = (Elf64_Sym){
        .st_name = 1, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), .st_shndx = SHN_ABS};
    for (size_t i = 0; i < file->symbol_count; i++) {
        entry.st_value = file->symbols[i].address;
        entry.st_size = file->symbols[i].size;
        write_bytes(stream, &entry, sizeof(entry));
        entry.st_name += (uint32_t)strlen(file->symbols[i].name) + 1;
    }
    header.sh_size = (file->symbol_count + 1) * sizeof(entry);
    return header;
}

static uint64_t write_sections(FILE *stream, const struct elf_bytes *file)
{
    static const char padding[8];
    Elf64_Shdr headers[SECTIONS] = {[NAMES] = write_names(stream, file)};

    write_bytes(stream, padding, 8 - (size_t)ftell(stream) % 8);
    headers[SYMBOLS] = write_symbols(stream, file);
    return write_bytes(stream, headers, sizeof(headers));
}

static void write_segments(FILE *stream, const struct elf_bytes *file)
{
    uint64_t at = sizeof(Elf64_Ehdr) + file->segment_count * sizeof(Elf64_Phdr);

    for (size_t i = 0; i < file->segment_count; i++) {
        const struct elf_bytes_segment *segment = &file->segments[i];
        Elf64_Phdr header = {
            .p_type = segment->type != 0 ? segment->type : PT_LOAD,
            .p_flags = segment->flags,
            .p_offset = at,
            .p_vaddr = segment->address,
            .p_filesz = segment->byte_count,
            .p_memsz = segment->size != 0 ? segment->size : segment->byte_count,
        };
        write_bytes(stream, &header, sizeof(header));
        at += segment->byte_count;
    }
    for (size_t i = 0; i < file->segment_count; i++)
        write_bytes(stream, file->segments[i].bytes, file->segments[i].byte_count);
}

void elf_bytes_open(const struct elf_bytes *file, struct pht_elf_image *ret)
{
    Elf64_Ehdr header = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = file->type,
        .e_machine = MACHINE,
        .e_version = EV_CURRENT,
        .e_phoff = sizeof(header),
        .e_ehsize = sizeof(header),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = (uint16_t)file->segment_count,
        .e_shentsize = sizeof(Elf64_Shdr),
        .e_shnum = SECTIONS,
    };
    int fd = memfd_create("made-up", MFD_CLOEXEC);
    char path[32];

    ck_assert_int_ge(fd, 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    FILE *stream = fdopen(fd, "w");
    ck_assert_ptr_nonnull(stream);
    write_bytes(stream, &header, sizeof(header));
    write_segments(stream, file);
    header.e_shoff = write_sections(stream, file);
    rewind(stream);
    write_bytes(stream, &header, sizeof(header));
    ck_assert_int_eq(fflush(stream), 0);
    ck_assert(pht_elf_image_open_file(path, ret));
    fclose(stream);
    ret->path = "made-up";
}
