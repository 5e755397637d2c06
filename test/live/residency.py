"""Which pages of a process are in memory, by /proc/PID/pagemap and smaps."""
import ctypes
import functools
import mmap
import os
import re
import struct

PAGE = os.sysconf("SC_PAGE_SIZE")
PRESENT, FRAME = 1 << 63, (1 << 55) - 1
MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+ *(.*)$")


def entries(pid, start, end):
    with open("/proc/%d/pagemap" % pid, "rb", buffering=0) as file:
        data = os.pread(file.fileno(), (end - start) // PAGE * 8, start // PAGE * 8)
    return struct.unpack("<%dQ" % (len(data) // 8), data)


@functools.lru_cache(maxsize=None)
def zero_frame():
    """The frame that all pages have which were read and never written; 0 if we may not know it."""
    with mmap.mmap(-1, PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as page:
        page.read(1)
        address = ctypes.addressof(ctypes.c_char.from_buffer(page))
        entry, = entries(os.getpid(), address, address + PAGE)
    return entry & FRAME


def is_written(entry):
    """Who may not see frames sees pages that were only read as well."""
    return entry & PRESENT and (zero_frame() == 0 or entry & FRAME != zero_frame())


def present_bytes(pid, start, end):
    """What of [start, end) is in pages that were written to."""
    first = start // PAGE * PAGE
    pages = [first + index * PAGE
             for index, entry in enumerate(entries(pid, first, end + PAGE - 1))
             if is_written(entry)]
    return sum(min(page + PAGE, end) - max(page, start) for page in pages)


def heap_bytes(pid):
    """Resident bytes of all mappings that malloc may have got: [heap], and those without a name."""
    total, counts = 0, False
    with open("/proc/%d/smaps" % pid) as file:
        for line in file:
            match = MAPPING.match(line)
            if match:
                counts = match.group(4) in ("", "[heap]") or match.group(4).startswith("[anon:")
            elif counts and line.startswith("Anonymous:"):
                total += int(line.split()[1]) * 1024
    return total
