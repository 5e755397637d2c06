"""What grew between two reports: of two files, and of a file and the process by now."""
import json
import os

import ledger
import target
import tool
from check import equal, expect


def tests(lab):
    yield "growth", check_growth, ()
    yield "growth/baseline", check_baseline, ()
    yield "growth/errors", check_errors, ()


def diff(lab, *arguments):
    done = tool.run(lab, "--json", "--diff", *arguments)
    return tool.parse_report(done)


def check_lists(found, before, after):
    wanted = {row["id"]: row["bytes"] - ledger.sizes(before)[row["id"]]
              for row in after["categories"]}
    equal("categories", {row["id"]: row["growth_bytes"] for row in found["categories"]},
          {name: grown for name, grown in wanted.items() if grown})
    equal("the sum of categories", sum(row["growth_bytes"] for row in found["categories"]),
          found["growth_bytes"])
    for name in ("categories", "types", "size_classes", "unowned"):
        growths = [row["growth_bytes"] for row in found[name]]
        equal("the order of " + name, growths, sorted(growths, reverse=True))


def check_growth(lab):
    folder = lab.fresh("growth")
    paths = [os.path.join(folder, name) for name in ("before.json", "after.json")]
    with target.start(lab, lab.public_interpreter(), "owners.py") as process:
        process.expect("before leak")
        for path in paths:
            tool.run(lab, "--json", "-o", path, process.settle().pid)
            process.go_on()
            words = process.line().split()
        before, after = [json.load(open(path)) for path in paths]
        found = diff(lab, *paths)
        check_lists(found, before, after)
        equal("same_process", found["same_process"], True)
        expect(found["unowned"][0]["chunks"]["growth"] > 50000, "the leak is not on top")
        now = diff(lab, paths[0])
        equal("pid", now["after"]["pid"], process.pid)
        again = diff(lab, paths[0], process.pid)
        equal("types", again["types"], now["types"])
        text = tool.run(lab, "--diff", *paths).out
        expect("chunks of 3.50K and more" in text, text)
    expect(words[0] in ("before", "after"), words)


def tells_growth(report):
    return any("growth_bytes" in one["evidence"] for one in report["findings"])


def check_baseline(lab):
    """A report with a baseline judges what grew, and shows it."""
    path = os.path.join(lab.fresh("growth"), "before.json")
    with target.start(lab, lab.public_interpreter(), "owners.py") as process:
        process.expect("before leak")
        tool.run(lab, "--json", "-o", path, process.settle().pid)
        process.go_on()
        process.line()
        process.settle()
        found = tool.report(lab, process.pid, "--baseline=" + path)
        expect(tells_growth(found), "no finding on growth: %s" % found["findings"])
        text = tool.run(lab, "--baseline=" + path, process.pid).out
        for word in ("Baseline   20", "   change  evidence", "chunks of 3.50K and more"):
            expect(word in text, "%r is not in: %s" % (word, text))
        alone = tool.report(lab, process.pid)
        expect(not tells_growth(alone), "growth since what? %s" % alone["findings"])


def check_errors(lab):
    """None of these is a report, and the process of the last one is gone."""
    folder = lab.fresh("growth")
    with open(os.path.join(folder, "no.json"), "w") as file:
        file.write("{\"schema\": 1}")
    with target.start(lab, lab.public_interpreter(), "idle.py") as process:
        process.expect("ready")
        path = os.path.join(folder, "gone.json")
        tool.run(lab, "--json", "-o", path, process.pid)
    for arguments, code in ((["/nonexistent"], 2), ([folder], 2), (["/dev/null"], 2),
                            ([file.name], 2), ([path], 3)):
        done = tool.run(lab, "--diff", *arguments)
        equal("the exit code for %s" % arguments, done.code, code)
        expect("try:" in done.err, done.err)
