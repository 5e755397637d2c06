"""On a target that holds still, every figure is what malloc says itself, for heaps of any shape."""
import contextlib
import os

import elf
import glibc_shapes
import glibc_stats
import glibc_truth
import hugepages
import procfs
import residency
import tool
from check import equal, equal_everywhere, equal_items, expect
from glibc_target import HeldTarget, needs_glibc, one_of_each_glibc

# A chunk's header, before the address that malloc returns.
HEADER_BYTES = 16


def tests(lab):
    chosen = one_of_each_glibc(lab)
    for interpreter in lab.interpreters:
        for shape in glibc_shapes.SHAPES if interpreter in chosen else ["bins"]:
            yield "glibc/%s/%s" % (interpreter.name, shape), check_shape, (interpreter, shape)


def check_shape(lab, interpreter, name):
    shape = glibc_shapes.SHAPES[name](interpreter)
    needs_glibc(interpreter, shape.since)
    with contextlib.ExitStack() as stack:
        if name in glibc_shapes.HUGE:
            hugepages.needs_transparent()
            stack.enter_context(hugepages.told_in(interpreter.root))
            stack.enter_context(hugepages.lent(glibc_shapes.HUGE[name]))
        held = stack.enter_context(HeldTarget(lab, interpreter, shape.plans, **shape.variables))
        truth = held.truth()
        for mode in ("brief", "none", "full"):
            report = tool.still_report(lab, held.pid, "--stop=" + mode)
            check_report(lab, report, interpreter, held, truth)
            if mode != "brief":
                equal_everywhere("glibc with --stop=" + mode, report["glibc"], first["glibc"])
            first = report
        check_section(lab, held, first["glibc"])
        equal_everywhere("malloc's own figures after the reports", held.truth(), truth)
        check_resident(held.pid, first["glibc"])
    if shape.premise is not None:
        shape.premise(interpreter, truth, first["glibc"])


def check_report(lab, report, interpreter, held, truth):
    glibc = report["glibc"]
    expect(glibc is not None, "no figures of glibc: %s" % report["warnings"])
    expect("glibc" in report["allocators"], "glibc is not one of the allocators")
    check_libc(lab, report["libc"], interpreter, held.pid)
    glibc_stats.check_still(report)
    glibc_truth.check(glibc, truth)
    check_threads(glibc, held)
    found = {int(row["address"], 16) for row in glibc["mmapped_list"]}
    missing = [hex(address) for address in held.mmapped if address - HEADER_BYTES not in found]
    expect(not missing, "these mmapped chunks are not listed: %s" % missing)


def check_libc(lab, libc, interpreter, pid):
    path = [line.split()[-1] for line in procfs.read(pid, "maps").splitlines()
            if os.path.basename(line.split()[-1]) in ("libc.so.6", "libc-2.31.so")][0]
    equal_items("libc", libc, {
        "family": "glibc", "version": ".".join(str(part) for part in interpreter.glibc),
        "build_id": elf.build_id(path), "layout_source": lab.layout_source,
    })
    equal("the name of libc.image", os.path.basename(libc["image"]), os.path.basename(path))


def check_threads(glibc, held):
    threads = {row["tid"]: row for row in glibc["threads"]}
    equal("the threads", sorted(threads), sorted(procfs.threads(held.pid)))
    addresses = {arena["address"] for arena in glibc["arenas"]}
    for row in threads.values():
        expect(row["arena"] is None or row["arena"] in addresses,
               "the arena of thread %d is unknown: %s" % (row["tid"], row["arena"]))
    for known in held.known:
        expect(threads[known.tid]["arena"] is not None, "thread %d has no arena" % known.tid)
        if known.chunks >= 0:
            equal_items("thread %d" % known.tid, threads[known.tid],
                        {"tcache_chunks": known.chunks, "tcache_bytes": known.bytes})
    for arena in glibc["arenas"]:
        attached = sum(row["arena"] == arena["address"] for row in threads.values())
        equal("the threads of the arena %s" % arena["address"], arena["threads"], attached)


def check_section(lab, held, wanted):
    """The section by itself says the same, and nothing of the others."""
    report = tool.still_report(lab, held.pid, "--section=glibc")
    equal_everywhere("glibc with --section=glibc", report["glibc"], wanted)
    equal("pymalloc with --section=glibc", report["pymalloc"], None)


def check_resident(pid, glibc):
    """An arena's resident bytes are those of its mappings; a mmapped chunk's those of its pages."""
    main, *others = glibc["arenas"]
    start, end = procfs.mapping(pid, "[heap]")
    if end - start == main["system_bytes"]:
        equal("resident bytes of the main arena", main["resident_bytes"],
              residency.present_bytes(pid, start, end))
    for arena in others:
        if arena["heaps"] == 1:
            start = int(arena["address"], 16) & -residency.PAGE
            equal("resident bytes of the arena %s" % arena["address"], arena["resident_bytes"],
                  residency.present_bytes(pid, start, start + arena["system_bytes"]))
    for field, chunks in (("start", glibc["mmapped_list"]), ("address", glibc["largest_free"])):
        for chunk in chunks:
            start = int(chunk[field], 16)
            equal("resident bytes of the chunk %s" % chunk["address"], chunk["resident_bytes"],
                  residency.present_bytes(pid, start, start + chunk["bytes"]))
