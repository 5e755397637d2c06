#include "layout/libc_version.h"

#include <ctype.h>
#include <string.h>

#define BANNER "GNU C Library ("
#define RELEASE " release version "

/* The name of the package is part of the line: Debian's is "(Debian GLIBC 2.36-9+deb12u14)". */
#define LINE_BYTES_MAX 200

static const char *find(const char *bytes, size_t size, const char *wanted)
{
    return memmem(bytes, size, wanted, strlen(wanted));
}

bool pht_libc_version_parse(const char *text, size_t length, char version[static 16])
{
    size_t used = 0;

    version[0] = '\0';
    while (used < length && used < 15 && (isdigit((unsigned char)text[used]) || text[used] == '.'))
        used++;
    while (used > 0 && text[used - 1] == '.')
        used--;
    if (used == 0 || text[0] == '.' || memchr(text, '.', used) == NULL)
        return false;
    memcpy(version, text, used);
    version[used] = '\0';
    return true;
}

/*
 * csu/version.c:
 *
 *     GNU C Library (Debian GLIBC 2.36-9+deb12u14) stable release version 2.36.
 *     GNU C Library (GNU libc) development release version 2.38.9000.
 *     GNU C Library (GNU libc) stable release version 2.17, by Roland McGrath et al.
 */
static bool find_version(const char *bytes, size_t size, char version[static 16])
{
    const char *banner = find(bytes, size, BANNER);

    if (banner == NULL)
        return false;
    size_t left = size - (size_t)(banner - bytes);
    size_t length = strnlen(banner, left < LINE_BYTES_MAX ? left : LINE_BYTES_MAX);
    const char *release = find(banner, length, RELEASE);
    if (release == NULL)
        return false;
    release += strlen(RELEASE);
    return pht_libc_version_parse(release, length - (size_t)(release - banner), version);
}

void pht_libc_version(struct pht_elf_image *image, char version[static 16])
{
    const char *bytes;
    size_t at = 0, size;

    version[0] = '\0';
    while ((bytes = pht_elf_image_segment(image, false, &at, &size)) != NULL) {
        if (find_version(bytes, size, version))
            return;
    }
}

/* "musl libc (x86_64)\nVersion %s\nDynamic Program Loader\n": ldso/dynlink.c, for who runs it. */
bool pht_libc_is_musl(struct pht_elf_image *image)
{
    const char *bytes;
    size_t at = 0, size;

    while ((bytes = pht_elf_image_segment(image, false, &at, &size)) != NULL) {
        if (find(bytes, size, "musl libc (") != NULL)
            return true;
    }
    return false;
}
