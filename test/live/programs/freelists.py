"""Fills free lists of several types, lets the interpreter tell what it keeps, and waits."""
import os
import sys

# 2.7 cannot compile this, and 3.6 has no contexts.
LATER = """
async def generate():
    yield 1

def fill_later():
    try:
        generate().asend(None).send(None)
    except StopIteration:
        pass
    try:
        import contextvars
        [contextvars.copy_context() for i in range(9)]
    except ImportError:
        pass
"""

# Made before: 3.6 would take a tuple out of a free list for the arguments of each call.
DONE, WAIT = (1, b"done\n"), (0, 1)


class Keeper(object):
    def method(self):
        pass


def fill():
    kept = [[i] for i in range(70)], [{i: i} for i in range(60)], [i + 0.5 for i in range(90)]
    tuples = [tuple(range(i % 22, 22)) for i in range(400)]
    sets = [set([i]) for i in range(30)]
    methods, functions = [Keeper().method for i in range(50)], [[].append for i in range(40)]
    texts = [b"%d" % i for i in range(500)]
    slices = [slice(i) for i in range(3)]
    texts = [text.decode("ascii") for text in texts]
    return [len(one) for one in (kept, tuples, sets, methods, functions, texts, slices)]


fill()
if sys.version_info >= (3, 6):
    exec(LATER)
    fill_later()
os.dup2(1, 2)
if hasattr(sys, "_debugmallocstats"):
    sys._debugmallocstats()
os.write(*DONE)
os.read(*WAIT)
