"""Signals that come while the target is stopped reach it all the same, each of them."""
import os
import signal
import threading
import time

import target
import tool
from check import expect

SIGNALS = 2000
PAUSE_SECONDS = 0.0003


def tests(lab):
    for mode in ("brief", "full"):
        yield "signals/--stop=" + mode, check_signals, (mode,)


def send(pid):
    """Real-time signals are queued: the kernel keeps count of them."""
    for _ in range(SIGNALS):
        os.kill(pid, signal.SIGRTMIN)
        time.sleep(PAUSE_SECONDS)


def check_signals(lab, mode):
    interpreter = lab.any_interpreter()
    reports = 0
    with target.start(lab, interpreter, "signals.py", str(SIGNALS)) as process:
        pid = process.expect("ready").pid
        sender = threading.Thread(target=send, args=(pid,))
        sender.start()
        while sender.is_alive():
            tool.report(lab, pid, "--stop=" + mode)
            reports += 1
        sender.join()
        process.expect("all")
    expect(reports > 5, "only %d reports meanwhile" % reports)
    return "%d reports" % reports
