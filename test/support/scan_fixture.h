/*
 * A stripped library that passes for an interpreter, layout/fixture/scanned.c, loaded into this
 * process, and what the scan finds in it. One at a time.
 */
#ifndef PHT_TEST_SUPPORT_SCAN_FIXTURE_H
#define PHT_TEST_SUPPORT_SCAN_FIXTURE_H

#include <check.h>
#include <dlfcn.h>
#include <stddef.h>

#include "layout/python_layout.h"
#include "support/elf_fixture.h"

#if defined(__x86_64__)
#define READS_CODE true
#else
#define READS_CODE false /* references.h: elsewhere there are none */
#endif

#define FIELD(name) offsetof(struct pht_python_layout, name)
#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

extern struct elf_fixture fixture;
extern struct pht_python_layout row;    /* the test's to alter, before a scan */
extern struct pht_python_layout layout; /* what was found */

/* Variables, and the function that tells where each is. */
struct truth {
    size_t field;
    const char *function;
};

extern const struct truth truths[];
extern const size_t truth_count;

uint64_t *value_of(struct pht_python_layout *of, size_t field);

/* The types of 3.9, and all variables that any release has. */
void make_row(void);

/* With a new row; false if there is no such fixture, or nothing can be found in it here. */
bool open_fixture(const char *path);
void close_fixture(void);

/* The folder of fixtures is known to tests only. */
#define OPEN_SCANNED() open_fixture(ELF_FIXTURE("scanned"))

#define CALL(type, name, ...)                                                                      \
    ({                                                                                             \
        __typeof__(type) *function;                                                                \
        *(void **)&function = dlsym(fixture.library, "fixture_" name);                             \
        ck_assert_msg(function != NULL, "%s", name);                                               \
        function(__VA_ARGS__);                                                                     \
    })

typedef void nothing(void);
typedef void *pointer(void);

/* The variable itself, which the test may change; the other by the name of the function. */
#define VARIABLE(type, name) ((type *)CALL(pointer, name))
void *variable_of(const char *function);

/* As an interpreter is that has run. */
void run(void);

/*
 * What the caller knows from symbols stays in `layout`, which scan_anew() clears otherwise. True if
 * anything was found.
 */
bool scan(void);
bool scan_anew(void);

/* Where a variable is, as linked; and all are found there. */
uint64_t truth(const char *function);
void check_truth(void);

#define ck_assert_unknown(field) ck_assert_uint_eq(layout.field, PHT_UNKNOWN)

#endif
