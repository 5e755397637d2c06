"""The heaps that the tests of glibc's malloc look at, and what must be true of each of them."""
from collections import namedtuple

import glibc_truth
from check import expect
from glibc_target import has_fastbins, plan, tcache_count

MIB = 1 << 20
LARGE_BYTES = 100 * MIB
GAP_BYTES = 3 * 0x3210
NO_MMAP = {"MALLOC_MMAP_THRESHOLD_": str(8 * MIB), "MALLOC_TOP_PAD_": str(128 << 10)}

# `plans` of the main thread and of the others; `premise` takes the interpreter, malloc's own
# figures, and the report's section.
Shape = namedtuple("Shape", "plans variables since premise", defaults=({}, (0,), None))


def tunables(*settings):
    return {"GLIBC_TUNABLES": ":".join("glibc.malloc." + setting for setting in settings)}


def six(*arguments, **keywords):
    """Six threads, half of them running."""
    return [plan(*arguments, end=end, **keywords) for end in ("sleep", "spin") * 3]


def filled(interpreter, count=None):
    count = tcache_count(interpreter) if count is None else count
    return [plan("nothing", tcache=count), *six("nothing", tcache=count)]


def filled_large(interpreter):
    """Large bins cannot be emptied on purpose; those of new threads are empty."""
    return [plan("nothing"),
            *six("nothing", tcache=tcache_count(interpreter), large_bins=True)]


def arenas_are(count):
    def premise(unused, truth, glibc):
        expect(len(truth["heaps"]) == count, "there are %d arenas" % len(truth["heaps"]))
    return premise


def bins_are_filled(interpreter, truth, glibc):
    for index, heap in enumerate(truth["heaps"]):
        expect(glibc_truth.has_all_bins(heap, has_fastbins(interpreter)),
               "a kind of bin is empty in arena %d" % index)
    expect(glibc["totals"]["tcache_chunks"] > 0, "no tcache has anything")


def arena_without_thread(interpreter, truth, glibc):
    arenas_are(3)(interpreter, truth, glibc)
    threads = sorted(arena["threads"] for arena in glibc["arenas"])
    expect(threads == [0, 1, 1], "the arenas have %s threads" % threads)


def several_heaps(unused, truth, glibc):
    counts = [heap["subheaps"] for heap in truth["heaps"][1:]]
    expect(min(counts) >= 2, "the arenas have %s heaps" % counts)


def told_are_mmapped(unused, truth, glibc):
    expect(truth["totals"]["mmapped_chunks"] >= 9, "hardly anything is mmapped")


def gaps_are_foreign(unused, truth, glibc):
    found = glibc["totals"]["foreign_bytes"]
    expect(found == GAP_BYTES, "%d bytes are foreign, not %d" % (found, GAP_BYTES))


def main_is_elsewhere(unused, truth, glibc):
    free = glibc["largest_free"]
    expect(truth["heaps"][0]["figures"]["system_bytes"] > 8 * MIB and free, "nothing is in main")


def tcache_is_empty(unused, truth, glibc):
    for name in ("tcache_chunks", "tcache_bytes"):
        expect(glibc["totals"][name] == 0, "%s is %d" % (name, glibc["totals"][name]))


def tcache_is_large(unused, truth, glibc):
    expect(glibc["params"]["tcache_max_bytes"] >= 4000000, "the tunable is not in force")


def huge_pages_are(parameter):
    def premise(unused, truth, glibc):
        expect((glibc["params"][parameter] or 0) >= 2 * MIB,
               "%s is %r" % (parameter, glibc["params"][parameter]))
    return premise


BINS = [plan("bins"), plan("bins"), plan("bins", end="spin")]

# Each is made for an interpreter, as the tcache's size depends on glibc.
SHAPES = {
    "nothing": lambda i: Shape([plan("nothing")]),
    "bins": lambda i: Shape(BINS, premise=bins_are_filled),
    "threads": lambda i: Shape([plan("bins"), *six("bins")], premise=arenas_are(7)),
    "heaps": lambda i: Shape([plan("heaps", LARGE_BYTES), plan("heaps", 2 * LARGE_BYTES),
                              plan("heaps", LARGE_BYTES)], premise=several_heaps),
    "ended": lambda i: Shape([plan("bins"), plan("bins"), plan("bins", end="end")],
                             premise=arena_without_thread),
    "aligned": lambda i: Shape([plan("aligned"), plan("aligned")], premise=told_are_mmapped),
    "remapped": lambda i: Shape([plan("remapped")], premise=told_are_mmapped),
    "gaps": lambda i: Shape([plan("gaps"), plan("bins")], premise=gaps_are_foreign),
    "blocked": lambda i: Shape([plan("blocked"), plan("bins")], premise=main_is_elsewhere),
    "gaps-blocked": lambda i: Shape([plan("gaps_and_blocked")], premise=gaps_are_foreign),
    "MALLOC_ARENA_MAX=1": lambda i: Shape([plan("bins"), *six("bins")],
                                          {"MALLOC_ARENA_MAX": "1"}, premise=arenas_are(1)),
    "mmap-threshold-low": lambda i: Shape([plan("heaps", 20 * MIB), plan("aligned")],
                                          {"MALLOC_MMAP_THRESHOLD_": "4096"},
                                          premise=told_are_mmapped),
    "mmap-threshold-high": lambda i: Shape([plan("remapped"), plan("aligned")], NO_MMAP),
    "tcache": lambda i: Shape(filled(i)),
    "tcache-of-one-list": lambda i: Shape([plan("one_list", tcache=tcache_count(i))]),
    "tcache-of-100": lambda i: Shape(filled(i, 100), tunables("tcache_count=100")),
    "tcache-off": lambda i: Shape([plan("bins"), *six("bins")], tunables("tcache_count=0"),
                                  premise=tcache_is_empty),
    "tcache-large": lambda i: Shape(filled_large(i),
                                    {**tunables("tcache_max=4000000"), **NO_MMAP}, (2, 42),
                                    tcache_is_large),
    "transparent-huge-pages": lambda i: Shape(BINS, tunables("hugetlb=1"), (2, 35),
                                              huge_pages_are("thp_page_bytes")),
    "huge-pages": lambda i: Shape(BINS + [plan("heaps", 40 * MIB)], tunables("hugetlb=2"), (2, 35),
                                  huge_pages_are("huge_page_bytes")),
}

# Those that need huge pages: how many must be lent.
HUGE = {"transparent-huge-pages": 0, "huge-pages": 64}
