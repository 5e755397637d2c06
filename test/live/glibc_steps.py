"""A held target takes chunks, and gives them back: the report moves by these, and only by these."""
import glibc_stats
import tool
from check import equal, expect
from glibc_target import HeldTarget, has_fastbins, one_of_each_glibc, plan, tcache_count

# Chunks that go to the tcache, the fastbins, the bins, the top and mappings.
STEPS = [(5, 24), (300, 72), (300, 700), (40, 5000), (20, 100000), (6, 300000)]
MMAP_FROM = 128 << 10


def tests(lab):
    for interpreter in one_of_each_glibc(lab):
        yield "glibc-steps/" + interpreter.name, check_steps, (interpreter,)


def section(lab, held):
    report = tool.still_report(lab, held.pid)
    glibc_stats.check_still(report)
    return report["glibc"]


def chunk_bytes(size):
    """Of a chunk for a request, as malloc rounds it up."""
    return size + 8 + 15 & ~15


def live_of_size(glibc, bytes_):
    """Live chunks in the row of chunk_sizes that has this size."""
    return sum(row["live_chunks"] for row in glibc["chunk_sizes"]
               if row["min_bytes"] <= bytes_ <= row["max_bytes"])


def check_steps(lab, interpreter):
    with HeldTarget(lab, interpreter, [plan("bins"), plan("bins")]) as held:
        for count, size in STEPS:
            before = section(lab, held)
            taken = [int(number) for number in held.ask("take %d %d" % (count, size))]
            check_taken(before, section(lab, held), count, size, *taken)
            held.ask("give")
            check_given(interpreter, before, section(lab, held), count, size)


def check_taken(before, after, count, size, total, exact):
    """They have `total` bytes; `exact` of them are no larger than they need to be."""
    what = "%d chunks for %d bytes" % (count, size)
    moved = {name: after["totals"][name] - before["totals"][name]
             for name in ("live_chunks", "live_bytes")}
    if size >= MMAP_FROM:
        equal("mmapped chunks after " + what,
              after["mmapped"]["chunks"] - before["mmapped"]["chunks"], count)
        equal("live chunks after " + what, moved, {"live_chunks": 0, "live_bytes": 0})
        return
    equal("live chunks after " + what, moved, {"live_chunks": count, "live_bytes": total})
    row = chunk_bytes(size)
    found = live_of_size(after, row) - live_of_size(before, row)
    expect(exact <= found <= count,
           "%d of %s are in their row of chunk_sizes, not %d" % (found, what, exact))


def check_given(interpreter, before, after, count, size):
    """All are free again, as many as may in the tcache."""
    for name in ("live_chunks", "live_bytes"):
        equal("%s after all of %d bytes were freed" % (name, size), after["totals"][name],
              before["totals"][name])
    equal("mmapped chunks", after["mmapped"]["chunks"], before["mmapped"]["chunks"])
    if size < 1000 and count >= 300:
        main, = [row for row in after["threads"] if row["arena"] == after["arenas"][0]["address"]]
        expect(main["tcache_chunks"] >= tcache_count(interpreter), "the tcache is not filled")
    if size < 120 and count >= 300:
        fast = after["totals"]["fast_chunks"] - before["totals"]["fast_chunks"]
        expect((fast > 0) == has_fastbins(interpreter), "%d chunks more in fastbins" % fast)
