"""Whatever happens to pyheaptop, the target runs on, or stays as stopped as it was."""
import os
import random
import signal
import time

import churn
import exactness
import procfs
import stats
import target
import tool
from check import equal, equal_everywhere, expect

KILLS, KILLS_LONG = 20, 200
CALIBRATION_RUNS = 5
# Some kills come when the report is done already; they do not count.
TRIES_FACTOR = 10

# A helper of the program may outlive it by the longest stop, and then some.
SETTLE_SECONDS = 2

STOPS, RESTS = 10, 3
SUSPENSIONS = 5

# What a process that stands still can have in its hands.
TORN = {"torn-pools", "torn-objects", "torn-chunks", "unknown-chunks", "mmapped-mismatch", "gc-torn",
        "gc-unproven", "roots-torn"}


def tests(lab):
    yield "kill/running", check_kills, (False,)
    yield "kill/stopped-by-an-operator", check_kills, (True,)
    yield "stopped-by-an-operator/report", check_stopped_report, ()
    yield "stopped-by-an-operator/exact", check_exact_report, ()
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
            go_on_from_stop(process, beat)
        expect(process.is_alive(), "the target ended")
    equal("the number of kills before the report was done", killed, wanted)
    return "%d kills before the report was done, %d after it" % (killed, number - killed)


def go_on_from_stop(process, beat):
    process.signal(signal.SIGCONT)
    check_running(process.pid, beat)


def check_consistent(lab, pid, beat):
    """
    Stopped wherever it was. What it had in its hands is torn, and said to have been so when it
    stopped; nothing else is, and every report finds the same.
    """
    count = beat.count()
    reports = [tool.report(lab, pid, "--max-stop=2000", "--stop=" + mode)
               for mode in ("brief", "none", "full")]
    for report in reports:
        stats.check_closes(report["pymalloc"])
        equal_everywhere("pymalloc", report["pymalloc"], reports[0]["pymalloc"])
        equal_everywhere("gc", report["gc"], reports[0]["gc"])
        equal("snapshot.complete", report["snapshot"]["complete"],
              reports[0]["snapshot"]["complete"])
        said = [warning["text"] for warning in report["warnings"]]
        expect(not any("changed while" in text for text in said), "it changes: %s" % said)
        expect(report["snapshot"]["complete"] == (not TORN & warnings_of(report)),
               "complete is %s: %s" % (report["snapshot"]["complete"], said))
    check_stopped(pid, beat, count)
    return reports[0]["snapshot"]["complete"]


def warnings_of(report):
    return {warning["id"] for warning in report["warnings"]}


def check_stopped_report(lab):
    """Stopped by an operator in the middle of its work: one truth in each mode; it stays stopped."""
    process, beat = churn.start_churn(lab, lab.any_interpreter(since=(3, 11)))
    with process:
        process.expect("ready")
        complete = 0
        for _ in range(STOPS):
            target.stop_with_signal(process)
            complete += check_consistent(lab, process.pid, beat)
            go_on_from_stop(process, beat)
    return "%d of %d were complete" % (complete, STOPS)


def check_exact_report(lab):
    """Stopped by an operator between two allocations: to the byte what the interpreter says."""
    interpreter = lab.any_interpreter(since=(3, 11))
    process, beat = churn.start_churn(lab, interpreter)
    with process:
        process.expect("ready")
        for _ in range(RESTS):
            process.go_on()
            process.expect("holding churn")
            target.stop_with_signal(process)
            count = beat.count()
            exactness.check_held(lab, interpreter, process.pid, "shared", 0,
                                 exactness.read_figures(beat.figures_path()))
            check_stopped(process.pid, beat, count)
            go_on_from_stop(process, beat)
            process.go_on()


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
        for step in range(SUSPENSIONS):
            run = tool.start(lab, "--json", "--stop=full", pid)
            time.sleep(longest * step / SUSPENSIONS)
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
        for _ in range(KILLS_LONG if lab.long else KILLS // 2):
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
