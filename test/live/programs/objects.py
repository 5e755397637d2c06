"""
Known numbers of objects, one type after the other: objects.py. Before each step it says
"before TYPE", after it "after TYPE COUNT SIZE", with the sum of sys.getsizeof(); each time it
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
    ("str", lambda i: u"%010d" % i),
    ("str", lambda i: u"\u00e4%010d" % i),
    ("str", lambda i: u"\u20ac%010d" % i),
    ("str", lambda i: u"\U0001f40d%010d" % i),
    ("str", lambda i: u"%010d" % i * 100),
    ("bytes", lambda i: b"x" * (2 + i % 700)),
    ("int", lambda i: (1 << 70) + i),
    ("float", lambda i: i + 0.5),
    ("complex", lambda i: complex(i, 1)),
    ("tuple", lambda i: (i, None, None)),
    ("list", lambda i: [None] * (i % 100)),
    ("dict", lambda i: {j: None for j in range(i % 20)}),
    ("set", lambda i: set(range(i % 40))),
    ("frozenset", lambda i: frozenset(range(1 + i % 40))),
    ("bytearray", lambda i: bytearray(i % 900)),
    ("array", lambda i: array.array("d", [0.0] * (i % 90))),
    ("deque", lambda i: collections.deque(range(i % 200))),
    ("OrderedDict", lambda i: collections.OrderedDict((j, j) for j in range(i % 12))),
    ("function", function),
    ("generator", generator),
    ("Plain", Plain),
    ("Slotted", Slotted),
    ("Crowded", Crowded),
    ("Mapping", lambda i: Mapping(a=i)),
    ("Items", lambda i: Items([i])),
    ("Text", lambda i: Text("%d" % i)),
    ("Number", Number),
    ("Fraction", lambda i: fractions.Fraction(i, 7)),
    ("BytesIO", lambda i: io.BytesIO(b"x" * (i % 500))),
    ("StringIO", lambda i: io.StringIO(u"x" * (i % 50))),
    ("BufferedReader", lambda i: io.BufferedReader(raw, 16 + i % 700)),
    ("c_char_Array_100", lambda i: (ctypes.c_char * 100)()),
]
raw = io.BytesIO()


def say(*words):
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()
    sys.stdin.read(1)


def step(name, make):
    kept = [None] * COUNT
    gc.collect()
    say("before", name)
    for i in range(COUNT):
        kept[i] = make(i)
    gc.collect()
    sizes = sum(sys.getsizeof(one) for one in kept)
    say("after", name, COUNT, sizes)


def tracked():
    sums = {}
    for one in gc.get_objects():
        count, size = sums.get(type(one), (0, 0))
        sums[type(one)] = count + 1, size + sys.getsizeof(one)
    lines = ["%s.%s %d %d" % (kind.__module__, getattr(kind, "__qualname__", kind.__name__),
                              count, size)
             for kind, (count, size) in sums.items() if " " not in kind.__name__]
    sys.stdout.write("\n".join(lines) + "\n")
    say("tracked")


gc.disable()
for type_name, maker in MAKERS:
    step(type_name, maker)
kept_at_last = [Plain(i) for i in range(1000)], [Slotted(i) for i in range(1000)]
tracked()
say("done")
