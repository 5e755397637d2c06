#include "layout/dynamic.h"

#include <elf.h>
#include <string.h>

#include "base/checked.h"
#include "layout/elf_image.h"

/* An interpreter has 100 KiB of names; a program that it is linked into, some MiB. */
#define TABLE_BYTES_MAX ((uint64_t)64 << 20)

/* A chain of a hash table has a few symbols: all have one hash, modulo the number of buckets. */
#define CHAIN_BYTES_MAX ((uint64_t)64 << 10)

/* What PT_DYNAMIC says; 0 is no address of a table. */
struct dynamic {
    Elf *elf;
    Elf_Data *entries;
    uint64_t symbols;
    uint64_t names;
    uint64_t name_bytes;
    uint64_t gnu_hash;
    uint64_t hash;
};

/* ---- bytes at addresses ------------------------------------------------------------------- */

/* How much the file has from there to the end of the segment, and where; 0 if nothing. */
static uint64_t room_at(Elf *elf, uint64_t address, uint64_t *offset)
{
    GElf_Phdr header;

    for (size_t at = 0; pht_elf_next_segment(elf, PT_LOAD, &at, &header);) {
        uint64_t before = address - header.p_vaddr;
        if (address >= header.p_vaddr && before < header.p_filesz &&
            pht_add_fits(header.p_offset, before, offset))
            return header.p_filesz - before;
    }
    return 0;
}

static Elf_Data *data_at(Elf *elf, uint64_t address, uint64_t size, Elf_Type type)
{
    uint64_t offset;

    if (size == 0 || size > TABLE_BYTES_MAX || room_at(elf, address, &offset) < size)
        return NULL;
    return elf_getdata_rawchunk(elf, (int64_t)offset, size, type);
}

/* As many as there are, up to `bytes_max`. */
static Elf_Data *words_at(Elf *elf, uint64_t address, uint64_t bytes_max)
{
    uint64_t offset, room = room_at(elf, address, &offset) & ~(uint64_t)3;

    return data_at(elf, address, room < bytes_max ? room : bytes_max, ELF_T_WORD);
}

static uint32_t word(const Elf_Data *data, uint64_t i)
{
    return ((const uint32_t *)data->d_buf)[i];
}

/* ---- the segment -------------------------------------------------------------------------- */

static void take_entry(struct dynamic *dynamic, const GElf_Dyn *entry)
{
    switch (entry->d_tag) {
    case DT_SYMTAB:
        dynamic->symbols = entry->d_un.d_ptr;
        break;
    case DT_STRTAB:
        dynamic->names = entry->d_un.d_ptr;
        break;
    case DT_STRSZ:
        dynamic->name_bytes = entry->d_un.d_val;
        break;
    case DT_GNU_HASH:
        dynamic->gnu_hash = entry->d_un.d_ptr;
        break;
    case DT_HASH:
        dynamic->hash = entry->d_un.d_ptr;
        break;
    default:
        break;
    }
}

/* False behind the last one. */
static bool read_entry(const struct dynamic *dynamic, int i, GElf_Dyn *entry)
{
    return gelf_getdyn(dynamic->entries, i, entry) != NULL && entry->d_tag != DT_NULL;
}

static bool read_dynamic(Elf *elf, struct dynamic *ret)
{
    GElf_Phdr header;
    GElf_Dyn entry;
    size_t at = 0;

    *ret = (struct dynamic){.elf = elf};
    if (!pht_elf_next_segment(elf, PT_DYNAMIC, &at, &header) || header.p_filesz > TABLE_BYTES_MAX)
        return false;
    ret->entries = elf_getdata_rawchunk(elf, (int64_t)header.p_offset, header.p_filesz, ELF_T_DYN);
    if (ret->entries == NULL)
        return false;
    for (int i = 0; read_entry(ret, i, &entry); i++)
        take_entry(ret, &entry);
    return true;
}

static const char *read_names(const struct dynamic *dynamic)
{
    Elf_Data *data = data_at(dynamic->elf, dynamic->names, dynamic->name_bytes, ELF_T_BYTE);

    if (data == NULL || ((const char *)data->d_buf)[dynamic->name_bytes - 1] != '\0')
        return NULL;
    return data->d_buf;
}

/* ---- how many symbols ---------------------------------------------------------------------- */

/*
 * No entry tells their number. DT_HASH: nbucket, nchain, then the buckets and a chain entry for
 * each symbol.
 */
static uint64_t count_by_hash(const struct dynamic *dynamic)
{
    Elf_Data *head = data_at(dynamic->elf, dynamic->hash, 8, ELF_T_WORD);

    return dynamic->hash != 0 && head != NULL ? word(head, 1) : 0;
}

/*
 * DT_GNU_HASH: nbuckets, the first symbol that is hashed, bloom_size, bloom_shift, 64-bit words of
 * the filter, the buckets, and a chain entry for each hashed symbol. A bucket has the first symbol
 * of its chain, and bit 0 marks the last one: the last symbol ends the chain that begins last.
 */
static uint64_t count_by_gnu_hash(const struct dynamic *dynamic)
{
    Elf_Data *head = data_at(dynamic->elf, dynamic->gnu_hash, 16, ELF_T_WORD);
    uint64_t buckets_at, chains_at, chain_at;
    uint32_t last = 0;

    if (dynamic->gnu_hash == 0 || head == NULL)
        return 0;
    uint32_t bucket_count = word(head, 0), first = word(head, 1);
    if (!pht_add_fits(dynamic->gnu_hash + 16, (uint64_t)word(head, 2) * 8, &buckets_at) ||
        !pht_add_fits(buckets_at, (uint64_t)bucket_count * 4, &chains_at))
        return 0;
    Elf_Data *buckets = data_at(dynamic->elf, buckets_at, (uint64_t)bucket_count * 4, ELF_T_WORD);
    if (buckets == NULL)
        return 0;
    for (uint32_t i = 0; i < bucket_count; i++) {
        if (word(buckets, i) > last)
            last = word(buckets, i);
    }
    if (last < first)
        return first; /* nothing is exported */
    if (!pht_add_fits(chains_at, (uint64_t)(last - first) * 4, &chain_at))
        return 0;
    Elf_Data *chain = words_at(dynamic->elf, chain_at, CHAIN_BYTES_MAX);
    for (size_t i = 0; chain != NULL && i < chain->d_size / 4; i++) {
        if (word(chain, i) & 1)
            return (uint64_t)last + i + 1;
    }
    return 0;
}

bool pht_dynamic_symbols_read(Elf *elf, struct pht_dynamic_symbols *ret)
{
    struct dynamic dynamic;

    if (!read_dynamic(elf, &dynamic))
        return false;
    uint64_t count = count_by_gnu_hash(&dynamic);
    if (count == 0)
        count = count_by_hash(&dynamic);
    *ret = (struct pht_dynamic_symbols){
        .symbols = data_at(elf, dynamic.symbols, count * sizeof(Elf64_Sym), ELF_T_SYM),
        .count = count,
        .names = read_names(&dynamic),
        .name_bytes = dynamic.name_bytes,
    };
    return ret->symbols != NULL && ret->names != NULL;
}

/* ---- what it needs ------------------------------------------------------------------------- */

bool pht_dynamic_needs(Elf *elf, const char *prefix)
{
    struct dynamic dynamic;
    GElf_Dyn entry;

    if (!read_dynamic(elf, &dynamic))
        return false;
    const char *names = read_names(&dynamic);
    for (int i = 0; names != NULL && read_entry(&dynamic, i, &entry); i++) {
        if (entry.d_tag == DT_NEEDED && entry.d_un.d_val < dynamic.name_bytes &&
            strncmp(names + entry.d_un.d_val, prefix, strlen(prefix)) == 0)
            return true;
    }
    return false;
}
