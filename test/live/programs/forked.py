"""
Objects of types that C files define, and a child that has all of them and has loaded nothing of the
files again since it was forked: forked.py. Says "child PID"; both wait.
"""
import array
import collections
import os
import zlib

COUNT = 500

kept = [
    [set(range(40 + i)) for i in range(COUNT)],
    [frozenset(range(40 + i)) for i in range(COUNT)],
    [bytearray(600 + i) for i in range(COUNT)],
    [array.array("d", [0.0] * (80 + i)) for i in range(COUNT)],
    [collections.deque(range(70 + i)) for i in range(COUNT)],
    [collections.OrderedDict((j, j) for j in range(i % 12)) for i in range(COUNT)],
    [zlib.compressobj() for i in range(10)],
]
read = os.read
child = os.fork()
if child == 0:
    read(0, 1)
    os._exit(0)
os.write(1, ("child %d\n" % child).encode())
read(0, 1)
