"""Stops are bounded: by their limit, whatever happens to us, and by what so many threads would cost."""
import signal

import churn
import procfs
import sandbox
import target
import tool
from check import equal, expect

FEW, MANY = 200, 2000
REPORTS = 20

MAX_STOP_MS = 20
# The limit is kept by a helper that the machine may keep waiting; it is not what is measured here.
LATE_MS = 60

TRIES = 50


def tests(lab):
    yield "stops/threads-few", check_few, ()
    yield "stops/threads-too-many", check_too_many, ()
    yield "stops/program-stopped", check_program_stopped, ()


def start(lab, count):
    process = target.start(lab, lab.any_interpreter(since=(3, 11)), "threads.py", str(count))
    process.expect("ready")
    return process


def check_answer(process):
    process.go_on()
    process.expect("all")
    procfs.wait_until(lambda: procfs.thread_states(process.pid) == {"S"}, "a thread is not at rest")


def check_few(lab):
    """So many are stopped, if the machine lets them in time; all run on after it."""
    longest, unstopped = 0, 0
    with start(lab, FEW) as process:
        for _ in range(REPORTS):
            snapshot = tool.report(lab, process.pid, "--section=pymalloc")["snapshot"]
            longest = max(longest, snapshot["stopped_us"] / 1000)
            unstopped += snapshot["stop"] == "none"
            check_answer(process)
        patient = tool.report(lab, process.pid, "--section=pymalloc", "--max-stop=5000")
        equal("snapshot.stop", patient["snapshot"]["stop"], "brief")
        check_answer(process)
    expect(longest <= MAX_STOP_MS + LATE_MS, "stopped for %.1f ms" % longest)
    return "%d reports, %d without a stop; %.1f ms at most" % (REPORTS, unstopped, longest)


def check_too_many(lab):
    """They are not even asked, unless the limit allows for them."""
    with start(lab, MANY) as process:
        report = tool.report(lab, process.pid, "--section=pymalloc")
        equal("snapshot.stop", report["snapshot"]["stop"], "none")
        text, = [one["text"] for one in report["warnings"] if one["id"] == "stop-limit"]
        expect(text.startswith("%d threads are too many" % (MANY + 1)), text)
        lines = sandbox.trace(lab, "ptrace", "--json", "--section=pymalloc", process.pid)
        equal("calls of ptrace", [line for line in lines if "ptrace(" in line], [])
        check_answer(process)
        patient = tool.report(lab, process.pid, "--section=pymalloc", "--max-stop=20000")
        equal("snapshot.stop", patient["snapshot"]["stop"], "brief")
        check_answer(process)
        return "%d threads: %.1f ms" % (MANY, patient["snapshot"]["stopped_us"] / 1000)


def is_traced(pid):
    return procfs.status(pid, "TracerPid") != "0"


def stop_in_a_stop(pid, run, beat):
    """True if the program stands still, by SIGSTOP, and the target because of it."""
    while run.poll() is None and not is_traced(pid):
        pass
    run.send_signal(signal.SIGSTOP)
    if run.poll() is not None:
        return False
    procfs.wait_until(lambda: procfs.status(run.pid, "State") in "TZ", "it does not stop")
    return is_traced(pid) and not beat.advances(0.1)


def check_program_stopped(lab):
    """The limit of a stop is kept by another process."""
    process, beat = churn.start_churn(lab, lab.any_interpreter(since=(3, 11)))
    with process:
        pid = process.expect("ready").pid
        for _ in range(TRIES):
            run = tool.start(lab, "--json", "--stop=full", "--max-stop=500", pid)
            caught = stop_in_a_stop(pid, run, beat)
            if caught:
                expect(beat.advances(), "the target does not run on")
                expect(not is_traced(pid), "the target is still traced")
            run.send_signal(signal.SIGCONT)
            report = tool.parse_report(tool.finish(run))
            # A walk that was over when it was caught had let the target go by itself.
            if caught and "stop-expired" in {one["id"] for one in report["warnings"]}:
                return
    expect(False, "the program was not caught in a stop in %d tries" % TRIES)
