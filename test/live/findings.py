"""What is found: each prepared service has one thing wrong, and that is what comes first."""
import os
import re

import procfs
import target
import tool
from check import equal, expect
from ledger_programs import with_module

MIB = 1 << 20

# Of each service: the finding that comes first, how severe, what it says and what to try.
SERVICES = {
    "python-leak": ("python-types", "info", r"__main__\.Session", "--baseline"),
    "c-leak": ("native-leak", "high", "GET /order HTTP/1.1", "extension"),
    "pinned": ("pymalloc-slack", "high", "arenas are under 10% used", "long before the peak"),
    "peak": ("glibc-trimmable", "high", "malloc_trim.* main arena", r"malloc_trim\(0\)"),
    "drift": ("mmap-threshold-drift", "high", "threshold has risen to 8.00M",
              "MALLOC_MMAP_THRESHOLD_=131072"),
    "fragmented": ("glibc-fragmented", "high", r"chunks of (1.75|2.00)K and more", "long .* before"),
    "arenas": ("glibc-arenas", "high", "arenas of threads", "MALLOC_ARENA_MAX=2"),
}


def tests(lab):
    for interpreter in lab.interpreters:
        yield "findings/%s/none" % interpreter.name, check_none, (interpreter,)
    for interpreter in chosen(lab):
        for kind in SERVICES:
            if kind != "arenas" or interpreter.series >= (3, 2):
                yield "findings/%s/%s" % (interpreter.name, kind), check_service, (interpreter, kind)
    yield "findings/grown", check_grown, ()
    yield "findings/disabled", check_disabled, ()
    yield "findings/copied", check_copied, ([],)
    yield "findings/copied-frozen", check_copied, (["freeze"],)
    yield "findings/web", check_web, ()


def chosen(lab):
    """One, whose C library is that of the machine; in the long form all."""
    if lab.long:
        return lab.interpreters
    return [one for one in lab.interpreters if one.root is None and one.series >= (3, 6)][:1]


def check_shape(found):
    order = ["high", "medium", "info"]
    ranks = [(order.index(row["severity"]), -(row["bytes"] or 0)) for row in found]
    equal("the order of findings", ranks, sorted(ranks))
    for row in found:
        expect(row["text"].endswith(".") and row["remedy"], row)


def check_text(lab, pid, found):
    """The text report has each with its first words, in 80 columns."""
    done = tool.run(lab, pid)
    equal("the exit code", done.code, 0)
    expect(max(map(len, done.out.splitlines())) <= 80, done.out)
    for row in found:
        expect(re.search("^  (HIGH|MED |INFO)  %s " % row["id"], done.out, re.M), done.out)
    return done.out


def check_first(found, wanted):
    identity, severity, text, remedy = wanted
    expect(found, "nothing was found")
    first = found[0]
    equal("the first of %s" % [row["id"] for row in found], (first["id"], first["severity"]),
          (identity, severity))
    expect(re.search(text, first["text"]), first["text"])
    expect(re.search(remedy, first["remedy"]), first["remedy"])
    others = [row["id"] for row in found[1:] if row["severity"] == "high"]
    equal("what else is high", others, [])


def check_none(lab, interpreter):
    with target.start_idle(lab, interpreter) as process:
        report = tool.report(lab, process.pid)
        equal("findings", [row["id"] for row in report["findings"]], [])
        out = tool.run(lab, process.pid).out
        expect(re.search(r"^No findings: [6-9]\d\.\d% of RSS is live", out, re.M), out)


def check_service(lab, interpreter, kind):
    with target.start_steady(lab, interpreter, "findings.py", kind) as process:
        found = tool.report(lab, process.expect("ready").pid, "--preview")["findings"]
        check_shape(found)
        check_first(found, SERVICES[kind])
        check_text(lab, process.pid, found)
        alone = tool.report(lab, process.pid, "--section=findings", "--preview")["findings"]
        equal("findings alone", [row["id"] for row in alone], [row["id"] for row in found])


def check_grown(lab):
    """A leak goes on, and with a baseline is told as such; in order again, nothing grows."""
    wanted = {"python-leak": ("python-leak", "high", r"__main__\.Session \+\d.*RSS grew by",
                              r"keeps __main__\.Session"),
              "c-leak": ("native-leak", "high", "It grew by", "extension")}
    path = os.path.join(lab.fresh("grown"), "before.json")
    for kind, finding in wanted.items():
        with target.start_steady(lab, lab.any_interpreter(), "findings.py", kind) as process:
            tool.run(lab, "--json", "-o", path, process.expect("ready").pid)
            still = tool.report(lab, process.pid, "--baseline=" + path)["findings"]
            equal("what has not grown", [row["id"] for row in still if row["severity"] != "info"],
                  [])
            process.go_on()
            found = tool.report(lab, process.expect("ready").pid, "--baseline=" + path)["findings"]
            check_shape(found)
            check_first(found, finding)


def check_disabled(lab):
    with target.start(lab, lab.any_interpreter(), "findings.py", "disabled", "40") as process:
        found = tool.report(lab, process.expect("ready").pid)["findings"]
        row, = [row for row in found if row["id"] == "gc-disabled"]
        expect(row["evidence"]["objects"] >= 40 * MIB // 200, row)


def check_copied(lab, options):
    """A worker has read all of its parent's objects, and so copied them; and their parent says so."""
    lab.needs_root()
    with target.start(lab, lab.any_interpreter(since=(3, 7)), "prefork.py", "64", "2",
                      *options) as process:
        worker = int(process.line().split()[1])
        process.go_on()
        process.line()
        remedy = "was called already" if options else r"gc\.freeze\(\) right before it forks"
        said = (("shared with its parent %d" % process.pid, worker),
                ("Its 2 forked processes have copied", process.settle().pid))
        for text, pid in said:
            procfs.wait_until(lambda pid=pid: procfs.status(pid, "State") == "S", "it is busy")
            found = tool.report(lab, pid)["findings"]
            check_shape(found)
            check_first(found, ("copied-after-fork", "high", text, remedy))


def check_web(lab):
    """A service that only serves has nothing that anybody has to be called for."""
    with target.start(lab, with_module(lab, "flask"), "service.py") as process:
        found = tool.report(lab, process.expect("ready").pid)["findings"]
        equal("findings", [row["id"] for row in found if row["severity"] != "info"], [])
