"""Free lists are as long as sys._debugmallocstats() says."""
import re

import target
import tool
from check import equal, expect

SINCE = (3, 10)
# "   4 free 1-sized PyTupleObjects * 32 bytes each =   128"
LINE = re.compile(r"\s*([0-9,]+) free (?:([0-9]+)-sized )?(\w+)s \* ")
NAMES = {"PyDictObject": "dict", "PyDictKeysObject": "(dict keys)", "PyFloatObject": "float",
         "PyListObject": "list", "PyTupleObject": "tuple", "PyFrameObject": "frame",
         "PySliceObject": "slice", "PyContext": "Context"}
BLOCKS = {"dict": 64, "float": 32, "list": 64}


def tests(lab):
    for one in lab.interpreters:
        if one.series >= SINCE:
            yield "freelists/" + one.name, check_lists, (one,)
        else:
            yield "freelists/" + one.name, check_unknown, (one,)


def tuple_block(interpreter, length):
    head = 16 + (32 if interpreter.series >= (3, 14) else 24)
    return -(-(head + 8 * length) // 16) * 16


def read_lines(interpreter, process):
    """By type, how many and the bytes of their blocks, where the test knows these."""
    counts, sizes = {}, {}
    while True:
        line = process.line()
        if line == "done":
            return counts, sizes
        found = LINE.match(line)
        if found is None:
            continue
        count, name = int(found[1].replace(",", "")), NAMES.get(found[3], found[3])
        block = tuple_block(interpreter, int(found[2])) if found[2] else BLOCKS.get(name)
        counts[name] = counts.get(name, 0) + count
        if block is not None:
            sizes[name] = sizes.get(name, 0) + count * block


def check_lists(lab, interpreter):
    with target.start(lab, interpreter, "freelists.py") as process:
        counts, sizes = read_lines(interpreter, process)
        process.settle()
        rows = {row["type"]: row for row in tool.still_report(lab, process.pid)["freelists"]}
    expect(counts["list"] > 0 and counts["tuple"] > 0, "the target keeps nothing")
    equal("objects", {name: rows.get(name, {}).get("objects") for name in counts}, counts)
    equal("bytes", {name: rows[name]["bytes"] for name in sizes}, sizes)


def check_unknown(lab, interpreter):
    with target.start_idle(lab, interpreter) as process:
        found = tool.still_report(lab, process.pid)
    equal("freelists", found["freelists"], None)
    expect(any(one["id"] == "freelists-unknown" for one in found["warnings"]), "no warning")
