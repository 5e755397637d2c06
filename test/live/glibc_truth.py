"""What malloc says of itself: the output of malloc_info(3), and of mallinfo2(3) behind it."""
import xml.etree.ElementTree as ElementTree

from check import equal, equal_items, expect

# Of a free chunk in a bin the size word also says PREV_INUSE. That it is of a thread's arena
# (NON_MAIN_ARENA) it says only if it was split off, and not if it was freed.
PREV_INUSE, NON_MAIN_ARENA = 1, 4
SMALL_MAX = 1024
CHUNK_HEADER_BYTES = 16


def attributes(node, path):
    found = node.find(path)
    return {} if found is None else {key: int(value) for key, value in found.attrib.items()
                                     if key != "type"}


def rows(node, tag):
    return [{key: int(value) for key, value in row.attrib.items()} for row in node.iter(tag)]


def parse(text):
    """{"heaps": [...], "totals": {...}, "mallinfo": {...}} under the names of the report."""
    document, figures = text.split("</malloc>")
    malloc = ElementTree.fromstring(document + "</malloc>")
    mallinfo = {name: int(value) for name, value in
                (line.split() for line in figures.split("\n") if line)}
    heaps = [heap_of(node, index) for index, node in enumerate(malloc.findall("heap"))]
    mmap = attributes(malloc, "total[@type='mmap']")
    totals = counted(malloc)
    totals["mmapped_chunks"], totals["mmapped_bytes"] = mmap["count"], mmap["size"]
    return {"heaps": heaps, "totals": totals, "mallinfo": mallinfo}


def counted(node):
    fast, rest = (attributes(node, "total[@type='%s']" % kind) for kind in ("fast", "rest"))
    # From 2.43 on there are no fastbins.
    return {"fast_chunks": fast.get("count", 0), "fast_bytes": fast.get("size", 0),
            "rest_chunks": rest["count"], "rest_bytes": rest["size"],
            "system_bytes": attributes(node, "system[@type='current']")["size"],
            "peak_system_bytes": attributes(node, "system[@type='max']")["size"]}


def heap_of(node, index):
    """An arena's figures. malloc_info() counts the top chunk with the chunks in bins."""
    figures = counted(node)
    # Only a fastbin's limits are not size words.
    fast = [row for row in rows(node, "size") if row["to"] % 16 == 0]
    binned = [row for row in rows(node, "size") if row["to"] % 16 != 0] + rows(node, "unsorted")
    raw = sum(row["total"] for row in binned)
    chunks = sum(row["count"] for row in binned)
    equal("the fastbins of heap %d" % index, sum(row["count"] for row in fast),
          figures["fast_chunks"])
    equal("the bins of heap %d" % index, chunks + 1, figures["rest_chunks"])
    figures["free_chunks"] = chunks + figures["fast_chunks"]
    figures["top_bytes"] = (figures["rest_bytes"] - raw) & ~7
    free_max = raw - chunks * PREV_INUSE + figures["fast_bytes"]
    unsorted = rows(node, "unsorted")
    small = [row for row in rows(node, "size") if row["to"] % 16 != 0 and row["to"] < SMALL_MAX]
    return {"figures": figures, "binned": binned, "unsorted": bool(unsorted),
            "by_kind": {"unsorted": sum(row["count"] for row in unsorted),
                        "small": sum(row["count"] for row in small),
                        "large": chunks - sum(row["count"] for row in unsorted + small),
                        "fast": figures["fast_chunks"]},
            "free_max": free_max, "free_min": free_max - (chunks * NON_MAIN_ARENA if index else 0),
            "subheaps": attributes(node, "aspace[@type='subheaps']").get("size")}


def largest_free(truth):
    """Bytes of the largest chunk in any bin; None if they are empty."""
    return max((row["to"] & ~7 for heap in truth["heaps"] for row in heap["binned"]),
               default=None)


def has_all_bins(heap, with_fastbins):
    """Something is in every kind of bin."""
    return (heap["unsorted"] and any(row["to"] < SMALL_MAX for row in heap["binned"]) and
            any(row["from"] > SMALL_MAX for row in heap["binned"]) and
            (heap["figures"]["fast_chunks"] > 0) == with_fastbins)


def check(glibc, truth):
    """The report says what malloc says, arena by arena and in sum."""
    equal("the number of arenas", len(glibc["arenas"]), len(truth["heaps"]))
    for arena, heap in zip(glibc["arenas"], truth["heaps"]):
        what = "the arena %s" % arena["address"]
        equal_items(what, arena, heap["figures"])
        equal("chunks by kind of " + what, {kind: arena["free_kinds"][kind]["chunks"]
                                            for kind in heap["by_kind"]}, heap["by_kind"])
        expect(heap["free_min"] <= arena["free_bytes"] <= heap["free_max"],
               "free_bytes of %s is %d, not %d to %d"
               % (what, arena["free_bytes"], heap["free_min"], heap["free_max"]))
        if heap["subheaps"] is not None:
            equal("heaps of " + what, arena["heaps"], heap["subheaps"])
    check_totals(glibc, truth["totals"])
    check_mallinfo(glibc, truth["mallinfo"])
    check_largest_free(glibc, truth)


def check_largest_free(glibc, truth):
    """malloc_info() does not know of those in a tcache, which may be larger than those in bins."""
    if not glibc["largest_free"]:
        equal("chunks in bins", any(heap["binned"] for heap in truth["heaps"]), False)
        return
    largest, binned = glibc["largest_free"][0]["bytes"], largest_free(truth) or 0
    limit = glibc["params"]["tcache_max_bytes"] + CHUNK_HEADER_BYTES
    expect(largest == binned or binned < largest <= limit,
           "the largest free chunk has %d bytes; in bins it is %d" % (largest, binned))


def check_totals(glibc, totals):
    mmapped = {"chunks": totals["mmapped_chunks"], "bytes": totals["mmapped_bytes"]}
    equal_items("mmapped", glibc["mmapped"], mmapped)
    equal_items("totals", glibc["totals"],
                {name: totals[name] for name in ("fast_chunks", "fast_bytes", "rest_chunks",
                                                 "rest_bytes", "system_bytes")})


def check_mallinfo(glibc, mallinfo):
    totals = glibc["totals"]
    equal_items("mallinfo", mallinfo, {
        "arena": totals["system_bytes"],
        "ordblks": totals["rest_chunks"],
        "smblks": totals["fast_chunks"],
        "hblks": glibc["mmapped"]["chunks"],
        "hblkhd": glibc["mmapped"]["bytes"],
        "fsmblks": totals["fast_bytes"],
        "uordblks": totals["system_bytes"] - totals["free_bytes"] - totals["top_bytes"],
        "fordblks": totals["free_bytes"] + totals["top_bytes"],
        "keepcost": glibc["arenas"][0]["top_bytes"],
    })
