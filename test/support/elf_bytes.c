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

/* What exports symbols is loaded here, away from what tests load. */
#define TABLES_ADDRESS UINT64_C(0x7e0000000000)
#define TABLES_BYTES_MAX 4096

/* {symbols, hash, names, dynamic}: the segment that exports symbols. */
struct tables {
    unsigned char bytes[TABLES_BYTES_MAX];
    size_t size;
    size_t dynamic; /* where its dynamic entries begin, to the end */
};

static uint64_t append(struct tables *tables, const void *bytes, size_t size)
{
    uint64_t at = tables->size;

    ck_assert_uint_le(at + size, sizeof(tables->bytes));
    memcpy(tables->bytes + at, bytes, size);
    tables->size += size;
    return TABLES_ADDRESS + at;
}

static uint64_t append_symbols(struct tables *tables, const struct elf_bytes *file)
{
    Elf64_Sym entry = {0};
    uint64_t at = append(tables, &entry, sizeof(entry));

    entry = (Elf64_Sym){
        .st_name = 1, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), .st_shndx = SHN_ABS};
    for (size_t i = 0; i < file->symbol_count; i++) {
        entry.st_value = file->symbols[i].address;
        entry.st_size = file->symbols[i].size;
        append(tables, &entry, sizeof(entry));
        entry.st_name += (uint32_t)strlen(file->symbols[i].name) + 1;
    }
    return at;
}

/* {buckets, chains, bucket[1], chain[]}: only how many chains there are is looked at. */
static uint64_t append_hash(struct tables *tables, const struct elf_bytes *file)
{
    const uint32_t head[] = {1, (uint32_t)file->symbol_count + 1, 0}, chain = 0;
    uint64_t at = append(tables, head, sizeof(head));

    for (size_t i = 0; i <= file->symbol_count; i++)
        append(tables, &chain, sizeof(chain));
    return at;
}

static void make_tables(const struct elf_bytes *file, struct tables *ret)
{
    static const char padding[8];

    ret->size = 0;
    uint64_t symbols = append_symbols(ret, file), hash = append_hash(ret, file);
    uint64_t names = append(ret, "", 1);
    for (size_t i = 0; i < file->symbol_count; i++)
        append(ret, file->symbols[i].name, strlen(file->symbols[i].name) + 1);
    uint64_t name_bytes = TABLES_ADDRESS + ret->size - names;
    append(ret, padding, 8 - ret->size % 8);
    const Elf64_Dyn entries[] = {
        {DT_SYMTAB, {symbols}}, {DT_SYMENT, {sizeof(Elf64_Sym)}},
        {DT_STRTAB, {names}},   {DT_STRSZ, {name_bytes}},
        {DT_HASH, {hash}},      {DT_NULL, {0}},
    };
    ret->dynamic = ret->size;
    append(ret, entries, sizeof(entries));
}

static void write_bytes(FILE *stream, const void *bytes, size_t size)
{
    if (size > 0)
        ck_assert_uint_eq(fwrite(bytes, 1, size, stream), size);
}

static void write_segment(FILE *stream, const struct elf_bytes_segment *segment, uint64_t at)
{
    Elf64_Phdr header = {
        .p_type = segment->type != 0 ? segment->type : PT_LOAD,
        .p_flags = segment->flags,
        .p_offset = at,
        .p_vaddr = segment->address,
        .p_filesz = segment->byte_count,
        .p_memsz = segment->size != 0 ? segment->size : segment->byte_count,
    };

    write_bytes(stream, &header, sizeof(header));
}

/* The test's own, and two of the tables. */
static void write_segments(FILE *stream, const struct elf_bytes *file, const struct tables *tables)
{
    size_t count = file->segment_count + (tables->size > 0 ? 2 : 0);
    uint64_t at = sizeof(Elf64_Ehdr) + count * sizeof(Elf64_Phdr);

    for (size_t i = 0; i < file->segment_count; i++) {
        write_segment(stream, &file->segments[i], at);
        at += file->segments[i].byte_count;
    }
    if (tables->size > 0) {
        size_t dynamic_bytes = tables->size - tables->dynamic;
        write_segment(stream,
                      &(struct elf_bytes_segment){
                          .flags = PF_R, .address = TABLES_ADDRESS, .byte_count = tables->size},
                      at);
        write_segment(stream,
                      &(struct elf_bytes_segment){.type = PT_DYNAMIC,
                                                  .flags = PF_R,
                                                  .address = TABLES_ADDRESS + tables->dynamic,
                                                  .byte_count = dynamic_bytes},
                      at + tables->dynamic);
    }
    for (size_t i = 0; i < file->segment_count; i++)
        write_bytes(stream, file->segments[i].bytes, file->segments[i].byte_count);
    write_bytes(stream, tables->bytes, tables->size);
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
    };
    struct tables tables = {.size = 0};
    int fd = memfd_create("made-up", MFD_CLOEXEC);
    char path[32];

    ck_assert_int_ge(fd, 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    FILE *stream = fdopen(fd, "w");
    ck_assert_ptr_nonnull(stream);
    if (file->symbol_count > 0)
        make_tables(file, &tables);
    header.e_phnum = (uint16_t)(file->segment_count + (tables.size > 0 ? 2 : 0));
    write_bytes(stream, &header, sizeof(header));
    write_segments(stream, file, &tables);
    ck_assert_int_eq(fflush(stream), 0);
    ck_assert(pht_elf_image_open_file(path, ret));
    fclose(stream);
    ret->path = "made-up";
}
