#include "layout/identify.h"

#include <ctype.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "layout/dynamic.h"
#include "layout/symbols.h"

enum identify_symbol {
    TYPE_TYPE,
    GET_VERSION,
    VERSION_NUMBER,
    RUNTIME,
    NEGATIVE_REFCOUNT,
    PYPY_STARTUP,
    PYPY_EXECUTE,
    SYMBOLS,
};

static void find_symbols(struct pht_elf_image *image, struct pht_symbol symbols[static SYMBOLS])
{
    static const char *const names[SYMBOLS] = {
        [TYPE_TYPE] = "PyType_Type",
        [GET_VERSION] = "Py_GetVersion",
        [VERSION_NUMBER] = "Py_Version",
        [RUNTIME] = "_PyRuntime",
        /* Objects/object.c, #ifdef Py_REF_DEBUG, in all versions */
        [NEGATIVE_REFCOUNT] = "_Py_NegativeRefcount",
        [PYPY_STARTUP] = "rpython_startup_code",
        [PYPY_EXECUTE] = "pypy_execute_source",
    };

    for (size_t i = 0; i < SYMBOLS; i++)
        symbols[i] = (struct pht_symbol){.name = names[i]};
    pht_symbols_find(image->elf, SHT_DYNSYM, symbols, SYMBOLS);
}

enum pht_identity pht_identify(struct pht_elf_image *image)
{
    struct pht_symbol symbols[SYMBOLS];

    find_symbols(image, symbols);
    if (symbols[TYPE_TYPE].matches > 0 && symbols[GET_VERSION].matches > 0)
        return PHT_IDENTITY_CPYTHON;
    if (symbols[PYPY_STARTUP].matches > 0 || symbols[PYPY_EXECUTE].matches > 0)
        return PHT_IDENTITY_PYPY;
    if (pht_dynamic_needs(image->elf, "libpython"))
        return PHT_IDENTITY_WAITING;
    return PHT_IDENTITY_NONE;
}

/* One or two digits; NULL if there is none. */
static const char *parse_number(const char *text, unsigned *ret)
{
    if (!isdigit((unsigned char)text[0]))
        return NULL;
    *ret = (unsigned)(*text++ - '0');
    if (isdigit((unsigned char)text[0]))
        *ret = *ret * 10 + (unsigned)(*text++ - '0');
    return text;
}

static const char *parse_dotted(const char *text, struct pht_version *ret)
{
    text = parse_number(text, &ret->major);
    if (text == NULL || *text++ != '.')
        return NULL;
    text = parse_number(text, &ret->minor);
    if (text == NULL || *text++ != '.')
        return NULL;
    return parse_number(text, &ret->micro);
}

/* "a1", "b2", "rc1", and "c1" up to 2.7; NULL if a level has no number. */
static const char *skip_level(const char *text)
{
    size_t letters = 0;

    if (strncmp(text, "rc", 2) == 0)
        letters = 2;
    else if (text[0] >= 'a' && text[0] <= 'c')
        letters = 1;
    else
        return text;
    size_t digits = strspn(text + letters, "0123456789");
    return digits > 0 ? text + letters + digits : NULL;
}

bool pht_version_parse(const char *text, size_t length, struct pht_version *ret)
{
    char copy[32] = "";

    if (length >= sizeof(copy))
        return false;
    memcpy(copy, text, length);
    const char *rest = parse_dotted(copy, ret);
    if (rest != NULL)
        rest = skip_level(rest);
    if (rest != NULL && *rest == '+')
        rest++;
    return rest == copy + length;
}

/* Py_Version, since 3.11: 0x030f00c2 is 3.15.0rc2 (Include/patchlevel.h). */
static void decode_hex_version(uint64_t hex, struct pht_python *ret)
{
    const char *level = "";
    unsigned serial = hex & 0xf;

    ret->version = (struct pht_version){
        .major = hex >> 24 & 0xff,
        .minor = hex >> 16 & 0xff,
        .micro = hex >> 8 & 0xff,
    };
    switch (hex >> 4 & 0xf) {
    case 0xa:
        level = "a";
        break;
    case 0xb:
        level = "b";
        break;
    case 0xc:
        level = "rc";
        break;
    default:
        break;
    }
    int length = snprintf(ret->version_text, sizeof(ret->version_text), "%u.%u.%u",
                          ret->version.major, ret->version.minor, ret->version.micro);
    if (level[0] != '\0')
        snprintf(ret->version_text + length, sizeof(ret->version_text) - (size_t)length, "%s%u",
                 level, serial);
}

static const char *find_bytes(const char *bytes, size_t size, const char *wanted)
{
    return memmem(bytes, size, wanted, strlen(wanted));
}

/* The first constant that begins like this, with numbers behind it. */
static bool find_numbers(const char *bytes, size_t size, const char *prefix, const char *format,
                         struct pht_version *ret)
{
    const char *found = find_bytes(bytes, size, prefix);
    char copy[24] = "";

    if (found == NULL)
        return false;
    size_t left = size - (size_t)(found - bytes);
    memcpy(copy, found, left < sizeof(copy) - 1 ? left : sizeof(copy) - 1);
    return sscanf(copy, format, &ret->major, &ret->minor) == 2;
}

/*
 * "libpython3.9.so.1.0", "/usr/bin/python2.7", or among the constants "lib/python2.7", since 3.3
 * the tag of its cached files, "cpython-39".
 */
static bool find_series(const char *path, const char *bytes, size_t size, struct pht_version *ret)
{
    const char *slash = strrchr(path, '/');
    const char *name = strstr(slash != NULL ? slash : path, "python");

    return (name != NULL && sscanf(name, "python%1u.%2u", &ret->major, &ret->minor) == 2) ||
           find_numbers(bytes, size, "cpython-3", "cpython-%1u%2u", ret) ||
           find_numbers(bytes, size, "lib/python", "lib/python%1u.%2u", ret);
}

/*
 * Before 3.11 no symbol tells the patch level, but the string PY_VERSION is a constant of its
 * own: the one that begins with the series. The linker may have merged it with the end of
 * another string, so the byte before it only must not belong to a number.
 */
static bool find_version_string(const char *path, const char *bytes, size_t size,
                                struct pht_python *ret)
{
    struct pht_version series, version;
    char prefix[16];

    if (!find_series(path, bytes, size, &series))
        return false;
    snprintf(prefix, sizeof(prefix), "%u.%u.", series.major, series.minor);
    const char *end = bytes + size;
    for (const char *at = bytes; (at = find_bytes(at, (size_t)(end - at), prefix)) != NULL; at++) {
        size_t length = strnlen(at, (size_t)(end - at));
        if (at > bytes && (isdigit((unsigned char)at[-1]) || at[-1] == '.'))
            continue;
        if (at + length == end || !pht_version_parse(at, length, &version))
            continue;
        ret->version = version;
        snprintf(ret->version_text, sizeof(ret->version_text), "%.*s", (int)length, at);
        return true;
    }
    return false;
}

static void find_constant_version(struct pht_elf_image *image, struct pht_python *ret)
{
    const char *bytes;
    size_t at = 0, size;

    while ((bytes = pht_elf_image_segment(image, false, &at, &size)) != NULL) {
        if (find_version_string(image->path, bytes, size, ret))
            return;
    }
}

/*
 * _Py_DebugOffsets at the start of _PyRuntime since 3.13: char cookie[8], uint64_t version,
 * uint64_t free_threaded (Include/internal/pycore_debug_offsets.h). It is initialised data.
 */
static bool is_free_threaded(struct pht_elf_image *image, const struct pht_symbol *runtime)
{
    struct {
        char cookie[8];
        uint64_t version;
        uint64_t free_threaded;
    } head;

    return runtime->matches == 1 &&
           pht_elf_image_read(image, runtime->address, &head, sizeof(head)) &&
           memcmp(head.cookie, "xdebugpy", sizeof(head.cookie)) == 0 && head.free_threaded != 0;
}

void pht_identify_build(struct pht_elf_image *image, struct pht_python *ret)
{
    struct pht_symbol symbols[SYMBOLS];
    uint64_t hex;

    find_symbols(image, symbols);
    if (symbols[VERSION_NUMBER].matches == 1 &&
        pht_elf_image_read(image, symbols[VERSION_NUMBER].address, &hex, sizeof(hex)))
        decode_hex_version(hex, ret);
    else
        find_constant_version(image, ret);
    ret->free_threaded = is_free_threaded(image, &symbols[RUNTIME]);
    ret->debug_build = symbols[NEGATIVE_REFCOUNT].matches > 0;
}

/* sys.version is "3.9.16 (7.3.11+dfsg-2, ...)\n[PyPy 7.3.11 with GCC 12.2.0]". */
static bool find_pypy_version(const char *bytes, size_t size, char version[static 32])
{
    static const char mark[] = "[PyPy ";
    const char *at = find_bytes(bytes, size, mark);
    struct pht_version parsed;

    if (at == NULL)
        return false;
    at += sizeof(mark) - 1;
    size_t left = size - (size_t)(at - bytes), length = 0;
    while (length < left && length < 31 && at[length] != ' ' && at[length] != '\0')
        length++;
    if (!pht_version_parse(at, length, &parsed))
        return false;
    snprintf(version, 32, "%.*s", (int)length, at);
    return true;
}

/* It is an object, and those are variables. */
void pht_identify_pypy_version(struct pht_elf_image *image, char version[static 32])
{
    const char *bytes;
    size_t at = 0, size;

    version[0] = '\0';
    while ((bytes = pht_elf_image_segment(image, true, &at, &size)) != NULL) {
        if (find_pypy_version(bytes, size, version))
            return;
    }
}
