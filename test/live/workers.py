"""Several tests at once, each worker in a lab of its own."""
import multiprocessing
import os
import queue
import signal

LOOK_SECONDS = 1


def work(lab, tests, run_one, wanted, done):
    own = lab.twin()
    try:
        for number in iter(wanted.get, None):
            done.put((number, run_one(own, tests[number])))
    finally:
        own.close()


def next_outcome(done, processes):
    while True:
        try:
            return done.get(timeout=LOOK_SECONDS)
        except queue.Empty:
            if any(process.exitcode not in (None, 0) for process in processes):
                raise RuntimeError("a worker of the tests died") from None


def in_order(count, done, processes):
    early = {}
    for number in range(count):
        while number not in early:
            found, outcome = next_outcome(done, processes)
            early[found] = outcome
        yield early.pop(number)


def run(lab, tests, jobs, run_one):
    """Yields what run_one() says of each test, in their order."""
    # What the tests are made of is not for sending: the workers inherit it.
    context = multiprocessing.get_context("fork")
    wanted, done = context.Queue(), context.Queue()
    for number in [*range(len(tests)), *[None] * jobs]:
        wanted.put(number)
    processes = [context.Process(target=work, args=(lab, tests, run_one, wanted, done))
                 for _ in range(min(jobs, len(tests)))]
    for process in processes:
        process.start()
    try:
        yield from in_order(len(tests), done, processes)
    except BaseException:
        for process in processes:
            if process.is_alive():
                os.kill(process.pid, signal.SIGINT)
        raise
    finally:
        for process in processes:
            process.join()
