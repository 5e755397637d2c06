"""On a target that holds still, every figure is what the interpreter says itself."""
import os

import procfs
import schema
import stats
import target
import tool
from check import equal, equal_everywhere, equal_items, expect

SHAPES = ["fresh", "large", "fragmented", "reclaimed", "classes", "threads"]
# What Python code can make; a sub-interpreter of 2.7 takes an embedding program.
LEGACY_SINCE = (3, 6)
ISOLATED_SINCE = (3, 12)
PYTHONMALLOC_SINCE = (3, 6)
STATISTICS_SINCE = (3, 3)
LARGE_BYTES = 120 << 20


def tests(lab):
    for interpreter in lab.interpreters:
        for shape in shapes(interpreter):
            yield "exact/%s/%s" % (interpreter.name, shape), check_shape, (interpreter, shape)
        if interpreter.series >= PYTHONMALLOC_SINCE:
            for allocator in ("pymalloc_debug", "malloc"):
                yield ("exact/%s/PYTHONMALLOC=%s" % (interpreter.name, allocator),
                       check_allocator, (interpreter, allocator))


def shapes(interpreter):
    return (SHAPES + (["legacy"] if interpreter.series >= LEGACY_SINCE else []) +
            (["isolated"] if interpreter.series >= ISOLATED_SINCE else []))


def check_allocator(lab, interpreter, allocator):
    return check_shape(lab, interpreter, "fragmented", PYTHONMALLOC=allocator)


def check_shape(lab, interpreter, shape, **variables):
    folder = lab.stage(interpreter.root)
    figures = os.path.join(folder, "figures")
    library = os.path.join(folder, "libhold.so")
    if interpreter.series < STATISTICS_SINCE:
        library = "-"
    arguments = [shape, library if library == "-" else interpreter.inside(library),
                 interpreter.inside(figures)]
    seen = 0
    with target.start_steady(lab, interpreter, "heap.py", *arguments, **variables) as process:
        while True:
            line = process.line()
            if line == "done":
                break
            process.settle()
            _, kind, number = line.split()
            printed = read_figures(figures) if library != "-" else None
            report = check_held(lab, interpreter, process.pid, kind, int(number), printed)
            seen += 1
            process.go_on()
    expect(seen == (3 if shape in ("legacy", "isolated") else 1), "held %d times" % seen)
    equal("runtime.object_allocator", report["runtime"]["object_allocator"],
          object_allocator(interpreter, variables.get("PYTHONMALLOC")))
    if not variables:
        check_premise(shape, report["pymalloc"])


def object_allocator(interpreter, wanted):
    if interpreter.series < PYTHONMALLOC_SINCE:
        return None
    return wanted or ("pymalloc_debug" if interpreter.debug_build else "pymalloc")


def check_premise(shape, pymalloc):
    """The heap has the shape that the test is about."""
    peak = pymalloc["arenas_peak"]
    premises = {
        "large": pymalloc["live_bytes"] > LARGE_BYTES,
        "fragmented": pymalloc["free_bytes"] > pymalloc["live_bytes"] / 4,
        "reclaimed": peak is None or peak > 2 * pymalloc["arenas"],
        # A debug build adds to each block, so that the smallest size is not to be had.
        "classes": len(pymalloc["size_classes"]) > 0.9 * 512 / pymalloc["alignment_bytes"],
        "isolated": len(pymalloc["states"]) == 3,
        "legacy": len(pymalloc["states"]) == 1,
    }
    expect(premises.get(shape, True), "the heap is not %s" % shape)


def read_figures(path):
    with open(path) as file:
        return stats.parse(file.read())


def check_held(lab, interpreter, pid, kind, number, printed):
    """Three reports, one a stop mode, while the target is held in interpreter `number`."""
    reports = {mode: tool.still_report(lab, pid, "--stop=" + mode)
               for mode in ("brief", "none", "full")}
    for mode, report in reports.items():
        schema.check(report)
        stats.check_still(report["pymalloc"])
        check_snapshot(report["snapshot"], mode)
        equal_everywhere("pymalloc with --stop=" + mode, report["pymalloc"],
                         reports["brief"]["pymalloc"])
    report = reports["brief"]
    check_about(lab, report, interpreter, pid)
    if printed is not None:
        check_printed(report, kind, number, printed)
    check_kernel(report["kernel"], pid)
    return report


def check_snapshot(snapshot, mode):
    equal("snapshot.stop", snapshot["stop"], mode)
    equal("snapshot.torn_pools", snapshot["torn_pools"], 0)
    if mode == "none":
        equal("stops with --stop=none", (snapshot["stops"], snapshot["stopped_us"]), (0, 0))
    else:
        expect(snapshot["stops"] >= 1 and snapshot["stopped_us"] > 0, "it was not stopped")


def check_about(lab, report, interpreter, pid):
    equal_items("target", report["target"], {
        "pid": pid, "uid": os.geteuid(), "threads": int(procfs.status(pid, "Threads")),
        "comm": procfs.read(pid, "comm").rstrip("\n"), "exe": os.readlink("/proc/%d/exe" % pid),
        "command": procfs.read(pid, "cmdline").split("\0")[:-1],
    })
    equal_items("runtime", report["runtime"], {
        "version": interpreter.version, "debug_build": interpreter.debug_build,
        "free_threaded": False, "layout_source": lab.layout_source,
    })


def check_kernel(kernel, pid):
    """Of shared pages' sizes only the bounds: every process that comes or goes changes them."""
    rollup = procfs.rollup_bytes(pid)
    equal_items("kernel", kernel, {
        "rss_bytes": rollup["Rss"], "anon_bytes": rollup["Anonymous"],
        "swap_bytes": rollup["Swap"], "shmem_bytes": 0,
        "file_bytes": rollup["Rss"] - rollup["Anonymous"],
        "virtual_bytes": procfs.status_bytes(pid, "VmSize"),
    })
    expect(kernel["uss_bytes"] <= kernel["pss_bytes"] <= kernel["rss_bytes"],
           "uss, pss and rss are not in this order")


def check_printed(report, kind, number, printed):
    pymalloc = report["pymalloc"]
    if not printed:
        equal_items("pymalloc", pymalloc, stats.NOTHING)
        expect("pymalloc-off" in [warning["id"] for warning in report["warnings"]],
               "no warning that pymalloc is off")
        expect("pymalloc" not in report["allocators"], "allocators has pymalloc")
        return
    expect("pymalloc" in report["allocators"], "allocators lacks pymalloc")
    classes = printed.pop("size_classes")
    sizes = {name: printed.pop(name) for name in ("arena_bytes", "pool_bytes", "alignment_bytes")}
    equal_items("pymalloc", pymalloc, sizes)
    equal_items("the state", state_of(pymalloc, kind, number), printed)
    if len(pymalloc["states"]) == 1:
        equal("size_classes", stats.size_classes(pymalloc), classes)
        equal_items("pymalloc", pymalloc, printed)


def state_of(pymalloc, kind, number):
    """The allocator state of an interpreter: its own, or the one that all others share."""
    wanted = number if kind == "isolated" else 0
    for state in pymalloc["states"]:
        if state["interpreter"] == wanted:
            return state
    expect(len(pymalloc["states"]) == 1, "no state belongs to interpreter %d" % wanted)
    return pymalloc["states"][0]
