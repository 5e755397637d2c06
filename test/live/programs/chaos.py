"""
Lets threads start and end, maps and unmaps memory, makes and drops objects, for ever, and counts in
a file: chaos.py FILE. SIGUSR1: it becomes this program anew, with the same pid. SIGUSR2: it forks a
child, which works for a moment. Says "ready" whenever it begins.
"""
import mmap
import os
import signal
import struct
import sys
import threading
import time


def work_for_a_moment():
    kept = []
    for i in range(300):
        kept.append([b"x" * (i * 7 % 900), {i: str(i)}])


def spawn():
    while True:
        thread = threading.Thread(target=work_for_a_moment)
        thread.start()
        thread.join()


def map_and_unmap():
    kept = []
    while True:
        region = mmap.mmap(-1, 1 << 20)
        for at in range(0, 1 << 20, 1 << 16):
            region[at] = 1
        kept.append(region)
        if len(kept) > 8:
            kept.pop(0).close()
        time.sleep(0.001)


def begin_anew(number, frame):
    os.execv(sys.executable, [sys.executable] + sys.argv)


def fork_child(number, frame):
    if os.fork() == 0:
        work_for_a_moment()
        os._exit(0)


def count(path):
    with open(path, "r+b") as file:
        beats = mmap.mmap(file.fileno(), 4096)
    while True:
        struct.pack_into("<Q", beats, 0, struct.unpack_from("<Q", beats, 0)[0] + 1)
        time.sleep(0.001)


def main():
    # Children are not waited for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGUSR1, begin_anew)
    signal.signal(signal.SIGUSR2, fork_child)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for function, arguments in ((spawn, ()), (spawn, ()), (map_and_unmap, ()),
                                (count, (sys.argv[1],))):
        thread = threading.Thread(target=function, args=arguments)
        thread.daemon = True
        thread.start()
    os.write(1, b"ready\n")
    # A signal may come to another thread, and its handler waits for this one.
    while True:
        time.sleep(0.01)


main()
