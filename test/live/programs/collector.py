"""
What the collector says of itself, again and again until saying so changes nothing, then "done".

    collector.py CHURN KEPT FROZEN    cycles that are dropped, objects that stay; 1: frozen, and
                                      the collector disabled

Each line: enabled, three thresholds, three counts, objects of three generations (before 3.8: of all
in the first place), frozen, garbage, then collections, collected and uncollectable of each
generation, then callbacks; -1 where this version cannot say.
"""
import gc
import operator
import os
import sys


class Node(object):
    pass


def churn(passes):
    for _ in range(passes):
        first, second = Node(), Node()
        first.other, second.other = second, first


churn(int(sys.argv[1]))
gc.collect(0)
gc.collect(1)
gc.collect()
gc.garbage.append(Node())
gc.garbage.append(Node())
for _ in range(3 if hasattr(gc, "callbacks") else 0):
    gc.callbacks.append(operator.is_)
kept = [Node() for _ in range(int(sys.argv[2]))]
gc.collect()
if sys.argv[3] == "1" and hasattr(gc, "freeze"):
    gc.freeze()
gc.set_threshold(100000, 7, 5)
more = [[] for _ in range(300)]
gc.collect(0)
younger = [[] for _ in range(200)]
gc.collect(1)
young = [[] for _ in range(150)]
if sys.argv[3] == "1":
    gc.disable()

# In plain statements, for a function has a frame that the collector may know of; and what the wait
# at the end needs is there before the last count.
nothing = os.open(os.devnull, os.O_RDONLY)
line, last, rounds, out = None, None, 0, [-1] * 22
while line is None or line != last or rounds < 20:
    last, rounds = line, rounds + 1
    out[0] = int(gc.isenabled())
    out[1], out[2], out[3] = gc.get_threshold()
    if sys.version_info >= (3, 8):
        out[7] = len(gc.get_objects(generation=0))
        out[8] = len(gc.get_objects(generation=1))
        out[9] = len(gc.get_objects(generation=2))
    else:
        out[7] = len(gc.get_objects())
    if hasattr(gc, "freeze"):
        out[10] = gc.get_freeze_count()
    out[11] = len(gc.garbage)
    if hasattr(gc, "get_stats"):
        position = 12
        for row in gc.get_stats():
            out[position] = row["collections"]
            out[position + 1] = row["collected"]
            out[position + 2] = row["uncollectable"]
            position += 3
        row = None
    out[21] = len(gc.callbacks) if hasattr(gc, "callbacks") else -1
    out[4], out[5], out[6] = gc.get_count()
    line = (" ".join(map(str, out)) + "\n").encode()
    os.read(nothing, 1)
    os.write(1, line)
os.write(1, b"done\n")
os.read(0, 1)
