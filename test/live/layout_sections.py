"""A stripped interpreter whose file has no section headers, or damaged ones: the loader needs none."""
import os

import elf
import exactness
import procfs
import target
import tool
from check import equal, expect
from layout_carried import library_of, strip

SHAPE = "fragmented"
# From here on the roots are in _PyRuntime, which is exported.
EXPORTED_SINCE = (3, 12)
# Offset, number, and index of the names.
DAMAGED = [(1 << 40, 30, 29), (65, 65535, 3), (64, 200, 1)]


def tests(lab):
    for one in lab.interpreters:
        if one.root is None and library_of(one) is not None:
            yield "sections/%s/none" % one.name, check_none, (one,)
    yield "sections/damaged", check_damaged, ()


def spoil(lab, library, *headers):
    """A folder with a stripped copy of the library, and the section headers that it says it has."""
    folder = strip(lab, library)
    copy = os.path.join(folder, os.path.basename(library))
    with open(copy, "rb") as file:
        data = file.read()
    with open(copy, "wb") as file:
        file.write(elf.without_section_headers(data, *headers))
    return folder


def check_rest(lab, interpreter, folder):
    """What needs no layout of the interpreter is there, and the interpreter is known."""
    with target.start_idle(lab, interpreter, LD_LIBRARY_PATH=folder) as process:
        report = tool.report(lab, process.pid, cache=lab.fresh("cache"))
        equal("rss_bytes", report["kernel"]["rss_bytes"], procfs.rollup_bytes(process.pid)["Rss"])
    library = library_of(interpreter)
    equal("version", report["runtime"]["version"], interpreter.version)
    equal("image", report["runtime"]["image"], os.path.join(folder, os.path.basename(library)))
    equal("build_id", report["runtime"]["build_id"], elf.build_id(library))
    expect(report["glibc"]["arenas"], "no arenas of malloc")


def check_none(lab, interpreter):
    library = library_of(interpreter)
    folder = spoil(lab, library)
    if interpreter.series >= EXPORTED_SINCE:
        exactness.check_shape(lab.without_dwarf(), interpreter, SHAPE, LD_LIBRARY_PATH=folder)
    else:
        check_rest(lab.without_dwarf(), interpreter, folder)


def check_damaged(lab):
    interpreter = next(one for one in lab.interpreters
                       if one.root is None and one.series >= EXPORTED_SINCE and library_of(one))
    for headers in DAMAGED:
        folder = spoil(lab, library_of(interpreter), *headers)
        exactness.check_shape(lab.without_dwarf(), interpreter, SHAPE, LD_LIBRARY_PATH=folder)
