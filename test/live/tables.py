"""The layouts that are compiled in: made from the interpreters at hand, and as these have them."""
import os
import re

import target
import tool
from check import equal, expect

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib", "layout",
                      "tables")


def tests(lab):
    for one in lab.interpreters:
        yield "tables/" + one.name, check_tables, (one,)


def records(text):
    """Each with its first lines: {key: value}"""
    found = []
    for part in re.findall(r"(pyheaptop-.*?\nend [0-9a-f]{16}\n)", text, re.S):
        lines = [line.split(" ", 1) for line in part.splitlines()]
        found.append(({line[0]: line[-1] for line in lines}, part))
    return found


def dumped(lab, interpreter):
    """Records of the interpreter and of its C library, from debug information."""
    with target.start_idle(lab, interpreter) as process:
        done = tool.run(lab.with_dwarf(), "--dump-layout", process.pid)
    equal("exit code and text", (done.code, done.err), (0, ""))
    return records(done.out)


def file_name(fields, interpreter):
    """python-3.11.2-debian.layout, glibc-2.36.layout"""
    if "free-threaded" not in fields:
        return "glibc-%s.layout" % fields["version"]
    origin = "pyenv" if "pyenv" in interpreter.path else "debian"
    debug = "-debug" if fields["debug-build"] == "1" else ""
    return "python-%s%s-%s.layout" % (fields["version"], debug, origin)


def write(lab):
    """Make all files anew."""
    for interpreter in lab.interpreters:
        for fields, text in dumped(lab, interpreter):
            with open(os.path.join(FOLDER, file_name(fields, interpreter)), "w") as file:
                file.write(text)


def check_tables(lab, interpreter):
    """A build whose layout is compiled in has it as its debug information says today."""
    for fields, text in dumped(lab, interpreter):
        path = os.path.join(FOLDER, file_name(fields, interpreter))
        expect(os.path.exists(path), "no %s: run.py --write-tables" % os.path.basename(path))
        with open(path) as file:
            ours = file.read()
        if records(ours)[0][0]["build-id"] == fields["build-id"]:
            equal(os.path.basename(path), ours == text, True)
