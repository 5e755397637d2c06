/*
 * A module for the interpreters under test: it holds one still, and measures how it is disturbed.
 *
 * It is loaded into every CPython from 3.6 on and every glibc from 2.31 on. So it is built without
 * Python.h, from the part of the C API that never changed since PEP 489 made modules loadable into
 * isolated sub-interpreters, and calls only functions that glibc has had for long.
 */
#include <alloca.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct object;

/* PyMethodDef, PyModuleDef_Base, PyModuleDef_Slot and PyModuleDef of a build with the GIL. */
struct method {
    const char *name;
    struct object *(*function)(struct object *self, struct object *arguments);
    int flags;
    const char *help;
};

struct module_base {
    intptr_t refcount;
    void *type;
    void *init;
    intptr_t index;
    void *copy;
};

struct slot {
    int id;
    void *value;
};

struct module {
    struct module_base base;
    const char *name;
    const char *help;
    intptr_t state_bytes;
    const struct method *methods;
    struct slot *slots;
    void *traverse;
    void *clear;
    void *release;
};

#define METHOD_VARARGS 1
#define SLOT_MULTIPLE_INTERPRETERS 3
#define PER_INTERPRETER_GIL ((void *)2)
#define VERSION_3_12 0x030c0000

int PyArg_ParseTuple(struct object *arguments, const char *format, ...);
struct object *Py_BuildValue(const char *format, ...);
void *PyEval_SaveThread(void);
struct object *PyModuleDef_Init(struct module *module);
int _PyObject_DebugMallocStats(FILE *file);
extern const unsigned long Py_Version __attribute__((weak));

struct object *PyInit_hold(void);

/*
 * pause(path, label): write the allocator's own statistics to `path`, say so on stdout, wait for a
 * byte on stdin. The GIL is kept all the while, so that the figures stay true.
 */
static struct object *hold_pause(struct object *self, struct object *arguments)
{
    const char *path, *label;
    char line[128], byte;

    (void)self;
    if (!PyArg_ParseTuple(arguments, "ss", &path, &label))
        return NULL;
    FILE *file = fopen(path, "w");
    if (file != NULL) {
        _PyObject_DebugMallocStats(file);
        fclose(file);
    }
    int length = snprintf(line, sizeof(line), "holding %s\n", label);
    if (write(STDOUT_FILENO, line, (size_t)length) == length)
        while (read(STDIN_FILENO, &byte, 1) < 0)
            ;
    return Py_BuildValue("");
}

/* What beat() keeps in its file; the test reads it there, and sets worst_us to 0. */
struct beat {
    volatile uint64_t count;
    volatile uint64_t worst_us;
};

static uint64_t clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void beat_forever(struct beat *beat)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    uint64_t last = clock_us();

    for (;;) {
        nanosleep(&pause, NULL);
        uint64_t now = clock_us();
        if (now - last > beat->worst_us)
            beat->worst_us = now - last;
        beat->count++;
        last = now;
    }
}

/* beat(path): never returns. It lets go of the GIL first, so that only a stop can delay it. */
static struct object *hold_beat(struct object *self, struct object *arguments)
{
    const char *path;

    (void)self;
    if (!PyArg_ParseTuple(arguments, "s", &path))
        return NULL;
    int fd = open(path, O_RDWR);
    struct beat *beat = mmap(NULL, sizeof(*beat), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (beat == MAP_FAILED)
        return Py_BuildValue("");
    PyEval_SaveThread();
    beat_forever(beat);
    return NULL;
}

/* For ctypes: use up so much of the thread's stack, and call `wait` on top of that. */
void hold_use_stack(size_t bytes, void (*wait)(void));
void hold_use_stack(size_t bytes, void (*wait)(void))
{
    volatile char *used = alloca(bytes);

    for (size_t i = 0; i < bytes; i++)
        used[i] = 's';
    wait();
}

struct object *PyInit_hold(void)
{
    static const struct method methods[] = {
        {"pause", hold_pause, METHOD_VARARGS, NULL},
        {"beat", hold_beat, METHOD_VARARGS, NULL},
        {NULL, NULL, 0, NULL},
    };
    static struct slot slots[] = {
        {SLOT_MULTIPLE_INTERPRETERS, PER_INTERPRETER_GIL},
        {0, NULL},
    };
    static struct module module = {
        .base = {.refcount = 1},
        .name = "hold",
        .methods = methods,
    };

    /* Versions before 3.12 refuse a slot that they do not know. */
    if (&Py_Version != NULL && Py_Version >= VERSION_3_12)
        module.slots = slots;
    return PyModuleDef_Init(&module);
}
