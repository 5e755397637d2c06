"""Eight threads malloc and free all the time: each report closes, and the target runs on."""
import statistics
import struct

import glibc_stats
import heartbeat
import procfs
import target
import tool
from check import Failed, expect
from glibc_target import one_of_each_glibc

REPORTS, REPORTS_LONG, REPORTS_ELSEWHERE = 40, 1000, 10

# As programs/malloc_churn.py has them.
THREADS, COUNTERS_AT = 8, 64

# Of the chunks, in all reports together. Without a stop only the sums must hold; a stop that lasts
# for the whole walk finds each thread with one chunk in its hands at most.
TORN_MAX = {"brief": 0.001, "full": 0.0003}

# A thread that was halted with a chunk in its hands leaves that one unknown, so that in no report
# more bytes are than the torn chunks can have, and none where nothing is torn. The largest that
# malloc/churn.c asks for is a hundredth of the heap: of all bytes, in all reports together, and of
# those in the middle one, it is far less.
LARGEST_CHUNK = 550016
UNKNOWN_MAX = 0.0002

# A busy machine does not let all threads stop in time now and then. Then the roots of an arena that
# gets a heap at that very moment may not be had, and the report says so: that arena is unknown.
TORN_ROOTS_MAX = 0.01
OPTIONS = {"brief": [], "none": [], "full": ["--max-stop=5000"]}


def tests(lab):
    for interpreter in one_of_each_glibc(lab):
        for mode in OPTIONS:
            yield ("glibc-churn/%s/--stop=%s" % (interpreter.name, mode), check_churn,
                   (interpreter, mode))


def report_count(lab, interpreter, mode):
    if mode != "brief":
        return REPORTS_ELSEWHERE
    if lab.long:
        return REPORTS_LONG
    return REPORTS if interpreter.root is None else REPORTS_ELSEWHERE


def start(lab, interpreter):
    """(target, its heartbeat)"""
    folder = lab.stage(interpreter.root)
    beat = heartbeat.Heartbeat(folder)
    inside = interpreter.inside(folder)
    return target.start(lab, interpreter, "malloc_churn.py", inside + "/libhold.so",
                        inside + "/libmalloc_shapes.so", interpreter.inside(beat.path)), beat


def counters(beat):
    return struct.unpack_from("<%dQ" % THREADS, beat.map, COUNTERS_AT)


def wait_for_all(beat):
    """Until each thread has gone on."""
    before = counters(beat)
    procfs.wait_until(lambda: all(new > old for new, old in zip(counters(beat), before)),
                      "a thread of the target stands still")


def check_report(report):
    glibc = report["glibc"]
    if glibc is None:
        raise Failed("no figures of glibc: %s" % report["warnings"])
    glibc_stats.check_closes(glibc)
    totals = glibc["totals"]
    chunks = totals["live_chunks"] + totals["free_chunks"] + totals["tcache_chunks"]
    if any(warning["id"] == "roots-torn" for warning in report["warnings"]):
        return None
    return chunks, report["snapshot"]["torn_chunks"], totals["unknown_bytes"], totals[
        "system_bytes"]


def check_churn(lab, interpreter, mode):
    process, beat = start(lab, interpreter)
    with process:
        process.expect("ready")
        wait_for_all(beat)
        figures = []
        for number in range(report_count(lab, interpreter, mode)):
            try:
                figures.append(check_report(tool.report(lab, process.pid, "--stop=" + mode,
                                                        *OPTIONS[mode])))
            except Failed as error:
                raise Failed("report %d: %s" % (number + 1, error)) from error
        wait_for_all(beat)
        expect(process.is_alive() and beat.advances(), "the target does not run on")
    return check_share(mode, figures)


def check_share(mode, found):
    figures = [one for one in found if one is not None]
    torn_roots = len(found) - len(figures)
    expect(mode == "none" or torn_roots <= 1 + TORN_ROOTS_MAX * len(found),
           "%d of %d reports had torn roots" % (torn_roots, len(found)))
    chunks, torn, unknown, system = [sum(column) for column in zip(*figures)]
    torn_share = torn / chunks
    shares = sorted(report[2] / report[3] for report in figures)
    text = ("%d reports, %d with torn roots, %d chunks each, %.4f %% of them torn, %.4f %% of the "
            "bytes unknown, %.4f %% in the middle one and %.4f %% at most"
            % (len(found), torn_roots, chunks // len(figures), 100 * torn_share, 100 * unknown / system,
               100 * statistics.median(shares), 100 * shares[-1]))
    if mode not in TORN_MAX:
        return text
    expect(torn_share <= TORN_MAX[mode], text)
    expect(statistics.median(shares) <= UNKNOWN_MAX, text)
    expect(mode == "full" or unknown / system <= UNKNOWN_MAX, text)
    for number, (_, torn, unknown, _) in enumerate(figures):
        expect(unknown <= torn * LARGEST_CHUNK, "report %d: %d bytes are unknown, and %d chunks torn"
               % (number + 1, unknown, torn))
    return text
