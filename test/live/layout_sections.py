"""Programs without section headers, and libraries with damaged ones: the loader needs none."""
import os
import shutil
import subprocess

import embedded
import exactness
import stripped

SHAPE = "fragmented"
# Offset, number, and index of the names.
DAMAGED = [(1 << 40, 30, 29), (65, 65535, 3), (64, 200, 1)]


def tests(lab):
    for one in lab.interpreters:
        if one.series >= (3, 6) and (one.root is not None or stripped.library_of(one) is None):
            yield "sections/%s/program" % one.name, check_program, (one,)
    yield "sections/damaged", check_damaged, ()


def check_program(lab, interpreter):
    """The program is the interpreter, and may be linked to an address of its own."""
    copy = os.path.join(lab.stage(interpreter.root), "bare")
    shutil.copy(embedded.program_of(interpreter), copy)
    subprocess.run(["strip", "-s", copy], check=True)
    stripped.drop_section_headers(copy)
    with embedded.start_renamed(lab, interpreter, "bare") as process:
        process.expect("holding main 0")
        embedded.check_renamed(lab.without_dwarf(), process.pid, interpreter, "bare")


def check_damaged(lab):
    interpreter = next(one for one in lab.interpreters
                       if one.root is None and stripped.library_of(one) is not None)
    library = stripped.library_of(interpreter)
    for headers in DAMAGED:
        folder = stripped.strip(lab, library)
        stripped.drop_section_headers(os.path.join(folder, os.path.basename(library)), *headers)
        exactness.check_shape(lab.without_dwarf(), interpreter, SHAPE, LD_LIBRARY_PATH=folder)
