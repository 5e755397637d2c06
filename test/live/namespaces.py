"""Targets whose files are not ours: other namespaces, and programs that are gone from the disk."""
import os
import shutil
import subprocess

import elf
import procfs
import stats
import target
import tool
from check import Skipped, equal, equal_items, expect

TMPFS = 'mount -t tmpfs none "$1" && cp "$2"/* "$1" && shift 2 && exec "$@"'


def tests(lab):
    for interpreter in lab.interpreters:
        if interpreter.series < (3, 6):
            continue
        if interpreter.root is not None:
            yield "namespaces/%s" % interpreter.name, check_own_namespaces, (interpreter,)
            yield "upgraded/%s" % interpreter.name, check_upgraded, (interpreter,)
        else:
            yield "deleted/%s" % interpreter.name, check_deleted, (interpreter,)
            yield "hidden/%s" % interpreter.name, check_hidden, (interpreter,)
    yield "replaced-on-disk", check_replaced, ()


def check_report(lab, pid, folder, interpreter, inside=None):
    """A report on a target that is held is exact, and names the interpreter's version."""
    report = tool.still_report(lab, pid, cache=lab.fresh("cache"))
    figures = os.path.join(inside or folder, "figures")
    with open("/proc/%d/root%s" % (pid, figures)) as file:
        printed = stats.parse(file.read())
    equal("size_classes", stats.size_classes(report["pymalloc"]), printed.pop("size_classes"))
    equal_items("pymalloc", report["pymalloc"], printed)
    equal("runtime.version", report["runtime"]["version"], interpreter.version)
    return report


def needs_namespaces(lab):
    lab.needs_root()
    if subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"],
                      stderr=subprocess.DEVNULL).returncode != 0:
        raise Skipped("new namespaces are not allowed")


def check_own_namespaces(lab, interpreter):
    """Its own root, mounts and pids, as in a container."""
    needs_namespaces(lab)
    with start_in_container(lab, interpreter) as process:
        report = check_contained(lab, process, interpreter)
    equal("libc.family", report["libc"]["family"], "glibc")


def start_in_container(lab, interpreter, **variables):
    folder = interpreter.inside(lab.stage(interpreter.root))
    library, figures = folder + "/libhold.so", folder + "/figures"
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child",
               *interpreter.command(folder + "/heap.py", "fragmented", library, figures)]
    return target.Target(command, target.environment(**variables)).expect("holding main 0")


def check_contained(lab, process, interpreter):
    child, = procfs.children(process.pid)
    equal("its own pid", procfs.read(child, "status").split("NSpid:")[1].split()[1], "1")
    folder = lab.stage(interpreter.root)
    report = check_report(lab, child, folder, interpreter, inside=interpreter.inside(folder))
    equal("target.pid", report["target"]["pid"], child)
    return report


def check_upgraded(lab, interpreter):
    """In a container, with another file where the program was: a package was upgraded meanwhile."""
    needs_namespaces(lab)
    folder = lab.stage(interpreter.root)
    program = shutil.copy(os.path.realpath(interpreter.root + interpreter.path),
                          os.path.join(folder, "upgraded"))
    copy = interpreter._replace(path=interpreter.inside(program))
    with start_in_container(lab, copy, PYTHONHOME="/usr") as process:
        other = shutil.copy(lab.hold, os.path.join(folder, "upgrade"))
        os.rename(other, program)
        report = check_contained(lab, process, interpreter)
        equal("image", os.path.basename(report["runtime"]["image"]), "upgraded")
        expect(report["runtime"]["build_id"] == elf.build_id(interpreter.root + interpreter.path),
               "the build-id is not of what runs")


def copy_runtime(interpreter, folder):
    """The program, and the library that its runtime is in, if it is in one."""
    program = os.path.join(folder, "python")
    shutil.copy(os.path.realpath(interpreter.path), program)
    listed = subprocess.run(["ldd", interpreter.path], stdout=subprocess.PIPE, text=True).stdout
    for line in listed.splitlines():
        name, _, path = line.strip().partition(" => ")
        if name.startswith("libpython"):
            shutil.copy(path.split()[0], folder)
    return program


def home(interpreter):
    """Where its library is: the copy is not where it was installed."""
    return os.path.dirname(os.path.dirname(interpreter.path))


def copied_command(lab, interpreter, program):
    folder = lab.stage(None)
    return [program, os.path.join(folder, "heap.py"), "fragmented",
            os.path.join(folder, "libhold.so"), os.path.join(folder, "figures")]


def copied_environment(interpreter, folder):
    return target.environment(LD_LIBRARY_PATH=folder, PYTHONHOME=home(interpreter))


def check_deleted(lab, interpreter):
    """An update has removed the files of a running interpreter."""
    folder = lab.fresh("deleted")
    program = copy_runtime(interpreter, folder)
    with target.Target(copied_command(lab, interpreter, program),
                       copied_environment(interpreter, folder)) as process:
        process.expect("holding main 0")
        shutil.rmtree(folder)
        check_copy(lab, process.pid, folder, interpreter)


def check_copy(lab, pid, folder, interpreter):
    report = check_report(lab, pid, lab.stage(None), interpreter)
    expect(report["runtime"]["image"].startswith(folder + "/"),
           "the image is %s, not below %s" % (report["runtime"]["image"], folder))


def check_hidden(lab, interpreter):
    """The interpreter is on a mount that only the target sees."""
    needs_namespaces(lab)
    source, mount = lab.fresh("hidden"), lab.fresh("mount")
    copy_runtime(interpreter, source)
    command = copied_command(lab, interpreter, os.path.join(mount, "python"))
    with target.Target(["unshare", "--mount", "--", "sh", "-c", TMPFS, "sh", mount, source,
                        *command], copied_environment(interpreter, mount)) as process:
        process.expect("holding main 0")
        equal("what we see there", os.listdir(mount), [])
        check_copy(lab, process.pid, mount, interpreter)


def check_replaced(lab):
    """A file of another build now stands where the interpreter's was: it must not be believed."""
    shared = [one for one in lab.interpreters if one.root is None and one.series >= (3, 6)]
    if len(shared) < 2:
        raise Skipped("needs two interpreters")
    first, second = shared[0], shared[-1]
    folder = lab.fresh("replaced")
    program = copy_runtime(first, folder)
    names = os.listdir(folder)
    with target.Target(copied_command(lab, first, program),
                       copied_environment(first, folder)) as process:
        process.expect("holding main 0")
        for name in names:
            # Not over it: the running program would change under the target.
            os.unlink(os.path.join(folder, name))
            shutil.copy(os.path.realpath(second.path), os.path.join(folder, name))
        report = check_report(lab, process.pid, lab.stage(None), first)
        expect(report["runtime"]["build_id"] != elf.build_id(second.path), "the wrong build-id")
