"""The screens of data, and the list of processes, in a real terminal on real processes."""
import re

import target
from check import equal, expect
from screens import program, quit_cleanly, watch
from terminal import MARK, Terminal


def tests(lab):
    for function in (pymalloc, glibc, types, maps, chosen, named, changed):
        yield "screens-data/" + function.__name__, function, ()


def rows_after(screen, title):
    """The lines below the one that begins so, without the cursor's mark."""
    lines = screen.splitlines()
    at = [i for i, line in enumerate(lines) if line.strip().startswith(title)][0]
    return [line[2:] for line in lines[at + 1:]]


def pymalloc(lab):
    """Into a size class and an arena: the next snapshot tells the types, and they add up."""
    with target.start_idle(lab, lab.any_interpreter()) as process, Terminal(lab) as terminal:
        watch(lab, terminal, process, "-d", "60")
        terminal.press("2")
        terminal.wait_for("[2 Pymalloc]", "tenths in use", "Free v")
        terminal.press("Enter")
        screen = terminal.wait_for("Types that live in blocks of", "all blocks in use")
        check_total(screen, "all blocks in use")
        terminal.press("Escape")
        terminal.wait_for("tenths in use")
        terminal.press("a")
        terminal.wait_for("Kept/block v", "arena 1")
        terminal.press("Enter")
        screen = terminal.wait_for("Types that keep arena", "all blocks in use")
        check_total(screen, "all blocks in use")
        terminal.press("x")
        terminal.wait_for("addresses shown")
        quit_cleanly(terminal)


def check_total(screen, label):
    """Objects and buffers of all rows are those of the sum; the target holds still."""
    counts = []
    for line in rows_after(screen, "Type "):
        found = re.match(r"(.*?)\s+([\d,]+)\s+[\d.]+[BKM]\s+([\d,]+)\s+[\d.]+[BKM]", line)
        if found is None:
            break
        counts.append([int(text.replace(",", "")) for text in found.groups()[1:]])
        if found.group(1).strip() == label:
            break
    expect(len(counts) > 1, "no rows on\n" + screen)
    for column in range(2):
        equal("the sum of a column", sum(row[column] for row in counts[:-1]), counts[-1][column])


def glibc(lab):
    with target.start_idle(lab, lab.any_interpreter()) as process, Terminal(lab) as terminal:
        watch(lab, terminal, process, "-d", "60")
        terminal.press("3")
        terminal.wait_for("[3 Glibc]", "Free in main", "unsorted", "Tunables")
        terminal.press("Enter")
        terminal.wait_for("Arena: main", "Threads that use it")
        terminal.press("Escape")
        terminal.wait_for("Free in main")
        quit_cleanly(terminal)


def types(lab):
    with target.start_idle(lab, lab.any_interpreter()) as process, Terminal(lab) as terminal:
        watch(lab, terminal, process, "-d", "60")
        terminal.press("4")
        terminal.wait_for("[4 Types]", "of no known type")
        terminal.press("/")
        terminal.type("dict")
        terminal.press("Enter")
        terminal.wait_without("Search:")
        terminal.press("Enter")
        terminal.wait_for("Sizes of the", "in pymalloc blocks")
        terminal.press("Escape")
        terminal.press("t")
        terminal.wait_for("added up by module", "builtins")
        terminal.press("t")
        terminal.wait_without("added up by module")
        terminal.press("z")
        terminal.wait_for("unchanged ones hidden")
        quit_cleanly(terminal)


def maps(lab):
    with target.start_idle(lab, lab.any_interpreter()) as process, Terminal(lab) as terminal:
        watch(lab, terminal, process, "-d", "60")
        terminal.press("5")
        terminal.wait_for("[5 Maps]", "[heap]")
        terminal.press("/")
        terminal.type("[heap]")
        terminal.press("Enter")
        terminal.wait_without("Search:")
        terminal.press("Enter")
        terminal.wait_for("Whose resident pages these are", "exclusive")
        terminal.press("Escape")
        quit_cleanly(terminal)


def choose(terminal, pid):
    """Down to the process in the list, and open it."""
    for _ in range(500):
        screen = terminal.screen()
        if re.search(r"^> +%d " % pid, screen, re.M):
            terminal.press("Enter")
            return
        before = re.search(r"^> +(\d+) ", screen, re.M)
        terminal.press("j")
        terminal.wait_until(lambda now: re.search(r"^> +(\d+) ", now, re.M).group(1) !=
                            before.group(1), "the cursor stays at %s" % before.group(1))
    expect(False, "no process %d in\n%s" % (pid, terminal.screen()))


def chosen(lab):
    """Without a pid there is a list; p leads back to it, and to another process."""
    with target.start_idle(lab, lab.any_interpreter()) as first, \
            target.start_idle(lab, lab.any_interpreter()) as second, \
            Terminal(lab, rows=60) as terminal:
        terminal.run(program(lab, "-d", "60"))
        terminal.wait_for("Python process", "Command", "Enter: open")
        terminal.press("r")
        choose(terminal, first.pid)
        terminal.wait_for("pid %d" % first.pid, "Snapshot #1")
        terminal.press("p")
        terminal.wait_for("Enter: open")
        choose(terminal, second.pid)
        terminal.wait_for("pid %d" % second.pid, "Snapshot #1")
        terminal.press("p")
        terminal.wait_for("Enter: open")
        terminal.press("q")
        terminal.wait_for("pid %d" % second.pid)
        quit_cleanly(terminal)
        terminal.run(program(lab))
        terminal.wait_for("Enter: open")
        terminal.press("C-z")
        terminal.wait_for("Stopped")
        terminal.run("fg")
        terminal.wait_for("Enter: open")
        terminal.press("q")
        terminal.wait_for("code: 0", MARK)
        expect(first.is_alive() and second.is_alive(), "a target has ended")


def named(lab):
    """A name that several have leads to the list of these."""
    with target.start_idle(lab, lab.any_interpreter()), \
            target.start_idle(lab, lab.any_interpreter()), Terminal(lab) as terminal:
        terminal.run(program(lab, "-d", "60", "idle.py"))
        terminal.wait_for("called idle.py", "Enter: open")
        terminal.press("q")
        terminal.wait_for("code: 0", MARK)


def changed(lab):
    """A leak is seen in the change of its type, sorted by that."""
    with target.start(lab, lab.any_interpreter(), "grower.py").expect("ready") as process, \
            Terminal(lab) as terminal:
        watch(lab, terminal, process, "-d", "1")
        process.go_on()
        process.expect("grown")
        terminal.press("4")
        terminal.press("d")
        terminal.wait_until(lambda screen: re.search(r"^> \S+ .*\+[\d.]+[KM]$", screen, re.M),
                            "no growth is seen")
        quit_cleanly(terminal)
