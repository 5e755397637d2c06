"""Memory is found in the category where it was put, to one percent."""
import os

import ledger
import target
import tool
from check import equal, expect

SINCE = (3, 6)
FRAMES_SINCE = (3, 11)
FILE_BYTES = 64 << 20
STEPS = ["python_small", "pymalloc_slack", "malloc_unowned", "python_large", "malloc_free",
         "malloc_mmapped", "files", "shared_memory", "python_large", "stacks"]


def tests(lab):
    for one in lab.interpreters:
        # Debug hooks make every block larger than the program can know.
        if one.series >= SINCE and not one.debug_build:
            yield "ledger/%s/known" % one.name, check_known, (one,)


def read(lab, pid):
    report = tool.still_report(lab, pid)
    ledger.check_still(report, pid)
    ledger.check_attributed(report)
    return ledger.sizes(report)


def check_known(lab, interpreter):
    folder = lab.stage(interpreter.root)
    path = os.path.join(folder, "known")
    with open(path, "wb") as file:
        file.truncate(FILE_BYTES)
    arguments = [interpreter.inside(path), interpreter.inside(os.path.join(folder, "libhold.so"))]
    seen = []
    with target.start(lab, interpreter, "known.py", *arguments) as process:
        while True:
            words = process.line().split()
            if words[0] == "done":
                break
            process.settle()
            if words[0] == "before":
                before = read(lab, process.pid)
            else:
                category, wanted = words[1], int(words[2])
                grown = read(lab, process.pid)[category] - before[category]
                ledger.check_near("the growth of " + category, grown, wanted)
                seen.append(category)
            process.go_on()
    extra = ["python_large"] if interpreter.series >= FRAMES_SINCE else []
    equal("the steps", seen, STEPS + extra)
    expect(os.path.getsize(path) == FILE_BYTES, "the file has changed")
