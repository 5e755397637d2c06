"""
Known amounts of memory, one kind after the other: known.py FILE [LIBRARY], or known.py other
where another allocator is preloaded. Before each step it says "before CATEGORY", after it
"after CATEGORY BYTES"; each time it waits.
"""
import ctypes
import mmap
import sys
import threading

MIB = 1 << 20
PAGE = 4096
held = []


def say(*words):
    print(*words)
    sys.stdout.flush()
    sys.stdin.read(1)


def round_up(value, step):
    return (value + step - 1) // step * step


def small():
    """Blocks of pymalloc, of 112 bytes whatever the alignment."""
    kept = [None] * 400000
    say("before", "python_small")
    for i in range(len(kept)):
        kept[i] = b"%08d" % i + b"x" * (79 - (sys.getsizeof(b"") - 33))
    assert sys.getsizeof(kept[0]) <= 128
    say("after", "python_small", len(kept) * round_up(sys.getsizeof(kept[0]), 16))
    say("before", "pymalloc_slack")
    size = round_up(sys.getsizeof(kept[0]), 16)
    for i in range(0, len(kept), 2):
        kept[i] = None
    say("after", "pymalloc_slack", len(kept) // 2 * size)
    held.append(kept)


def libc_malloc():
    malloc = ctypes.CDLL(None).malloc
    malloc.argtypes, malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
    return malloc


def native():
    """Chunks of malloc that no object knows of."""
    malloc = libc_malloc()
    size = 5000
    kept = [None] * 8000
    say("before", "malloc_unowned")
    for i in range(len(kept)):
        kept[i] = malloc(size)
        ctypes.memset(kept[i], ord("n"), size)
    say("after", "malloc_unowned", len(kept) * round_up(size + 8, 16))


def chunks():
    """Chunks of malloc that are objects, between those that stay, so that they do not merge."""
    size = 5000
    kept = [None] * 8000
    bytes_of_chunk = round_up(size + sys.getsizeof(b"") + 8, 16)
    say("before", "python_large")
    for i in range(len(kept)):
        kept[i] = b"y" * size
    say("after", "python_large", len(kept) * bytes_of_chunk)
    say("before", "malloc_free")
    for i in range(0, len(kept), 2):
        kept[i] = None
    say("after", "malloc_free", len(kept) // 2 * bytes_of_chunk)
    held.append(kept)


def mmapped():
    size = 4 * MIB
    kept = [None] * 16
    say("before", "malloc_mmapped")
    for i in range(len(kept)):
        kept[i] = b"z" * size
    say("after", "malloc_mmapped", len(kept) * round_up(size + 64, PAGE))
    held.append(kept)


def file(path):
    with open(path, "rb") as opened:
        mapping = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    say("before", "files")
    total = sum(len(mapping[at:at + 1]) for at in range(0, len(mapping), PAGE))
    say("after", "files", total * PAGE)
    held.append(mapping)


def shared():
    mapping = mmap.mmap(-1, 64 * MIB)
    say("before", "shared_memory")
    for _ in range(64):
        mapping.write(b"h" * MIB)
    say("after", "shared_memory", 64 * MIB)
    held.append(mapping)


def private():
    """A mapping of no file, which only its object knows of."""
    mapping = mmap.mmap(-1, 32 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    say("before", "python_large")
    for _ in range(32):
        mapping.write(b"p" * MIB)
    say("after", "python_large", 32 * MIB)
    held.append(mapping)


def stack(library):
    """A thread that uses most of a large stack, and stays there."""
    use = ctypes.CDLL(library).hold_use_stack
    steps = [threading.Event() for _ in range(2)]
    wait = ctypes.CFUNCTYPE(None)(lambda: (steps[0].set(), steps[1].wait()) and None)
    threading.stack_size(64 * MIB)
    thread = threading.Thread(target=lambda: use(ctypes.c_size_t(48 * MIB), wait), daemon=True)
    say("before", "stacks")
    thread.start()
    steps[0].wait()
    say("after", "stacks", 48 * MIB)


def frames():
    """Frames of 1,020 words each, four of which fill what the interpreter maps for them."""
    names = " = ".join("v%d" % i for i in range(1000))
    space = {"say": say, "depth": 8000}
    exec("def deep(n):\n    if n == 0:\n        say('after', 'python_large', depth * 8192)\n"
         "        return\n    deep(n - 1)\n    %s = n\n" % names, space)
    sys.setrecursionlimit(10000)
    say("before", "python_large")
    space["deep"](space["depth"])


def top():
    """What brk gave last, and nobody has: M_TRIM_THRESHOLD and M_MMAP_THRESHOLD keep it there."""
    libc = ctypes.CDLL(None)
    libc.mallopt(-1, 1 << 30)
    libc.mallopt(-3, 32 * MIB)
    libc.free.argtypes, libc.free.restype = [ctypes.c_void_p], None
    malloc, size = libc_malloc(), 16 * MIB
    malloc(size)  # uses up what top had before
    say("before", "malloc_top")
    last = [malloc(size) for _ in range(3)]
    for one in last:
        ctypes.memset(one, ord("t"), size)
    for one in last:
        libc.free(one)
    say("after", "malloc_top", 3 * size)


def other():
    """Memory of an allocator that stands in for malloc; jemalloc has a page of its own for each."""
    malloc = libc_malloc()
    say("before", "other_allocator")
    for size, count in ((MIB, 64), (16 * MIB, 12)):
        for _ in range(count):
            ctypes.memset(malloc(size), ord("o"), size)
    say("after", "other_allocator", 256 * MIB)


if sys.argv[1] == "other":
    other()
    say("done")
    sys.exit()
small()
native()
chunks()
mmapped()
file(sys.argv[1])
shared()
private()
if len(sys.argv) > 2:
    stack(sys.argv[2])
if sys.version_info >= (3, 11):
    frames()
top()
say("done")
