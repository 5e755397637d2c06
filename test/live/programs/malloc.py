"""
Gives malloc's heap a shape, in the main thread and in others, and holds still on it.

Arguments: libmalloc_shapes.so; a file for malloc's own figures; and a plan for the main thread and
for each other one, "SHAPE BYTES TCACHE_COUNT LARGE_BINS END". END is "sleep", "spin" or "end".
"""
import ctypes
import os
import sys
import threading
import time

SHAPES = ["nothing", "bins", "heaps", "aligned", "remapped", "gaps", "blocked",
          "gaps_and_blocked", "trimmable", "arena_max_two", "one_list", "keep_apart"]


class Plan(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64)
                for name in ("shape", "bytes", "tcache_count", "large_bins", "is_busy",
                             "tid", "tcache_chunks", "tcache_bytes", "done")]


def plan_of(words):
    shape, size, count, large, end = words.split()
    return Plan(SHAPES.index(shape), int(size), int(count), int(large), end == "spin"), end


def start(library, plan, end):
    """A thread of this plan; it has done its work when this returns."""
    function = library.malloc_shape if end == "end" else library.malloc_work
    thread = threading.Thread(target=function, args=(ctypes.byref(plan),))
    thread.daemon = True
    thread.start()
    while not plan.done and thread.is_alive():
        time.sleep(0.001)
    if end == "end":
        thread.join()
    else:
        os.write(1, ("thread %d %d %d\n" % (plan.tid, plan.tcache_chunks,
                                            plan.tcache_bytes)).encode())


def main(library, figures, first, *others):
    # The one lets go of the GIL, the other keeps it.
    free, held = ctypes.CDLL(library), ctypes.PyDLL(library)
    held.malloc_hold.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p]
    libc = ctypes.CDLL(None)
    mallinfo2 = getattr(libc, "mallinfo2", None)
    keep = [plan_of(words) for words in others]
    for plan, end in keep:
        start(free, plan, end)
    plan, _ = plan_of(first)
    held.malloc_hold(figures.encode(), ctypes.cast(mallinfo2, ctypes.c_void_p) if mallinfo2
                     else None, ctypes.byref(plan))
    os._exit(0)


main(*sys.argv[1:])
