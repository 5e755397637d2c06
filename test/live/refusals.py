"""Each reason not to make a report has its text, its exit code, and the same in JSON."""
import os
import re
import shutil
import signal
import subprocess
import threading
import time

import elf
import procfs
import target
import tool
from catalogue import check_outcome, check_refusal
from check import Failed, Skipped, equal, expect

TRIES = 12


def tests(lab):
    for function in (not_a_pid, no_such_process, thread, zombie, kernel_thread, not_python,
                     python_child, ended_early, exec_during_snapshot, other_user,
                     root_without_capability, traced, not_dumpable, program_32_bit, pypy_look_alike,
                     pypy, before_libpython, before_main):
        yield "refusal/" + function.__name__.replace("_", "-"), function, ()


# ---- processes that are none -------------------------------------------------------------------

def not_a_pid(lab):
    for word in ("abc", "12abc", "-5x", "0", "99999999999999999999", ""):
        check_refusal(lab, ["--", word], "no-such-process", 3,
                      "'%s' is neither a pid nor the name of a Python process" % re.escape(word),
                      remedy=r"pyheaptop +\(lists the Python processes you can read\)")


def no_such_process(lab):
    child = subprocess.Popen(["true"])
    child.wait()
    check_refusal(lab, [child.pid], "no-such-process", 3, "pid %d: no such process" % child.pid,
                  remedy=r"pyheaptop +\(lists the Python processes you can read\)")


def thread(lab):
    done = threading.Event()
    worker = threading.Thread(target=done.wait)
    worker.start()
    try:
        check_refusal(lab, [worker.native_id], "no-such-process", 3,
                      "pid %d is not a process, but a thread of pid %d"
                      % (worker.native_id, os.getpid()), remedy="pyheaptop %d" % os.getpid())
    finally:
        done.set()
        worker.join()


def zombie(lab):
    child = subprocess.Popen(["true"])
    procfs.wait_until(lambda: procfs.status(child.pid, "State") == "Z", "it has not ended")
    check_refusal(lab, [child.pid], "no-such-process", 3,
                  r"pid %d has ended; its parent has not collected it yet \(zombie\)" % child.pid)
    child.wait()


def kernel_thread(lab):
    if not os.path.exists("/proc/2/comm") or procfs.read(2, "comm") != "kthreadd\n":
        raise Skipped("no kernel thread can be seen")
    check_refusal(lab, [2], "not-python", 4,
                  r"pid 2 is not a Python process \(a thread of the kernel\)")


def not_python(lab):
    with target.Target(["sleep", "1000"]) as process:
        exe = os.readlink("/proc/%d/exe" % process.pid)
        check_refusal(lab, [process.pid], "not-python", 4,
                      r"pid %d is not a Python process \(%s\)" % (process.pid, re.escape(exe)),
                      why="neither the program nor a library in it is a CPython runtime")


def python_child(lab):
    interpreter = lab.any_interpreter()
    script = os.path.join(lab.stage(None), "idle.py")
    shell = ["sh", "-c", '"$@"; exit', "sh", *interpreter.command(script)]
    with target.Target(shell, target.environment()) as process:
        process.expect("ready")
        child, = procfs.children(process.pid)
        check_refusal(lab, [process.pid], "python-child", 4,
                      r"pid %d is not a Python process \(.*\)" % process.pid,
                      why="neither the program nor a library in it is a CPython runtime",
                      remedy="pyheaptop %d +its child '.*idle.py' is one" % child)
        process.end_input()


# ---- processes that go away --------------------------------------------------------------------

def cold_seconds(lab, process):
    started = time.monotonic()
    tool.report(lab, process.pid, cache=lab.fresh("cold"))
    return time.monotonic() - started


def disturbed(lab, process, json, seconds, disturb):
    """A report without a cached layout, which takes long, and `disturb` in the midst of it."""
    run = tool.start(lab, *(["--json"] if json else []), process.pid, cache=lab.fresh("cold"))
    time.sleep(seconds)
    disturb(process)
    return tool.finish(run)


def check_disturbed(lab, program, disturb, check, others):
    """In both forms, `check` must pass once; an outcome with a code of `others` came too soon
    or too late."""
    interpreter = lab.any_interpreter()
    for json in (False, True):
        for attempt in range(TRIES):
            with target.start(lab, interpreter, program) as process:
                process.expect("ready")
                if attempt == 0:
                    longest = cold_seconds(lab, process)
                moment = longest * (attempt + 3) / (TRIES + 4)
                done = disturbed(lab, process, json, moment, disturb)
            if is_expected(done, json, check):
                break
            expect(done.code in others, "exit code %d: %s" % (done.code, done.err))
        else:
            raise Failed("it never happened in %d tries" % TRIES)


def is_expected(done, json, check):
    id_, code, text = check
    if not re.search(text, done.err):
        return False
    check_outcome(done, json, id_, code, text)
    return True


def ended_early(lab):
    check_disturbed(lab, "idle.py", lambda process: process.signal(signal.SIGKILL),
                    ("exited-early", 3,
                     r"pid \d+ ended while it was being read \(no snapshot was finished\)"),
                    others=(0, 3))


def exec_during_snapshot(lab):
    check_disturbed(lab, "replaced.py", lambda process: process.go_on(),
                    ("exec-during-snapshot", 3,
                     r"pid \d+ replaced its program while it was being read \(exec\)"),
                    others=(0, 3, 4))


# ---- processes that may not be read ------------------------------------------------------------

def other_user(lab):
    lab.needs_root()
    with target.start_idle(lab, lab.any_interpreter()) as process:
        check_refusal(lab, [process.pid], "eperm-owner", 5,
                      "pid %d cannot be read: it belongs to user 'root', you are 'nobody'"
                      % process.pid, remedy="sudo pyheaptop %d" % process.pid, user="nobody")


def root_without_capability(lab):
    lab.needs_root()
    with target.start_idle(lab, lab.any_interpreter()) as process:
        lowered = ["setpriv", "--bounding-set=-sys_ptrace", "--"]
        done = subprocess.run(lowered + tool.command(lab, process.pid),
                              env=tool.environment(lab.cache), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        outcome = tool.Outcome(done.returncode, done.stdout, done.stderr)
        check_outcome(outcome, False, "eperm-capability", 5,
                      "pid %d cannot be read, although you are root" % process.pid,
                      why="this container lacks CAP_SYS_PTRACE", remedy="docker run .*")


def traced(lab):
    with target.start_idle(lab, lab.any_interpreter()) as process:
        with target.Target([lab.helper("live_tracer"), str(process.pid)]) as tracer:
            tracer.expect("tracing")
            check_refusal(lab, [process.pid], "eperm-traced", 5,
                          r"pid %d cannot be stopped: live_tracer \(pid %d\) is already tracing it"
                          % (process.pid, tracer.pid),
                          remedy="pyheaptop --stop=none %d +reads without stopping" % process.pid)
            tool.still_report(lab, process.pid, "--stop=none")
            equal("TracerPid", procfs.status(process.pid, "TracerPid"), str(tracer.pid))


def not_dumpable(lab):
    lab.needs_root()
    interpreter = lab.public_interpreter()
    code = ("import ctypes, os; ctypes.CDLL(None).prctl(4, 0, 0, 0, 0); "
            "os.write(1, b'ready\\n'); os.read(0, 1)")
    command = ["setpriv", "--reuid=nobody", "--clear-groups", "--", interpreter.path, "-c", code]
    with target.Target(command, target.environment()) as process:
        process.expect("ready")
        check_refusal(lab, [process.pid], "eperm-not-dumpable", 5,
                      "pid %d cannot be read: it is protected against its own user" % process.pid,
                      why=r"it is not dumpable \(set-uid, or prctl PR_SET_DUMPABLE\)",
                      remedy="sudo pyheaptop %d" % process.pid, user="nobody")


# ---- programs that are not read ----------------------------------------------------------------

def program_32_bit(lab):
    path = os.path.join(lab.fresh("elf32"), "pause")
    with open(path, "wb") as file:
        file.write(elf.pausing_program_32_bit())
    os.chmod(path, 0o755)
    try:
        process = target.Target([path])
    except OSError as error:
        raise Skipped("the kernel runs no 32-bit programs") from error
    with process:
        process.settle()
        check_refusal(lab, [process.pid], "unsupported-arch", 6,
                      "pid %d is a 32-bit process; only 64-bit processes are supported"
                      % process.pid)


def check_pypy(lab, command, version):
    with target.Target(command, target.environment()) as process:
        process.expect("ready")
        check_refusal(lab, [process.pid], "pypy", 4,
                      "pid %d is PyPy %s, which manages memory in its own way"
                      % (process.pid, version))


def pypy_look_alike(lab):
    check_pypy(lab, [lab.helper("live_pypy")], r"7\.3\.11")


def pypy(lab):
    path = shutil.which("pypy3")
    if path is None:
        raise Skipped("pypy3 is not installed")
    check_pypy(lab, [path, os.path.join(lab.stage(None), "idle.py")], r"\d+\.\d+\.\d+")


def check_starting(lab, pid):
    procfs.wait_until(lambda: procfs.status(pid, "State") == "T", "it did not stop")
    check_refusal(lab, [pid], "not-initialised", 4,
                  r"pid %d is Python( \d\.\d+)?, but its runtime is starting or shutting down"
                  % pid,
                  remedy="again in a second, or --section=kernel, which needs no Python structures")
    procfs.wait_until(lambda: procfs.status(pid, "State") == "T", "it is not stopped any more")


def before_libpython(lab):
    """Nothing but the program and the loader is mapped; the runtime is in a library, or not."""
    for interpreter in lab.interpreters:
        if interpreter.root is not None:
            continue
        command = [lab.helper("live_embryo"), *interpreter.command("-c", "pass")]
        with target.Target(command, target.environment()) as process:
            check_starting(lab, int(process.line()))
            process.end_input()


def before_main(lab):
    """Every library is mapped and relocated; the runtime has not begun."""
    preload = lab.helper("liblive_constructor.so")
    for interpreter in lab.interpreters:
        if interpreter.root is not None:
            continue
        command = interpreter.command("-c", "pass")
        with target.Target(command, target.environment(LD_PRELOAD=preload)) as process:
            check_starting(lab, process.pid)
