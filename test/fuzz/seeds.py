"""Seeds for the fuzzers: what this tree and this machine have of each kind of input.

    seeds.py FOLDER     a folder for each fuzzer, below FOLDER
"""

import os
import pathlib
import random
import sys

TREE = pathlib.Path(__file__).resolve().parents[2]

# Bytes before the changes, and how many different ones the first of them chooses from.
PATCHED = {"pymalloc": (2, 6), "glibc": (2, 14), "libc_scan": (2, 7), "census": (2, 8),
           "interpreter": (2, 5), "python_scan": (0, 1), "elf": (4, 9)}

NAMES = [b"plain", b"caf\xc3\xa9", b"\xc2\x9b;31m", b"\xf0\x9f\x90\x8d", b"\xed\xa0\x80", b"\x1b[31m",
         b"a\x00b\nc", b"\xe2\x80\xae", b"\xcc\x81" * 40, b"w" * 300]


def patched(fuzzer):
    """Lists of changes, of all lengths, at random; the seed is fixed."""
    chooser = random.Random(fuzzer)
    head, shapes = PATCHED[fuzzer]
    for i in range(60):
        start = bytes([i % shapes]) + bytes(head)
        yield start[:head] + chooser.randbytes(12 * (1 + i % 12))


def proc_files(names):
    for pid in ("self", str(os.getppid()), "1"):
        for name in names:
            try:
                yield pathlib.Path("/proc", pid, name).read_bytes()
            except OSError:
                pass


def texts(pattern):
    return (path.read_bytes() for path in sorted(TREE.glob(pattern)))


def procfs():
    for number, name in enumerate(("stat", "status", "cgroup", "mountinfo", "environ")):
        for text in proc_files([name]):
            yield bytes([number]) + text[:4000]
    yield b"\x05" + b"9223372036854771712\n"
    yield b"\x06" + b"low 0\nhigh 0\nmax 7\noom 2\noom_kill 1\n"


def views():
    for place in range(18):
        yield b"".join(bytes([place + i]) + name + b"\xfe" for i, name in enumerate(NAMES))


def main(folder):
    seeds = {name: patched(name) for name in PATCHED}
    seeds["maps"] = proc_files(["maps", "smaps"])
    seeds["procfs"] = procfs()
    seeds["layout"] = texts("lib/layout/tables/*.layout")
    seeds["diff"] = texts("test/golden/*.json")
    seeds["view"] = views()
    for name, inputs in seeds.items():
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        for i, text in enumerate(inputs):
            (place / f"seed-{i}").write_bytes(text)


main(pathlib.Path(sys.argv[1]))
