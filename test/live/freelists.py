"""
Free lists are as long as sys._debugmallocstats() says, and up to 3.9, where each has a variable of
its own, as gdb says: 2.7 has nothing to print them with.
"""
import os
import re

import target
import tool
from check import Failed, equal, expect
from glibc_debugger import gdb

PRINTED_SINCE = (3, 6)
VARIABLES_BEFORE = (3, 10)

# "   4 free 1-sized PyTupleObjects * 32 bytes each =   128"
LINE = re.compile(r"\s*([0-9,]+) free (?:([0-9]+)-sized )?(\w+)s \* ")
NAMES = {"PyDictObject": "dict", "PyDictKeysObject": "(dict keys)", "PyFloatObject": "float",
         "PyListObject": "list", "PyTupleObject": "tuple", "PyFrameObject": "frame",
         "PySliceObject": "slice", "PyContext": "Context", "PyMethodObject": "method",
         "PyCFunctionObject": "builtin_function_or_method"}

# The file that has the variables, the counter, the first object of the list, the first and the last
# series with such a list; gdb, asked for what there is not, answers with another file's.
VARIABLES = {
    "float": ("Objects/floatobject.c", "numfree", "free_list", (3, 6), (3, 9)),
    "list": ("Objects/listobject.c", "numfree", "free_list[0]", (2, 7), (3, 9)),
    "dict": ("Objects/dictobject.c", "numfree", "free_list[0]", (2, 7), (3, 9)),
    "(dict keys)":
        ("Objects/dictobject.c", "numfreekeys", "keys_free_list[0]", (3, 6), (3, 9)),
    "frame": ("Objects/frameobject.c", "numfree", "free_list", (2, 7), (3, 9)),
    "instancemethod": ("Objects/classobject.c", "numfree", "free_list", (2, 7), (2, 7)),
    "method": ("Objects/classobject.c", "numfree", "free_list", (3, 6), (3, 8)),
    "builtin_function_or_method":
        ("Objects/methodobject.c", "numfree", "free_list", (2, 7), (3, 8)),
    "set": ("Objects/setobject.c", "numfree", "free_list[0]", (2, 7), (2, 7)),
    "unicode": ("Objects/unicodeobject.c", "numfree", "free_list", (2, 7), (2, 7)),
    "Context": ("Python/context.c", "ctx_freelist_len", "ctx_freelist", (3, 7), (3, 9)),
    "async_generator_wrapped_value":
        ("Objects/genobject.c", "ag_value_freelist_free", "ag_value_freelist[0]", (3, 6), (3, 9)),
    "async_generator_asend":
        ("Objects/genobject.c", "ag_asend_freelist_free", "ag_asend_freelist[0]", (3, 6), (3, 9)),
    "slice": ("Objects/sliceobject.c", "slice_cache", "slice_cache", (3, 6), (3, 9)),
}
TUPLE_LENGTHS = range(1, 20)

# 2.7: what is free in blocks of numbers, of 24 bytes each, is linked by its type.
NUMBERS = {"int": "Objects/intobject.c", "float": "Objects/floatobject.c"}
NUMBERS_UNTIL, NUMBER_BYTES = (2, 7), 24
COUNT = r"""python exec("p = gdb.parse_and_eval(\"'%s'::free_list\")\nn = 0\n""" \
        r"""while p != 0:\n  n += 1\n  p = p['ob_type'].cast(p.type)\nprint('%s=%%d' %% n)")"""
COUNTED = re.compile(r"^(int|float)=(\d+)$", re.MULTILINE)

# The size class of the pool that an object is in.
PRINT = """printf "%(type)s|%%lu|%%u\\n", (unsigned long)'%(file)s'::%(counter)s, """ \
        """'%(file)s'::%(counter)s ? """ \
        """((unsigned *)((unsigned long)'%(file)s'::%(first)s & ~0xfff))[9] : 0"""
PRINTED = re.compile(r"^([^|\n]+)\|(\d+)\|(\d+)$", re.MULTILINE)
RENAMED = re.compile(r"^(\d+)$", re.MULTILINE)

# Their blocks differ in size.
VARIED = ("frame", "unicode")


def tests(lab):
    for one in lab.interpreters:
        if one.series >= PRINTED_SINCE:
            yield "freelists/" + one.name, check_printed, (one,)
        if one.series < VARIABLES_BEFORE:
            check = check_variables if one.root is None else check_renamed
            # A debugger knows none of a stripped copy.
            if one.folder is None:
                yield "freelists/%s/variables" % one.name, check, (one,)
        # Up to 3.7 objects of a debug build are larger than others.
        if one.series < (3, 8) and os.path.exists("%s%s-dbg" % (one.root or "", one.path)):
            yield "freelists/%s-dbg" % one.name, check_unknown, (one._replace(
                path=one.path + "-dbg"),)


def block(interpreter, bytes_, is_collected):
    """Of an object of so many bytes; all that are tested align to 16."""
    head = (16 if interpreter.series >= (3, 8) else 32) if is_collected else 0
    return -(-(head + bytes_) // 16) * 16


def block_of(interpreter, name, length):
    """None where the test does not know it."""
    methods = 48 if interpreter.series >= (3, 8) else 40
    sizes = {"dict": 48, "list": 40, "method": methods, "builtin_function_or_method": methods + 8,
             "tuple": (32 if interpreter.series >= (3, 14) else 24) + 8 * int(length or 0)}
    if name == "float":
        return block(interpreter, 24, False)
    return block(interpreter, sizes[name], True) if name in sizes else None


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
        bytes_ = block_of(interpreter, name, found[2])
        counts[name] = counts.get(name, 0) + count
        if bytes_ is not None:
            sizes[name] = sizes.get(name, 0) + count * bytes_


def read_rows(lab, process):
    process.settle()
    report = tool.still_report(lab, process.pid)
    rows = {row["type"]: row for row in report["freelists"]}
    equal("rows of a name", len(rows), len(report["freelists"]))
    return report, rows


def check_printed(lab, interpreter):
    with target.start(lab, interpreter, "freelists.py") as process:
        counts, sizes = read_lines(interpreter, process)
        _, rows = read_rows(lab, process)
    expect(counts["list"] > 0 and counts["tuple"] > 0, "the target keeps nothing")
    equal("objects", {name: rows.get(name, {}).get("objects") for name in counts}, counts)
    equal("bytes", {name: rows[name]["bytes"] for name in sizes}, sizes)


def variables_of(interpreter):
    """[(type, file, counter, first object)]"""
    return [(type_, file, counter, first)
            for type_, (file, counter, first, since, until) in VARIABLES.items()
            if since <= interpreter.series <= until]


def print_variables(interpreter, pid):
    """[(type, objects, size class of one of them)]"""
    wanted = variables_of(interpreter)
    wanted += [("tuple", "Objects/tupleobject.c", "numfree[%d]" % length, "free_list[%d]" % length)
               for length in TUPLE_LENGTHS]
    output, errors = gdb(interpreter, pid, *[
        PRINT % dict(type=type_, file=file, counter=counter, first=first)
        for type_, file, counter, first in wanted])
    found = PRINTED.findall(output)
    if len(found) != len(wanted):
        raise Failed("gdb does not print the variables: %s%s" % (output, errors))
    # What stands for the slice is a pointer to it.
    return [(type_, int(count) if type_ != "slice" else int(count != "0"), int(class_))
            for type_, count, class_ in found]


def count_numbers(interpreter, pid):
    """{type: places that are free}, {type: their bytes}"""
    if interpreter.series > NUMBERS_UNTIL:
        return {}, {}
    output, errors = gdb(interpreter, pid, *[COUNT % (NUMBERS[type_], type_) for type_ in NUMBERS])
    counts = {type_: int(count) for type_, count in COUNTED.findall(output)}
    if counts.keys() != NUMBERS.keys():
        raise Failed("gdb does not follow the lists: %s%s" % (output, errors))
    return counts, {type_: count * NUMBER_BYTES for type_, count in counts.items()}


def check_variables(lab, interpreter):
    """All of them, and blocks as large as those of the pool that the first object is in."""
    with target.start(lab, interpreter, "freelists.py") as process:
        read_lines(interpreter, process)
        report, rows = read_rows(lab, process)
        printed = print_variables(interpreter, process.pid)
        counts, sizes = count_numbers(interpreter, process.pid)
    alignment = report["pymalloc"]["alignment_bytes"]
    for type_, count, class_ in printed:
        counts[type_] = counts.get(type_, 0) + count
        sizes[type_] = sizes.get(type_, 0) + count * (class_ + 1) * alignment
    for type_ in VARIED:
        if counts.get(type_):
            sizes[type_] = None
    equal("objects", {name: row["objects"] for name, row in rows.items()}, counts)
    equal("bytes", {name: row["bytes"] for name, row in rows.items()}, sizes)


def check_renamed(lab, interpreter):
    """
    Link-time optimisation has made numfree.lto_priv.0 and so on of them, and gdb cannot tell whose
    they are: the counters are these, in whatever order. One is that of the empty tuple.
    """
    with target.start(lab, interpreter, "freelists.py") as process:
        read_lines(interpreter, process)
        report, rows = read_rows(lab, process)
        output, _ = gdb(interpreter, process.pid, *[
            "printf \"%%d\\n\", (int)'numfree.lto_priv.%d'" % i for i in range(20)])
    wanted = [rows[type_]["objects"] for type_, _, counter, _ in variables_of(interpreter)
              if counter == "numfree"]
    equal("counters", sorted(int(text) for text in RENAMED.findall(output)), sorted(wanted + [1]))
    listed = report["objects"]["blocks"]["free_listed"]
    blocks = [row for type_, row in rows.items()
              if interpreter.series > NUMBERS_UNTIL or type_ not in NUMBERS]
    equal("free_listed", listed, {
        "count": sum(row["objects"] for row in blocks if row["bytes"] is not None),
        "bytes": sum(row["bytes"] for row in blocks if row["bytes"] is not None)})


def check_unknown(lab, interpreter):
    with target.start_idle(lab, interpreter) as process:
        found = tool.report(lab, process.pid)
    equal("freelists", found["freelists"], None)
    # No built-in layout is of such a build.
    wanted = "freelists-unknown" if lab.layout_source == "dwarf" else "no-layout"
    expect(any(one["id"] == wanted for one in found["warnings"]), "no warning")
