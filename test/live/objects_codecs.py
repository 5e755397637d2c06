"""What compressors own is theirs: what malloc gave for them, and none of it is left over."""
import objects
import target
import tool
from check import equal, expect

SINCE = (3, 6)
# Of what malloc gave: a list that grew meanwhile, or what waits in a tcache.
LEFT_OVER_MAX = 0.005
KINDS = {"Compress": SINCE, "Decompress": SINCE, "_ZlibDecompressor": (3, 12),
         "BZ2Compressor": SINCE, "BZ2Decompressor": SINCE, "LZMACompressor": SINCE,
         "LZMADecompressor": SINCE, "Pickler": SINCE, "Unpickler": SINCE}
# Options of filters and indexes of lzma are not followed: so many for each.
UNKNOWN_PARTS = {"LZMACompressor": 6, "LZMADecompressor": 2}
# What sys.getsizeof() counts is all they have, and malloc gives little of it.
COUNTED = {"Pickler", "Unpickler"}


def tests(lab):
    for one in lab.interpreters:
        if one.series >= SINCE and not one.debug_build:
            yield "objects/%s/codecs" % one.name, check_codecs, (one,)
    for allocator in ("malloc", "debug", "malloc_debug"):
        yield "objects/codecs/" + allocator, check_allocator, (allocator,)


def taken(report, name):
    return sum(row["allocated_bytes"] for row in report["types"]
               if row["name"].split(".")[-1] == name)


def unowned(report, what):
    return sum(report["objects"][where]["unowned"][what] for where in ("blocks", "chunks"))


def check_step(name, before, after, count, size, malloc):
    objects.check_step(name, before, after, count, size)
    given = malloc + size
    left = unowned(after, "bytes") - unowned(before, "bytes")
    expect(abs(left) <= given * LEFT_OVER_MAX,
           "%s: %d bytes more are nobody's, of %d" % (name, left, given))
    # And no small ones either.
    left = unowned(after, "count") - unowned(before, "count")
    expect(abs(left) <= count * UNKNOWN_PARTS.get(name, 0.2),
           "%s: %d more are nobody's" % (name, left))
    # An object itself has a block of pymalloc, unless malloc gave that too.
    least, most = (size, size + 160 * count) if name in COUNTED else \
        (malloc, malloc + size + 64 * count)
    found = taken(after, name) - taken(before, name)
    expect(least * (1 - LEFT_OVER_MAX) <= found <= most * (1 + LEFT_OVER_MAX),
           "%s: they take %d bytes, not %d to %d" % (name, found, least, most))


def check_codecs(lab, interpreter, **variables):
    before, seen = None, []
    with target.start(lab, interpreter, "compressed.py", **variables) as process:
        while True:
            words = process.line().split()
            if words[0] == "done":
                break
            report = tool.still_report(lab, process.settle().pid)
            objects.check_sums(report)
            if words[0] == "before":
                before = report
            else:
                check_step(words[1], before, report, *map(int, words[2:]))
                seen.append(words[1])
            process.go_on()
    equal("the steps", seen, [kind for kind, since in KINDS.items() if interpreter.series >= since])


def check_allocator(lab, name):
    """Hooks have bytes in front of each buffer; with malloc, owners are chunks themselves."""
    check_codecs(lab, lab.public_interpreter(), PYTHONMALLOC=name)
