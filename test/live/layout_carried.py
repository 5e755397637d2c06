"""A stripped interpreter, and layouts from where there is debug information."""
import os

import exactness
import procfs
import stripped
import target
import tool
from check import equal, expect

SHAPE = "fragmented"


def tests(lab):
    for one in lab.interpreters:
        if one.root is None and stripped.library_of(one) is not None:
            yield "layout/%s/carried" % one.name, check_carried, (one,)
    yield "layout/other-build", check_other_build, ()
    yield "layout/refused", check_refused, ()


def write_layouts(lab, what):
    path = os.path.join(lab.fresh("layouts"), "some.layouts")
    done = tool.run(lab.with_dwarf(), "--dump-layout", "--output=" + path, what)
    equal("exit code and text", (done.code, done.out, done.err), (0, "", ""))
    return path


def read(path):
    with open(path) as file:
        return file.read()


def check_not_written(lab, pid):
    """What is compiled in is of other builds."""
    done = tool.run(lab.with_dwarf(), "--dump-layout", pid, cache=lab.fresh("cache"))
    equal("exit code and output", (done.code, done.out), (6, ""))
    expect("no debug information" in done.err, done.err)


def check_carried(lab, interpreter):
    library = stripped.library_of(interpreter)
    folder = stripped.strip(lab, library)
    path = write_layouts(lab, library)
    with target.start_idle(lab, interpreter) as process:
        equal("layouts of the library, and of its process",
              read(path) == read(write_layouts(lab, process.pid))[:len(read(path))], True)
    with target.start_idle(lab, interpreter, LD_LIBRARY_PATH=folder) as process:
        mapped = procfs.read(process.pid, "maps")
        expect(folder in mapped and library not in mapped, "the stripped library is not in use")
        found = tool.report(lab, process.pid, "--layout=" + path)["runtime"]
        # As the file has it: nothing was looked for.
        expect(found["symbol_source"] in ("symtab", "dwarf"), "symbols: %r" % found)
        check_not_written(lab, process.pid)
    exactness.check_shape(lab.with_layouts(path), interpreter, SHAPE, LD_LIBRARY_PATH=folder)


def check_other_build(lab):
    """What is of no use is said, and the rest is as without it."""
    interpreter = lab.any_interpreter()
    path = write_layouts(lab, "/lib/x86_64-linux-gnu/libc.so.6")
    other = path + ".other"
    # A build-id of nobody; the checksum is made anew as the program would.
    with open(other, "w") as file:
        file.write(renamed(read(path)))
    with target.start_idle(lab, interpreter) as process:
        report = tool.report(lab, process.pid, "--layout=" + other)
    warnings = {warning["id"] for warning in report["warnings"]}
    expect("layout-other-build" in warnings, "no warning in %r" % warnings)
    equal("layout_source", report["libc"]["layout_source"], lab.layout_source)


def renamed(text):
    lines = text.splitlines(keepends=True)[:-1]
    body = "".join("build-id 0123456789abcdef\n" if line.startswith("build-id ") else line
                   for line in lines)
    checksum = 0xcbf29ce484222325
    for byte in body.encode():
        checksum = (checksum ^ byte) * 0x100000001b3 % (1 << 64)
    return body + "end %016x\n" % checksum


def check_refused(lab):
    """Exit code 2 for what is no such file, and nothing on standard output."""
    with target.start_idle(lab, lab.any_interpreter()) as process:
        for path, why in (("/etc/passwd", "it has none"), ("/nonexistent", "No such file")):
            done = tool.run(lab, "--layout=" + path, process.pid)
            equal("exit code and output", (done.code, done.out), (2, ""))
            expect(why in done.err, done.err)
    for path, why in (("/bin/ls", "neither a CPython runtime nor glibc"),
                      ("/etc/passwd", "no ELF file")):
        done = tool.run(lab, "--dump-layout", path)
        equal("exit code and output", (done.code, done.out), (2, ""))
        expect(why in done.err, done.err)
