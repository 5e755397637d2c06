"""gdb, which knows nothing of us, calls malloc_info(3) in the target, and reads mp_ and tcache."""
import os
import re
import shutil
import subprocess

import glibc_shapes
import glibc_stats
import glibc_truth
import hugepages
import tool
from check import Failed, Skipped, equal, equal_items, expect
from glibc_shapes import tunables
from glibc_target import HeldTarget, needs_glibc, one_of_each_glibc, plan

PATIENCE_SECONDS = 120
ARENAS_PER_PROCESSOR = 8
PRINTED = re.compile(r"(\w+) = (-?\d+)")

# Of struct malloc_par, and our name for it.
PARAMS = {
    "mmap_threshold": "mmap_threshold_bytes", "trim_threshold": "trim_threshold_bytes",
    "top_pad": "top_pad_bytes", "thp_pagesize": "thp_page_bytes",
    "hp_pagesize": "huge_page_bytes", "tcache_max_bytes": "tcache_max_bytes",
    "tcache_count": "tcache_count",
}
MMAPPED = {"n_mmaps": "chunks", "mmapped_mem": "bytes", "max_n_mmaps": "peak_chunks",
           "max_mmapped_mem": "peak_bytes"}

# What the target is started with, and what params must say then, whatever gdb prints.
SETTINGS = {
    "default": ({}, (0,), {"mmap_threshold_dynamic": True, "arena_max_source": "processors"}),
    "environment": ({"MALLOC_ARENA_MAX": "3", "MALLOC_MMAP_THRESHOLD_": "65536",
                     "MALLOC_TRIM_THRESHOLD_": "250000", "MALLOC_TOP_PAD_": "70000"}, (0,),
                    {"arena_max": 3, "arena_max_source": "MALLOC_ARENA_MAX",
                     "mmap_threshold_bytes": 65536, "mmap_threshold_dynamic": False,
                     "trim_threshold_bytes": 250000, "top_pad_bytes": 70000}),
    "tunables": (tunables("arena_max=5", "tcache_count=3", "mmap_threshold=300000"), (0,),
                 {"arena_max": 5, "arena_max_source": "GLIBC_TUNABLES", "tcache_count": 3,
                  "mmap_threshold_bytes": 300000, "mmap_threshold_dynamic": False}),
    "mallopt": ({}, (0,), {"arena_max": 2, "arena_max_source": "mallopt"}),
    "tcache-max": (tunables("tcache_max=2000000"), (2, 42), {"arena_max_source": "processors"}),
    "transparent-huge-pages": (tunables("hugetlb=1"), (2, 35), {}),
}


def tests(lab):
    yield "glibc-gdb/malloc_info", check_called, ()
    for interpreter in one_of_each_glibc(lab):
        for name in SETTINGS:
            yield "glibc-params/%s/%s" % (interpreter.name, name), check_params, (interpreter, name)


def gdb(interpreter, pid, *commands):
    if shutil.which("gdb") is None:
        raise Skipped("gdb is not installed")
    before = []
    if interpreter.root is not None:
        before = ["-iex", "set sysroot " + interpreter.root,
                  "-iex", "set debug-file-directory %s/usr/lib/debug" % interpreter.root]
    exe = os.readlink("/proc/%d/exe" % pid)
    line = ["gdb", "-nx", "-batch", *before, "-p", str(pid), exe]
    for command in commands:
        line += ["-ex", command]
    done = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=PATIENCE_SECONDS)
    return done.stdout, done.stderr


def check_called(lab):
    """
    The shape that has something in every bin, on an interpreter of our own root. Calls are hard on
    the target: some gdb cannot give it all registers back.
    """
    interpreter = [one for one in one_of_each_glibc(lab) if one.root is None]
    if not interpreter:
        raise Skipped("no interpreter outside the unpacked roots")
    interpreter, = interpreter
    with HeldTarget(lab, interpreter, glibc_shapes.BINS) as held:
        truth = held.truth()
        with open(held.figures) as file:
            own = file.read().split("</malloc>")[0]
        report = tool.still_report(lab, held.pid)
        _, errors = gdb(interpreter, held.pid, "call (void)rewind(malloc_figures)",
                        "call (int)ftruncate((int)fileno(malloc_figures), 0)",
                        "call (int)malloc_info(0, malloc_figures)",
                        "call (int)fflush(malloc_figures)")
        with open(held.figures) as file:
            called = file.read().split("</malloc>")[0]
        expect(called != "", "gdb has not called it: %s" % errors)
        equal("what gdb's call printed", called, own)
        glibc_stats.check_still(report)
        glibc_truth.check(report["glibc"], truth)


def check_params(lab, interpreter, name):
    variables, since, wanted = SETTINGS[name]
    needs_glibc(interpreter, since)
    first = "arena_max_two" if name == "mallopt" else "aligned"
    with hugepages.told_in(interpreter.root), \
            HeldTarget(lab, interpreter, [plan(first), plan("bins")], **variables) as held:
        report = tool.still_report(lab, held.pid)["glibc"]
        output, errors = gdb(interpreter, held.pid, "print mp_")
    printed = {key: int(value) for key, value in PRINTED.findall(output)}
    if "mmap_threshold" not in printed:
        raise Failed("gdb does not print mp_: %s%s" % (output, errors))
    params = report["params"]
    equal_items("params as gdb prints mp_", params,
                {ours: printed.get(theirs) for theirs, ours in PARAMS.items()})
    equal("mmap_threshold_dynamic", params["mmap_threshold_dynamic"],
          printed["no_dyn_threshold"] == 0)
    equal_items("mmapped as gdb prints mp_", report["mmapped"],
                {ours: printed[theirs] for theirs, ours in MMAPPED.items()})
    equal_items("params", params, wanted)
    if params["arena_max_source"] == "processors":
        equal("arena_max", params["arena_max"], ARENAS_PER_PROCESSOR * os.cpu_count())
