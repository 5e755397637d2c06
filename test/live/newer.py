"""
A release that is none of the built-in ones: a copy of a libpython, stripped, whose _PyRuntime says
that it is larger than that of any. What has lasted is used, and what the interpreter says of itself;
the rest is said to be missing, and no figure is wrong.
"""
import os
import struct

import elf
import exactness
import stripped
import target
import tool
from check import equal, expect

SHAPE = "fragmented"
RUNTIME_SINCE = (3, 7)
DEBUG_OFFSETS_SINCE = (3, 13)
# 3.12 keeps pymalloc's state in the interpreter, and nothing says where that has what.
SILENT = (3, 12)
LARGER_BYTES = 24


def tests(lab):
    for one in lab.interpreters:
        if one.root is None and one.series >= RUNTIME_SINCE and stripped.library_of(one):
            yield "newer/" + one.name, check_newer, (one,)


def grow_symbol(path, name):
    """Of the dynamic symbols, {u32 name, u8, u8, u16, u64 value, u64 size}."""
    with open(path, "r+b") as file:
        data = bytearray(file.read())
        symbols, names = [elf.section(data, wanted) for wanted in (b".dynsym", b".dynstr")]
        for at in range(symbols[0], sum(symbols), 24):
            begin = names[0] + struct.unpack_from("<I", data, at)[0]
            if data[begin:data.index(b"\0", begin)] == name:
                size = struct.unpack_from("<Q", data, at + 16)[0]
                struct.pack_into("<Q", data, at + 16, size + LARGER_BYTES)
        file.seek(0)
        file.write(data)


def check_newer(lab, interpreter):
    folder = stripped.strip(lab, stripped.library_of(interpreter))
    grow_symbol(os.path.join(folder, os.path.basename(stripped.library_of(interpreter))),
                b"_PyRuntime")
    copy, lab = interpreter._replace(folder=folder), lab.with_fresh_cache()
    with target.start_idle(lab, copy) as process:
        report = tool.report(lab, process.pid)
    warnings = {warning["id"] for warning in report["warnings"]}
    if interpreter.series == SILENT:
        expect("no-layout" in warnings, "warnings: %r" % warnings)
        equal("pymalloc", report["pymalloc"], None)
        return
    expect("layout-partial" in warnings, "warnings: %r" % warnings)
    source = "debug-offsets" if interpreter.series >= DEBUG_OFFSETS_SINCE else "table"
    exactness.check_shape(lab.with_source(source), copy, SHAPE)
