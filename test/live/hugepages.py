"""Huge pages: the machine's own, lent for a test, and what tells the C library of them."""
import contextlib
import os
import shutil

import turns
from check import Skipped

COUNT_FILE = "/proc/sys/vm/nr_hugepages"
# What glibc reads before it takes any. An unpacked root has neither /sys nor /proc.
READ_BY_GLIBC = ["/sys/kernel/mm/transparent_hugepage/enabled",
                 "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "/proc/meminfo"]


def read_count():
    with open(COUNT_FILE) as file:
        return int(file.read())


def write_count(count):
    with open(COUNT_FILE, "w") as file:
        file.write("%d\n" % count)


@contextlib.contextmanager
def lent(count):
    """At least `count` huge pages are there; afterwards as many as before. Within told_in()."""
    try:
        before = read_count()
        write_count(before + count)
    except OSError as error:
        raise Skipped("the machine lends no huge pages: %s" % error) from error
    try:
        if read_count() < before + count:
            raise Skipped("the machine has no %d huge pages to lend" % count)
        yield
    finally:
        write_count(before)


@contextlib.contextmanager
def told_in(root):
    """
    The C library in `root` can read of huge pages, as it can in our own. Only one test at a time:
    the machine has one pool of them, and the root one /proc.
    """
    written = []
    with turns.take(__file__):
        if root is not None:
            written = [root + path for path in READ_BY_GLIBC if not os.path.exists(root + path)]
        try:
            for path in written:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                shutil.copyfile(path[len(root):], path)
            yield
        finally:
            for path in written:
                with contextlib.suppress(OSError):
                    os.unlink(path)


def needs_transparent():
    """glibc asks for transparent huge pages only where the kernel leaves that to programs."""
    try:
        with open(READ_BY_GLIBC[0]) as file:
            if "[madvise]" in file.read():
                return
    except OSError:
        pass
    raise Skipped("transparent huge pages are not left to madvise(2)")
