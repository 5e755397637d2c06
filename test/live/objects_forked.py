"""
A worker has what its parent had in memory, but not what the parent had loaded of files: names of
types that C files define, by which the kinds are known that have buffers.
"""
import objects
import procfs
import target
import tool
from check import equal, equal_items, expect

# The sizes of those that Python code may drop or make at a fork differ.
SAME = {"set", "frozenset", "bytearray", "array", "deque", "OrderedDict", "Compress"}


def tests(lab):
    for one in lab.interpreters:
        yield "objects/%s/forked" % one.name, check_forked, (one,)


def named(report):
    return {row["address"]: (row["module"], row["name"]) for row in report["types"]}


def sums(report):
    return {row["name"]: (row["objects"], row["size_bytes"]) for row in report["types"]
            if row["name"].split(".")[-1] in SAME}


def check_forked(lab, interpreter):
    with target.start(lab, interpreter, "forked.py") as process:
        child = int(process.line().split()[1])
        procfs.wait_until(lambda: procfs.status(child, "State") == "S", "the child does not wait")
        parent = tool.still_report(lab, process.settle().pid)
        worker = tool.still_report(lab, child)
    objects.check_sums(worker)
    for report in (parent, worker):
        equal("types without a name", [row["address"] for row in report["types"]
                                       if not row["name"]], [])
    names, known = named(worker), named(parent)
    expect(len(names) > 30, "only %d types" % len(names))
    equal_items("names", {address: names[address] for address in names if address in known},
                {address: known[address] for address in names if address in known})
    equal_items("objects", sums(worker), sums(parent))
    unowned = [report["objects"]["chunks"]["unowned"]["bytes"] for report in (parent, worker)]
    expect(abs(unowned[1] - unowned[0]) < 65536, "%d and %d bytes are nobody's" % tuple(unowned))
    return "%d types" % len(names)
