"""Objects by type: as many as the target made, and as large as it says."""
import glob

import ledger
import ledger_programs
import target
import tool
from check import Skipped, equal, expect

# Between two reports the interpreter makes and drops objects of these itself.
BUSY = {"str", "bytes", "int", "float", "tuple", "list", "dict", "set", "function", "generator",
        "cell", "frame", "method", "builtin_function_or_method", "type", "code"}
NOISE = 40
# Objects of these types are not those that the collector lists: it leaves some out, or the
# program's own list of them is among them.
MOVING = {"dict", "list", "tuple", "frame", "cell", "function", "generator", "method",
          "builtin_function_or_method"}
# Their __sizeof__() counts what only their modules know of, as those of the types of ctypes do.
SPECIAL = {"_struct.Struct", "builtins.StgDict", "_ctypes.StgDict"}
# Up to 3.10 code objects keep a frame, which belongs to nobody.
UNOWNED_MAX, UNOWNED_MAX_WITH_FRAMES = 0.01, 0.08
FRAMES_UNTIL = (3, 10)
# Where numpy finds them once the package manager has made links, which nobody does in a root.
BLAS = "/usr/lib/x86_64-linux-gnu/blas:/usr/lib/x86_64-linux-gnu/lapack"


def tests(lab):
    for one in lab.interpreters:
        if one.debug_build:
            continue
        yield "objects/%s/known" % one.name, check_known, (one,)
        if one.root is not None:
            yield "objects/%s/numpy" % one.name, check_numpy_in_root, (one,)
    yield "objects/numpy", check_numpy, ()


def read(lab, pid):
    report = tool.still_report(lab, pid)
    ledger.check_still(report, pid)
    check_sums(report)
    return report


def check_holders(report):
    """Each block and each chunk in use is in exactly one of those."""
    blocks, chunks = [report["objects"][name] for name in ("blocks", "chunks")]
    # What malloc itself counts of mmapped chunks leaves out 16 bytes each from 2.43 on.
    totals, mmapped = report["glibc"]["totals"], report["glibc"]["mmapped_list"]
    known = [one for one in blocks.values() if one is not None]
    equal("blocks of pymalloc", sum(one["count"] for one in known),
          report["pymalloc"]["live_blocks"])
    equal("their bytes", sum(one["bytes"] for one in known), report["pymalloc"]["live_bytes"])
    equal("chunks of malloc", sum(one["count"] for one in chunks.values()),
          totals["live_chunks"] + len(mmapped))
    equal("their bytes", sum(one["bytes"] for one in chunks.values()),
          totals["live_bytes"] + sum(row["bytes"] for row in mmapped))
    for name, key in (("count", "chunks"), ("bytes", "bytes")):
        equal("chunks that nobody owns", sum(row[key] for row in report["unowned"]),
              chunks["unowned"][name])


def check_types(report):
    """The sums that hold for every report, also on a target that runs."""
    for name in ("objects", "size_bytes", "allocated_bytes", "gc_tracked"):
        equal("the sum of " + name, sum(row[name] for row in report["types"]),
              report["objects"][name])
    keys = [row["address"] for row in report["types"]]
    equal("types that are listed twice", len(keys) - len(set(keys)), 0)


def check_sums(report):
    check_types(report)
    check_holders(report)


def rows(report, name):
    found = [row for row in report["types"] if row["name"].split(".")[-1] == name]
    return (sum(row["objects"] for row in found), sum(row["size_bytes"] for row in found))


def check_step(name, before, after, count, size):
    noise = NOISE if name in BUSY else 0
    objects, sizes = [b - a for a, b in zip(rows(before, name), rows(after, name))]
    expect(abs(objects - count) <= noise, "%d more of %s, not %d" % (objects, name, count))
    expect(abs(sizes - size) <= noise * 400,
           "%d more bytes of %s, not %d" % (sizes, name, size))


def check_unowned(interpreter, report):
    sums, unowned = report["objects"], report["objects"]["blocks"]["unowned"]["bytes"]
    share = UNOWNED_MAX_WITH_FRAMES if interpreter.series <= FRAMES_UNTIL else UNOWNED_MAX
    expect(unowned <= share * sums["allocated_bytes"],
           "%d of %d bytes of blocks are nobody's" % (unowned, sums["allocated_bytes"]))
    # Memory that was an object once may look like one still.
    expect(sums["damaged_objects"] <= sums["objects"] / 1000,
           "%d damaged objects" % sums["damaged_objects"])
    equal("torn pools", sums["torn_pools"], 0)


def check_tracked(report, wanted):
    """What gc.get_objects() lists, type by type."""
    found = {}
    for row in report["types"]:
        key = "%s.%s" % (row["module"], row["name"])
        objects, size, tracked = found.get(key, (0, 0, 0))
        found[key] = (objects + row["objects"], size + row["size_bytes"],
                      tracked + row["gc_tracked"])
    wrong = []
    for key, (count, size) in wanted.items():
        # Several classes that were made in one function have one name.
        if key.split(".")[-1] in MOVING or key in SPECIAL or "<locals>" in key:
            continue
        if key.startswith(("_ctypes.", "ctypes.")):
            continue
        objects, sizes, tracked = found.get(key, (0, 0, 0))
        if tracked != count or (objects == count and sizes != size):
            wrong.append("%s: %d tracked of %d, %d bytes, not %d of %d bytes"
                         % (key, tracked, objects, sizes, count, size))
    expect(not wrong, "; ".join(wrong[:8]))


def check_arrays(lab, interpreter, **variables):
    """Data of arrays is theirs, wherever malloc put it."""
    with target.start(lab, interpreter, "arrays.py", **variables) as process:
        process.expect("before")
        before = read(lab, process.pid)
        process.go_on()
        _, count, size = process.line().split()
        after = read(lab, process.settle().pid)
    check_step("ndarray", before, after, int(count), int(size))
    unowned = [report["objects"]["chunks"]["unowned"]["bytes"] for report in (before, after)]
    expect(unowned[1] - unowned[0] < int(size) / 100,
           "%d bytes more are nobody's" % (unowned[1] - unowned[0]))


def check_numpy(lab):
    check_arrays(lab, ledger_programs.with_module(lab, "numpy"))


def check_numpy_in_root(lab, interpreter):
    pattern = "%s/usr/lib/python3/dist-packages/numpy/*core/_multiarray_umath.cpython-%d%d-*.so"
    if not glob.glob(pattern % (interpreter.root, *interpreter.series)):
        raise Skipped("the release's numpy is not for this version, or not unpacked")
    check_arrays(lab, interpreter, LD_LIBRARY_PATH=BLAS)


def check_known(lab, interpreter):
    wanted, before, steps = {}, None, 0
    with target.start(lab, interpreter, "objects.py") as process:
        while True:
            words = process.line().split()
            if words[0] == "done":
                break
            if words[0] not in ("before", "after", "tracked"):
                wanted[words[0]] = (int(words[1]), int(words[2]))
                continue
            report = read(lab, process.settle().pid)
            if words[0] == "before":
                before = report
            elif words[0] == "after":
                check_step(words[1], before, report, int(words[2]), int(words[3]))
                steps += 1
            else:
                check_unowned(interpreter, report)
                check_tracked(report, wanted)
            process.go_on()
    expect(steps == 33, "%d steps" % steps)
