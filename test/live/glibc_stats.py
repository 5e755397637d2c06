"""How the figures of glibc's malloc must add up, on any target, and on one that holds still."""
from check import equal_items, expect

PARTS = ["live_bytes", "free_bytes", "tcache_bytes", "top_bytes", "overhead_bytes",
         "foreign_bytes", "unknown_bytes"]
SUMMED = PARTS + ["heaps", "system_bytes", "live_chunks", "free_chunks", "tcache_chunks",
                  "fast_chunks", "fast_bytes", "rest_chunks", "rest_bytes", "trimmable_bytes",
                  "trimmable_flushed_bytes", "resident_bytes"]
DRIFTING = ("2.43", "2.44")
UNDAMAGED = {"damaged_chunks": 0, "damaged_arenas": 0, "swapped_pages": 0}


def sum_of(list_, name):
    return sum(row[name] for row in list_)


def check_sum(what, got, wanted):
    expect(got == wanted, "%s add up to %d, not %d" % (what, got, wanted))


def check_arena(arena):
    what = "the arena %s" % arena["address"]
    check_sum("the parts of " + what, sum(arena[name] for name in PARTS), arena["system_bytes"])
    # Neither is the larger: what lies between a tcache's chunk and top joins top without it.
    for name in ("trimmable_bytes", "trimmable_flushed_bytes"):
        expect(arena[name] <= arena["resident_bytes"],
               "%s has more %s than resident ones" % (what, name))
    expect(arena["resident_bytes"] <= arena["system_bytes"],
           what + " has more resident bytes than bytes")
    expect(arena["system_bytes"] <= arena["peak_system_bytes"], what + " is larger than its peak")


def check_kinds(arena):
    """Each free chunk is in one kind of list."""
    what, kinds = "the arena %s" % arena["address"], arena["free_kinds"]
    for name in ("chunks", "bytes"):
        check_sum("free %s of %s by kind" % (name, what),
                  sum(kinds[kind][name] for kind in ("fast", "unsorted", "small", "large")),
                  arena["free_" + name])
        check_sum("%s in tcaches of %s" % (name, what), kinds["tcache"][name],
                  arena["tcache_" + name])
    check_sum("the top of " + what, kinds["top"]["bytes"], arena["top_bytes"])
    for kind, row in kinds.items():
        expect(row["page_bytes"] <= row["bytes"] and row["largest_bytes"] <= row["bytes"],
               "%s of %s: more than all of it in %s" % (kind, what, row))


def check_closes(glibc):
    """The sums that hold for every report, also on a target that runs."""
    arenas, totals = glibc["arenas"], glibc["totals"]
    for arena in arenas:
        check_arena(arena)
        check_kinds(arena)
    kinds = [arena["kind"] for arena in arenas]
    expect(kinds == ["main"] + ["thread"] * (len(arenas) - 1), "arenas are of kinds %s" % kinds)
    expect(len({arena["address"] for arena in arenas}) == len(arenas), "an arena comes twice")
    for name in SUMMED:
        check_sum("%s of arenas" % name, sum_of(arenas, name), totals[name])
    check_sum("the parts of all arenas", sum(totals[name] for name in PARTS),
              totals["system_bytes"])
    check_sizes(glibc["chunk_sizes"], totals)
    check_lists(glibc)


def check_sizes(sizes, totals):
    for name in ("live_chunks", "live_bytes"):
        check_sum("%s of chunk_sizes" % name, sum_of(sizes, name), totals[name])
    for name in ("chunks", "bytes"):
        check_sum("free_%s of chunk_sizes" % name, sum_of(sizes, "free_" + name),
                  totals["free_" + name] + totals["tcache_" + name])
    last = 0
    for row in sizes:
        expect(last < row["min_bytes"] <= row["max_bytes"], "chunk_sizes are not in order")
        last = row["max_bytes"]
        for kind in ("live", "free"):
            chunks, bytes_ = row[kind + "_chunks"], row[kind + "_bytes"]
            expect(chunks * row["min_bytes"] <= bytes_ <= chunks * row["max_bytes"],
                   "%d chunks of %d to %d bytes have %d bytes"
                   % (chunks, row["min_bytes"], row["max_bytes"], bytes_))


def check_lists(glibc):
    mmapped, chunks = glibc["mmapped"], glibc["mmapped_list"]
    check_sum("bytes of mmapped_list", sum_of(chunks, "bytes"), mmapped["found_bytes"])
    check_sum("chunks of mmapped_list", len(chunks), mmapped["found_chunks"])
    check_sum("resident_bytes of mmapped_list", sum_of(chunks, "resident_bytes"),
              mmapped["resident_bytes"])
    equal_items("totals", glibc["totals"], {"mmapped_bytes": mmapped["found_bytes"]})
    resident, arenas = glibc["resident"], glibc["arenas"]
    equal_items("resident", resident, {
        "main_arena_bytes": arenas[0]["resident_bytes"],
        "thread_arenas_bytes": sum_of(arenas[1:], "resident_bytes"),
        "mmapped_bytes": mmapped["resident_bytes"],
        "total_bytes": glibc["totals"]["resident_bytes"] + mmapped["resident_bytes"],
    })
    largest = [row["bytes"] for row in glibc["largest_free"]]
    expect(largest == sorted(largest, reverse=True), "largest_free is not in order")
    tids = [row["tid"] for row in glibc["threads"] or ()]
    expect(len(set(tids)) == len(tids), "a thread comes twice")


def check_all_mmapped(mmapped, version):
    """
    All that malloc counts were found. From 2.43 on it counts the 16 bytes of a header too many
    whenever a chunk is moved by mremap(2).
    """
    equal_items("mmapped", mmapped, {"found_chunks": mmapped["chunks"]})
    drift = mmapped["bytes"] - mmapped["found_bytes"]
    is_explained = drift >= 0 and drift % 16 == 0 if version in DRIFTING else drift == 0
    expect(is_explained, "malloc counts %d mmapped bytes, %d were found"
           % (mmapped["bytes"], mmapped["found_bytes"]))


def check_still(report):
    """Also what holds only if nothing moved meanwhile."""
    glibc = report["glibc"]
    check_closes(glibc)
    equal_items("glibc", glibc, UNDAMAGED)
    equal_items("glibc.totals", glibc["totals"], {"unknown_bytes": 0, "partly_sorted": False})
    equal_items("snapshot", report["snapshot"], {"torn_chunks": 0})
    check_all_mmapped(glibc["mmapped"], report["libc"]["version"])
    check_sum("threads of arenas", sum_of(glibc["arenas"], "threads"), glibc["totals"]["threads"])
    for name in ("tcache_chunks", "tcache_bytes"):
        check_sum("%s of threads" % name, sum_of(glibc["threads"], name), glibc["totals"][name])
    for arena in glibc["arenas"]:
        expect(arena["rest_chunks"] + arena["fast_chunks"] == arena["free_chunks"] + 1,
               "the bins of the arena %s do not hold its free chunks" % arena["address"])
