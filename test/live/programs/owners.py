"""
Memory that Python owns and memory that it does not, one kind after the other: owners.py. Before
each step it says "before KIND", after it "after KIND COUNT BYTES"; each time it waits.
"""
import ctypes
import sys

MIB = 1 << 20
held = []


def say(*words):
    print(*words)
    sys.stdout.flush()
    sys.stdin.read(1)


def leak():
    """What a C extension forgets: 200 MiB in requests of 4,000 bytes, which begin with text."""
    malloc = ctypes.CDLL(None).malloc
    malloc.argtypes, malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
    count = 200 * MIB // 4016
    say("before", "leak")
    for i in range(count):
        ctypes.memmove(ctypes.memset(malloc(4000), 1, 4000), b"leaked by libshop", 17)
    say("after", "leak", count, count * 4016)


def lists():
    """200 MiB in lists that malloc serves from its arenas."""
    count = 200 * MIB // 80016
    kept = [None] * count
    say("before", "lists")
    for i in range(count):
        kept[i] = [None] * 10000
    say("after", "lists", count, count * 80016)
    held.append(kept)


def large_lists():
    """Of ten million items: malloc takes each from mmap."""
    kept = [None] * 3
    say("before", "large-lists")
    for i in range(3):
        kept[i] = [None] * 10000000
    say("after", "large-lists", 3, 3 * (80000000 + 4096) // 4096 * 4096)
    held.append(kept)


def interned():
    kept = [None] * 50000
    size = 0
    say("before", "interned")
    for i in range(len(kept)):
        kept[i] = sys.intern("interned string %d" % i)
    say("after", "interned", len(kept), sum(sys.getsizeof(one) for one in kept))
    held.append(kept)


def large():
    """One of each kind, larger than all others, with something at the front."""
    held.append([b"\x00\x1b[31m" + b"y" * (100 * MIB), u"caf\u00e9 " + u"z" * (90 * MIB)])
    say("after", "large", 2, sys.getsizeof(held[-1][0]) + sys.getsizeof(held[-1][1]))


leak()
lists()
large_lists()
interned()
large()
say("done")
