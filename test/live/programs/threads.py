"""
Threads that wait, and say that they are there when they are asked to.

    threads.py COUNT

"ready" when all of them run; for each byte of input, "all" when each thread has answered.
"""
import os
import sys
import threading

threading.stack_size(64 << 10)
count = int(sys.argv[1])
turn = threading.Condition()
rounds = 0
answers = threading.Semaphore(0)


def wait():
    seen = 0
    while True:
        answers.release()
        with turn:
            while rounds == seen:
                turn.wait()
            seen = rounds


for _ in range(count):
    thread = threading.Thread(target=wait)
    thread.daemon = True
    thread.start()
for _ in range(count):
    answers.acquire()
os.write(1, b"ready\n")
while os.read(0, 1):
    with turn:
        rounds += 1
        turn.notify_all()
    for _ in range(count):
        answers.acquire()
    os.write(1, b"all\n")
os._exit(0)
