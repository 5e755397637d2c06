"""The little of ELF that the tests need: a file's build-id, and a program for 32 bits."""
import struct

PT_LOAD = 1
PT_NOTE = 4
NT_GNU_BUILD_ID = 3


def segments(data):
    """(type, offset, size in the file) of each program header of a 64-bit file."""
    table = struct.unpack_from("<Q", data, 32)[0]
    entry_bytes, count = struct.unpack_from("<HH", data, 54)
    for index in range(count):
        kind, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", data,
                                                         table + index * entry_bytes)
        yield kind, offset, size


def section(data, name):
    """(offset, size) of a section of a 64-bit file."""
    table = struct.unpack_from("<Q", data, 40)[0]
    count, names = struct.unpack_from("<HH", data, 60)
    headers = [struct.unpack_from("<IIQQQQ", data, table + index * 64) for index in range(count)]
    for header in headers:
        begin = headers[names][4] + header[0]
        if data[begin:data.index(b"\0", begin)] == name:
            return header[4], header[5]
    raise ValueError("no section %r" % name)


def notes(data, offset, size):
    end = offset + size
    while offset + 12 <= end:
        name_bytes, bytes_, kind = struct.unpack_from("<III", data, offset)
        name = offset + 12
        text = name + (name_bytes + 3 & ~3)
        yield kind, data[name:name + name_bytes], data[text:text + bytes_]
        offset = text + (bytes_ + 3 & ~3)


def build_id(path):
    """In hex; None if the file has none."""
    with open(path, "rb") as file:
        data = file.read()
    for kind, offset, size in segments(data):
        if kind != PT_NOTE:
            continue
        for note, name, text in notes(data, offset, size):
            if note == NT_GNU_BUILD_ID and name == b"GNU\0":
                return text.hex()
    return None


def pausing_program_32_bit():
    """An i386 executable that calls pause(2) for ever."""
    base, head_bytes = 0x08048000, 52 + 32
    code = b"\xb8\x1d\x00\x00\x00" b"\xcd\x80" b"\xeb\xf7"
    size = head_bytes + len(code)
    identity = b"\x7fELF\x01\x01\x01".ljust(16, b"\0")
    header = struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, base + head_bytes, 52, 0, 0,
                         52, 32, 1, 0, 0, 0)
    segment = struct.pack("<IIIIIIII", PT_LOAD, 0, base, base, size, size, 5, 0x1000)
    return identity + header + segment + code
