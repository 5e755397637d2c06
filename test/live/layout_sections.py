"""A stripped interpreter whose file has no section headers, or damaged ones: the loader needs none."""
import os

import elf
import exactness
from layout_carried import library_of, strip

SHAPE = "fragmented"
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


def check_none(lab, interpreter):
    folder = spoil(lab, library_of(interpreter))
    exactness.check_shape(lab.without_dwarf(), interpreter, SHAPE, LD_LIBRARY_PATH=folder)


def check_damaged(lab):
    interpreter = next(one for one in lab.interpreters if one.root is None and library_of(one))
    for headers in DAMAGED:
        folder = spoil(lab, library_of(interpreter), *headers)
        exactness.check_shape(lab.without_dwarf(), interpreter, SHAPE, LD_LIBRARY_PATH=folder)
