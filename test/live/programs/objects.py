"""
Known numbers of objects, one type after the other: objects.py. Before each step it says
"before", after it "after TYPE COUNT SIZE", with the sum of sys.getsizeof(); each time it
waits. At last "tracked" with what the collector knows: "TYPE COUNT SIZE" in a line each.
"""
import array
import collections
import ctypes
import fractions
import gc
import io
import sys

COUNT = 20000


class Plain(object):
    def __init__(self, i):
        self.number = i
        self.text = None


class Slotted(object):
    __slots__ = ("first", "second", "third")

    def __init__(self, i):
        self.first = i


class Crowded(object):
    """More attributes than fit where a class keeps them at first."""

    def __init__(self, i):
        for name in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ":
            setattr(self, name, i)


class Mapping(dict):
    pass


class Items(list):
    pass


class Text(type(u"")):
    pass


class Number(int):
    pass


def function(i):
    def inner():
        return i
    return inner


def generator(i):
    yield i


MAKERS = [
    lambda i: u"%010d" % i,
    lambda i: u"\u00e4%010d" % i,
    lambda i: u"\u20ac%010d" % i,
    lambda i: u"\U0001f40d%010d" % i,
    lambda i: u"%010d" % i * 100,
    lambda i: b"x" * (2 + i % 700),
    lambda i: (1 << 70) + i,
    lambda i: 100000 + i,
    lambda i: i + 0.5,
    lambda i: complex(i, 1),
    lambda i: (i, None, None),
    lambda i: [None] * (i % 100),
    lambda i: {j: None for j in range(i % 20)},
    lambda i: set(range(i % 40)),
    lambda i: frozenset(range(1 + i % 40)),
    lambda i: bytearray(i % 900),
    lambda i: array.array("d", [0.0] * (i % 90)),
    lambda i: collections.deque(range(i % 200)),
    lambda i: collections.OrderedDict((j, j) for j in range(i % 12)),
    function,
    generator,
    Plain,
    Slotted,
    Crowded,
    lambda i: Mapping(a=i),
    lambda i: Items([i]),
    lambda i: Text("%d" % i),
    Number,
    lambda i: fractions.Fraction(i, 7),
    lambda i: io.BytesIO(b"x" * (i % 500)),
    lambda i: io.StringIO(u"x" * (i % 50)),
    lambda i: io.BufferedReader(raw, 16 + i % 700),
    lambda i: (ctypes.c_char * 100)(),
]
raw = io.BytesIO()


def say(*words):
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()
    sys.stdin.read(1)


def step(make):
    kept = [None] * COUNT
    gc.collect()
    say("before")
    for i in range(COUNT):
        kept[i] = make(i)
    gc.collect()
    sizes = sum(sys.getsizeof(one) for one in kept)
    say("after", type(kept[0]).__name__, COUNT, sizes)


def tracked():
    sums = {}
    for one in gc.get_objects():
        count, size = sums.get(type(one), (0, 0))
        sums[type(one)] = count + 1, size + sys.getsizeof(one)
    return ["%s.%s %d %d" % (kind.__module__, getattr(kind, "__qualname__", kind.__name__),
                             count, size)
            for kind, (count, size) in sums.items() if " " not in kind.__name__]


gc.disable()
for maker in MAKERS:
    step(maker)
kept_at_last = [Plain(i) for i in range(1000)], [Slotted(i) for i in range(1000)]
tracked() # 2.7 makes a static type ready, with its methods, when it is first asked for its name.
sys.stdout.write("\n".join(tracked()) + "\n")
say("tracked")
say("done")
