"""Types by the hundred thousand, names that are no names, and other ways to ask for memory."""
import objects
import target
import tool
from check import equal, expect

SINCE = (3, 6)
INTERPRETERS_SINCE = (3, 8)
COUNT = 100000
WIDTH = 80


def tests(lab):
    for one in lab.interpreters:
        if one.series < SINCE:
            continue
        yield "objects/%s/names" % one.name, check_names, (one,)
        for allocator in ("debug", "malloc"):
            yield ("objects/%s/PYTHONMALLOC=%s" % (one.name, allocator), check_allocator,
                   (one, allocator))
        if one.series >= INTERPRETERS_SINCE:
            yield "objects/%s/interpreters" % one.name, check_interpreters, (one,)
    yield "objects/classes", check_classes, ()


def check(lab, interpreter, program, shape, **variables):
    """(report, text report): whatever there is, the counts close."""
    with target.start(lab, interpreter, program, shape, **variables) as process:
        pid = process.expect("ready").pid
        report = tool.still_report(lab, pid)
        objects.check_sums(report)
        text = tool.run(lab, "--section=types", "--max-stop=2000", pid)
    equal("the exit code", text.code, 0)
    return report, text.out


def check_names(lab, interpreter):
    report, text = check(lab, interpreter, "odd_types.py", "names")
    odd = [row for row in report["types"] if row["objects"] == 1000]
    equal("types of 1,000 objects", len([row for row in odd if row["module"] != "builtins"]), 9)
    controls = sorted({character for character in text
                       if character != "\n" and not character.isprintable()})
    equal("what a terminal must not see", controls, [])
    long = [line for line in text.splitlines() if len(line) > WIDTH]
    expect(not long, "%d characters: %r" % (len(long[0]) if long else 0, long[:1]))
    expect("\\x1b[31mred" in text, "the name with an escape is not there")


def check_classes(lab):
    report, _ = check(lab, lab.public_interpreter(), "odd_types.py", "classes")
    found = [row for row in report["types"] if row["name"].startswith("Class")]
    equal("classes", len(found), COUNT)
    equal("objects of each", {row["objects"] for row in found}, {1})
    equal("names", len({row["name"] for row in found}), COUNT // 2)


def check_allocator(lab, interpreter, allocator):
    report, _ = check(lab, interpreter, "residents.py", "heap", PYTHONMALLOC=allocator)
    found = {row["name"]: row["objects"] for row in report["types"]}
    expect(found.get("str", 0) >= 200000, "%d objects of str" % found.get("str", 0))
    expect(found.get("list", 0) >= 50000, "%d objects of list" % found.get("list", 0))


def check_interpreters(lab, interpreter):
    report, _ = check(lab, interpreter, "odd_types.py", "interpreters")
    found = {}
    for row in report["types"]:
        found[row["name"]] = found.get(row["name"], 0) + row["objects"]
    expect(found.get("str", 0) >= 40000, "%d objects of str" % found.get("str", 0))
    expect(found.get("list", 0) >= 10000, "%d objects of list" % found.get("list", 0))
