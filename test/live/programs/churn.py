"""
Allocates and frees blocks of every size in four threads, whole arenas among them, for ever.

The first argument is libhold.so, the second the file that its heartbeat keeps; the third is
"threads", "interpreters" for threads that do not share a GIL, or "spawning" for threads that
live for a moment.

A byte on stdin makes it rest where no thread of "threads" is within an allocation, until the next
byte: the interpreter's own statistics are then in the heartbeat's file with ".figures" behind.
"""
import os
import sys
import threading
import time

CHURN = '''
import random

def churn(seed):
    chooser = random.Random(seed)
    keep = [None] * 30000
    while True:
        for _ in range(20000):
            size = chooser.randrange(700)
            keep[size * 42 + chooser.randrange(42)] = b"x" * size if size % 3 else (size, {})
        if chooser.random() < 0.3:
            keep = [None] * 30000
'''
exec(CHURN)


def churn_in_new_interpreter(seed):
    try:
        import _interpreters as interpreters
        sub = interpreters.create("isolated")
    except ImportError:
        import _xxsubinterpreters as interpreters
        sub = interpreters.create(isolated=True)
    interpreters.run_string(sub, CHURN + "churn(%d)" % seed)


def spawn(seed):
    while True:
        thread = threading.Thread(target=lambda: [b"x" * (i % 500) for i in range(500)])
        thread.start()
        thread.join()


WORK = {"threads": churn, "interpreters": churn_in_new_interpreter, "spawning": spawn}


def run_in_thread(function, *arguments):
    thread = threading.Thread(target=function, args=arguments)
    thread.daemon = True
    thread.start()


def main(library, beat, kind):
    from importlib import machinery, util
    loader = machinery.ExtensionFileLoader("hold", library)
    hold = util.module_from_spec(util.spec_from_loader("hold", loader))
    loader.exec_module(hold)
    run_in_thread(hold.beat, beat)
    for seed in range(4):
        run_in_thread(WORK[kind], seed)
    time.sleep(0.5)
    os.write(1, b"ready\n")
    while os.read(0, 1):
        hold.pause(beat + ".figures", "churn")


main(*sys.argv[1:])
