"""
Services that each have one thing wrong: findings.py KIND [MIB]. Says "ready" and waits; of a leak it
leaks as much again each time it is told to go on, and says "ready" anew.

None of them frees and allocates at random: what is found does not depend on the run.
"""
import ctypes
import gc
import os
import sys
import threading

MIB = 1 << 20
kept = []

libc = ctypes.CDLL(None)
libc.malloc.argtypes, libc.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
libc.free.argtypes, libc.free.restype = [ctypes.c_void_p], None


class Session(object):
    """What a cache keeps that nobody empties."""

    def __init__(self, number):
        self.number = number
        self.token = "session-%d" % number
        self.history = [number] * 8


def python_leak(size):
    """About 400 bytes each."""
    kept.append([Session(i) for i in range(size // 400)])


def c_leak(size):
    """An extension forgets its requests of 1,500 bytes, which begin with text."""
    for _ in range(size // 1504):
        address = libc.malloc(1500)
        ctypes.memset(address, 1, 1500)
        ctypes.memmove(address, b"GET /order HTTP/1.1", 20)


def pinned(size):
    """Of many small objects a few remain, one in 2,000, all over the arenas."""
    many = [(i, i) for i in range(size // 64)]
    kept.append(many[::2000])
    del many


def peak(size):
    """Chunks too large for pymalloc and too small for mmap, of which the last is kept."""
    many = [bytearray(4000) for _ in range(size // 4048)]
    kept.append(many[-1])
    del many


def drift(size):
    """
    A block of 8 MiB that is freed raises the threshold of mmap to as much; then come blocks of
    1 MiB, and between them what lives on.
    """
    libc.free(libc.malloc(8 * MIB))
    blocks = []
    for _ in range(size // MIB):
        blocks.append(libc.malloc(MIB))
        ctypes.memset(blocks[-1], 1, MIB)
        kept.append(libc.malloc(2000))
        while kept[-1] < blocks[-1]:
            kept.append(libc.malloc(2000))
    for address in blocks:
        libc.free(address)


def fragmented(size):
    """Every other buffer of 2,000 bytes is freed: no page is free as a whole."""
    buffers = [bytearray(2000) for _ in range(size // 1008)]
    kept.append(buffers[1::2])
    del buffers


def arenas(size):
    """Sixteen threads that have had a peak each, at the same time, and wait for the next one."""
    count = 16
    meet, done, forever = threading.Barrier(count), threading.Barrier(count + 1), threading.Lock()
    forever.acquire()

    def work():
        meet.wait()
        chunks = [libc.malloc(2000) for _ in range(size // count // 2016)]
        for address in chunks:
            ctypes.memset(address, 1, 2000)
        kept.append(libc.malloc(2000))
        meet.wait()
        for address in chunks:
            libc.free(address)
        done.wait()
        forever.acquire()

    for _ in range(count):
        threading.Thread(target=work, daemon=True).start()
    done.wait()


def disabled(size):
    """No collector, and garbage that it would find."""
    gc.disable()
    for _ in range(size // 200):
        ring = []
        ring.append(ring)


def none(size):
    """Nothing that anybody has to be called for."""


def main():
    service = {"python-leak": python_leak, "c-leak": c_leak, "pinned": pinned, "peak": peak,
               "drift": drift, "fragmented": fragmented, "arenas": arenas, "disabled": disabled,
               "none": none}[sys.argv[1]]
    size = (int(sys.argv[2]) if len(sys.argv) > 2 else 100) * MIB
    while True:
        service(size)
        os.write(1, b"ready\n")
        if not os.read(0, 1):
            return


main()
