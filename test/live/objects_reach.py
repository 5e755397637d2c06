"""Objects by type are all that can be reached from what the collector knows, and no others."""
import objects
import target
import tool
from check import equal, expect

# Single objects that are part of the interpreter's file, and types that are.
STATIC = {"bool", "NoneType", "NotImplementedType", "ellipsis", "type", "NoDefaultType",
          "MISSING", "object"}
# Constants and names of code, which tells nobody what it refers to; small numbers and short strings
# are part of the file as well. What is interned, or what a type is known by, is in a dict that the
# collector does not know.
OF_CODE = {"code", "bytes", "str", "int", "float", "tuple", "dict", "long", "unicode"}
# Variables of C have these: datetime's own constants, the frame that runs, what threads share.
OF_C = {"datetime", "timedelta", "timezone", "frame", "_localdummy"}
# Its __sizeof__() counts what only its module knows of.
OF_MODULES = {"Struct"}
# A variable that has one, when read, has what it imports.
READ_AS_OTHERS = {"lazy_import"}
# 2.7: it has two words, and what it leaves behind looks like one in the buffer of a short unicode.
REMAINS = {"NullImporter"}
UNREACHED = STATIC | OF_CODE | OF_C | OF_MODULES | READ_AS_OTHERS | REMAINS
TYPES_MIN = 90


def tests(lab):
    for one in lab.interpreters:
        yield "objects/%s/reach" % one.name, check_reach, (one,)


def read_reached(process):
    """{address of the type: (objects, size, name)}"""
    found = {}
    for line in iter(process.line, "holding"):
        address, count, size, name = line.split(" ", 3)
        found["%#x" % ~int(address)] = (int(count), int(size), name)
    return found


def read_report(lab, process):
    report = tool.still_report(lab, process.settle().pid)
    objects.check_sums(report)
    equal("torn pools", report["objects"]["torn_pools"], 0)
    return {row["address"]: (row["objects"], row["size_bytes"], row["name"])
            for row in report["types"]}


def grown(before, after):
    """Of the types whose sums are others now, by how many objects and bytes."""
    found = {}
    for address in before.keys() | after.keys():
        old, new = [state.get(address, (0, 0)) for state in (before, after)]
        if new[:2] != old[:2]:
            found[address] = (new[0] - old[0], new[1] - old[1])
    return found


def check_equal(what, reached, counted, names):
    """Both are {address of the type: (objects, size)}."""
    wrong = ["%s %s, not %s" % (names[address], counted.get(address, (0, 0)),
                                reached.get(address, (0, 0)))
             for address in sorted(reached.keys() | counted.keys(), key=names.get)
             if counted.get(address) != reached.get(address)]
    expect(not wrong, "%s: %s" % (what, "; ".join(wrong[:8])))


def exact(state):
    """What all objects of are reached, and none is in a file."""
    return {address: row[:2] for address, row in state.items()
            if row[2].split(".")[-1] not in UNREACHED}


def check_reach(lab, interpreter):
    with target.start(lab, interpreter, "reach.py") as process:
        reached_before, before = read_reached(process), read_report(lab, process)
        process.go_on()
        reached, after = read_reached(process), read_report(lab, process)
    names = {address: row[2] for state in (reached_before, before, reached, after)
             for address, row in state.items()}
    growth = grown(reached_before, reached)
    expect(len(growth) >= TYPES_MIN, "only %d types grew" % len(growth))
    check_equal("growth", growth, grown(before, after), names)
    check_equal("objects", exact(reached), exact(after), names)
    return "%d types grew, by %d objects; %d of %d types are exact" \
        % (len(growth), sum(row[0] for row in growth.values()), len(exact(after)), len(after))
