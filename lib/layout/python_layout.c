#include "layout/python_layout.h"

#include <elf.h>
#include <inttypes.h>
#include <string.h>

#include "layout/debug_file.h"
#include "layout/dwarf_types.h"
#include "layout/dwarf_vars.h"
#include "layout/symbols.h"

/* The unit that defines pymalloc includes every header whose structs are wanted here. */
#define ALLOCATOR_UNIT "obmalloc.c"

/* The interpreter state of 3.12 with its inline allocator state is 383,552 bytes. */
#define STRUCT_BYTES_MAX ((uint64_t)4 << 20)

#define FIELD(kind_, field, subject_, path_)                                                       \
    {kind_, #field, offsetof(struct pht_python_layout, field), subject_, path_},
#define FIELD_SIZE(field, type) FIELD(PHT_FIELD_SIZE, field, type, NULL)
#define FIELD_MEMBER(field, type, path) FIELD(PHT_FIELD_MEMBER, field, type, path)
#define FIELD_EXTENT(field, type, path) FIELD(PHT_FIELD_EXTENT, field, type, path)
#define FIELD_ADDRESS(field, symbol) FIELD(PHT_FIELD_ADDRESS, field, symbol, NULL)
#define FIELD_LENGTH(field, symbol) FIELD(PHT_FIELD_LENGTH, field, symbol, NULL)

static const struct pht_layout_field fields[] = {
    PHT_PYTHON_LAYOUT(FIELD_SIZE, FIELD_MEMBER, FIELD_EXTENT, FIELD_ADDRESS, FIELD_LENGTH)};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

const struct pht_layout_field *pht_layout_fields(size_t *count)
{
    *count = FIELDS;
    return fields;
}

uint64_t *pht_layout_value(struct pht_python_layout *layout, const struct pht_layout_field *field)
{
    return (uint64_t *)((char *)layout + field->offset);
}

void pht_python_layout_clear(struct pht_python_layout *layout)
{
    for (size_t i = 0; i < FIELDS; i++)
        *pht_layout_value(layout, &fields[i]) = PHT_UNKNOWN;
}

static bool is_type_field(const struct pht_layout_field *field)
{
    return field->kind == PHT_FIELD_SIZE || field->kind == PHT_FIELD_MEMBER ||
           field->kind == PHT_FIELD_EXTENT;
}

/* Fields of one type stand together, so each type is looked up once. */
static void resolve_types(const struct pht_dwarf_units *units, struct pht_python_layout *layout)
{
    const char *subject = "";
    bool known = false;
    Dwarf_Die type;

    for (size_t i = 0; i < FIELDS; i++) {
        const struct pht_layout_field *field = &fields[i];
        uint64_t offset, bytes;
        Dwarf_Word size;
        if (!is_type_field(field))
            continue;
        if (strcmp(subject, field->subject) != 0) {
            subject = field->subject;
            known = pht_dwarf_find_type(units, ALLOCATOR_UNIT, subject, &type);
        }
        if (!known)
            continue;
        if (field->kind == PHT_FIELD_SIZE) {
            if (dwarf_aggregate_size(&type, &size) == 0)
                *pht_layout_value(layout, field) = size;
        } else if (pht_dwarf_find_member(&type, field->path, &offset, &bytes)) {
            *pht_layout_value(layout, field) = field->kind == PHT_FIELD_MEMBER ? offset : bytes;
        }
    }
}

static bool has_symtab(Elf *elf)
{
    GElf_Shdr header;

    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section)) != NULL;) {
        if (gelf_getshdr(section, &header) != NULL && header.sh_type == SHT_SYMTAB)
            return true;
    }
    return false;
}

/* Where the addresses came from, the least direct source that was needed. */
static enum pht_symbol_source resolve_symbols(struct pht_elf_image *image,
                                              const struct pht_debug_file *debug,
                                              struct pht_symbol *symbols, size_t count)
{
    Elf *table = has_symtab(image->elf) ? image->elf : debug->elf;

    if (table != NULL && has_symtab(table)) {
        pht_symbols_find(table, SHT_SYMTAB, symbols, count);
        return PHT_SYMBOL_SYMTAB;
    }
    pht_symbols_find(image->elf, SHT_DYNSYM, symbols, count);
    return PHT_SYMBOL_DYNSYM;
}

/* Statics that no symbol table has, or that share their name with another file's. */
static bool resolve_variables(const struct pht_dwarf_units *units, struct pht_symbol *symbols,
                              size_t count)
{
    struct pht_dwarf_variable variables[FIELDS];
    bool any = false;

    for (size_t i = 0; i < count; i++) {
        variables[i] = (struct pht_dwarf_variable){
            .name = symbols[i].name,
            .file = strcmp(symbols[i].name, "_PyRuntime") == 0 ? NULL : ALLOCATOR_UNIT,
        };
    }
    pht_dwarf_find_variables(units, variables, count);
    for (size_t i = 0; i < count; i++) {
        if (symbols[i].matches == 1 || !variables[i].found)
            continue;
        symbols[i].address = variables[i].address;
        symbols[i].size = variables[i].bytes;
        symbols[i].matches = 1;
        any = true;
    }
    return any;
}

static enum pht_symbol_source resolve_addresses(struct pht_elf_image *image,
                                                const struct pht_debug_file *debug,
                                                const struct pht_dwarf_units *units,
                                                struct pht_python_layout *layout)
{
    struct pht_symbol symbols[FIELDS];
    size_t count = 0;

    for (size_t i = 0; i < FIELDS; i++) {
        if (fields[i].kind == PHT_FIELD_ADDRESS)
            symbols[count++] = (struct pht_symbol){.name = fields[i].subject};
    }
    enum pht_symbol_source source = resolve_symbols(image, debug, symbols, count);
    bool look_further = source == PHT_SYMBOL_DYNSYM;
    for (size_t i = 0; i < count; i++)
        look_further |= symbols[i].matches > 1;
    if (look_further && resolve_variables(units, symbols, count))
        source = PHT_SYMBOL_DWARF;
    for (size_t i = 0; i < FIELDS; i++) {
        const struct pht_layout_field *field = &fields[i];
        for (size_t j = 0; !is_type_field(field) && j < count; j++) {
            if (symbols[j].matches == 1 && strcmp(symbols[j].name, field->subject) == 0)
                *pht_layout_value(layout, field) =
                    field->kind == PHT_FIELD_ADDRESS ? symbols[j].address : symbols[j].size;
        }
    }
    return source;
}

static struct pht_error *no_layout(const struct pht_elf_image *image,
                                   const struct pht_python *python, const char *missing)
{
    const char *slash = strrchr(image->path, '/');
    struct pht_error *error =
        pht_error_create(PHT_ERROR_NO_LAYOUT, "no %s for %s (build-id %.12s)", missing,
                         slash != NULL ? slash + 1 : image->path,
                         image->build_id[0] != '\0' ? image->build_id : "none");

    if (strncmp(image->path, "/usr/", 5) != 0 || python->version.major == 0)
        return error;
    return pht_error_try(error, "apt install python%u.%u-dbg    (Debian, Ubuntu)",
                         python->version.major, python->version.minor);
}

struct pht_error *pht_python_layout_resolve(struct pht_target *target, struct pht_elf_image *image,
                                            struct pht_python *python)
{
    struct pht_debug_file debug;
    struct pht_dwarf_units units;

    pht_python_layout_clear(&python->layout);
    if (!pht_debug_file_open(target, image, &debug))
        return pht_error_no_memory();
    if (debug.dwarf == NULL) {
        pht_debug_file_close(&debug);
        return no_layout(image, python, "debug information");
    }
    if (!pht_dwarf_units_init(&units, debug.dwarf)) {
        pht_debug_file_close(&debug);
        return pht_error_no_memory();
    }
    resolve_types(&units, &python->layout);
    python->symbol_source = resolve_addresses(image, &debug, &units, &python->layout);
    pht_dwarf_units_deinit(&units);
    pht_debug_file_close(&debug);
    if (!pht_python_layout_is_sound(&python->layout))
        return no_layout(image, python, "usable debug information");
    python->layout_source = PHT_LAYOUT_DWARF;
    return NULL;
}

static bool all_known(const uint64_t *const *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (*values[i] == PHT_UNKNOWN)
            return false;
    }
    return true;
}

/*
 * Pool headers and arena objects are copied, and members are taken out of the copy: they must lie
 * inside it.
 */
static bool has_room(const struct pht_python_layout *layout)
{
    const struct {
        uint64_t offset;
        uint64_t bytes;
        uint64_t size;
    } members[] = {
        {layout->pool_count, 4, layout->pool_header_bytes},
        {layout->pool_freeblock, 8, layout->pool_header_bytes},
        {layout->pool_arenaindex, 4, layout->pool_header_bytes},
        {layout->pool_szidx, 4, layout->pool_header_bytes},
        {layout->pool_nextoffset, 4, layout->pool_header_bytes},
        {layout->pool_maxnextoffset, 4, layout->pool_header_bytes},
        {layout->arena_address, 8, layout->arena_object_bytes},
        {layout->arena_pool_address, 8, layout->arena_object_bytes},
        {layout->arena_nfreepools, 4, layout->arena_object_bytes},
        {layout->arena_ntotalpools, 4, layout->arena_object_bytes},
    };

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (members[i].size > PHT_COPIED_STRUCT_MAX || members[i].bytes > members[i].size ||
            members[i].offset > members[i].size - members[i].bytes)
            return false;
    }
    return true;
}

static bool has_required(const struct pht_python_layout *layout)
{
    const uint64_t *const common[] = {
        &layout->pool_header_bytes,  &layout->pool_count,         &layout->pool_freeblock,
        &layout->pool_arenaindex,    &layout->pool_szidx,         &layout->pool_nextoffset,
        &layout->pool_maxnextoffset, &layout->arena_object_bytes, &layout->arena_address,
        &layout->arena_pool_address, &layout->arena_nfreepools,   &layout->arena_ntotalpools,
    };
    const uint64_t *const statics[] = {
        &layout->usedpools,
        &layout->usedpools_bytes,
        &layout->arenas,
        &layout->maxarenas,
    };
    const uint64_t *const states[] = {
        &layout->obmalloc_bytes,
        &layout->obmalloc_usedpools,
        &layout->obmalloc_usedpools_bytes,
        &layout->obmalloc_arenas,
        &layout->obmalloc_maxarenas,
        &layout->interp_bytes,
        &layout->interp_next,
        &layout->interp_obmalloc,
        &layout->interp_obmalloc_bytes,
        &layout->runtime_bytes,
        &layout->runtime_interpreters_head,
        &layout->runtime,
    };

    if (!all_known(common, sizeof(common) / sizeof(common[0])))
        return false;
    if (layout->obmalloc_bytes == PHT_UNKNOWN)
        return all_known(statics, sizeof(statics) / sizeof(statics[0]));
    return all_known(states, sizeof(states) / sizeof(states[0]));
}

bool pht_python_layout_is_sound(const struct pht_python_layout *layout)
{
    uint64_t size = 0;
    const char *subject = "";

    for (size_t i = 0; i < FIELDS; i++) {
        uint64_t value = *pht_layout_value((struct pht_python_layout *)layout, &fields[i]);
        if (!is_type_field(&fields[i]) || value == PHT_UNKNOWN)
            continue;
        /* A type without a SIZE line of its own is bounded by the largest struct. */
        if (strcmp(subject, fields[i].subject) != 0) {
            subject = fields[i].subject;
            size = STRUCT_BYTES_MAX;
        }
        if (fields[i].kind == PHT_FIELD_SIZE)
            size = value;
        if (size > STRUCT_BYTES_MAX || value > size)
            return false;
    }
    return has_required(layout) && has_room(layout);
}
