"""
Compressors and picklers of known parameters, one kind after the other: compressed.py. Before each
step it says "before KIND", after it "after KIND COUNT SIZE MALLOC": sys.getsizeof() of them all,
and how much more malloc has in use. Each time it waits.
"""
import bz2
import ctypes
import io
import lzma
import pickle
import sys
import zlib

DATA = b"".join(b"%d %s\n" % (i * i, bytes([33 + i * 7 % 90]) * (i % 40)) for i in range(6000))
PACKED = zlib.compress(DATA)
BZ2_PACKED = [bz2.compress(DATA, 1 + i) for i in range(9)]


def say(*words):
    print(*words)
    sys.stdout.flush()
    sys.stdin.read(1)


def struct_of_numbers(kind):
    class Mallinfo(ctypes.Structure):
        """struct mallinfo, or mallinfo2 from 2.33 on."""
        _fields_ = [(name, kind) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd",
                                              "usmblks", "fsmblks", "uordblks", "fordblks",
                                              "keepcost")]
    return Mallinfo


def find_mallinfo():
    libc = ctypes.CDLL(None)
    name, kind = (("mallinfo2", ctypes.c_size_t) if hasattr(libc, "mallinfo2")
                  else ("mallinfo", ctypes.c_int))
    function = getattr(libc, name)
    function.restype = struct_of_numbers(kind)
    return function


mallinfo = find_mallinfo()


def in_use():
    info = mallinfo()
    return info.uordblks + info.hblkhd


def step(kind, count, make):
    held = [None] * count
    for i in range(2):
        make(i)
    say("before", kind)
    before = in_use()
    for i in range(count):
        held[i] = make(i)
    say("after", kind, count, sum(sys.getsizeof(one) for one in held), in_use() - before)
    return held


def make_compress(i):
    """Each window, each size of the tables; some have had nothing to do yet, some are done."""
    one = zlib.compressobj(i % 10, zlib.DEFLATED, (9 + i % 7) * (1, -1)[i % 2] if i % 3 else 31,
                           1 + i % 9)
    if i % 4:
        one.compress(DATA)
    if i % 20 == 19:
        one.flush()
    return one


def make_decompress(i):
    one = zlib.decompressobj(15 if i % 3 else 47)
    if i % 4:
        one.decompress(PACKED[:len(PACKED) // 2])
    if i % 20 == 19:
        one = one.copy()
    return one


def make_decompressor(i):
    """Most keep what they were given and had no room for."""
    one = zlib._ZlibDecompressor()
    if i % 4:
        one.decompress(PACKED, max_length=100 + i)
    return one


def make_bz2_compressor(i):
    one = bz2.BZ2Compressor(1 + i % 9)
    if i % 4:
        one.compress(DATA)
    if i % 9 == 8:
        one.flush()
    return one


def make_bz2_decompressor(i):
    """Some have seen no head yet, some have not used all they were given."""
    one = bz2.BZ2Decompressor()
    packed = BZ2_PACKED[i % 9]
    if i % 4:
        one.decompress(packed[:len(packed) // 2], 10 if i % 2 else -1)
    return one


LZMA_FORMATS = [
    {"format": lzma.FORMAT_XZ, "preset": 0},
    {"format": lzma.FORMAT_XZ, "preset": 1, "check": lzma.CHECK_NONE},
    {"format": lzma.FORMAT_ALONE, "preset": 0},
    {"format": lzma.FORMAT_XZ, "filters": [{"id": lzma.FILTER_DELTA, "dist": 4},
                                           {"id": lzma.FILTER_X86},
                                           {"id": lzma.FILTER_LZMA2, "preset": 1}]},
    {"format": lzma.FORMAT_RAW, "filters": [{"id": lzma.FILTER_LZMA2, "preset": 3}]},
    {"format": lzma.FORMAT_RAW, "filters": [{"id": lzma.FILTER_LZMA1, "preset": 2}]},
]
LZMA_PACKED = [lzma.compress(DATA, **one) for one in LZMA_FORMATS]


def make_lzma_compressor(i):
    one = lzma.LZMACompressor(**LZMA_FORMATS[i % len(LZMA_FORMATS)])
    if i % 4:
        one.compress(DATA)
    if i % 10 == 9:
        one.flush()
    return one


def make_lzma_decompressor(i):
    """Some have seen nothing yet, some have not used all they were given."""
    form, packed = LZMA_FORMATS[i % len(LZMA_FORMATS)], LZMA_PACKED[i % len(LZMA_FORMATS)]
    if form["format"] == lzma.FORMAT_RAW:
        one = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=form["filters"])
    else:
        one = lzma.LZMADecompressor()
    if i % 4:
        one.decompress(packed[:len(packed) // 2], 10 if i % 2 else -1)
    return one


def make_pickler(i):
    one = pickle.Pickler(io.BytesIO(), i % 4)
    one.dump(["text %d" % n for n in range(i * 10)])
    return one


def make_unpickler(i):
    """Every third ends within a line, deep inside of tuples."""
    packed = pickle.dumps(["text %d" % n for n in range(i * 10)], i % 4)
    if i % 3 == 0:
        packed = b"(" * (i + 1) + b"V" + b"x" * i * 10
    one = pickle.Unpickler(io.BytesIO(packed), fix_imports=i % 2 == 0, encoding="latin-1",
                           errors="ignore" if i % 5 else "replace")
    try:
        one.load()
    except (EOFError, pickle.UnpicklingError):
        pass
    return one


held = [step("Compress", 200, make_compress), step("Decompress", 400, make_decompress)]
if hasattr(zlib, "_ZlibDecompressor"):
    held.append(step("_ZlibDecompressor", 400, make_decompressor))
held.append(step("BZ2Compressor", 60, make_bz2_compressor))
held.append(step("BZ2Decompressor", 60, make_bz2_decompressor))
held.append(step("LZMACompressor", 30, make_lzma_compressor))
held.append(step("LZMADecompressor", 120, make_lzma_decompressor))
held.append(step("Pickler", 300, make_pickler))
held.append(step("Unpickler", 300, make_unpickler))
say("done")
