"""
Allocates blocks of known sizes, and later gives half of them back, holding still in between.

On stdout: the sizes, then "empty", "full" and "half" when it holds. A byte on stdin goes on.
"""
import os
import sys

COUNT = 50000
LENGTHS = [0, 30, 100, 250, 440]

# Every name and number that the loops use exists before the first count.
keeps = [[None] * COUNT for _ in LENGTHS]
numbers = list(range(COUNT))


def hold(word):
    os.write(1, word)
    os.read(0, 1)


def fill():
    for keep, length in zip(keeps, LENGTHS):
        text = b"x" * (length + 1)
        for number in numbers:
            keep[number] = text[1:] if length else object()


def halve():
    for keep in keeps:
        for number in numbers[::2]:
            keep[number] = None


sizes = [sys.getsizeof(b"x" * length) if length else sys.getsizeof(object()) for length in LENGTHS]
os.write(1, (" ".join(str(size) for size in sizes) + " %d\n" % COUNT).encode())
fill()
halve()
for keep in keeps:
    keep[:] = [None] * COUNT
hold(b"empty\n")
fill()
hold(b"full\n")
halve()
hold(b"half\n")
