"""Reports on a target that allocates and frees all the time: each closes, and it runs on."""
import time

import heartbeat
import stats
import target
import tool
from check import expect

REPORTS, REPORTS_LONG, REPORTS_ELSEWHERE = 100, 1000, 10

# A busy machine delays a heartbeat now and then, watched or not. The pauses while it is watched are
# compared with others taken in turn with them: all of them on a machine that does nothing else, as
# the long form needs it; elsewhere the worst few are left out.
PERCENTILE = 0.95
MAX_STOP_MS = 20

# A kernel without preemption lets a thread that is inside it go on until the next tick.
TICK_MS = 4

# A heap whose state is a file's statics, stands in the interpreter, is pointed to.
THOROUGH = {(3, 11), (3, 12), (3, 13)}


def tests(lab):
    for interpreter in lab.interpreters:
        if interpreter.series < (3, 6):
            continue
        for kind in kinds(interpreter):
            yield "churn/%s/%s" % (interpreter.name, kind), check_churn, (interpreter, kind)


def kinds(interpreter):
    yield "threads"
    yield "spawning"
    # Each with a GIL, and an allocator, of its own: they really run at once.
    if interpreter.series >= (3, 12):
        yield "interpreters"


def report_count(lab, interpreter):
    if not interpreter.name.startswith("pyenv") or interpreter.series not in THOROUGH:
        return REPORTS_ELSEWHERE
    return REPORTS_LONG if lab.long else REPORTS


def start_churn(lab, interpreter, kind="threads"):
    """(target, its heartbeat)"""
    folder = lab.stage(interpreter.root)
    beat = heartbeat.Heartbeat(folder)
    process = target.start(lab, interpreter, "churn.py", interpreter.inside(folder) +
                           "/libhold.so", interpreter.inside(beat.path), kind)
    return process, beat


def check_churn(lab, interpreter, kind):
    process, beat = start_churn(lab, interpreter, kind)
    with process:
        process.expect("ready")
        reports, watched, unwatched = [], [], []
        for _ in range(report_count(lab, interpreter)):
            started = time.monotonic()
            beat.reset()
            done = tool.run(lab, "--json", process.pid)
            watched.append(beat.worst_ms())
            reports.append(check_report(done))
            beat.reset()
            time.sleep(time.monotonic() - started)
            unwatched.append(beat.worst_ms())
        expect(process.is_alive() and beat.advances(), "the target does not run on")
    # Threads without a GIL in common leave no processor for a heartbeat, watched or not.
    if len(reports) >= REPORTS and kind != "interpreters":
        expect(most(watched) <= most(unwatched) + MAX_STOP_MS,
               "the target's heartbeat pauses for %.1f ms, %.1f ms unwatched"
               % (most(watched), most(unwatched)))
        longest_stop = max(report["snapshot"]["stopped_us"] for report in reports) / 1000
        expect(not lab.long or max(watched) <= max(unwatched) + longest_stop + TICK_MS,
               "the target's heartbeat pauses for %.1f ms at most, %.1f ms unwatched; no stop was "
               "longer than %.1f ms" % (max(watched), max(unwatched), longest_stop))
    return summary(reports, watched, unwatched)


def most(numbers):
    return sorted(numbers)[int(PERCENTILE * len(numbers))]


def check_report(done):
    report = tool.parse_report(done)
    expect(report["pymalloc"] is not None, "no pymalloc figures: %s" % report["warnings"])
    stats.check_closes(report["pymalloc"])
    return report


def summary(reports, watched, unwatched):
    stopped = sorted(report["snapshot"]["stopped_us"] for report in reports)
    torn = sum(report["snapshot"]["torn_pools"] for report in reports)
    unstopped = sum(report["snapshot"]["stop"] == "none" for report in reports)
    incomplete = sum(not report["snapshot"]["complete"] for report in reports)
    return ("%d reports, %d incomplete, %d without a stop, %d torn pools; stop %d us median, "
            "%d us p95, %d us at most; heartbeat pause %.1f ms p95, %.1f ms at most; unwatched "
            "%.1f ms and %.1f ms"
            % (len(reports), incomplete, unstopped, torn, stopped[len(stopped) // 2],
               most(stopped), stopped[-1], most(watched), max(watched), most(unwatched),
               max(unwatched)))
