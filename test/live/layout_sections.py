"""A stripped interpreter whose file has no section headers, or damaged ones: the loader needs none."""
import os
import shutil
import subprocess

import elf
import embedded
import exactness
from layout_carried import library_of, strip

SHAPE = "fragmented"
# Offset, number, and index of the names.
DAMAGED = [(1 << 40, 30, 29), (65, 65535, 3), (64, 200, 1)]


def tests(lab):
    for one in lab.interpreters:
        if one.root is None and library_of(one) is not None:
            yield "sections/%s/none" % one.name, check_none, (one,)
        elif one.series >= (3, 6):
            yield "sections/%s/program" % one.name, check_program, (one,)
    yield "sections/damaged", check_damaged, ()


def spoil(lab, library, *headers):
    """A folder with a stripped copy of the library, and the section headers that it says it has."""
    folder = strip(lab, library)
    rewrite(os.path.join(folder, os.path.basename(library)), *headers)
    return folder


def rewrite(path, *headers):
    with open(path, "rb") as file:
        data = file.read()
    with open(path, "wb") as file:
        file.write(elf.without_section_headers(data, *headers))


def check_none(lab, interpreter):
    folder = spoil(lab, library_of(interpreter))
    exactness.check_shape(lab.without_dwarf(), interpreter, SHAPE, LD_LIBRARY_PATH=folder)


def check_program(lab, interpreter):
    """The program is the interpreter, and may be linked to an address of its own."""
    copy = os.path.join(lab.stage(interpreter.root), "bare")
    shutil.copy(embedded.program_of(interpreter), copy)
    subprocess.run(["strip", "-s", copy], check=True)
    rewrite(copy)
    with embedded.start_renamed(lab, interpreter, "bare") as process:
        process.expect("holding main 0")
        embedded.check_renamed(lab.without_dwarf(), process.pid, interpreter, "bare")


def check_damaged(lab):
    interpreter = next(one for one in lab.interpreters if one.root is None and library_of(one))
    for headers in DAMAGED:
        folder = spoil(lab, library_of(interpreter), *headers)
        exactness.check_shape(lab.without_dwarf(), interpreter, SHAPE, LD_LIBRARY_PATH=folder)
