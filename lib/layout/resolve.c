#include "layout/resolve.h"

#include <elf.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "layout/debug_file.h"
#include "layout/dwarf_types.h"
#include "layout/dwarf_vars.h"
#include "layout/symbols.h"

/* ---- types -------------------------------------------------------------------------------- */

/* No path to a member is longer. */
#define PATH_MAX_BYTES 96

/* The first of the paths that leads to a member. */
static bool find_member(Dwarf_Die *type, const char *paths, uint64_t *offset, uint64_t *bytes)
{
    char path[PATH_MAX_BYTES];

    for (size_t length; *paths != '\0'; paths += length + (paths[length] == '|')) {
        length = strcspn(paths, "|");
        if (length >= sizeof(path))
            return false;
        memcpy(path, paths, length);
        path[length] = '\0';
        if (pht_dwarf_find_member(type, path, offset, bytes))
            return true;
    }
    return false;
}

/* Fields of one type stand together, so each type is looked up once. */
static void resolve_types(const struct pht_dwarf_units *units, const struct pht_layout_table *table,
                          void *layout)
{
    const char *subject = "";
    bool known = false;
    Dwarf_Die type;

    for (size_t i = 0; i < table->count; i++) {
        const struct pht_layout_field *field = &table->fields[i];
        uint64_t offset, bytes;
        Dwarf_Word size;
        if (!pht_layout_is_of_type(field))
            continue;
        if (strcmp(subject, field->subject) != 0) {
            subject = field->subject;
            known =
                pht_dwarf_find_type(units, table->unit, subject, &type) ||
                (table->more != NULL && pht_dwarf_find_type(units, table->more, subject, &type));
        }
        if (!known)
            continue;
        if (field->kind == PHT_FIELD_SIZE) {
            if (dwarf_aggregate_size(&type, &size) == 0)
                pht_layout_set(layout, field, size);
        } else if (find_member(&type, field->path, &offset, &bytes)) {
            pht_layout_set(layout, field, field->kind == PHT_FIELD_MEMBER ? offset : bytes);
        }
    }
}

/* ---- symbols ------------------------------------------------------------------------------ */

struct symbols {
    struct pht_symbol items[PHT_LAYOUT_FIELDS_MAX];
    const char *files[PHT_LAYOUT_FIELDS_MAX]; /* that must define them; NULL: any */
    size_t count;
    size_t of_any_file; /* these come first */
};

static bool is_same_file(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void collect_of(const struct pht_layout_table *table, bool of_any_file, struct symbols *ret)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct pht_layout_field *field = &table->fields[i];
        if ((field->kind != PHT_FIELD_ADDRESS && field->kind != PHT_FIELD_TLS) ||
            (field->file == NULL) != of_any_file)
            continue;
        ret->files[ret->count] = field->file;
        ret->items[ret->count++] = (struct pht_symbol){
            .name = field->subject, .is_thread_local = field->kind == PHT_FIELD_TLS};
    }
}

static void collect_symbols(const struct pht_layout_table *table, struct symbols *ret)
{
    ret->count = 0;
    collect_of(table, true, ret);
    ret->of_any_file = ret->count;
    collect_of(table, false, ret);
}

/* The section of a damaged file has nothing that anyone looks for. */
static bool find_in_symtab(Elf *elf, struct symbols *symbols)
{
    bool any = false;

    if (elf == NULL)
        return false;
    pht_symbols_find(elf, SHT_SYMTAB, symbols->items, symbols->of_any_file);
    for (size_t i = 0; i < symbols->of_any_file; i++)
        any |= symbols->items[i].matches > 0;
    return any;
}

/* A symbol table does not tell which file a static is of, even where only one has the name. */
static enum pht_symbol_source find_symbols(struct pht_elf_image *image,
                                           const struct pht_debug_file *debug,
                                           struct symbols *symbols)
{
    if (find_in_symtab(image->elf, symbols) || find_in_symtab(debug->elf, symbols))
        return PHT_SYMBOL_SYMTAB;
    pht_symbols_find(image->elf, SHT_DYNSYM, symbols->items, symbols->of_any_file);
    return PHT_SYMBOL_DYNSYM;
}

static const char *file_of(const struct pht_layout_table *table, const struct symbols *symbols,
                           size_t i)
{
    if (symbols->files[i] != NULL)
        return symbols->files[i];
    bool elsewhere =
        table->exported != NULL && strcmp(symbols->items[i].name, table->exported) == 0;
    return elsewhere ? NULL : table->unit;
}

/* Statics that no symbol table has, or that share their name with another file's. */
static bool find_variables(const struct pht_dwarf_units *units,
                           const struct pht_layout_table *table, struct symbols *symbols)
{
    struct pht_dwarf_variable variables[PHT_LAYOUT_FIELDS_MAX];
    bool any = false;

    for (size_t i = 0; i < symbols->count; i++) {
        const struct pht_symbol *symbol = &symbols->items[i];
        variables[i] = (struct pht_dwarf_variable){
            .name = symbol->name,
            .file = file_of(table, symbols, i),
            .is_thread_local = symbol->is_thread_local,
        };
    }
    pht_dwarf_find_variables(units, variables, symbols->count);
    for (size_t i = 0; i < symbols->count; i++) {
        struct pht_symbol *symbol = &symbols->items[i];
        if (symbol->matches == 1 || !variables[i].found)
            continue;
        symbol->address = variables[i].address;
        symbol->size = variables[i].bytes;
        symbol->matches = 1;
        any = true;
    }
    return any;
}

static void take_symbol(const struct pht_symbol *symbol, const char *file,
                        const struct pht_layout_table *table, void *layout)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct pht_layout_field *field = &table->fields[i];
        if (pht_layout_is_of_type(field) || strcmp(symbol->name, field->subject) != 0 ||
            !is_same_file(file, field->file))
            continue;
        pht_layout_set(layout, field,
                       field->kind == PHT_FIELD_LENGTH ? symbol->size : symbol->address);
    }
}

static enum pht_symbol_source resolve_symbols(struct pht_elf_image *image,
                                              const struct pht_debug_file *debug,
                                              const struct pht_dwarf_units *units,
                                              const struct pht_layout_table *table, void *layout)
{
    struct symbols symbols;

    collect_symbols(table, &symbols);
    enum pht_symbol_source source = find_symbols(image, debug, &symbols);
    bool look_further = source == PHT_SYMBOL_DYNSYM || symbols.of_any_file < symbols.count;
    for (size_t i = 0; i < symbols.count; i++)
        look_further |= symbols.items[i].matches > 1;
    if (look_further && find_variables(units, table, &symbols))
        source = PHT_SYMBOL_DWARF;
    for (size_t i = 0; i < symbols.count; i++) {
        if (symbols.items[i].matches == 1)
            take_symbol(&symbols.items[i], symbols.files[i], table, layout);
    }
    return source;
}

enum pht_symbol_source pht_layout_resolve_symbols(struct pht_elf_image *image,
                                                  const struct pht_layout_table *table,
                                                  void *layout)
{
    static const struct pht_debug_file none;
    struct symbols symbols;

    collect_symbols(table, &symbols);
    enum pht_symbol_source source = find_symbols(image, &none, &symbols);
    for (size_t i = 0; i < symbols.of_any_file; i++) {
        if (symbols.items[i].matches == 1)
            take_symbol(&symbols.items[i], NULL, table, layout);
    }
    return source;
}

/* ---- both --------------------------------------------------------------------------------- */

struct pht_error *pht_layout_missing(const struct pht_elf_image *image, const char *missing)
{
    const char *slash = strrchr(image->path, '/');
    const char *name = slash != NULL ? slash + 1 : image->path;
    _cleanup_free_ char *printable = pht_text_printable(name, strlen(name));

    if (printable == NULL)
        return pht_error_no_memory();
    return pht_error_create(PHT_ERROR_NO_LAYOUT, "no %s for %s (build-id %.12s)", missing,
                            printable, image->build_id[0] != '\0' ? image->build_id : "none");
}

struct pht_error *pht_layout_resolve(struct pht_target *target, struct pht_elf_image *image,
                                     const struct pht_layout_table *table, void *layout,
                                     enum pht_symbol_source *symbols)
{
    struct pht_debug_file debug;
    struct pht_dwarf_units units;

    pht_layout_clear(table, layout);
    if (!pht_debug_file_open(target, image, &debug))
        return pht_error_no_memory();
    if (debug.dwarf == NULL) {
        pht_debug_file_close(&debug);
        return pht_layout_missing(image, "debug information");
    }
    if (!pht_dwarf_units_init(&units, debug.dwarf)) {
        pht_debug_file_close(&debug);
        return pht_error_no_memory();
    }
    resolve_types(&units, table, layout);
    *symbols = resolve_symbols(image, &debug, &units, table, layout);
    pht_dwarf_units_deinit(&units);
    pht_debug_file_close(&debug);
    if (pht_layout_is_sound(table, layout))
        return NULL;
    pht_layout_clear(table, layout);
    return pht_layout_missing(image, "usable debug information");
}
