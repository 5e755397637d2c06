"""Targets whose heap has a shape (programs/malloc.py), and the words that they obey."""
import os
from collections import namedtuple

import glibc_truth
import procfs
import target
from check import Skipped, equal

# Chunks that a tcache bin holds, unless it is told otherwise.
TCACHE_COUNT, TCACHE_COUNT_2_43 = 7, 16

Known = namedtuple("Known", "tid chunks bytes")


def tcache_count(interpreter):
    return TCACHE_COUNT_2_43 if interpreter.glibc >= (2, 43) else TCACHE_COUNT


def has_fastbins(interpreter):
    return interpreter.glibc < (2, 43)


def one_of_each_glibc(lab):
    """An interpreter for each version of glibc: the newest that is not for debugging."""
    chosen = {}
    for interpreter in lab.interpreters:
        if not interpreter.debug_build and not interpreter.name.startswith("pyenv"):
            chosen[interpreter.glibc] = interpreter
    return [chosen[version] for version in sorted(chosen)]


def plan(shape, bytes_=0, tcache=-1, large_bins=False, end="sleep"):
    """A line for programs/malloc.py. `tcache` says how much a bin may hold; -1 leaves it alone."""
    return "%s %d %d %d %s" % (shape, bytes_, tcache, large_bins, end)


class Held:
    """A target that holds still, with what it has told of itself."""

    def __init__(self, process, figures):
        self.process = process
        self.pid = process.pid
        self.figures = figures
        self.known = []
        self.mmapped = []
        self.wait_until_held()

    def wait_until_held(self):
        while True:
            word, *values = self.process.line().split()
            if word == "thread":
                self.known.append(Known(*[int(value) for value in values]))
            elif word == "mmapped":
                self.mmapped.append(int(values[0], 16))
            else:
                equal("its last word", word, "holding")
                break
        self.settle()

    def settle(self):
        """Until the main thread waits in read(2). Those that spin never do."""
        procfs.wait_until(lambda: procfs.status(self.pid, "State") == "S", "it does not wait")

    def ask(self, words):
        """Its answer, without the word that it repeats."""
        os.write(self.process.child.stdin.fileno(), words.encode() + b"\n")
        word, *answer = self.process.line().split()
        equal("its answer", word, words.split()[0])
        self.settle()
        return answer

    def truth(self):
        self.ask("info")
        return self.read_figures()

    def read_figures(self):
        with open(self.figures) as file:
            return glibc_truth.parse(file.read())


class HeldTarget:
    """A `with` block's Held."""

    def __init__(self, lab, interpreter, plans, **variables):
        folder = lab.stage(interpreter.root)
        self.figures = os.path.join(folder, "malloc-figures")
        inside = interpreter.inside(folder)
        self.process = target.start(lab, interpreter, "malloc.py",
                                    inside + "/libmalloc_shapes.so",
                                    interpreter.inside(self.figures), *plans, **variables)

    def __enter__(self):
        self.process.__enter__()
        try:
            return Held(self.process, self.figures)
        except BaseException:
            self.process.__exit__()
            raise

    def __exit__(self, *unused):
        self.process.__exit__()


def needs_glibc(interpreter, since):
    if interpreter.glibc < since:
        raise Skipped("glibc %s" % ".".join(str(part) for part in interpreter.glibc))
