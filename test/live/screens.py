"""The screens in a real terminal, on real processes."""
import glob
import json
import os
import re
import signal
import stat
import subprocess

import procfs
import target
import tool
from check import equal, expect
from terminal import MARK, Terminal

SIZES = [(100, 30), (80, 24), (50, 12), (40, 10), (30, 8), (200, 60), (40, 10), (100, 30)]


def tests(lab):
    for function in (keys, chosen, prompts, exports, resized, pauses, growth, killed, suspended, refused,
                     no_terminal, looks):
        yield "screens/" + function.__name__.replace("_", "-"), function, ()
    for name in ("TERM", "HUP", "INT", "SEGV"):
        yield "screens/signal-" + name.lower(), ended_by, (getattr(signal, "SIG" + name),)


def program(lab, *arguments):
    return " ".join(tool.command(lab, *arguments))


def watch(lab, terminal, process, *options):
    """Until there is a first snapshot."""
    terminal.run(program(lab, *options, process.pid))
    return terminal.wait_for("Snapshot #1", "RSS reported by the kernel")


def quit_cleanly(terminal):
    terminal.press("q")
    terminal.wait_for("code: 0", MARK)
    check_restored(terminal)


def check_restored(terminal):
    equal("the other screen", terminal.state("alternate_on"), "0")
    equal("the cursor", terminal.state("cursor_flag"), "1")
    equal("the mouse", terminal.state("mouse_any_flag"), "0")


def watcher_of(terminal):
    """The pid of the program that the shell runs."""
    found = subprocess.run(["pgrep", "-P", terminal.state("pane_pid")],
                           stdout=subprocess.PIPE).stdout.split()
    equal("programs that run", len(found), 1)
    return int(found[0])


# ---- keys ---------------------------------------------------------------------------------------


def keys(lab):
    with target.start_idle(lab, lab.any_interpreter()) as process, Terminal(lab) as terminal:
        before = terminal.modes()
        watch(lab, terminal, process, "-d", "60")
        for key, seen in (("2", "[2 Pymalloc]"), ("3", "[3 Glibc]"), ("4", "[4 Types]"),
                          ("5", "[5 Maps]"), ("Tab", "[1 Overview]"), ("BTab", "[5 Maps]"),
                          ("1", "[1 Overview]"), ("?", "[? Help]"), ("G", "Esc or ?: back"),
                          ("Escape", "[1 Overview]"), ("F1", "[? Help]"), ("?", "[1 Overview]"),
                          ("u", "units: KiB"), ("u", "units: MiB"), ("u", "units: bytes"),
                          ("u", "units: auto"), ("x", "addresses shown"),
                          ("x", "addresses hidden"), ("b", "snapshot #1 is the baseline"),
                          ("+", "interval off"), ("-", "interval 60 s"), ("-", "interval 30 s"),
                          ("K", "no key K here, ? lists them"), ("F7", "no key F7 here"),
                          ("r", "Snapshot #2"), ("F8", "Snapshot #3"), ("C-l", "Snapshot #3")):
            terminal.press(key)
            terminal.wait_for(seen)
        terminal.press("m")
        terminal.wait_for("mouse on")
        equal("the mouse", terminal.state("mouse_any_flag"), "1")
        terminal.press("m")
        terminal.wait_for("mouse off")
        equal("the mouse", terminal.state("mouse_any_flag"), "0")
        quit_cleanly(terminal)
        equal("what the terminal does with keys", terminal.modes(), before)
        expect(process.is_alive(), "the target has ended")


def chosen(lab):
    """From the list to a process, to another one, and back."""
    names = ["%s-of-%d" % (word, os.getpid()) for word in ("one", "other")]
    interpreter = lab.any_interpreter()
    with target.start(lab, interpreter, "idle.py", names[0]).expect("ready") as process, \
            target.start(lab, interpreter, "idle.py", names[1]).expect("ready") as other, \
            Terminal(lab) as terminal:
        terminal.run(program(lab))
        choose(terminal, process, names[0])
        terminal.press("p")
        terminal.wait_for("Python processes you can read")
        terminal.press("q")
        terminal.wait_for("pid %d " % process.pid, "[1 Overview]")
        terminal.press("p")
        choose(terminal, other, names[1])
        quit_cleanly(terminal)


def choose(terminal, process, name):
    terminal.wait_for("Python processes you can read")
    terminal.press("\\")
    terminal.type(name)
    terminal.press("Enter")
    terminal.wait_until(lambda screen: re.search(r"^> +%d " % process.pid, screen, re.M),
                        "the process is not found")
    terminal.press("Enter")
    terminal.wait_for("pid %d " % process.pid, "Snapshot #1", "RSS reported by the kernel")


def prompts(lab):
    with target.start_idle(lab, lab.any_interpreter()) as process, Terminal(lab) as terminal:
        watch(lab, terminal, process, "-d", "60", "--screen=overview")
        terminal.press("4")
        terminal.press("\\")
        terminal.wait_for("Filter: _")
        terminal.type("dic")
        terminal.wait_for("Filter: dic_", "filter: dic", "dict")
        terminal.press("Enter")
        terminal.wait_without("Filter: dic_")
        terminal.wait_for("filter: dic")
        terminal.press("Escape")
        terminal.wait_without("filter: dic")
        terminal.press("/")
        terminal.type("frozenset")
        terminal.wait_until(lambda screen: re.search(r"^> frozenset", screen, re.M),
                            "the search finds nothing")
        terminal.press("Enter")
        terminal.wait_without("Search:")
        terminal.press("n")
        terminal.press("/")
        terminal.type("no-such-type")
        terminal.wait_for("Search: no-such-type_")
        terminal.press("Enter")
        terminal.wait_for("no row here holds 'no-such-type'")
        terminal.press("s")
        terminal.wait_for("Sort by")
        terminal.press("Escape")
        terminal.wait_without("Sort by")
        quit_cleanly(terminal)


def exports(lab):
    with target.start_idle(lab, lab.any_interpreter()) as process, Terminal(lab) as terminal:
        watch(lab, terminal, process, "-d", "60")
        terminal.press("e")
        terminal.wait_for("wrote pyheaptop-%d-" % process.pid)
        files = sorted(glob.glob(os.path.join(terminal.folder, "pyheaptop-*")))
        equal("the files", [os.path.splitext(path)[1] for path in files], [".json", ".txt"])
        for path in files:
            equal("the mode of " + path, stat.S_IMODE(os.stat(path).st_mode), 0o600)
        with open(files[0]) as file:
            report = json.load(file)
        equal("the report's process", report["target"]["pid"], process.pid)
        terminal.press("e")
        terminal.wait_for("File exists")
        quit_cleanly(terminal)


# ---- room ---------------------------------------------------------------------------------------


def resized(lab):
    with target.start_idle(lab, lab.any_interpreter()) as process, Terminal(lab) as terminal:
        watch(lab, terminal, process, "-d", "60")
        terminal.press("4")
        terminal.press("/")
        terminal.type("dict")
        for columns, rows in SIZES:
            terminal.resize(columns, rows)
            terminal.wait_for("Search: dict_" if rows >= 10 else "needs 40x10")
        terminal.press("Escape")
        terminal.wait_without("Search:")
        for key in "12345?":
            terminal.press(key)
            for columns, rows in SIZES:
                terminal.resize(columns, rows)
                terminal.wait_for("Quit" if rows >= 10 else "needs 40x10")
        quit_cleanly(terminal)


# ---- time ---------------------------------------------------------------------------------------


def pauses(lab):
    with target.start_idle(lab, lab.any_interpreter()) as process, Terminal(lab) as terminal:
        watch(lab, terminal, process, "-d", "1")
        terminal.wait_for("Snapshot #3")
        terminal.press("Space")
        number = re.search(r"Snapshot #(\d+)", terminal.wait_for("PAUSED")).group(1)
        # Two of its intervals, by its own clock.
        terminal.wait_for("Snapshot #" + number, "age 3s")
        terminal.press("Space")
        terminal.wait_for("Snapshot #%d" % (int(number) + 1))
        quit_cleanly(terminal)


def growth(lab):
    """A leak is seen where it happens: in the change of its category, and as a finding."""
    with target.start(lab, lab.any_interpreter(), "grower.py").expect("ready") as process, \
            Terminal(lab) as terminal:
        watch(lab, terminal, process, "-d", "1")
        process.go_on()
        process.expect("grown")
        terminal.wait_until(
            lambda screen: re.search(r"P  Python objects, small.*\+\d[\d.]*M", screen),
            "no growth is seen")
        terminal.wait_until(lambda screen: re.search(r"^RSS .* \+\d[\d.]*M since", screen, re.M),
                            "RSS does not grow")
        terminal.press("b")
        terminal.wait_for("is the baseline")
        quit_cleanly(terminal)


# ---- ends ---------------------------------------------------------------------------------------


def killed(lab):
    with target.start_idle(lab, lab.any_interpreter()) as process, Terminal(lab) as terminal:
        watch(lab, terminal, process, "-d", "2")
        process.signal(signal.SIGKILL)
        terminal.wait_for("EXITED  pid %d ended" % process.pid, "Showing snapshot #",
                          "RSS reported by the kernel")
        terminal.press("r")
        terminal.wait_for("there is nothing more to read")
        quit_cleanly(terminal)


def ended_by(lab, number):
    with target.start_idle(lab, lab.any_interpreter()) as process, Terminal(lab) as terminal:
        before = terminal.modes()
        watch(lab, terminal, process, "-d", "60")
        os.kill(watcher_of(terminal), number)
        terminal.wait_for("code: %d" % (128 + number), MARK)
        check_restored(terminal)
        equal("what the terminal does with keys", terminal.modes(), before)
        equal("the target's state", procfs.status(process.pid, "State"), "S")


def suspended(lab):
    with target.start_idle(lab, lab.any_interpreter()) as process, Terminal(lab) as terminal:
        watch(lab, terminal, process, "-d", "60")
        for _ in range(2):
            terminal.press("C-z")
            terminal.wait_for_state("alternate_on", "0")
            terminal.wait_for("Stopped", MARK)
            check_restored(terminal)
            equal("the target's state", procfs.status(process.pid, "State"), "S")
            terminal.type("fg")
            terminal.press("Enter")
            terminal.wait_for("Snapshot #1", "[1 Overview]", "q Quit")
        terminal.press("q")
        terminal.wait_for_state("alternate_on", "0")
        check_restored(terminal)


# ---- no screens ---------------------------------------------------------------------------------


def refused(lab):
    """What cannot be read is told as ever, below what was on the terminal."""
    with target.Target(["sleep", "1000"]) as process, Terminal(lab) as terminal:
        terminal.run(program(lab, process.pid))
        terminal.wait_for("is not a Python process", "code: 4")
        check_restored(terminal)


def no_terminal(lab):
    with target.start_idle(lab, lab.any_interpreter()) as process, Terminal(lab) as terminal:
        terminal.run("TERM=dumb " + program(lab, process.pid))
        terminal.wait_for("this terminal (TERM=dumb) cannot show screens", "code: 2")
        terminal.press("C-l")
        terminal.run("TERM= " + program(lab, process.pid))
        terminal.wait_for("TERM is not set", "code: 2")
        terminal.press("C-l")
        terminal.run(program(lab, "--screen=types", process.pid) + " | cat")
        terminal.wait_for("--screen needs a terminal, stdout is none")
        terminal.press("C-l")
        terminal.run(program(lab, process.pid) + " | head -1")
        terminal.wait_for("pyheaptop 0.1.0 report", "code: 0")
        check_restored(terminal)


def looks(lab):
    """The same screen in colour and without, in UTF-8 and without; all of it readable."""
    with target.start_idle(lab, lab.any_interpreter()) as process:
        for variables in ({"NO_COLOR": "1"}, {"LC_ALL": "C"}, {"TERM": "vt100"},
                          {"TERM": "linux"}, {"TERM": "xterm-256color"}):
            with Terminal(lab, **variables) as terminal:
                if "TERM" in variables:
                    terminal.run("export TERM=" + variables["TERM"])
                    terminal.wait_for("code: 0")
                watch(lab, terminal, process, "-d", "60")
                terminal.wait_for("P  Python objects, small", "q Quit")
                escapes = terminal.tmux("capture-pane", "-p", "-e", "-t", "test")
                has_color = re.search(r"\x1b\[(?:\d+;)*(?:3[1-7]|9[1-7])(?:;\d+)*m", escapes)
                wants_color = variables.get("TERM") != "vt100" and "NO_COLOR" not in variables
                equal("colour with %r" % variables, bool(has_color), wants_color)
                quit_cleanly(terminal)
