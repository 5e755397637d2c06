"""Whatever happens to pyheaptop, the target runs on, or stays as stopped as it was."""
import os
import random
import signal
import time

import churn
import procfs
import stats
import target
import tool
from check import equal, expect

KILLS, KILLS_LONG = 20, 200
CALIBRATION_RUNS = 5
# Some kills come when the report is done already; they do not count.
TRIES_FACTOR = 10

# A helper of the program may outlive it by the longest stop, and then some.
SETTLE_SECONDS = 2

STOPS = 10


def tests(lab):
    yield "kill/running", check_kills, (False,)
    yield "kill/stopped-by-an-operator", check_kills, (True,)
    yield "stopped-by-an-operator/report", check_stopped_report, ()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        yield "interrupt/" + number.name, check_interrupt, (number,)
    yield "suspended/report", check_suspended, ()
    yield "kill/output-file", check_killed_output, ()


def typical_seconds(lab, pid):
    taken = []
    for _ in range(CALIBRATION_RUNS):
        started = time.monotonic()
        tool.report(lab, pid)
        taken.append(time.monotonic() - started)
    return sorted(taken)[CALIBRATION_RUNS // 2]


def wait_until_settled(lab, pid):
    procfs.wait_until(lambda: procfs.status(pid, "TracerPid") == "0",
                      "the target is still traced", SETTLE_SECONDS)
    procfs.wait_until(lambda: not procfs.running(lab.program),
                      "a process of the program is left", SETTLE_SECONDS)


def check_running(pid, beat):
    expect(procfs.status(pid, "State") in "SRD", "the target is stopped")
    expect(beat.advances(), "the target does not run on")


def check_stopped(pid, beat, count):
    """Stopped now, and not once in between. From a trace to a stop a thread seems to run, but
    only within the kernel."""
    procfs.wait_until(lambda: procfs.status(pid, "State") == "T", "the target is not stopped",
                      SETTLE_SECONDS)
    equal("the target's heartbeat", beat.count(), count)


def check_kills(lab, stopped):
    process, beat = churn.start_churn(lab, lab.any_interpreter(since=(3, 11)))
    chooser = random.Random(7)
    killed = 0
    with process:
        pid = process.expect("ready").pid
        longest = typical_seconds(lab, pid)
        if stopped:
            target.stop_with_signal(process)
            count = beat.count()
        wanted = KILLS_LONG if lab.long else KILLS
        for number in range(wanted * TRIES_FACTOR):
            if killed == wanted:
                break
            # A full stop lasts as long as the walk: there is more of it to be killed in.
            mode = "--stop=full" if number % 2 else "--stop=brief"
            run = tool.start(lab, mode, pid)
            time.sleep(chooser.uniform(0, longest))
            run.kill()
            killed += tool.finish(run).code == -signal.SIGKILL
            wait_until_settled(lab, pid)
            if stopped:
                check_stopped(pid, beat, count)
            else:
                check_running(pid, beat)
        if stopped:
            process.signal(signal.SIGCONT)
            check_running(pid, beat)
        expect(process.is_alive(), "the target ended")
    equal("the number of kills before the report was done", killed, wanted)
    return "%d kills before the report was done, %d after it" % (killed, number - killed)


def stop_between_blocks(lab, process):
    """A signal can stop it while it takes a block: that pool is torn until it runs on."""
    for _ in range(STOPS):
        target.stop_with_signal(process)
        if tool.report(lab, process.pid)["snapshot"]["complete"]:
            return
        process.signal(signal.SIGCONT)
        procfs.wait_until(lambda: procfs.status(process.pid, "State") != "T",
                          "the target does not run on", SETTLE_SECONDS)
    expect(False, "no pool was whole in %d stops" % STOPS)


def check_stopped_report(lab):
    """A report on a target that an operator stopped is exact, and it stays stopped."""
    process, beat = churn.start_churn(lab, lab.any_interpreter(since=(3, 11)))
    with process:
        process.expect("ready")
        stop_between_blocks(lab, process)
        count = beat.count()
        first = tool.still_report(lab, process.pid)["pymalloc"]
        for mode in ("none", "brief", "full"):
            report = tool.still_report(lab, process.pid, "--stop=" + mode)
            equal("snapshot.stop", report["snapshot"]["stop"], mode)
            equal("pymalloc with --stop=" + mode, report["pymalloc"], first)
            check_stopped(process.pid, beat, count)
        process.signal(signal.SIGCONT)
        check_running(process.pid, beat)


def check_interrupt(lab, number):
    process, beat = churn.start_churn(lab, lab.any_interpreter(since=(3, 11)))
    codes = []
    with process:
        pid = process.expect("ready").pid
        longest = typical_seconds(lab, pid)
        for step in range(10):
            run = tool.start(lab, "--stop=full", pid)
            time.sleep(longest * step / 10)
            run.send_signal(number)
            codes.append(tool.finish(run).code)
            wait_until_settled(lab, pid)
            check_running(pid, beat)
    # A shell shows a death by a signal as 128 and the number.
    allowed = {0, -number, 128 + number}
    expect(set(codes) <= allowed, "exit codes %s" % codes)
    expect(set(codes) != {0}, "no signal came in time")


def check_suspended(lab):
    """Ctrl-Z in the middle of a walk: the target runs on meanwhile, and the report comes later."""
    process, beat = churn.start_churn(lab, lab.any_interpreter(since=(3, 11)))
    suspended = 0
    with process:
        pid = process.expect("ready").pid
        longest = typical_seconds(lab, pid)
        for step in range(10):
            run = tool.start(lab, "--json", "--stop=full", pid)
            time.sleep(longest * step / 10)
            run.send_signal(signal.SIGTSTP)
            procfs.wait_until(lambda: procfs.status(run.pid, "State") in "TZ",
                              "the program is not stopped", SETTLE_SECONDS)
            suspended += procfs.status(run.pid, "State") == "T"
            check_running_again(pid, beat)
            run.send_signal(signal.SIGCONT)
            stats.check_closes(tool.parse_report(tool.finish(run))["pymalloc"])
            wait_until_settled(lab, pid)
            check_running(pid, beat)
    expect(suspended > 0, "no signal came in time")
    return "suspended %d times before the report was done" % suspended


def check_running_again(pid, beat):
    """No later than the limit of a stop."""
    procfs.wait_until(lambda: procfs.status(pid, "State") in "SRD", "the target is stopped",
                      SETTLE_SECONDS)
    expect(beat.advances(), "the target does not run on")


def check_killed_output(lab):
    """A file is whole, or as it was before."""
    process, beat = churn.start_churn(lab, lab.any_interpreter(since=(3, 11)))
    chooser, folder = random.Random(8), lab.fresh("killed")
    path = os.path.join(folder, "report.json")
    kept = 0
    with process:
        pid = process.expect("ready").pid
        longest = typical_seconds(lab, pid)
        for _ in range(KILLS_LONG if lab.long else KILLS):
            with open(path, "w") as file:
                file.write("as it was")
            run = tool.start(lab, "--json", "-o", path, pid)
            time.sleep(chooser.uniform(longest / 2, longest * 1.2))
            run.kill()
            tool.finish(run)
            with open(path) as file:
                text = file.read()
            kept += text == "as it was"
            if text != "as it was":
                stats.check_closes(tool.parse(text)["pymalloc"])
            wait_until_settled(lab, pid)
            check_running(pid, beat)
    return "%d files as they were, the others whole" % kept
