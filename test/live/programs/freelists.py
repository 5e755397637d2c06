"""Fills free lists of several types, lets the interpreter tell what it keeps, and waits."""
import os
import sys


def fill():
    kept = [[i] for i in range(70)], [{i: i} for i in range(60)], [i + 0.5 for i in range(90)]
    tuples = [tuple(range(i % 22, 22)) for i in range(400)]
    return len(kept), len(tuples)


fill()
os.dup2(1, 2)
sys._debugmallocstats()
os.write(1, b"done\n")
os.read(0, 1)
