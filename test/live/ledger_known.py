"""Memory is found in the category where it was put, to one percent."""
import os

import ledger
import ledger_programs
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
    for name in ledger_programs.PRELOADED:
        yield "ledger/%s/known" % name, check_other, (name,)


def read(lab, pid):
    report = tool.still_report(lab, pid)
    ledger.check_still(report, pid)
    ledger.check_attributed(report)
    return ledger.sizes(report)


def go_through(lab, process):
    """The categories, in the order in which the target has filled them."""
    seen = []
    while True:
        words = process.line().split()
        if words[0] == "done":
            return seen
        process.settle()
        if words[0] == "before":
            before = read(lab, process.pid)
        else:
            category, wanted = words[1], int(words[2])
            grown = read(lab, process.pid)[category] - before[category]
            ledger.check_near("the growth of " + category, grown, wanted)
            seen.append(category)
        process.go_on()


def check_other(lab, name):
    path, interpreter = ledger_programs.library(name), lab.public_interpreter()
    with target.start_steady(lab, interpreter, "known.py", "other", LD_PRELOAD=path) as process:
        equal("the steps", go_through(lab, process), ["other_allocator"])


def check_known(lab, interpreter):
    folder = lab.stage(interpreter.root)
    path = os.path.join(folder, "known")
    with open(path, "wb") as file:
        file.truncate(FILE_BYTES)
    arguments = [interpreter.inside(path), interpreter.inside(os.path.join(folder, "libhold.so"))]
    with target.start_steady(lab, interpreter, "known.py", *arguments) as process:
        seen = go_through(lab, process)
    extra = ["python_large"] if interpreter.series >= FRAMES_SINCE else []
    equal("the steps", seen, STEPS + extra + ["malloc_top"])
    expect(os.path.getsize(path) == FILE_BYTES, "the file has changed")
