"""Each resident byte of real programs has an owner, and they add up to RSS."""
import os
import re

import ledger
import procfs
import swap
import target
import tool
from check import Skipped, equal, expect

THREADS_SINCE = (3, 6)
SHARED_SINCE = (3, 8)
PYTHONMALLOC_SINCE = (3, 6)
FILE_BYTES = 1 << 30
WORKERS = 4
INTERNED = 100000

# Of 100,000 bytes each, whole pages only: 23 or 24 of them.
SWAPPED_LISTS = 500
SWAPPED_BYTES = 100000 - 4096

# What libffi keeps for itself next to its closures, which newer ctypes make at import.
LIBFFI_BYTES = 4096

PRELOADED = {"jemalloc": "libjemalloc.so.2", "tcmalloc": "libtcmalloc_minimal.so.4",
             "mimalloc": "libmimalloc.so.2"}


def tests(lab):
    for one in lab.interpreters:
        yield "ledger/%s/heap" % one.name, check_plain, (one, "heap")
        yield "ledger/%s/interned" % one.name, check_interned, (one,)
        if one.series >= THREADS_SINCE:
            yield "ledger/%s/threads" % one.name, check_plain, (one, "threads")
            yield "ledger/%s/forked" % one.name, check_forked, (one,)
        # shm_open(3) in a chroot without its own /dev/shm makes a file.
        if one.series >= SHARED_SINCE and one.root is None:
            yield "ledger/%s/shared" % one.name, check_shared, (one,)
        if one.series >= PYTHONMALLOC_SINCE:
            yield "ledger/%s/PYTHONMALLOC=malloc" % one.name, check_malloc, (one,)
            yield "ledger/%s/trimmed" % one.name, check_plain, (one, "trimmed")
            yield "ledger/%s/swapped" % one.name, check_swapped, (one,)
        if one.series >= PYTHONMALLOC_SINCE and one.root is None:
            yield "ledger/%s/mapped" % one.name, check_mapped, (one,)
            yield "ledger/%s/half-swapped" % one.name, check_half_swapped, (one,)
    yield "ledger/numpy", check_arrays, ()
    yield "ledger/flask", check_flask, ()
    yield "ledger/gunicorn", check_gunicorn, ()
    for name in PRELOADED:
        yield "ledger/" + name, check_preloaded, (name,)


def check_report(lab, pid, *options):
    report = tool.still_report(lab, pid, *options)
    ledger.check_still(report, pid)
    ledger.check_attributed(report)
    return report


def state(pid):
    """What no report may change; the rest depends on who else maps the same files."""
    sizes = procfs.rollup_bytes(pid)
    return ({key: sizes[key] for key in ("Rss", "Anonymous", "Swap")}, procfs.minor_faults(pid),
            procfs.major_faults(pid))


def check_modes(lab, pid):
    """The same whatever the way of stopping, and nothing of the target has changed."""
    before = state(pid)
    reports = [check_report(lab, pid, "--stop=" + mode) for mode in ("none", "full", "brief")]
    equal("smaps_rollup and faults", state(pid), before)
    for report in reports[1:]:
        equal("the categories", report["categories"], reports[0]["categories"])
    return reports[0]


def check_shape(lab, interpreter, shape, *arguments, **variables):
    with target.start(lab, interpreter, "residents.py", shape, *arguments,
                      **variables) as process:
        return check_modes(lab, process.expect("ready").pid)


def check_plain(lab, interpreter, shape):
    check_shape(lab, interpreter, shape)


def check_forked(lab, interpreter):
    """What the threads of the parent left in the child has an owner: 8 KiB each, and more."""
    with target.start(lab, interpreter, "residents.py", "forked") as process:
        child, = procfs.children(process.expect("ready").pid)
        procfs.wait_until(lambda: procfs.status(child, "State") == "S", "it does not wait")
        report = check_modes(lab, child)
    left = sum(row["bytes"] for row in report["unattributed"])
    expect(left <= LIBFFI_BYTES, "%d bytes are not attributed: %s"
           % (left, report["unattributed"]))


def check_interned(lab, interpreter):
    """The table of interned strings is found, and keeps the owner that it has."""
    report = check_shape(lab, interpreter, "interned")
    tables = [row for row in report["regions"] if row["kind"] == "interned"]
    size = max([int(row["end"], 16) - int(row["start"], 16) for row in tables] or [0])
    entry_bytes = 24 if interpreter.series < (3, 11) else 16
    expect(INTERNED * entry_bytes <= size <= 8 * INTERNED * entry_bytes,
           "the table of interned strings has %d bytes" % size)


def check_shared(lab, interpreter):
    report = check_shape(lab, interpreter, "shared")
    ledger.check_near("shared_memory", ledger.sizes(report)["shared_memory"], 64 << 20)


def check_malloc(lab, interpreter):
    report = check_shape(lab, interpreter, "heap", PYTHONMALLOC="malloc")
    equal("python_small", ledger.sizes(report)["python_small"], 0)


def check_swapped(lab, interpreter):
    """What is in swap has an owner where its header tells, and none of it comes back."""
    with swap.space(lab):
        report = check_shape(lab, interpreter, "swapped")
    equal("swap_bytes", sum(row["swap_bytes"] for row in report["categories"]),
          report["kernel"]["swap_bytes"])
    found, = [row["swap_bytes"] for row in report["categories"] if row["id"] == "python_large"]
    ledger.check_near("python_large in swap", found, SWAPPED_LISTS * SWAPPED_BYTES)


def check_half_swapped(lab, interpreter):
    """Headers are in swap as well: it all adds up, and says what it could not tell."""
    with swap.space(lab), target.start(lab, interpreter, "residents.py",
                                       "half-swapped") as process:
        process.expect("ready")
        before = state(process.pid)
        for mode in ("none", "full", "brief"):
            report = tool.report(lab, process.pid, "--stop=" + mode)
            ledger.check_still(report, process.pid)
            equal("smaps_rollup and faults", state(process.pid), before)
    expect(report["kernel"]["swap_bytes"] > 16 << 20,
           "only %d bytes are in swap" % report["kernel"]["swap_bytes"])
    ledger.check_attributed(report)


def check_mapped(lab, interpreter):
    path = os.path.join(lab.stage(interpreter.root), "gibibyte")
    with open(path, "wb") as file:
        file.truncate(FILE_BYTES)
    report = check_shape(lab, interpreter, "mapped", interpreter.inside(path))
    found, = [row for row in report["mappings"] if row["name"] == path]
    equal("the pages of the file that were read", found["rss_bytes"] >= FILE_BYTES // 2, True)
    expect(ledger.sizes(report)["files"] >= FILE_BYTES // 2, "files are less than what was read")


def with_module(lab, name):
    """The distribution's interpreter, for which modules are packaged."""
    for interpreter in lab.interpreters:
        if interpreter.root is None and interpreter.path.startswith("/usr/") and \
                not interpreter.debug_build:
            for folder in ("/usr/lib/python3/dist-packages", "/usr/lib/python3.%d/dist-packages"
                           % interpreter.series[1]):
                if os.path.isdir(os.path.join(folder, name)):
                    return interpreter
    raise Skipped("the distribution's python3 has no " + name)


def check_arrays(lab):
    report = check_shape(lab, with_module(lab, "numpy"), "arrays")
    ledger.check_near("malloc_mmapped", ledger.sizes(report)["malloc_mmapped"], 500 << 20, 0.02)


def check_flask(lab):
    with target.start(lab, with_module(lab, "flask"), "service.py") as process:
        pid = process.expect("ready").pid
        procfs.wait_until(lambda: procfs.thread_states(pid) == {"S"}, "a thread does not wait")
        check_modes(lab, pid)


def check_gunicorn(lab):
    interpreter = with_module(lab, "gunicorn")
    if not os.path.isdir("/usr/lib/python3/dist-packages/flask"):
        raise Skipped("the distribution's python3 has no flask")
    command = interpreter.command("-m", "gunicorn", "--workers=%d" % WORKERS,
                                  "--bind=127.0.0.1:0", "--chdir=" + lab.stage(None),
                                  "service:app")
    with target.Target(command, target.environment()) as master:
        procfs.wait_until(lambda: len(procfs.children(master.pid)) == WORKERS,
                          "gunicorn has not started its workers")
        workers = procfs.children(master.pid)
        for pid in workers:
            procfs.wait_until(lambda pid=pid: b"flask" in open("/proc/%d/maps" % pid, "rb").read()
                              or procfs.status(pid, "State") == "S", "a worker does not settle")
        for pid in [master.pid, *workers]:
            report = tool.report(lab, pid)
            ledger.check_sums(report)
            ledger.check_attributed(report)
            equal("its family", {row["pid"] for row in report["family"]},
                  {master.pid, *workers})


def library(name):
    folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib"]
    for folder in folders:
        path = os.path.join(folder, PRELOADED[name])
        if os.path.exists(path):
            return path
    raise Skipped("%s is not installed" % PRELOADED[name])


def check_preloaded(lab, name):
    path, interpreter = library(name), lab.public_interpreter()
    with target.start(lab, interpreter, "residents.py", "heap", LD_PRELOAD=path,
                      PYTHONMALLOC="malloc") as process:
        report = tool.report(lab, process.expect("ready").pid)
        ledger.check_still(report, process.pid)
        ledger.check_attributed(report)
    found = ledger.sizes(report)
    expect(found["other_allocator"] > 16 << 20,
           "other_allocator has %d bytes" % found["other_allocator"])
    expect(name in report["allocators"], "allocators are %s" % report["allocators"])
    said = [warning["text"] for warning in report["warnings"] if warning["id"] == "other-allocator"]
    expect(len(said) == 1 and re.search(name, said[0]), "the warning is %s" % said)
