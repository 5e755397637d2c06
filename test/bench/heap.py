"""A target: a heap of small objects that holds still, or threads that do not.

    heap.py MIB THREADS (wait|mix|busy|native|beat)

Prints "ready", then
    wait    every thread waits
    mix     the same, and the heap has objects of many types, 200 bytes large on average
    busy    every thread allocates and frees, one at a time (the GIL)
    native  every thread runs in a C extension, all at the same time
    beat    the main thread looks at the clock all the time, the others wait; a gap that is longer
            than GAP_NS is written to stdout as two native 64-bit numbers: begin and end, in ns
          of CLOCK_MONOTONIC

Runs on CPython 2.7 and later; beat wants 3.7.
"""
import os
import struct
import sys
import threading
import time
import zlib

GAP_NS = 100 * 1000
SIZES = [8, 24, 40, 56, 72, 104, 136, 168, 200, 232, 264, 328, 392, 456]
RECORD_BYTES = 3400  # of what record() makes
OVERHEAD = 40  # a bytes object without its bytes, rounded to what the allocator hands out


def fill(mib):
    a_round = sum(SIZES) + OVERHEAD * len(SIZES)
    texts = [b"." * size for size in SIZES]
    return [[text + b"!" for text in texts] for _ in range((mib << 20) // a_round)]


class Order:
    def __init__(self, number, items):
        self.number = number
        self.items = items
        self.customer = None


def record(i):
    """17 objects: a dict, list, tuple, instance, 8 of str, 5 of int. Some tables are malloc's."""
    texts = ["%d " % (i + j) + "x" * (72 * j) for j in range(7)]
    numbers = [1000 + 8 * i + j for j in range(4)]
    rows = dict(zip(texts, numbers + numbers))
    rows["rest"] = texts[: i % 7] * (1 + i % 50)
    order = Order(i, (numbers[0], texts[0], rows))
    order.customer = str(i)
    return order


def fill_mixed(mib):
    return [record(i) for i in range((mib << 20) // RECORD_BYTES)]


def wait():
    while True:
        time.sleep(3600)


def churn():
    kept = [None] * 1000
    i = 0
    while True:
        kept[i % 1000] = "x" * (i % 500) + str(i)
        i += 7


def compute():
    text = b"." * (1 << 20)
    while True:
        zlib.crc32(text)


def beat():
    now = time.monotonic_ns
    before = now()
    while True:
        after = now()
        if after - before > GAP_NS:
            os.write(1, struct.pack("qq", before, after))
            after = now()
        before = after


def start(function, count):
    for _ in range(count):
        thread = threading.Thread(target=function)
        thread.daemon = True
        thread.start()


MODES = {
    "wait": (wait, wait),
    "mix": (wait, wait),
    "busy": (churn, churn),
    "native": (compute, compute),
    "beat": (beat, wait),
}


def main():
    mib, threads, mode = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    main_thread, others = MODES[mode]
    heap = fill_mixed(mib) if mode == "mix" else fill(mib)
    start(others, threads - 1)
    os.write(1, b"ready\n")
    main_thread()
    return heap


if __name__ == "__main__":
    main()
