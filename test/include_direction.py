#!/usr/bin/env python3
"""Data flows one way: a stage includes earlier ones, never the other way round.

Reads every #include below include/, lib/ and cmd/ and prints each breach; exit 1 if there is one.
With --self-test it checks that it would see the breaches it is there for.
"""
import re
import sys
from pathlib import Path

STAGES = ["base", "target", "layout", "snapshot", "walk", "model", "view", "tui"]

# The public header of each stage; base has two.
PUBLIC = {"error": "base", "progress": "base"} | {stage: stage for stage in STAGES[1:]}

# What a stage must not reach for, whoever offers it.
FORBIDDEN = {
    "walk": {"fcntl.h", "stdio.h", "sys/ptrace.h", "unistd.h"},
    "model": {"fcntl.h", "sys/ptrace.h", "unistd.h"},
    "view": {"fcntl.h", "sys/ptrace.h", "unistd.h"},
}

# Headers that the build makes.
GENERATED = {"commit.h": "cmd"}

# What one file alone may know, so that everything else can be tested without it.
ALONE = {"ncurses.h": "lib/tui/term_curses.c", "curses.h": "lib/tui/term_curses.c"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
# _exit ends the tracing helper, which is a process of its own.
ENDS_PROGRAM = re.compile(r"(?<![\w_])(?:exit|abort|quick_exit)\s*\(")


def stage_of(path):
    """The stage a file belongs to; "cmd" comes after all of them."""
    parts = path.parts
    if parts[0] == "include":
        return PUBLIC[path.stem]
    return parts[1] if parts[0] == "lib" else "cmd"


def rank(stage):
    return len(STAGES) if stage == "cmd" else STAGES.index(stage)


def included_stage(name):
    first, _, rest = name.partition("/")
    if name in GENERATED:
        return GENERATED[name]
    if first == "pyheaptop":
        return PUBLIC[Path(rest).stem]
    return first if first in STAGES or first == "cmd" else None


def breaches(path, text):
    stage = stage_of(path)
    for number, line in enumerate(text.splitlines(), 1):
        found = INCLUDE.match(line)
        if found is None:
            if stage != "cmd" and ENDS_PROGRAM.search(line):
                yield f"{path}:{number}: only cmd ends the program"
            continue
        kind, name = found.groups()
        if kind == "<":
            if name in FORBIDDEN.get(stage, ()):
                yield f"{path}:{number}: {stage} must not include <{name}>"
            if name in ALONE and str(path) != ALONE[name]:
                yield f"{path}:{number}: only {ALONE[name]} may include <{name}>"
            continue
        other = included_stage(name)
        if other is None:
            yield f"{path}:{number}: '{name}' belongs to no stage"
        elif rank(other) > rank(stage):
            yield f"{path}:{number}: {stage} includes {other}, which comes later"
        elif path.parts[0] == "include" and not name.startswith("pyheaptop/"):
            yield f"{path}:{number}: a public header includes a private one"


def self_test():
    walker = Path("lib/walk/x.c")
    header = Path("include/pyheaptop/walk.h")
    bad = [
        (walker, '#include "model/report.h"'),
        (walker, '#include "pyheaptop/view.h"'),
        (walker, '#include "cmd/options.h"'),
        (walker, "#include <fcntl.h>"),
        (walker, "    exit(1);"),
        (walker, '#include "elsewhere.h"'),
        (header, '#include "base/vec.h"'),
        (Path("lib/tui/app.c"), "#include <ncurses.h>"),
    ]
    good = [
        (walker, '#include "base/vec.h"'),
        (walker, '#include "pyheaptop/snapshot.h"'),
        (walker, "#include <string.h>"),
        (Path("cmd/main.c"), "    exit(1);"),
        (Path("lib/tui/term_curses.c"), "#include <ncurses.h>"),
        (Path("lib/target/tracer.c"), "    _exit(0);"),
    ]
    return all(list(breaches(*case)) for case in bad) and not any(
        list(breaches(*case)) for case in good
    )


def main():
    if "--self-test" in sys.argv:
        return 0 if self_test() else 1
    root = Path(__file__).resolve().parent.parent
    found = []
    for folder in ("include", "lib", "cmd"):
        for path in sorted((root / folder).rglob("*.[ch]")):
            found += breaches(path.relative_to(root), path.read_text())
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
