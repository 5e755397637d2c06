#include "layout/dynamic.h"

#include <elf.h>
#include <string.h>

#include "base/checked.h"
#include "layout/elf_image.h"

/* An interpreter has 100 KiB of names; a program that it is linked into, some MiB. */
#define TABLE_BYTES_MAX ((uint64_t)64 << 20)

/* A chain of a hash table has a few symbols: all have one hash, modulo the number of buckets. */
#define CHAIN_BYTES_MAX ((uint64_t)64 << 10)

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

/* NULL for a file that is not linked dynamically. */
static Elf_Data *read_entries(Elf *elf)
{
    GElf_Phdr header;
    size_t at = 0;

    if (!pht_elf_next_segment(elf, PT_DYNAMIC, &at, &header) || header.p_filesz > TABLE_BYTES_MAX)
        return NULL;
    return elf_getdata_rawchunk(elf, (int64_t)header.p_offset, header.p_filesz, ELF_T_DYN);
}

/* False behind the last one. */
static bool read_entry(Elf_Data *entries, int i, GElf_Dyn *entry)
{
    return gelf_getdyn(entries, i, entry) != NULL && entry->d_tag != DT_NULL;
}

static uint64_t value_of(Elf_Data *entries, int64_t tag)
{
    GElf_Dyn entry;

    for (int i = 0; entries != NULL && read_entry(entries, i, &entry); i++) {
        if (entry.d_tag == tag)
            return entry.d_un.d_val;
    }
    return 0;
}

uint64_t pht_dynamic_value(Elf *elf, int64_t tag)
{
    return value_of(read_entries(elf), tag);
}

/* The last byte is 0. */
static const char *read_names(Elf *elf, Elf_Data *entries, size_t *bytes)
{
    *bytes = value_of(entries, DT_STRSZ);
    Elf_Data *data = data_at(elf, value_of(entries, DT_STRTAB), *bytes, ELF_T_BYTE);

    if (data == NULL || ((const char *)data->d_buf)[*bytes - 1] != '\0')
        return NULL;
    return data->d_buf;
}

/* ---- how many symbols ---------------------------------------------------------------------- */

/*
 * No entry tells their number. DT_HASH: nbucket, nchain, then the buckets and a chain entry for
 * each symbol.
 */
static uint64_t count_by_hash(Elf *elf, uint64_t table)
{
    Elf_Data *head = data_at(elf, table, 8, ELF_T_WORD);

    return table != 0 && head != NULL ? word(head, 1) : 0;
}

/*
 * DT_GNU_HASH: nbuckets, the first symbol that is hashed, bloom_size, bloom_shift, 64-bit words of
 * the filter, the buckets, and a chain entry for each hashed symbol. A bucket has the first symbol
 * of its chain, and bit 0 marks the last one: the last symbol ends the chain that begins last.
 */
static uint64_t count_by_gnu_hash(Elf *elf, uint64_t table)
{
    Elf_Data *head = data_at(elf, table, 16, ELF_T_WORD);
    uint64_t buckets_at, chains_at, chain_at;
    uint32_t last = 0;

    if (table == 0 || head == NULL)
        return 0;
    uint32_t bucket_count = word(head, 0), first = word(head, 1);
    if (!pht_add_fits(table + 16, (uint64_t)word(head, 2) * 8, &buckets_at) ||
        !pht_add_fits(buckets_at, (uint64_t)bucket_count * 4, &chains_at))
        return 0;
    Elf_Data *buckets = data_at(elf, buckets_at, (uint64_t)bucket_count * 4, ELF_T_WORD);
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
    Elf_Data *chain = words_at(elf, chain_at, CHAIN_BYTES_MAX);
    for (size_t i = 0; chain != NULL && i < chain->d_size / 4; i++) {
        if (word(chain, i) & 1)
            return (uint64_t)last + i + 1;
    }
    return 0;
}

bool pht_dynamic_symbols_read(Elf *elf, struct pht_dynamic_symbols *ret)
{
    Elf_Data *entries = read_entries(elf);
    uint64_t count = count_by_gnu_hash(elf, value_of(entries, DT_GNU_HASH));

    if (count == 0)
        count = count_by_hash(elf, value_of(entries, DT_HASH));
    *ret = (struct pht_dynamic_symbols){
        .symbols = data_at(elf, value_of(entries, DT_SYMTAB), count * sizeof(Elf64_Sym), ELF_T_SYM),
        .count = count,
    };
    ret->names = read_names(elf, entries, &ret->name_bytes);
    return ret->symbols != NULL && ret->names != NULL;
}

/* ---- what it needs ------------------------------------------------------------------------- */

bool pht_dynamic_needs(Elf *elf, const char *prefix)
{
    Elf_Data *entries = read_entries(elf);
    GElf_Dyn entry;
    size_t bytes;

    const char *names = read_names(elf, entries, &bytes);
    for (int i = 0; names != NULL && read_entry(entries, i, &entry); i++) {
        if (entry.d_tag == DT_NEEDED && entry.d_un.d_val < bytes &&
            strncmp(names + entry.d_un.d_val, prefix, strlen(prefix)) == 0)
            return true;
    }
    return false;
}
