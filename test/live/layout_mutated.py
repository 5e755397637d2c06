"""
A layout with one wrong number in it gives no wrong figure in silence: it is rejected with a reason,
or it is of no consequence.
"""
import os
import re

import layout_cache
import layout_carried
import target
import tool
from check import differences, expect

PARTS = ["pymalloc", "glibc", "objects", "types", "gc", "freelists", "regions", "categories"]
# Of each number; the long form takes all of them.
WRONG = [8, -8]
LONG_WRONG = [8, -8, 4, -4, 16, 64, -64]
SERIES = [(2, 7), (3, 6), (3, 9), (3, 11), (3, 13), (3, 14), (3, 15)]


def tests(lab):
    found = {one.series: one for one in lab.interpreters}
    for series in SERIES:
        if series in found:
            yield "mutated/" + found[series].name, check_mutated, (found[series],)


# Of a variable, not of a type: these are of one build, and no table lends them.
OF_VARIABLES = re.compile("free_static_.*|gc_static_.*|arena_map_root_bytes|usedpools_bytes|"
                          "random_bytes|tcache|thread_arena")


def mutations(lab, text):
    """Each value of a type, an offset or a size, off by some bytes; and twice, and half of a size."""
    for match in re.finditer(r"^(\w+) (\d+)$", text, re.MULTILINE):
        name, value = match.group(1), int(match.group(2))
        if OF_VARIABLES.fullmatch(name):
            continue
        others = [value + off for off in (LONG_WRONG if lab.long else WRONG)]
        if name.endswith("_bytes"):
            others += [value * 2, value // 2]
        for other in others:
            if other >= 0 and value < 1 << 20:
                yield ("%s %d, not %d" % (name, other, value),
                       layout_cache.sealed(text[:match.start()] + "%s %d" % (name, other) +
                                           text[match.end():]))


def is_said(report, wanted):
    """Something is missing, or doubted, that was not."""
    ids = [{warning["id"] for warning in one["warnings"]} for one in (report, wanted)]
    return bool(ids[0] - ids[1]) or not report["snapshot"]["complete"]


def is_missing(got, wanted):
    return got is None and wanted is not None


def figures(report, part):
    """The table of interned strings is in no figure but its own: it proves itself, or is left out."""
    if part == "regions":
        return [region for region in report[part] if region["kind"] != "interned"]
    return report[part]


def silent_differences(report, wanted):
    """Figures that are others; what is null is not."""
    for part in PARTS:
        if is_missing(report[part], wanted[part]):
            continue
        for text in differences("." + part, figures(report, part), figures(wanted, part)):
            if " is None, not " not in text:
                yield text


def is_refused(report, part):
    """Something else told the layout."""
    return report[part]["layout_source"] != "table" or report[part]["symbol_source"] == "scan"


def check_mutated(lab, interpreter):
    silent, count, rejected = [], 0, 0
    path = os.path.join(lab.fresh("layouts"), "mutated.layouts")
    with target.start_steady(lab, interpreter, "heap.py", "fresh", "-", "-") as process:
        process.line()
        process.settle()
        with open(layout_carried.write_layouts(lab, process.pid)) as file:
            text = file.read()
        python, libc = text[:text.index("pyheaptop-libc")], text[text.index("pyheaptop-libc"):]
        wanted = tool.report(lab, process.pid, "--stop=full")
        for part, record, rest in (("runtime", python, libc), ("libc", libc, python)):
            for what, mutated in mutations(lab, record):
                with open(path, "w") as file:
                    file.write(mutated + rest)
                count += 1
                done = tool.run(lab, "--json", "--stop=full", "--layout=" + path, process.pid)
                if done.code != 0:
                    rejected += 1
                    continue
                report = tool.parse(done.out)
                rejected += is_refused(report, part) or is_said(report, wanted)
                if is_said(report, wanted):
                    continue
                wrong = list(silent_differences(report, wanted))
                if wrong:
                    silent.append("%s: %.100s" % (what, wrong[0]))
    expect(not silent, "%d of %d: %s" % (len(silent), count, " | ".join(silent[:60])))
    return "%d wrong numbers, %d of them rejected" % (count, rejected)
