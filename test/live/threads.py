"""Counting objects in several threads: what one thread finds, whatever their number."""
import churn
import target
import tool
from check import equal_everywhere, expect

HEAP_MIB = "24"
REPORTS = 4


def tests(lab):
    yield "threads/still", check_still, ()
    yield "threads/busy", check_busy, ()


def check_still(lab):
    interpreter = lab.any_interpreter(since=(3, 11))
    with target.start_steady(lab, interpreter, "prefork.py", HEAP_MIB, "0") as process:
        process.expect("forked")
        one = tool.still_report(lab, process.pid)
        expect(sum(row["objects"] for row in one["types"]) > 100000, "too few objects to share out")
        for count in (2, 3, 64):
            several = tool.still_report(lab, process.pid, "--threads=%d" % count)
            for part in ("types", "objects", "categories"):
                equal_everywhere("%s by %d threads" % (part, count), several[part], one[part])


def check_busy(lab):
    process, beat = churn.start_churn(lab, lab.any_interpreter(since=(3, 11)))
    with process:
        process.expect("ready")
        for _ in range(REPORTS):
            churn.check_report(tool.run(lab, "--json", "--threads=3", process.pid))
        expect(process.is_alive() and beat.advances(), "the target does not run on")
