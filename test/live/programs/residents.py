"""
Processes whose memory is of many kinds: residents.py SHAPE [FILE]. Says "ready" and waits.
"""
import ctypes
import mmap
import sys
import threading

PAGE = 4096
MADV_DONTNEED = 4
MADV_PAGEOUT = 21


def heap():
    return [str(i) * 20 for i in range(200000)], {i: [i] for i in range(50000)}


def threads():
    """Twenty, each with a stack that it has used."""
    begun = threading.Barrier(21)

    def work():
        def deep(n):
            return deep(n - 1) + 1 if n else [str(i) for i in range(1000)].__len__()
        deep(300)
        begun.wait()
        threading.Event().wait()

    for _ in range(20):
        threading.Thread(target=work, daemon=True).start()
    begun.wait()
    return heap()


def forked():
    """A child that has none of its parent's threads, and what they left."""
    import os
    import warnings
    warnings.simplefilter("ignore", DeprecationWarning)
    held = threads()
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        os._exit(0)
    return held


def shared():
    """What multiprocessing shares, and what mmap does."""
    from multiprocessing import shared_memory
    block = shared_memory.SharedMemory(create=True, size=32 << 20)
    block.buf[:] = b"s" * (32 << 20)
    block.unlink()
    anonymous = mmap.mmap(-1, 32 << 20)
    anonymous.write(b"a" * (32 << 20))
    return block, anonymous, heap()


def mapped(path):
    """A file of 1 GiB, half of it read."""
    with open(path, "rb") as file:
        mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    half = len(mapping) // 2
    assert sum(mapping[at] for at in range(0, half, PAGE)) == 0
    return mapping, heap()


def arrays():
    import numpy
    return numpy.ones(500 << 17), heap()


def trimmed():
    """Half of a heap is given back to the kernel under its owners, as swap would take it."""
    libc = ctypes.CDLL(None, use_errno=True)
    kept = [bytearray(b"x" * 200000) for _ in range(500)]
    for one in kept[::2]:
        address = ctypes.addressof(ctypes.c_char.from_buffer(one))
        start = (address + PAGE - 1) // PAGE * PAGE
        end = (address + len(one)) // PAGE * PAGE
        assert libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start),
                            MADV_DONTNEED) == 0
    return kept, heap()


def interned():
    """Each in a slot of 24 bytes, or 16 from 3.11 on."""
    try:
        intern = sys.intern
    except AttributeError:
        from __builtin__ import intern
    return [intern("interned %d" % i) for i in range(100000)], heap()


def page_out(start, end):
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), MADV_PAGEOUT) == 0


def swapped():
    """The tables of every second list are in swap, but not the headers of their chunks."""
    kept = [[None] * 12500 for _ in range(1000)], heap()
    for one in kept[0][::2]:
        address = ctypes.c_void_p.from_address(id(one) + object.__basicsize__ + 8).value
        page_out((address + PAGE - 1) // PAGE * PAGE, (address + 100000) // PAGE * PAGE)
    return kept


def half_swapped():
    """In the middle of the heap, and in each arena, whatever is there: headers, too."""
    kept = heap(), [[None] * 6250 for _ in range(600)]
    before = None
    with open("/proc/self/maps") as maps:
        mappings = [line.split() for line in maps]
    for words in mappings:
        start, end = [int(word, 16) for word in words[0].split("-")]
        is_bss, before = start == before, end if len(words) > 5 else None
        quarter = (end - start) // 4 // PAGE * PAGE
        if words[1] == "rw-p" and words[5:] in ([], ["[heap]"]) and quarter >= 16 * PAGE and \
                not is_bss:
            page_out(start + quarter, start + 3 * quarter)
    return kept


SHAPES = {"heap": heap, "interned": interned, "threads": threads, "forked": forked,
          "shared": shared, "mapped": mapped, "arrays": arrays, "trimmed": trimmed,
          "swapped": swapped, "half-swapped": half_swapped}

held = SHAPES[sys.argv[1]](*sys.argv[2:])
print("ready")
sys.stdout.flush()
sys.stdin.read(1)
