"""A stripped interpreter whose debug file is of another build: it lends its types."""
import os
import subprocess

import elf
import exactness
import target
import tool
from check import equal, expect
from stripped import library_of

SHAPE = "fragmented"


def tests(lab):
    for one in lab.interpreters:
        if one.root is None and library_of(one) is not None:
            yield "mismatched/%s" % one.name, check_mismatched, (one,)
    yield "mismatched/other-release", check_other_release, ()


def renumber(path):
    """Another build-id, and no other difference; in hex."""
    before = elf.build_id(path)
    after = "%02x" % (int(before[:2], 16) ^ 0xff) + before[2:]
    with open(path, "rb") as file:
        data = file.read()
    equal("build-ids in the file", data.count(bytes.fromhex(before)), 1)
    with open(path, "wb") as file:
        file.write(data.replace(bytes.fromhex(before), bytes.fromhex(after)))
    return after


def split(lab, library, lender):
    """A folder with the stripped library, and the debug file of the lender where its link leads."""
    folder = lab.fresh("mismatched")
    os.chmod(folder, 0o755)
    name = os.path.basename(library)
    debug = name + ".debug"
    subprocess.run(["objcopy", "--only-keep-debug", lender, debug], cwd=folder, check=True)
    subprocess.run(["objcopy", "--strip-all", "--add-gnu-debuglink=" + debug, library, name],
                   cwd=folder, check=True)
    return folder, os.path.join(folder, debug)


def warning_of(report):
    found = [one for one in report["warnings"] if one["id"] == "layout-mismatched-debug"]
    return found[0]["text"] if found else None


def check_mismatched(lab, interpreter):
    library = library_of(interpreter)
    folder, debug = split(lab, library, library)
    other, lab = renumber(debug), lab.with_fresh_cache()
    with target.start_idle(lab, interpreter, LD_LIBRARY_PATH=folder) as process:
        for _ in range(2): # No cache keeps the types without saying whose they are.
            report = tool.still_report(lab, process.pid)
            equal("build_id", report["runtime"]["build_id"], elf.build_id(library))
            equal("layout_source", report["runtime"]["layout_source"], "dwarf")
            text = warning_of(report)
            expect(text and other[:12] in text and elf.build_id(library)[:12] in text,
                   "both build-ids are not in %r" % text)
        said = tool.run(lab, process.pid).out
        expect("layout-mismatched-debug" in said, "the text does not say so")
    exactness.check_shape(lab, interpreter, SHAPE, LD_LIBRARY_PATH=folder)


def check_other_release(lab):
    """The types of another release are not taken, but those that are built in."""
    first, second = [one for one in lab.interpreters
                     if one.root is None and library_of(one) is not None][-2:]
    folder, debug = split(lab, library_of(first), library_of(second))
    expect(elf.build_id(debug) == elf.build_id(library_of(second)), "it is not the lender's")
    with target.start_idle(lab, first, LD_LIBRARY_PATH=folder) as process:
        report = tool.still_report(lab.with_fresh_cache(), process.pid)
        equal("layout_source", report["runtime"]["layout_source"], "table")
        equal("the warning", warning_of(report), None)
