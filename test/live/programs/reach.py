"""
All that can be reached, before and after objects of many kinds were made: reach.py. For each state
"~ADDRESS COUNT SIZE NAME" of each type, with the sum of sys.getsizeof(), then "holding"; it waits.

Reached is what the collector knows and, from there on, what objects refer to. The sums are made
again and again until making them changes nothing.
"""
import array
import collections
import datetime
import functools
import gc
import io
import itertools
import operator
import os
import sys
import threading
import types
import warnings
import weakref

COUNT = 300
CLASSES = 40
# A tuple of nothing that the collector knows is dropped from its lists, and then a tuple of those.
ROUNDS = 10


class Plain(object):
    def __init__(self, i):
        self.number = i
        self.text = "plain %d" % i

    def method(self):
        return self


class Slotted(object):
    __slots__ = ("first", "second")

    def __init__(self, i):
        self.first = i + 0.25


class Crowded(object):
    def __init__(self, i):
        for name in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"[:i % 36]:
            setattr(self, name, i)


class Mapping(dict):
    pass


class Items(list):
    pass


class Text(type(u"")):
    pass


Pair = collections.namedtuple("Pair", "left right")


def function(i):
    def inner(j=(i, 1000 + i)):
        return i
    return inner


def generator(i):
    yield [i]
    yield i


def make_generator(i):
    running = generator(i)
    next(running)
    return running


def make_cycle(i):
    first, second = Plain(i), [Plain(i)]
    first.other = second
    second.append(first)
    return first


def make_weak(i):
    one = Plain(i)
    return one, weakref.ref(one), weakref.ref(one, function(i))


MAKERS = [
    Plain, Slotted, Crowded, function, generator, make_generator, make_cycle, make_weak,
    lambda i: Mapping(a=i, b=[i]),
    lambda i: Items([i] * (i % 30)),
    lambda i: Text("%d" % i),
    lambda i: Pair(i + 0.5, "%d" % i),
    lambda i: u"%010d" % i,
    lambda i: u"\u00e4%010d" % i,
    lambda i: u"\u20ac%010d" % i * (i % 70),
    lambda i: u"\U0001f40d%d" % i,
    lambda i: b"x" * (2 + i * 3),
    lambda i: (1 << i) + (1 << 70),
    lambda i: 100000 + i,
    lambda i: complex(i, 1),
    lambda i: (i, None, (i, [])),
    lambda i: [None] * i,
    lambda i: {j: str(j) * 9 for j in range(i % 40)},
    lambda i: {"%d" % j: j for j in range(i % 7)},
    lambda i: set(range(i % 60)),
    lambda i: frozenset(range(1 + i % 40)),
    lambda i: bytearray(i * 3),
    lambda i: array.array("d", [0.0] * (i % 90)),
    lambda i: collections.deque(range(i)),
    lambda i: collections.defaultdict(list, {i: [i]}),
    lambda i: functools.partial(function, i + 1000, key=i),
    lambda i: Plain(i).method,
    lambda i: [i].append,
    lambda i: slice(i + 1000, None, i),
    lambda i: property(function(i)),
    lambda i: (staticmethod(function(i)), classmethod(function(i))),
    lambda i: (iter([i]), iter((i,)), iter({i: i}), iter({i}), reversed([i]), enumerate([i])),
    lambda i: (zip([i], [i]), map(function, [i]), {i: i}.items()),
    lambda i: (itertools.count(i), itertools.chain([i], [i]), itertools.cycle([i])),
    lambda i: operator.itemgetter(i + 1000, i),
    lambda i: memoryview(bytearray(i)),
    lambda i: ValueError("value %d" % i),
    lambda i: types.ModuleType(str("module%d" % i)),
    lambda i: (datetime.date(2000, 1, 1 + i % 28), datetime.timedelta(i)),
    lambda i: threading.Lock(),
    lambda i: super(Mapping, Mapping(a=i)),
    lambda i: object(),
]


def build():
    """The names of the classes are kept with them: a class does not show its own."""
    names = [str("Made%d") % i for i in range(CLASSES)]
    classes = [type(name, (Plain,), {"made": [name]}) for name in names]
    return ([[make(i) for i in range(COUNT)] for make in MAKERS], names, classes,
            [kind(i) for i, kind in enumerate(classes)])


gc.disable()
wait = io.FileIO(0).readinto
byte = bytearray(1)
# What is shared by all that is made is there, and reached, before: constants that only code knows,
# and objects that are part of the interpreter's file or state.
first = build(), list(range(-5, 1025)), [chr(i) for i in range(256)], u"".encode("ascii")
kept = None
warnings.simplefilter("ignore")

# In plain statements, for a function has a frame that the collector may know of; and what is used
# in them is never counted, and gone when it waits.
objects = pending = seen = counts = sizes = one = kind = line = last = None
state = 0
while state < 2:
    if state == 1:
        kept = build()
    last, rounds = None, 0
    while rounds < ROUNDS or line != last:
        last, rounds = line, rounds + 1
        # In each round, for a variable that has a lazy import, when read, imports it: 3.15.
        gc.collect()
        objects = gc.get_objects()
        # Not as they are: an int of a type's address, freed and used for two pointers, looks like
        # an instance of the type.
        pending, seen, counts, sizes = [], set(), {}, {}
        seen.update(~id(one) for one in (objects, pending, seen, counts, sizes, line, last))
        pending.extend(objects)
        objects = None
        while pending:
            one = pending.pop()
            if ~id(one) in seen:
                continue
            seen.add(~id(one))
            pending.extend(gc.get_referents(one))
            counts[type(one)] = counts.get(type(one), 0) + 1
            sizes[type(one)] = sizes.get(type(one), 0) + sys.getsizeof(one)
            # From 3.15 on a bytearray has a bytes object, which it shows to nobody.
            if sys.version_info >= (3, 15) and type(one) is bytearray and len(one):
                counts[bytes] = counts.get(bytes, 0) + 1
                sizes[bytes] = (sizes.get(bytes, 0) + sys.getsizeof(one) -
                                bytearray.__basicsize__)
        one = pending = seen = None
        line = ""
        for kind in counts:
            line += "%d %d %d %s.%s\n" % (~id(kind), counts[kind], sizes[kind], kind.__module__,
                                           kind.__name__)
        # From 3.14 on, ints that wait for their next use keep their values: not addresses of types.
        counts = list(range(1 << 20, (1 << 20) + 1000))
        counts = sizes = kind = None
        # Names that were looked up once may live in there only, until others take their places.
        sys._clear_type_cache()
    os.write(1, line.encode())
    os.write(1, b"holding\n")
    line = last = None
    state += 1
    wait(byte)
