"""The pages that malloc_trim(0) would give back are those that it gives back, to the page."""
import glibc_stats
import hugepages
import residency
import tool
from check import equal, expect
from glibc_shapes import tunables
from glibc_target import HeldTarget, needs_glibc, one_of_each_glibc, plan, tcache_count

SHAPES = {
    "main": ([plan("trimmable")], {}, (0,)),
    "threads": ([plan("trimmable"), plan("trimmable"), plan("trimmable", end="spin"),
                 plan("trimmable", end="end")], {}, (0,)),
    "heaps": ([plan("heaps", 50 << 20), plan("heaps", 150 << 20)], {}, (0,)),
    "blocked": ([plan("blocked"), plan("bins")], {}, (0,)),
    "gaps": ([plan("gaps")], {}, (0,)),
    "transparent-huge-pages": ([plan("trimmable")], tunables("hugetlb=1"), (2, 35)),
}
# So little would not tell a wrong prediction from a right one.
PAGES_MIN = 20


def tests(lab):
    for interpreter in one_of_each_glibc(lab):
        for shape in SHAPES:
            yield "glibc-trim/%s/%s" % (interpreter.name, shape), check_trim, (interpreter, shape)
        yield "glibc-trim/%s/flushed" % interpreter.name, check_flushed, (interpreter,)


def report_of(lab, held):
    report = tool.still_report(lab, held.pid)
    glibc_stats.check_still(report)
    return report["glibc"]["totals"]


def trim(held):
    """Bytes that malloc_trim(0) has given back."""
    before = residency.heap_bytes(held.pid)
    held.ask("trim")
    return before - residency.heap_bytes(held.pid)


def check_trim(lab, interpreter, name):
    plans, variables, since = SHAPES[name]
    needs_glibc(interpreter, since)
    if name == "transparent-huge-pages":
        hugepages.needs_transparent()
    with hugepages.told_in(interpreter.root), \
            HeldTarget(lab, interpreter, plans, **variables) as held:
        predicted = report_of(lab, held)["trimmable_bytes"]
        released = trim(held)
        expect(released >= PAGES_MIN * residency.PAGE, "only %d bytes were given back" % released)
        equal("trimmable_bytes", predicted, released)
        equal("trimmable_bytes afterwards", report_of(lab, held)["trimmable_bytes"], 0)
        equal("what a second malloc_trim() gives back", trim(held), 0)
    return "%d pages" % (released // residency.PAGE)


def check_flushed(lab, interpreter):
    """Chunks that only the tcache keeps in use; then they are free, and others in the tcache."""
    count = tcache_count(interpreter)
    with HeldTarget(lab, interpreter, [plan("keep_apart", tcache=count)]) as held:
        totals = report_of(lab, held)
        more = totals["trimmable_flushed_bytes"] - totals["trimmable_bytes"]
        expect(more >= count * residency.PAGE, "only %d bytes more without a tcache" % more)
        held.ask("swap")
        released = trim(held)
        equal("trimmable_flushed_bytes", totals["trimmable_flushed_bytes"], released)
    return "%d pages, %d of them behind the tcache" % (released // residency.PAGE,
                                                       more // residency.PAGE)
