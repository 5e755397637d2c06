"""Whose chunks of malloc are: a leak of an extension stands out, and so does what Python has."""
import ledger
import objects
import target
import tool
from check import equal, expect

SINCE = (3, 6)


def tests(lab):
    for one in lab.interpreters:
        if one.series >= SINCE and not one.debug_build:
            yield "objects/%s/owners" % one.name, check_owners, (one,)
    yield "objects/without", check_without, ()


def grown(after, before, *path):
    for name in path:
        after, before = after[name], before[name]
    return after - before


def check_leak(before, after, count, size):
    found = ledger.sizes(after)["malloc_unowned"] - ledger.sizes(before)["malloc_unowned"]
    ledger.check_near("the growth of malloc_unowned", found, size)
    more = grown(after, before, "objects", "chunks", "unowned", "count")
    ledger.check_near("chunks", more, count)
    row = after["unowned"][0]
    expect(row["min_bytes"] <= 4016 <= row["max_bytes"], "it is not on top, but %s" % row)
    equal("the kinds of samples", {sample["kind"] for sample in row["samples"]}, {"text"})
    equal("what they begin with", {sample["text"][:17] for sample in row["samples"]},
          {"leaked by libshop"})


def check_lists(before, after, count, size):
    found = ledger.sizes(after)["python_large"] - ledger.sizes(before)["python_large"]
    ledger.check_near("the growth of python_large", found, size)
    taken = [sum(row["allocated_bytes"] for row in report["types"] if row["name"] == "list")
             for report in (before, after)]
    ledger.check_near("what lists take", taken[1] - taken[0], size)


def check_large_lists(before, after, count, size):
    found = ledger.sizes(after)["malloc_mmapped"] - ledger.sizes(before)["malloc_mmapped"]
    ledger.check_near("the growth of malloc_mmapped", found, size)
    unowned = grown(after, before, "objects", "chunks", "unowned", "bytes")
    expect(unowned < 1 << 20, "%d bytes of it are nobody's" % unowned)
    equal("the largest objects", [row["type"] for row in after["largest"][:count]],
          ["list"] * count)


def check_interned(before, after, count, size):
    found = grown(after, before, "objects", "interned", "count")
    expect(count <= found <= count + 20, "%d strings, not %d" % (found, count))
    ledger.check_near("their size", grown(after, before, "objects", "interned", "bytes"), size)


def check_large(before, after, count, size):
    rows = after["largest"]
    equal("the number of them", len(rows), 50)
    equal("their order", rows, sorted(rows, key=lambda row: -row["size_bytes"]))
    equal("sizes", rows[0]["size_bytes"] + rows[1]["size_bytes"], size)
    equal("types", [row["type"] for row in rows[:count]], ["bytes", "str"])
    expect(rows[0]["preview"].startswith("\x1b[31myyy"), "it begins with %s" % rows[0]["preview"])
    expect(rows[1]["preview"].startswith("caf\u00e9 zzz"), "not with %s" % rows[1]["preview"])


CHECKS = {"leak": check_leak, "lists": check_lists, "large-lists": check_large_lists,
          "interned": check_interned, "large": check_large}


def check_owners(lab, interpreter):
    before, seen = None, []
    with target.start(lab, interpreter, "owners.py") as process:
        while True:
            words = process.line().split()
            if words[0] == "done":
                break
            report = tool.still_report(lab, process.settle().pid, "--preview")
            objects.check_sums(report)
            if words[0] == "before":
                before = report
            else:
                CHECKS[words[1]](before, report, int(words[2]), int(words[3]))
                seen.append(words[1])
            process.go_on()
    equal("the steps", seen, list(CHECKS))


def check_without(lab):
    """No census, no text of the target: only what was asked for."""
    with target.start(lab, lab.public_interpreter(), "owners.py") as process:
        pid = process.expect("before leak").settle().pid
        report = tool.still_report(lab, pid)
        equal("previews", {row["preview"] for row in report["largest"]}, {None})
        equal("texts", {sample["text"] for row in report["unowned"] for sample in row["samples"]},
              {None})
        report = tool.still_report(lab, pid, "--no-types")
        ledger.check_still(report, pid)
        for name in ("types", "objects", "largest", "unowned"):
            equal(name, report[name], None)
        equal("python_large", ledger.sizes(report)["python_large"] < 1 << 20, True)
        equal("the warning", [one["id"] for one in report["warnings"]][0], "no-census")
