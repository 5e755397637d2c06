"""Signals that come while the target is stopped reach it all the same, each of them."""
import os
import signal
import threading
import time

import target
import tool
from check import expect

SIGNALS, REPORTS = 2000, 20
PAUSE_SECONDS = 0.0003


def tests(lab):
    for mode in ("brief", "full"):
        yield "signals/--stop=" + mode, check_signals, (mode,)


def send(pid, report_done):
    """
    Real-time signals are queued: the kernel keeps count of them. A machine that is slow with the
    reports has them wait, so that each of REPORTS has its share.
    """
    for number in range(SIGNALS):
        if number % (SIGNALS // REPORTS) == 0:
            report_done.acquire(timeout=tool.PATIENCE_SECONDS)
        os.kill(pid, signal.SIGRTMIN)
        time.sleep(PAUSE_SECONDS)


def check_signals(lab, mode):
    interpreter = lab.any_interpreter()
    reports, report_done = 0, threading.Semaphore(1)
    with target.start(lab, interpreter, "signals.py", str(SIGNALS)) as process:
        pid = process.expect("ready").pid
        sender = threading.Thread(target=send, args=(pid, report_done))
        sender.start()
        while sender.is_alive():
            tool.report(lab, pid, "--stop=" + mode)
            reports += 1
            report_done.release()
        sender.join()
        process.expect("all")
    expect(reports >= REPORTS - 1, "only %d reports meanwhile" % reports)
    return "%d reports" % reports
