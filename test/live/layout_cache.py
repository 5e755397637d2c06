"""Layouts that were kept: used when they are right, never believed when they are not."""
import os
import re

import stats
import target
import tool
from check import Failed, equal, equal_everywhere, expect

# One for each place that the allocator's state can be in.
SERIES = {(2, 7), (3, 8), (3, 11), (3, 12), (3, 13)}

# By the part of the report that tells of a layout: how the names of its files end, a number in
# them, and what the report says of the build.
KINDS = {
    "runtime": (".layout", "pool_szidx",
                ("version", "build_id", "image", "debug_build", "free_threaded",
                 "object_allocator")),
    "libc": (".libc-layout", "state_top", ("family", "version", "build_id", "image")),
}


def tests(lab):
    interpreters = {one.series: one for one in reversed(lab.interpreters) if one.series in SERIES}
    for one in lab.interpreters:
        yield "cache/%s/used" % one.name, check_used, (one,)
        yield "cache/%s/libc-used" % one.name, check_used, (one, "libc")
    for one in interpreters.values():
        yield "cache/%s/damaged" % one.name, check_damaged, (one,)
        yield "cache/%s/wrong-values" % one.name, check_wrong_values, (one,)
        yield "cache/%s/not-ours" % one.name, check_not_ours, (one,)
        if one.series >= (3, 8):
            yield "cache/%s/odd" % one.name, check_odd, (one,)
    for one in list(interpreters.values())[:1]:
        yield "cache/%s/libc-damaged" % one.name, check_damaged, (one, "libc")
        yield "cache/%s/libc-wrong-values" % one.name, check_wrong_values, (one, "libc")


class Kept:
    """A target that holds still, its right figures, and one file of a cache of its own."""

    def __init__(self, lab, pid, part="runtime"):
        self.lab, self.pid, self.part = lab, pid, part
        self.ending, self.number, self.names = KINDS[part]
        self.cache = lab.fresh("cache")
        self.first = tool.still_report(lab, pid, cache=self.cache)
        equal("layout_cached of the first report", self.first[part]["layout_cached"], False)
        self.folder = os.path.join(self.cache, "pyheaptop")
        name, = [name for name in os.listdir(self.folder) if name.endswith(self.ending)]
        self.path = os.path.join(self.folder, name)
        with open(self.path) as file:
            self.text = file.read()

    def write(self, text):
        with open(self.path, "w") as file:
            file.write(text)
        os.chmod(self.path, 0o600)

    def check(self, what):
        """The report is right; returns whether the cache was believed."""
        report = tool.still_report(self.lab, self.pid, cache=self.cache)
        stats.check_still(report["pymalloc"])
        for section in ("pymalloc", "glibc"):
            equal_everywhere(what, report[section], self.first[section])
        for name in self.names:
            equal("%s: %s" % (what, name), report[self.part][name], self.first[self.part][name])
        return report[self.part]["layout_cached"]


def check_used(lab, interpreter, part="runtime"):
    with target.start_idle(lab, interpreter) as process:
        kept = Kept(lab, process.pid, part)
        expect(kept.check("the second report"), "the kept layout is not used")
        equal("the mode of the file", os.stat(kept.path).st_mode & 0o777, 0o600)
        equal("the mode of its folder", os.stat(kept.folder).st_mode & 0o777, 0o700)


def damages(kept):
    text, number = kept.text, kept.number
    lines = text.splitlines(keepends=True)
    yield "empty", ""
    yield "cut short", text[:len(text) // 2]
    yield "without its end", "".join(lines[:-1])
    yield "another format", text.replace(lines[0], lines[0].split()[0] + " 999\n")
    yield "another build-id", re.sub("build-id .*", "build-id 00112233", text)
    yield "a line too few", "".join(lines[:12] + lines[13:])
    yield "two lines swapped", "".join(lines[:12] + [lines[13], lines[12]] + lines[14:])
    yield "a number that is none", re.sub(number + " .*", number + " 3x", text)
    yield "a number too large", re.sub(number + " .*", number + " 99999999999999999999", text)
    yield "a line without end", text[:100] + "x" * 100000 + text[100:]
    yield "zeros", "\0" * len(text)


def check_damaged(lab, interpreter, part="runtime"):
    with target.start_idle(lab, interpreter) as process:
        kept = Kept(lab, process.pid, part)
        for what, text in damages(kept):
            expect(text != kept.text, "%s: nothing was damaged" % what)
            kept.write(text)
            equal("%s: layout_cached" % what, kept.check(what), False)
            expect(kept.check("after " + what), "%s: the file was not made anew" % what)


def sealed(text):
    """With the last line that fits the others: their FNV-1a, 64 bits."""
    body = text[:text.rindex("end ")]
    seal = 0xcbf29ce484222325
    for byte in body.encode():
        seal = (seal ^ byte) * 0x100000001b3 % 2**64
    return body + "end %016x\n" % seal


def wrong_values(text):
    """Each number of the file a little off, one at a time; the file is as whole as it was."""
    for match in re.finditer(r"^(\w+) (\d+)$", text, re.MULTILINE):
        name, value = match.group(1), int(match.group(2))
        wrong = {value + 8, value + 16, value + 4, max(0, value - 4), max(0, value - 8), 0,
                 "unknown"}
        for other in sorted(wrong - {value}, key=str):
            line = "%s %s" % (name, other)
            yield ("%s, not %d" % (line, value),
                   sealed(text[:match.start()] + line + text[match.end():]))


def check_wrong_values(lab, interpreter, part="runtime"):
    """The file is whole, and one number in it is not that of the build."""
    believed, wrong, count = [], [], 0
    with target.start_idle(lab, interpreter) as process:
        kept = Kept(lab, process.pid, part)
        equal("the seal of an untouched file", sealed(kept.text), kept.text)
        for what, text in wrong_values(kept.text):
            kept.write(text)
            count += 1
            try:
                believed += [what] if kept.check(what) else []
            except Failed as error:
                wrong.append("%s: %.90s" % (what, error))
    expect(not wrong, "%d of %d wrong values: %s" % (len(wrong), count, " | ".join(wrong[:12])))
    return "%d wrong values, %d of them of no consequence" % (count, len(believed))


def check_odd(lab, interpreter):
    """
    Tracemalloc puts a function of its own before pymalloc's, and a wrong layout could look like
    that: the layout is resolved anew, but once for each such process.
    """
    with target.start_idle(lab, interpreter, PYTHONTRACEMALLOC="1") as process:
        kept = Kept(lab, process.pid)
        equal("its allocator", kept.first["runtime"]["object_allocator"], "custom")
        equal("layout_cached of the second report", kept.check("the second report"), False)
        for what in ("the third report", "the fourth report"):
            expect(kept.check(what), "%s: the kept layout is not used" % what)
    with target.start_idle(lab, interpreter) as process:
        found = tool.still_report(lab, process.pid, cache=kept.cache)
        expect(found["runtime"]["layout_cached"], "a sane process is doubted")


def check_not_ours(lab, interpreter):
    lab.needs_root()
    with target.start_idle(lab, interpreter) as process:
        for what, change in (
                ("another's file", lambda kept: os.chown(kept.path, 65534, -1)),
                ("another's folder", lambda kept: os.chown(kept.folder, 65534, -1)),
                ("a file that others write", lambda kept: os.chmod(kept.path, 0o666)),
                ("a folder that others write", lambda kept: os.chmod(kept.folder, 0o777)),
                ("a symbolic link", make_symlink), ("a fifo", make_fifo)):
            kept = Kept(lab, process.pid)
            change(kept)
            equal("%s: layout_cached" % what, kept.check(what), False)


def make_symlink(kept):
    moved = os.path.join(kept.cache, "moved")
    os.rename(kept.path, moved)
    os.symlink(moved, kept.path)


def make_fifo(kept):
    os.unlink(kept.path)
    os.mkfifo(kept.path, 0o600)
