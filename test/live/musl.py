"""Programs on musl: what is the kernel's is told, malloc's part is left out by name."""
import os

import procfs
import target
import tool
from catalogue import check_refusal
from check import Skipped, equal, expect

# Of what musl_program.c holds.
HELD_BYTES = 4 << 20


def tests(lab):
    yield "musl/dynamic", check_dynamic, ()
    yield "musl/static", check_static, ()


def start(lab, kind):
    program = lab.helper("live_musl_" + kind)
    if not os.path.exists(program):
        raise Skipped("musl-gcc is not installed")
    return target.Target([program], target.environment()).expect("ready")


def check_sections(lab, process, family, warning):
    """No Python and no glibc in it: no error, and no figure that is not known."""
    report = tool.report(lab, process.pid, "--section=glibc")
    equal("glibc", report["glibc"], None)
    equal("libc", report["libc"] and report["libc"]["family"], family)
    equal("runtime", report["runtime"], None)
    equal("warnings", [one["id"] for one in report["warnings"]], [warning])
    equal("threads", report["snapshot"]["stops"], 0)
    report = tool.report(lab, process.pid, "--section=kernel")
    equal("rss_bytes", report["kernel"]["rss_bytes"], procfs.rollup_bytes(process.pid)["Rss"])
    expect(report["kernel"]["rss_bytes"] > HELD_BYTES, "it holds too little")
    report = tool.report(lab, process.pid, "--section=maps")
    equal("the sum of mappings", sum(row["rss_bytes"] for row in report["mappings"]),
          procfs.rollup_bytes(process.pid)["Rss"])
    check_refusal(lab, [process.pid], "not-python", 4, r"pid %d is not a Python process .*"
                  % process.pid)
    return tool.run(lab, "--section=glibc", process.pid).out


def check_dynamic(lab):
    with start(lab, "dynamic") as process:
        said = check_sections(lab, process, "musl", "libc-musl")
    expect("Libc       musl" in said and "whose malloc this version does not read" in
           " ".join(said.split()), "the text does not name it: %s" % said)


def check_static(lab):
    with start(lab, "static") as process:
        check_sections(lab, process, None, "libc-none")
