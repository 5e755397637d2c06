"""A stripped interpreter, and layouts from where there is debug information."""
import os
import subprocess

import exactness
import procfs
import target
import tool
from check import equal, expect

SHAPE = "fragmented"


def tests(lab):
    for one in lab.interpreters:
        if one.root is None and library_of(one) is not None:
            yield "layout/%s/carried" % one.name, check_carried, (one,)
    yield "layout/other-build", check_other_build, ()
    yield "layout/refused", check_refused, ()


def library_of(interpreter):
    """The libpython of a shared build; a program that is a Python itself has none."""
    folder = os.path.join(os.path.dirname(os.path.dirname(interpreter.path)), "lib")
    names = [name for name in os.listdir(folder)
             if name.startswith("libpython%d.%d" % interpreter.series) and name.endswith(".so.1.0")]
    return os.path.join(folder, names[0]) if names else None


def write_layouts(lab, what):
    path = os.path.join(lab.fresh("layouts"), "some.layouts")
    done = tool.run(lab.with_dwarf(), "--dump-layout", "--output=" + path, what)
    equal("exit code and text", (done.code, done.out, done.err), (0, "", ""))
    return path


def read(path):
    with open(path) as file:
        return file.read()


def strip(lab, library):
    """A folder with a copy that has neither symbols nor debug information."""
    folder = lab.fresh("stripped")
    os.chmod(folder, 0o755)
    copy = os.path.join(folder, os.path.basename(library))
    subprocess.run(["strip", "-s", "-o", copy, library], check=True)
    return folder


def check_unknown(lab, pid):
    """Without layouts the rest of the report works."""
    report = tool.report(lab, pid, cache=lab.fresh("cache"))
    warnings = {warning["id"] for warning in report["warnings"]}
    expect("no-layout" in warnings, "no warning in %r" % warnings)
    equal("pymalloc", report["pymalloc"], None)
    equal("rss_bytes", report["kernel"]["rss_bytes"], procfs.rollup_bytes(pid)["Rss"])


def check_not_written(lab, pid):
    """What is compiled in is of other builds."""
    done = tool.run(lab.with_dwarf(), "--dump-layout", pid, cache=lab.fresh("cache"))
    equal("exit code and output", (done.code, done.out), (6, ""))
    expect("no debug information" in done.err, done.err)


def check_carried(lab, interpreter):
    library = library_of(interpreter)
    folder = strip(lab, library)
    path = write_layouts(lab, library)
    with target.start_idle(lab, interpreter) as process:
        equal("layouts of the library, and of its process",
              read(path) == read(write_layouts(lab, process.pid))[:len(read(path))], True)
    with target.start_idle(lab, interpreter, LD_LIBRARY_PATH=folder) as process:
        mapped = procfs.read(process.pid, "maps")
        expect(folder in mapped and library not in mapped, "the stripped library is not in use")
        check_not_written(lab, process.pid)
        check_unknown(lab, process.pid)
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
