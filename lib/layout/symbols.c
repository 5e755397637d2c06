#include "layout/symbols.h"

#include <string.h>

#include "layout/dynamic.h"

/* "arenas.lto_priv.12" -> 6; a name without that suffix keeps its whole length. */
static size_t plain_length(const char *name)
{
    const char *suffix = strstr(name, ".lto_priv");

    /* "f.lto_priv.0.cold" is the unlikely part of a function, and stands elsewhere. */
    if (suffix == NULL || strstr(suffix, ".cold") != NULL)
        return strlen(name);
    return (size_t)(suffix - name);
}

static struct pht_symbol *match(const char *name, bool is_thread_local, struct pht_symbol *symbols,
                                size_t count)
{
    size_t length = plain_length(name);

    for (size_t i = 0; i < count; i++) {
        if (symbols[i].is_thread_local == is_thread_local && symbols[i].name[0] == name[0] &&
            strncmp(symbols[i].name, name, length) == 0 && symbols[i].name[length] == '\0')
            return &symbols[i];
    }
    return NULL;
}

static void take(const char *name, const GElf_Sym *entry, struct pht_symbol *symbols, size_t count)
{
    bool is_thread_local = GELF_ST_TYPE(entry->st_info) == STT_TLS;
    struct pht_symbol *symbol = match(name, is_thread_local, symbols, count);

    if (symbol == NULL || (symbol->matches > 0 && symbol->address == entry->st_value))
        return;
    symbol->address = entry->st_value;
    symbol->size = entry->st_size;
    symbol->matches++;
}

static bool read_entry(Elf_Data *data, size_t i, GElf_Sym *entry)
{
    return gelf_getsym(data, (int)i, entry) != NULL && entry->st_shndx != SHN_UNDEF;
}

static void find_in_section(Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
                            struct pht_symbol *symbols, size_t count)
{
    Elf_Data *data = elf_getdata(section, NULL);
    GElf_Sym entry;

    if (data == NULL || header->sh_entsize == 0)
        return;
    size_t entries = data->d_size / header->sh_entsize;
    for (size_t i = 0; i < entries; i++) {
        const char *name;
        if (read_entry(data, i, &entry) &&
            (name = elf_strptr(elf, header->sh_link, entry.st_name)) != NULL)
            take(name, &entry, symbols, count);
    }
}

static void find_in_sections(Elf *elf, uint32_t type, struct pht_symbol *symbols, size_t count)
{
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section)) != NULL;) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) != NULL && header.sh_type == type)
            find_in_section(elf, section, &header, symbols, count);
    }
}

static void find_dynamic(Elf *elf, struct pht_symbol *symbols, size_t count)
{
    struct pht_dynamic_symbols dynamic;
    GElf_Sym entry;

    if (!pht_dynamic_symbols_read(elf, &dynamic))
        return;
    for (size_t i = 0; i < dynamic.count; i++) {
        if (read_entry(dynamic.symbols, i, &entry) && entry.st_name < dynamic.name_bytes)
            take(dynamic.names + entry.st_name, &entry, symbols, count);
    }
}

void pht_symbols_find(Elf *elf, uint32_t type, struct pht_symbol *symbols, size_t count)
{
    if (type == SHT_DYNSYM)
        find_dynamic(elf, symbols, count);
    else
        find_in_sections(elf, type, symbols, count);
}
