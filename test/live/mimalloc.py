"""PYTHONMALLOC=mimalloc, from 3.13 on: objects are where this version does not look, and it says so."""
import glibc_stats
import ledger
import procfs
import stripped
import target
import tool
from check import equal, expect

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


def check_allocator(lab, interpreter, allocator, **variables):
    with target.start(lab, interpreter, "heap.py", "large", "-", "-", PYTHONMALLOC=allocator,
                      **variables) as process:
        process.expect("holding main 0")
        check_held(lab, process.pid, allocator)


def check_held(lab, pid, allocator):
    report = tool.report(lab, pid, "--max-stop=2000")
    equal("object_allocator", report["runtime"]["object_allocator"], allocator)
    equal("layout_source", report["runtime"]["layout_source"], lab.layout_source)
    equal("allocators", report["allocators"], ["glibc", "mimalloc"])
    for part in ("pymalloc", "types", "objects"):
        equal(part, report[part], None)
    expect(not report["snapshot"]["complete"], "it is complete without its objects")
    texts = [one["text"] for one in report["warnings"] if one["id"] == "pymalloc-off"]
    expect(len(texts) == 1 and "PYTHONMALLOC=%s " % allocator in texts[0], "%r" % texts)
    glibc_stats.check_still(report)
    ledger.check_still(report, pid)
    ledger.check_attributed(report)
    expect(ledger.sizes(report)["other_allocator"] > LARGE_BYTES, "mimalloc has no memory")
    equal("python_small", ledger.sizes(report)["python_small"], 0)
    equal("rss_bytes", report["kernel"]["rss_bytes"], procfs.rollup_bytes(pid)["Rss"])
    expect("Allocator  %s (not read)\n" % allocator in tool.run(lab, pid).out,
           "the text does not name it")


def check_without_dwarf(lab, interpreter, allocator):
    check_allocator(lab.without_dwarf(), interpreter, allocator)


def check_stripped(lab, interpreter):
    folder = stripped.strip(lab, stripped.library_of(interpreter))
    for allocator in ALLOCATORS:
        check_allocator(lab.without_dwarf(), interpreter, allocator, LD_LIBRARY_PATH=folder)
