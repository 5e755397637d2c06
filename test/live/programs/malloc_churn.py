"""
Eight threads that do nothing but malloc and free, without the GIL, and one for the heartbeat.

Arguments: libhold.so, libmalloc_shapes.so, and the file that the heartbeat and the threads'
counters are kept in.
"""
import ctypes
import mmap
import os
import sys
import threading
import time

THREADS = 8
COUNTERS_AT = 64


def run_in_thread(function, *arguments):
    thread = threading.Thread(target=function, args=arguments)
    thread.daemon = True
    thread.start()


def main(hold_library, library, path):
    from importlib import machinery, util
    loader = machinery.ExtensionFileLoader("hold", hold_library)
    hold = util.module_from_spec(util.spec_from_loader("hold", loader))
    loader.exec_module(hold)
    run_in_thread(hold.beat, path)
    churn = ctypes.CDLL(library).malloc_churn
    with open(path, "r+b") as file:
        shared = mmap.mmap(file.fileno(), 4096)
    counters = (ctypes.c_uint64 * THREADS).from_buffer(shared, COUNTERS_AT)
    for seed in range(THREADS):
        run_in_thread(churn, seed, ctypes.byref(counters, 8 * seed))
    time.sleep(0.5)
    os.write(1, b"ready\n")
    while True:
        time.sleep(3600)


main(*sys.argv[1:])
