"""Which pages of a process are in memory, by /proc/PID/pagemap and smaps."""
import os
import re
import struct

PAGE = os.sysconf("SC_PAGE_SIZE")
PRESENT = 1 << 63
MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+ *(.*)$")


def present_bytes(pid, start, end):
    """Pages that nobody wrote to count too, if somebody has read them."""
    with open("/proc/%d/pagemap" % pid, "rb", buffering=0) as file:
        data = os.pread(file.fileno(), (end - start) // PAGE * 8, start // PAGE * 8)
    entries = struct.unpack("<%dQ" % (len(data) // 8), data)
    return sum(PAGE for entry in entries if entry & PRESENT)


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
