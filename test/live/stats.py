"""pymalloc's figures: as the interpreter prints them, and how they must add up."""
import re

from check import Failed, expect

CLASS = re.compile(r" *(\d+) +(\d+) +(\d+) +(\d+) +(\d+)$")
FIGURE = re.compile(r"(.*?) *= *([\d,]+)$")

# The text of _PyObject_DebugMallocStats(), and our name for it.
NAMES = {
    "# arenas allocated total": "arenas_allocated_total",
    "# arenas highwater mark": "arenas_peak",
    "# arenas allocated current": "arenas",
    "# bytes in allocated blocks": "live_bytes",
    "# bytes in available blocks": "free_bytes",
    "# bytes lost to pool headers": "pool_header_bytes",
    "# bytes lost to quantization": "quantization_bytes",
    "# bytes lost to arena alignment": "arena_alignment_bytes",
    "Total": "total_bytes",
}
ARENAS = re.compile(r"\d+ arenas \* (\d+) bytes/arena")
UNUSED = re.compile(r"(\d+) unused pools \* (\d+) bytes")

SIX = ["live_bytes", "free_bytes", "unused_pool_bytes", "pool_header_bytes",
       "quantization_bytes", "arena_alignment_bytes"]

# With PYTHONMALLOC=malloc the interpreter prints nothing.
NOTHING = dict.fromkeys(SIX + ["arenas", "total_bytes", "pools_used", "pools_free", "live_blocks",
                               "free_blocks"], 0)


def parse_figure(line, figures):
    match = FIGURE.match(line)
    if not match:
        return
    text, value = match.group(1), int(match.group(2).replace(",", ""))
    arenas, unused = ARENAS.fullmatch(text), UNUSED.fullmatch(text)
    if arenas:
        figures["arena_bytes"] = int(arenas.group(1))
    elif unused:
        figures["pools_free"] = int(unused.group(1))
        figures["pool_bytes"] = int(unused.group(2))
        figures["unused_pool_bytes"] = value
    elif text in NAMES:
        figures[NAMES[text]] = value


def parse(text):
    """What the interpreter printed, under the names of the report; {} if that was nothing."""
    figures, classes = {}, []
    for line in text.splitlines():
        row = CLASS.match(line)
        if row:
            classes.append(tuple(int(number) for number in row.groups()))
        else:
            parse_figure(line, figures)
        # What follows are other sums, some with the same names.
        if "total_bytes" in figures:
            break
    if not classes:
        return {}
    if "total_bytes" not in figures:
        raise Failed("the interpreter's statistics have no total")
    figures["alignment_bytes"] = classes[0][1] // (classes[0][0] + 1)
    figures["pools_used"] = sum(row[2] for row in classes)
    figures["live_blocks"] = sum(row[3] for row in classes)
    figures["free_blocks"] = sum(row[4] for row in classes)
    figures["size_classes"] = [row[1:] for row in classes if row[2] > 0]
    return figures


def size_classes(pymalloc):
    return [(row["block_bytes"], row["pools"], row["live_blocks"], row["free_blocks"])
            for row in pymalloc["size_classes"]]


def check_closes(pymalloc):
    """The sums that hold for every report, also on a target that runs."""
    total, arena_bytes = pymalloc["total_bytes"], pymalloc["arena_bytes"]
    parts = sum(pymalloc[name] for name in SIX) + pymalloc["unknown_pool_bytes"]
    expect(parts == total, "the six figures add up to %d, not %d" % (parts, total))
    if pymalloc["arenas"] == 0:
        expect(total == 0, "no arenas, and yet %d bytes" % total)
        return
    expect(total == pymalloc["arenas"] * arena_bytes, "total_bytes is not that of the arenas")
    check_sum(pymalloc, "size_classes", "pools", "pools_used")
    for name in ("live_blocks", "free_blocks", "live_bytes", "free_bytes"):
        check_sum(pymalloc, "size_classes", name, name)
    for name in ("pools_used", "pools_free", "live_bytes"):
        check_sum(pymalloc, "arena_list", name, name)
    for name in SIX + ["arenas", "pools_used", "pools_free", "total_bytes", "live_blocks"]:
        check_sum(pymalloc, "states", name, name)
    check_arenas(pymalloc)


def check_sum(pymalloc, rows, column, name):
    found = sum(row[column] for row in pymalloc[rows])
    expect(found == pymalloc[name],
           "%s of %s add up to %d; %s is %d" % (column, rows, found, name, pymalloc[name]))


def check_arenas(pymalloc):
    arenas = pymalloc["arena_list"]
    expect(len(arenas) == pymalloc["arenas"], "arena_list is not as long as arenas says")
    starts = [int(arena["address"], 16) for arena in arenas]
    expect(starts == sorted(set(starts)), "arena_list is not in order")
    for arena in arenas:
        expect(arena["resident_bytes"] <= pymalloc["arena_bytes"],
               "the arena %s has more resident bytes than bytes" % arena["address"])


def check_still(pymalloc):
    """Also what holds only if residency and pool headers are of the same moment."""
    check_closes(pymalloc)
    for arena in pymalloc["arena_list"]:
        expect(0 < arena["resident_bytes"] >= arena["live_bytes"],
               "the arena %s has more live bytes than resident ones" % arena["address"])
