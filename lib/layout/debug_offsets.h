/*
 * What an interpreter says of its own structs: _Py_DebugOffsets, which _PyRuntime begins with from
 * 3.13 on, for debuggers and profilers. Words from its beginning on; what follows the first members
 * of an interpreter differs by version (Include/internal/pycore_runtime.h, from 3.14 on
 * pycore_debug_offsets.h):
 *
 *     cookie "xdebugpy", PY_VERSION_HEX, free-threaded
 *     runtime: size, finalizing, interpreters.head
 *     interpreter: size, id, next, threads.head, threads.main (3.14 and later), gc
 *
 * It tells nothing of allocators.
 */
#ifndef PHT_LIB_LAYOUT_DEBUG_OFFSETS_H
#define PHT_LIB_LAYOUT_DEBUG_OFFSETS_H

#include "layout/module_data.h"

/*
 * Fill in the runtime's and the interpreter's members of `layout`, from the link-time address in
 * layout->runtime on. False, and nothing is filled in, if that is no such table of that version, or
 * its offsets lead out of its structs.
 */
bool pht_debug_offsets_read(const struct pht_module_data *data, uint64_t bias,
                            const struct pht_version *version, struct pht_python_layout *layout);

#endif
