"""Arrays of numpy, known ones: says "before", then "after COUNT SIZE", and waits each time."""
import sys

import numpy

held = [None] * 5000


def say(*words):
    print(*words)
    sys.stdout.flush()
    sys.stdin.read(1)


say("before")
for i in range(0, len(held), 2):
    held[i] = numpy.ones((i, 3), dtype="int32" if i % 4 else "float64")
    held[i + 1] = held[i][1:]
say("after", len(held), sum(sys.getsizeof(one) for one in held))
