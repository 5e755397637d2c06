"""
PYTHONMALLOC=mimalloc and free-threaded builds, from 3.13 on: objects are where this version does not
look, and it says so.
"""
import os
import struct

import glibc_stats
import ledger
import procfs
import stripped
import target
import tool
from check import equal, expect
from layout_mismatched import renumber

MIMALLOC_SINCE = (3, 13)
ALLOCATORS = ["mimalloc", "mimalloc_debug"]
# What heap.py makes for its shape "large" needs more than that.
LARGE_BYTES = 64 << 20


def tests(lab):
    for one in lab.interpreters:
        if one.series < MIMALLOC_SINCE:
            continue
        for allocator in ALLOCATORS:
            yield "mimalloc/%s/%s" % (one.name, allocator), check_allocator, (one, allocator)
            yield ("mimalloc/%s/%s/no-dwarf" % (one.name, allocator), check_without_dwarf,
                   (one, allocator))
        if one.root is None and stripped.library_of(one) is not None:
            yield "mimalloc/%s/stripped" % one.name, check_stripped, (one,)
            yield "free-threaded/%s" % one.name, check_free_threaded, (one,)


def check_allocator(lab, interpreter, allocator, **variables):
    with target.start(lab, interpreter, "heap.py", "large", "-", "-", PYTHONMALLOC=allocator,
                      **variables) as process:
        process.expect("holding main 0")
        check_held(lab, process.pid, allocator)


def check_held(lab, pid, allocator):
    report = check_rest(lab, pid)
    equal("object_allocator", report["runtime"]["object_allocator"], allocator)
    equal("layout_source", report["runtime"]["layout_source"], lab.layout_source)
    check_warning(report, "pymalloc-off", "PYTHONMALLOC=%s " % allocator)
    expect("Allocator  %s (not read)\n" % allocator in tool.run(lab, pid).out,
           "the text does not name it")


def check_rest(lab, pid):
    """What is not of objects is there, and all of it adds up."""
    report = tool.report(lab, pid, "--max-stop=2000")
    equal("allocators", report["allocators"], ["glibc", "mimalloc"])
    for part in ("pymalloc", "types", "objects"):
        equal(part, report[part], None)
    expect(not report["snapshot"]["complete"], "it is complete without its objects")
    glibc_stats.check_still(report)
    ledger.check_still(report, pid)
    ledger.check_attributed(report)
    expect(ledger.sizes(report)["other_allocator"] > LARGE_BYTES, "mimalloc has no memory")
    equal("python_small", ledger.sizes(report)["python_small"], 0)
    equal("rss_bytes", report["kernel"]["rss_bytes"], procfs.rollup_bytes(pid)["Rss"])
    return report


def check_warning(report, name, part):
    texts = [one["text"] for one in report["warnings"] if one["id"] == name]
    expect(len(texts) == 1 and part in texts[0], "%s: %r" % (name, texts))


def check_without_dwarf(lab, interpreter, allocator):
    check_allocator(lab.without_dwarf(), interpreter, allocator)


def check_stripped(lab, interpreter):
    folder = stripped.strip(lab, stripped.library_of(interpreter))
    for allocator in ALLOCATORS:
        check_allocator(lab.without_dwarf(), interpreter, allocator, LD_LIBRARY_PATH=folder)


def pass_for_free_threaded(path):
    """_Py_DebugOffsets: cookie, version, free_threaded. The cookie is also a constant before it."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    place = data.rindex(b"xdebugpy") + 16
    equal("what it says of itself", struct.unpack_from("<Q", data, place), (0,))
    struct.pack_into("<Q", data, place, 1)
    with open(path, "wb") as file:
        file.write(data)
    # The cache knows the build that it was.
    renumber(path)


def check_free_threaded(lab, interpreter):
    """Debian has none: a copy says so of itself, and is as it was otherwise."""
    library = stripped.library_of(interpreter)
    folder = stripped.strip(lab, library)
    pass_for_free_threaded(os.path.join(folder, os.path.basename(library)))
    with target.start(lab, interpreter, "heap.py", "large", "-", "-",
                      LD_LIBRARY_PATH=folder) as process:
        process.expect("holding main 0")
        report = check_rest(lab, process.pid)
        equal("free_threaded", report["runtime"]["free_threaded"], True)
        check_warning(report, "free-threaded", "free-threaded CPython %d.%dt" % interpreter.series)
        expect("CPython %s (free-threaded)\n" % interpreter.version in
               tool.run(lab, process.pid).out, "the text does not say so")
