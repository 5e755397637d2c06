"""The collector's figures are those that the module gc tells in the target."""
import target
import tool
from check import equal

# Cycles that are dropped, objects that stay, and whether they are frozen.
SHAPES = {"plain": (5000, 3000, 0), "frozen": (5000, 3000, 1), "large": (100, 300000, 0),
          "large_frozen": (100, 300000, 1)}
FIGURES = ("collections", "collected", "uncollectable")
# Objects of a list, at most.
FOLLOWED = 1 << 16


def tests(lab):
    for one in lab.interpreters:
        # The objects of older debug builds are not known, so their collector is not either.
        if one.debug_build and one.series < (3, 8):
            continue
        for name, shape in SHAPES.items():
            yield "collector/%s/%s" % (one.name, name), check_shape, (one, shape)


def last_line(process):
    line = None
    while True:
        following = process.line()
        if following == "done":
            return [None if word == "-1" else int(word) for word in line.split()]
        line = following


def check_objects(interpreter, wanted, generations):
    objects = [row["objects"] for row in generations]
    if interpreter.series >= (3, 8):
        equal("objects by generation", objects, wanted)
    else:
        # It waits in a call, whose arguments are a tuple up to 3.6.
        equal("objects of all generations", sum(objects),
              wanted[0] + (interpreter.series < (3, 7)))


def has_long_list(objects):
    """One that is not followed, since the census tells how long it is: to the object, here."""
    return len([count for count in objects if count is not None and count > FOLLOWED]) == 1


def check_shape(lab, interpreter, shape):
    with target.start(lab, interpreter, "collector.py", *map(str, shape)) as process:
        wanted = last_line(process)
        process.settle()
        gc = tool.still_report(lab, process.pid)["gc"]
    generations = gc["generations"]
    equal("enabled", gc["enabled"], bool(wanted[0]))
    equal("thresholds", [row["threshold"] for row in generations], wanted[1:4])
    equal("counts", [row["count"] for row in generations], wanted[4:7])
    check_objects(interpreter, wanted[7:10], generations)
    equal("frozen", gc["frozen"], wanted[10])
    equal("garbage", gc["garbage"], wanted[11])
    equal("figures so far", [row[name] for row in generations for name in FIGURES], wanted[12:21])
    equal("callbacks", gc["callbacks"], wanted[21])
    equal("torn lists", gc["torn_lists"], 0)
    equal("long lists", gc["long_lists"], 0)
    equal("by census", gc["by_census"], has_long_list(wanted[7:11]))
