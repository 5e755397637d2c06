"""A target: a heap of so many MiB, and threads of load.c beside it.

    latency.py MIB THREADS LIBRARY FILE

Prints "ready" when they run.
"""
import ctypes
import os
import sys
import time

import heap


def main():
    mib, threads, library, path = sys.argv[1:]
    kept = heap.fill(int(mib))
    if ctypes.CDLL(library).load_start(path.encode(), int(threads)) != 0:
        sys.exit("no threads")
    os.write(1, b"ready\n")
    while kept:
        time.sleep(3600)


main()
