"""
What tables and scans find, without debug information, is what debug information says: one candidate
for each variable, and the right one, in processes that are fresh and others that are not.
"""
import subprocess

import layout_carried
import stripped
import target
import tool
from check import equal, equal_everywhere

# Long: with the copies and all releases, more than two hundred processes.
SHAPES = ["fresh", "fragmented"]
LONG_SHAPES = SHAPES + ["reclaimed", "classes", "threads", "legacy"]
ALLOCATORS = ["pymalloc_debug", "malloc"]
# What was found where is said once for each; times and how the figures were had differ.
PARTS = ["pymalloc", "glibc", "objects", "types", "gc", "freelists", "regions", "categories"]
SAID_OF_LAYOUTS = {"layout_source", "symbol_source", "layout_cached"}


def tests(lab):
    for one in lab.interpreters:
        yield "scans/" + one.name, check_scans, (one,)
    yield "scans/no-python", check_no_python, ()


def shapes(lab, interpreter):
    wanted = LONG_SHAPES if lab.long else SHAPES
    return [shape for shape in wanted if shape != "legacy" or interpreter.series >= (3, 6)]


def references(lab, interpreter):
    """Labs that know the layout otherwise; a stripped copy has that of its original."""
    if interpreter.folder is None:
        return lab.with_dwarf()
    original = interpreter._replace(folder=None)
    path = layout_carried.write_layouts(lab.with_dwarf(), stripped.library_of(original))
    return lab.with_layouts(path)


def check_scans(lab, interpreter):
    known, count = references(lab, interpreter), 0
    for shape in shapes(lab, interpreter):
        check_process(lab, known, interpreter, shape)
        count += 1
    for allocator in ALLOCATORS if interpreter.series >= (3, 6) else []:
        check_process(lab, known, interpreter, "fragmented", PYTHONMALLOC=allocator)
        count += 1
    return "%d processes" % count


def check_process(lab, known, interpreter, shape, **variables):
    with target.start_steady(lab, interpreter, "heap.py", shape, "-", "-", **variables) as process:
        process.line()
        process.settle()
        wanted = tool.still_report(known, process.pid, "--stop=full")
        found = tool.still_report(lab.without_dwarf(), process.pid, "--stop=full")
    what = "%s %s" % (shape, variables.get("PYTHONMALLOC", ""))
    equal("where layouts are from", found["runtime"]["layout_source"], "table")
    for part in ("runtime", "libc"):
        equal_everywhere("%s: %s" % (what, part), said(found[part]), said(wanted[part]))
    for part in PARTS:
        equal_everywhere("%s: %s" % (what, part), found[part], wanted[part])


def said(part):
    return {key: value for key, value in part.items() if key not in SAID_OF_LAYOUTS}


def check_no_python(lab):
    """It is told to be none, as with debug information."""
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            done = tool.run(lab.without_dwarf(), process.pid)
            equal("exit code", done.code, tool.run(lab.with_dwarf(), process.pid).code)
            equal("output", done.out, "")
        finally:
            process.kill()
