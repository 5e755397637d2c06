"""Without debug information and symbols, malloc is found all the same: once, and where it is."""
import glibc_shapes
import target
import tool
from check import equal, equal_everywhere, expect
from glibc_target import HeldTarget, one_of_each_glibc

# What says where the layout came from.
SOURCES = ("layout_source", "symbol_source", "layout_cached")

SHAPES = ("bins", "threads", "blocked", "tcache")
FRESH, FRESH_LONG = 3, 20


def tests(lab):
    chosen = one_of_each_glibc(lab)
    for interpreter in lab.interpreters:
        yield "layout/%s/libc-scan/fresh" % interpreter.name, check_fresh, (interpreter,)
        if interpreter in chosen:
            for shape in SHAPES:
                yield ("layout/%s/libc-scan/%s" % (interpreter.name, shape), check_shape,
                       (interpreter, shape))


def check_fresh(lab, interpreter):
    """Each process has its variables elsewhere, and another key."""
    for _ in range(FRESH_LONG if lab.long else FRESH):
        with target.start_idle(lab, interpreter) as process:
            check_same(lab, interpreter, process.pid)


def check_shape(lab, interpreter, name):
    shape = glibc_shapes.SHAPES[name](interpreter)
    with HeldTarget(lab, interpreter, shape.plans, **shape.variables) as held:
        check_same(lab, interpreter, held.pid)


def check_same(lab, interpreter, pid):
    truth = tool.report(lab.with_dwarf(), pid)
    found = tool.report(lab.without_dwarf(), pid)
    equal("sources", [truth["libc"][key] for key in SOURCES[:1]], ["dwarf"])
    equal("sources", [found["libc"][key] for key in SOURCES], ["table", "scan", False])
    expect(found["glibc"]["threads"], "no threads")
    equal_everywhere("libc", without_sources(found["libc"]), without_sources(truth["libc"]))
    equal_everywhere("glibc", found["glibc"], truth["glibc"])
    random = states(truth)
    expect(random or interpreter.glibc < (2, 41), "nothing made a random number")
    equal("states of random numbers", states(found), random)


def without_sources(libc):
    return {key: value for key, value in libc.items() if key not in SOURCES}


def states(report):
    return [row for row in report["regions"] if row["kind"] == "random"]
