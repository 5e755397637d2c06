"""Maps 64 MiB of each kind, touches none of it, and does nothing more. Argument: a file."""
import mmap
import os
import sys

SIZE = 64 << 20

with open(sys.argv[1], "r+b") as file:
    keep = [
        mmap.mmap(-1, SIZE, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS),
        mmap.mmap(-1, SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS),
        mmap.mmap(file.fileno(), SIZE, flags=mmap.MAP_SHARED),
        mmap.mmap(file.fileno(), SIZE, flags=mmap.MAP_PRIVATE),
    ]
os.write(1, b"ready\n")
os.read(0, 1)
