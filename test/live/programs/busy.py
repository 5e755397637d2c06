"""
Objects that nobody touches, and threads that make and drop objects of many kinds for ever.

    busy.py LIBRARY BEAT    libhold.so, and the file that its heartbeat keeps

A line for each class of those that stay, "CLASS OBJECTS SIZE LEAST": the sum of sys.getsizeof(),
and what no object of it can be smaller than. Then "ready", when the threads run.
"""
import array
import collections
import os
import random
import sys
import threading
import time

COUNT = 50000
LARGE_COUNT = 2000


class Label(str):
    pass


class Amount(float):
    pass


class Parts(list):
    pass


class Lookup(dict):
    pass


class Fixed(object):
    def __init__(self, i):
        self.label = Label("fixed %d" % i)
        self.amount = Amount(i)
        self.parts = Parts([self.amount] * (i % 9))
        self.lookup = Lookup({self.label: i})


class Slotted(object):
    __slots__ = ("first", "second")


class Blob(bytes):
    """Larger than what pymalloc takes."""


class Passing(object):
    def __init__(self, i):
        self.number = i
        self.text = "passing %d" % i


def make_class(i):
    return type("Passing%d" % (i % 100), (Passing,), {"number": i})(i)


def make_code(i):
    return eval("lambda a, b=%d: [a, b, %r]" % (i, "text %d" % i))


def make_generator(i):
    running = (one for one in [i, i + 1])
    next(running)
    return running


def make_crowd(i):
    crowd = Passing(i)
    for name in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"[:i % 36]:
        setattr(crowd, name, i)
    return crowd


def make_cycle(i):
    first, second = Passing(i), Passing(i)
    first.other, second.other = second, first
    return first


MAKERS = [
    Passing, make_class, make_code, make_generator, make_crowd, make_cycle,
    lambda i: "%d" % i * (i % 300),
    lambda i: u"\u20ac%d" % i * (i % 100),
    lambda i: b"x" * (i % 2000),
    lambda i: (1 << i % 900) + i,
    lambda i: i + 0.5,
    lambda i: (i, None),
    lambda i: [None] * (i % 200),
    lambda i: {j: None for j in range(i % 40)},
    lambda i: set(range(i % 60)),
    lambda i: bytearray(i % 1500),
    lambda i: array.array("d", [0.0] * (i % 200)),
    lambda i: collections.deque(range(i % 300)),
    lambda i: collections.OrderedDict((j, j) for j in range(i % 12)),
    lambda i: threading.Thread(target=lambda: [b"x" * (j % 600) for j in range(i % 100)]),
]


def grow_and_shrink(kept, chooser):
    """Objects whose buffers move while they live."""
    one = kept[chooser.randrange(len(kept))]
    if isinstance(one, list):
        one.extend(range(chooser.randrange(100)))
        del one[chooser.randrange(100):]
    elif isinstance(one, dict):
        one.update((i, None) for i in range(chooser.randrange(50)))
    elif isinstance(one, bytearray):
        one.extend(b"y" * chooser.randrange(600))


def work(seed):
    chooser, kept = random.Random(seed), [None] * 5000
    while True:
        i = chooser.randrange(1 << 20)
        kept[chooser.randrange(len(kept))] = chooser.choice(MAKERS)(i)
        grow_and_shrink(kept, chooser)
        if i % 20000 == 0:
            kept = [None] * 5000


def run_threads():
    """Threads that live for a moment: their stacks, and arenas of malloc, come and go."""
    while True:
        thread = MAKERS[-1](99)
        thread.start()
        thread.join()


def run_in_thread(function, *arguments):
    thread = threading.Thread(target=function, args=arguments)
    thread.daemon = True
    thread.start()


def load_hold(path):
    from importlib import machinery, util
    loader = machinery.ExtensionFileLoader("hold", path)
    hold = util.module_from_spec(util.spec_from_loader("hold", loader))
    loader.exec_module(hold)
    return hold


def tell(objects):
    kind = type(objects[0])
    os.write(1, ("%s %d %d %d\n" % (kind.__name__, len(objects), sum(map(sys.getsizeof, objects)),
                                    kind.__basicsize__)).encode())


fixed = [Fixed(i) for i in range(COUNT)]
slotted = [Slotted() for i in range(COUNT)]
blobs = [Blob(b"z" * (600 + i)) for i in range(LARGE_COUNT)]
tell(fixed)
tell([one.label for one in fixed])
tell([one.amount for one in fixed])
tell([one.parts for one in fixed])
tell([one.lookup for one in fixed])
tell(slotted)
tell(blobs)
run_in_thread(load_hold(sys.argv[1]).beat, sys.argv[2])
for seed in range(4):
    run_in_thread(work, seed)
run_in_thread(run_threads)
time.sleep(0.5)
os.write(1, b"ready\n")
while True:
    time.sleep(3600)
