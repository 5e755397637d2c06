"""
A target that is killed, becomes another program, forks, is stopped and goes on at random moments
while a report is made of it, and all the time lets threads start and end, maps and unmaps. Each
report ends, and its sums are right, or it says what became of the target; which runs on if it was
not killed.
"""
import collections
import random
import signal
import subprocess
import time

import heartbeat
import ledger
import procfs
import stats
import target
import tool
from check import Failed, equal, expect

ROUNDS, ROUNDS_LONG = 60, 2000
SECONDS_MAX = 60
SETTLE_SECONDS = 10

# What the program may say of a target that ended or became another program; of that, it may see the
# first moments, in which it is none of Python yet.
CODES = {"kill": {0, 3}, "exec": {0, 1, 3, 4}, "fork": {0}, "stop": {0}, "leave alone": {0}}

OPTIONS = [["--json"], ["--json", "--stop=none"], ["--json", "--stop=full"],
           ["--json", "--no-types"], ["--json", "--threads=2"], ["--json", "--family"]]


def tests(lab):
    yield "chaos/rounds", check_rounds, ()


class Subject:
    """The target, started again when it was killed."""

    def __init__(self, lab):
        self.lab = lab
        self.interpreter = lab.any_interpreter(since=(3, 11))
        self.beat = heartbeat.Heartbeat(lab.fresh("chaos"))
        self.process = None
        self.start()

    def start(self):
        self.close()
        self.process = target.start(self.lab, self.interpreter, "chaos.py", self.beat.path)
        equal("the target's word", self.process.line(), "ready")

    def close(self):
        if self.process is not None:
            self.process.__exit__()

    def disturb(self, action):
        if action == "kill":
            self.process.signal(signal.SIGKILL)
        elif action == "exec":
            self.process.signal(signal.SIGUSR1)
        elif action == "fork":
            self.process.signal(signal.SIGUSR2)
        elif action == "stop":
            self.process.signal(signal.SIGSTOP)

    def settle(self, action):
        """It runs on, or is gone."""
        if action == "kill":
            equal("how the target ended", self.process.child.wait(SETTLE_SECONDS), -signal.SIGKILL)
            self.start()
            return
        if action == "stop":
            procfs.wait_until(lambda: procfs.thread_states(self.process.pid) <= {"T"},
                              "the target is not stopped", SETTLE_SECONDS)
            self.process.signal(signal.SIGCONT)
        if action == "exec":
            equal("the target's word", self.process.line(), "ready")
        expect(self.process.is_alive(), "the target ended")
        procfs.wait_until(lambda: procfs.status(self.process.pid, "TracerPid") == "0",
                          "the target is still traced", SETTLE_SECONDS)
        expect(self.beat.advances(SETTLE_SECONDS), "the target does not run on")


def check_report(done, action):
    if done.code != 0:
        expect(done.code in CODES[action], "exit code %d: %s" % (done.code, done.err[-3000:]))
        equal("schema", tool.parse(done.out)["schema"], "pyheaptop.error")
        return "exit code %d" % done.code
    report = tool.parse_report(done)
    if report["categories"] is not None:
        ledger.check_sums(report)
    if report["pymalloc"] is not None:
        stats.check_closes(report["pymalloc"])
    for part in ("pymalloc", "glibc"):
        expect(report[part] is not None or report["warnings"], "%s is null without a word" % part)
    return "report"


def one_round(lab, subject, chooser, longest):
    action = chooser.choice(list(CODES))
    options = chooser.choice(OPTIONS)
    run = tool.start(lab, *options, subject.process.pid)
    time.sleep(chooser.uniform(0, longest))
    subject.disturb(action)
    try:
        done = tool.finish(run)
    except subprocess.TimeoutExpired:
        run.kill()
        raise Failed("%s, %s: no end" % (action, options)) from None
    try:
        result = check_report(done, action)
        subject.settle(action)
    except Failed as error:
        raise Failed("%s, %s: %s" % (action, " ".join(options), error)) from error
    return action + ": " + result


def typical_seconds(lab, subject):
    started = time.monotonic()
    tool.report(lab, subject.process.pid)
    return time.monotonic() - started


def check_rounds(lab):
    subject, chooser = Subject(lab), random.Random(11)
    seen = collections.Counter()
    try:
        tool.report(lab, subject.process.pid)
        longest = typical_seconds(lab, subject)
        for _ in range(ROUNDS_LONG if lab.long else ROUNDS):
            seen[one_round(lab, subject, chooser, longest)] += 1
    finally:
        subject.close()
    return ", ".join("%d of %s" % (count, what) for what, count in sorted(seen.items()))
