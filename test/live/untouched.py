"""A report changes nothing in the target: no page becomes resident, no table grows."""
import os

import procfs
import target
import tool
from check import equal_items

FILE_BYTES = 64 << 20
FIELDS = ["VmRSS", "VmPTE", "VmSwap", "VmSize", "VmData", "RssAnon", "RssFile", "RssShmem"]


def tests(lab):
    for interpreter in lab.interpreters:
        yield "untouched/" + interpreter.name, check_untouched, (interpreter,)


def state(pid):
    sizes = {field: procfs.status_bytes(pid, field) for field in FIELDS}
    sizes["Rss"] = procfs.rollup_bytes(pid)["Rss"]
    sizes["minor faults"] = procfs.minor_faults(pid)
    return sizes


def check_untouched(lab, interpreter):
    path = os.path.join(lab.stage(interpreter.root), "mapped")
    with open(path, "wb") as file:
        file.truncate(FILE_BYTES)
    with target.start(lab, interpreter, "mappings.py", interpreter.inside(path)) as process:
        pid = process.expect("ready").pid
        before = state(pid)
        for mode in ("none", "brief", "full"):
            tool.still_report(lab, pid, "--stop=" + mode)
            equal_items("after --stop=" + mode, state(pid), before)
