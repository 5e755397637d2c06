"""Interpreters inside of programs that are not called python, and that are gone from the disk."""
import os
import shutil

import procfs
import target
import tool
from catalogue import check_refusal
from check import equal, expect
from namespaces import check_report, home
from stripped import library_of, strip


def tests(lab):
    for one in lab.interpreters:
        if one.series < (3, 6):
            continue
        if one.root is None and library_of(one) is not None:
            yield "embedded/%s/library" % one.name, check_library, (one,)
            yield "embedded/%s/other-name" % one.name, check_other_name, (one,)
            yield "embedded/%s/self-extracted" % one.name, check_self_extracted, (one,)
        else:
            yield "embedded/%s/program" % one.name, check_program, (one,)


class Embedder(target.Target):
    """The program of embedder.c, before it has loaded anything."""

    def __init__(self, lab, interpreter, program, library):
        folder = lab.stage(None)
        command = [program, library, os.path.join(folder, "heap.py"), "fragmented",
                   os.path.join(folder, "libhold.so"), os.path.join(folder, "figures")]
        super().__init__(command, target.environment(PYTHONHOME=home(interpreter)))
        self.expect("ready")

    def load(self):
        self.go_on()
        return self.expect("holding main 0")


def copy_program(lab, folder):
    return shutil.copy(lab.helper("live_embedder"), os.path.join(folder, "service"))


def check_image(lab, process, interpreter, library):
    report = check_report(lab, process.pid, lab.stage(None), interpreter)
    equal("image", report["runtime"]["image"], library)
    return report


def check_library(lab, interpreter):
    """It is loaded late: before that the program is no Python, and then it is one."""
    library = library_of(interpreter)
    program = copy_program(lab, lab.fresh("embedded"))
    with Embedder(lab, interpreter, program, library) as process:
        check_refusal(lab, [process.pid], "not-python", 4,
                      r"pid %d is not a Python process \(%s\)" % (process.pid, program))
        process.load()
        report = check_image(lab, process, interpreter, library)
        equal("exe", report["target"]["exe"], program)


def check_other_name(lab, interpreter):
    """No file of the process is called after Python; up to 3.10 the release is a constant."""
    folder = lab.fresh("embedded")
    engine = shutil.copy(library_of(interpreter), os.path.join(folder, "engine.so"))
    with Embedder(lab, interpreter, copy_program(lab, folder), engine) as process:
        process.load()
        check_image(lab, process, interpreter, engine)


def check_self_extracted(lab, interpreter):
    """What PyInstaller leaves: a stripped library in a folder of its own, which is gone again."""
    folder = os.path.join(lab.fresh("extracted"), "_MEIa1b2c3")
    os.rename(strip(lab, library_of(interpreter)), folder)
    library, = (os.path.join(folder, name) for name in os.listdir(folder))
    program = copy_program(lab, folder)
    with Embedder(lab, interpreter, program, library) as process:
        process.load()
        shutil.rmtree(folder)
        expect(library + " (deleted)" in procfs.read(process.pid, "maps"), "it is still there")
        check_image(lab.without_dwarf(), process, interpreter, library)
        expect("CPython " + interpreter.version in tool.run(lab, process.pid).out,
               "the text does not name it")


def start_renamed(lab, interpreter, name):
    """A copy of an interpreter's program in the folder of the targets."""
    folder = lab.stage(interpreter.root)
    program = os.path.join(folder, name)
    inside = interpreter.inside(folder)
    command = interpreter._replace(path=interpreter.inside(program)).command(
        inside + "/heap.py", "fragmented", inside + "/libhold.so", inside + "/figures")
    return target.Target(command, target.environment(PYTHONHOME="/usr"))


def check_renamed(lab, pid, interpreter, name):
    folder = lab.stage(interpreter.root)
    report = check_report(lab, pid, folder, interpreter, inside=interpreter.inside(folder))
    equal("image", os.path.basename(report["runtime"]["image"]), name)


def program_of(interpreter):
    return os.path.realpath((interpreter.root or "") + interpreter.path)


def check_program(lab, interpreter):
    """A program that is an interpreter itself, by another name."""
    shutil.copy(program_of(interpreter), os.path.join(lab.stage(interpreter.root), "service"))
    with start_renamed(lab, interpreter, "service") as process:
        process.expect("holding main 0")
        check_renamed(lab, process.pid, interpreter, "service")
