"""
Objects by type of a target that makes and drops others all the time: those that stay are all there
in each report, of their size, and it runs on.
"""
import churn
import heartbeat
import objects
import target
import tool
from check import equal, expect

SINCE = (3, 6)
REPORTS, REPORTS_LONG = 20, 200

# Pools of 4 KiB; of 16 KiB; immortal objects, and flags next to the count of references. Elsewhere
# each way of asking is tried once.
THOROUGH = {"pyenv-3.6.15", "pyenv-3.11.7", "sid-3.15"}
WAYS = [(), ("--threads=2",), ("--stop=full", "--max-stop=2000"),
        ("--stop=full", "--max-stop=2000", "--threads=2")]


def tests(lab):
    for one in lab.interpreters:
        if one.series >= SINCE:
            yield "objects/%s/busy" % one.name, check_busy, (one,)


def report_count(lab, interpreter):
    if lab.long:
        return REPORTS_LONG
    return REPORTS if interpreter.name in THOROUGH else len(WAYS)


def start(lab, interpreter):
    """(target, its heartbeat)"""
    folder = lab.stage(interpreter.root)
    beat = heartbeat.Heartbeat(folder)
    process = target.start(lab, interpreter, "busy.py", interpreter.inside(folder) +
                           "/libhold.so", interpreter.inside(beat.path))
    return process, beat


def read_known(process):
    """What stays: {class: (objects, size, bytes of the smallest)}"""
    known = {}
    for line in iter(process.line, "ready"):
        name, *numbers = line.split()
        known[name] = tuple(int(number) for number in numbers)
    return known


def check_known(report, known):
    """All of them, but for those in pools that could not be read, of which the report knows."""
    torn, pool_bytes = report["objects"]["torn_pools"], report["pymalloc"]["pool_bytes"]
    found = {row["name"]: row for row in report["types"] if row["module"] == "__main__"}
    missing = known.keys() - found.keys()
    expect(not missing, "no object of %s: %s"
           % (", ".join(missing), "; ".join(one["text"] for one in report["warnings"])))
    equal("pools in swap", report["objects"]["swapped_pools"], 0)
    for name, (count, size, least_bytes) in known.items():
        row, lost_max = found[name], torn * (pool_bytes // least_bytes)
        expect(count - lost_max <= row["objects"] <= count,
               "%d objects of %s, not %d, and %d torn pools" % (row["objects"], name, count, torn))
        if row["objects"] == count:
            equal("bytes of " + name, row["size_bytes"], size)


def check_stopped(report):
    """
    Nothing moved between the walks of one report. But a thread may have been stopped in the midst
    of taking a block or giving it back, and its pool is torn then.
    """
    pymalloc, found = report["pymalloc"], report["objects"]
    blocks = sum(one["count"] for one in found["blocks"].values() if one is not None)
    lost_max = found["torn_pools"] * (pymalloc["pool_bytes"] // pymalloc["alignment_bytes"])
    lost = pymalloc["live_blocks"] - blocks
    expect(0 <= lost <= lost_max, "%d of %d blocks are missing, with %d torn pools"
           % (lost, pymalloc["live_blocks"], found["torn_pools"]))


def check_chunks(report):
    """All of them are of one walk, whether the target runs or not."""
    chunks, glibc = report["objects"]["chunks"], report["glibc"]
    counted = sum(one["count"] for one in chunks.values())
    live = glibc["totals"]["live_chunks"] + len(glibc["mmapped_list"])
    # An owner that is out of date names a chunk that is free, which may leave nothing for others.
    expect(counted == live or (counted > live and chunks["unowned"]["count"] == 0),
           "%d chunks have owners or none, and %d are in use" % (counted, live))


def check_report(report, known):
    objects.check_types(report)
    check_known(report, known)
    check_chunks(report)
    if report["snapshot"]["stop"] == "full":
        check_stopped(report)


def check_busy(lab, interpreter):
    process, beat = start(lab, interpreter)
    reports = []
    with process:
        known = read_known(process)
        for i in range(report_count(lab, interpreter)):
            report = churn.check_report(tool.run(lab, "--json", *WAYS[i % len(WAYS)], process.pid))
            check_report(report, known)
            reports.append(report)
            expect(process.is_alive() and beat.advances(), "the target does not run on")
    return summary(reports)


def summary(reports):
    found = [report["objects"] for report in reports]
    return ("%d reports, %d stopped for all of it, %d incomplete; %d torn pools, %d damaged "
            "objects; %d to %d objects"
            % (len(reports), sum(report["snapshot"]["stop"] == "full" for report in reports),
               sum(not report["snapshot"]["complete"] for report in reports),
               sum(one["torn_pools"] for one in found),
               sum(one["damaged_objects"] for one in found),
               min(one["objects"] for one in found), max(one["objects"] for one in found)))
