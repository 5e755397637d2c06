"""The fields of the report that are fixed, and what kind of value each has."""
from check import expect

SIZE = ("a size", lambda value: type(value) is int and value >= 0)
SIZE_OR_NULL = ("a size or null", lambda value: value is None or SIZE[1](value))
TEXT = ("text", lambda value: isinstance(value, str) and value != "")
TEXT_OR_NULL = ("text or null", lambda value: value is None or TEXT[1](value))
FLAG = ("true or false", lambda value: isinstance(value, bool))
LIST = ("a list", lambda value: isinstance(value, list))
LIST_OR_NULL = ("a list or null", lambda value: value is None or LIST[1](value))
OBJECT = ("an object", lambda value: isinstance(value, dict))
OBJECT_OR_NULL = ("an object or null", lambda value: value is None or OBJECT[1](value))
UNKNOWN = ("null", lambda value: value is None)


def one_of(*values):
    return " or ".join(map(str, values)), lambda value: value in values


FIELDS = {
    "": {
        "schema": one_of("pyheaptop.report"), "schema_version": one_of("1.0"), "tool": OBJECT,
        "taken_at": TEXT, "target": OBJECT, "runtime": OBJECT, "allocators": LIST,
        "snapshot": OBJECT, "kernel": OBJECT, "pymalloc": OBJECT, "warnings": LIST,
        "libc": OBJECT, "categories": LIST, "attributed_bytes": SIZE, "unattributed": LIST,
        "glibc": OBJECT_OR_NULL, "gc": OBJECT_OR_NULL, "types": LIST_OR_NULL,
        "objects": OBJECT_OR_NULL, "freelists": LIST_OR_NULL, "largest": LIST_OR_NULL,
        "unowned": LIST_OR_NULL,
        "mappings": LIST, "regions": LIST, "family": LIST, "family_exact": FLAG,
        "findings": LIST,
    },
    "target": {
        "pid": SIZE, "start_time_ticks": SIZE, "comm": TEXT, "command": LIST, "exe": TEXT,
        "uid": SIZE, "threads": SIZE,
    },
    "runtime": {
        "implementation": one_of("cpython"), "version": TEXT, "free_threaded": FLAG,
        "debug_build": FLAG, "image": TEXT, "build_id": TEXT_OR_NULL,
        "layout_source": one_of("dwarf", "debug-offsets", "table"),
        "symbol_source": one_of("symtab", "dynsym", "dwarf", "scan"), "layout_cached": FLAG,
    },
    "libc": {
        "family": one_of("glibc", "musl", "other"), "version": TEXT_OR_NULL, "image": TEXT,
        "build_id": TEXT_OR_NULL,
        "layout_source": one_of("dwarf", "debug-offsets", "table", None),
        "symbol_source": one_of("symtab", "dynsym", "dwarf", "scan", None), "layout_cached": FLAG,
    },
    "snapshot": {
        "number": SIZE, "stop": one_of("none", "brief", "full"), "stopped_us": SIZE,
        "stops": SIZE, "walk_ms": SIZE, "read_bytes": SIZE, "rereads": SIZE,
        "torn_pools": SIZE, "torn_chunks": SIZE_OR_NULL, "complete": FLAG,
    },
    "kernel": {
        "rss_bytes": SIZE, "anon_bytes": SIZE, "file_bytes": SIZE, "shmem_bytes": SIZE,
        "pss_bytes": SIZE, "uss_bytes": SIZE, "swap_bytes": SIZE, "virtual_bytes": SIZE,
        "huge_bytes": SIZE, "peak_rss_bytes": SIZE, "minor_faults": SIZE, "major_faults": SIZE,
        "cgroup": OBJECT_OR_NULL,
    },
    "pymalloc": {
        "arena_bytes": SIZE_OR_NULL, "pool_bytes": SIZE_OR_NULL, "alignment_bytes": SIZE_OR_NULL,
        "arenas": SIZE, "arenas_peak": SIZE_OR_NULL, "arenas_allocated_total": SIZE_OR_NULL,
        "pools_used": SIZE, "pools_free": SIZE, "live_blocks": SIZE, "free_blocks": SIZE,
        "live_bytes": SIZE, "free_bytes": SIZE, "unused_pool_bytes": SIZE,
        "pool_header_bytes": SIZE, "quantization_bytes": SIZE, "arena_alignment_bytes": SIZE,
        "unknown_pool_bytes": SIZE, "total_bytes": SIZE, "size_classes": LIST,
        "arena_list": LIST, "states": LIST,
    },
    "glibc": {
        "arenas": LIST, "mmapped": OBJECT, "params": OBJECT, "totals": OBJECT, "resident": OBJECT,
        "chunk_sizes": LIST, "largest_free": LIST, "mmapped_list": LIST, "threads": LIST_OR_NULL,
        "damaged_chunks": SIZE, "swapped_pages": SIZE, "damaged_arenas": SIZE,
    },
    "objects": {
        "objects": SIZE, "size_bytes": SIZE, "allocated_bytes": SIZE, "gc_tracked": SIZE,
        "interned": OBJECT, "blocks": OBJECT, "chunks": OBJECT, "damaged_objects": SIZE,
        "torn_pools": SIZE, "swapped_pools": SIZE,
    },
}


def check(report):
    wrong = []
    for section, fields in FIELDS.items():
        values = report if section == "" else report[section]
        if values is None and section in ("glibc", "objects"):
            continue
        for name, (kind, fits) in fields.items():
            where = "%s.%s" % (section, name) if section else name
            if name not in values:
                wrong.append("%s is left out" % where)
            elif not fits(values[name]):
                wrong.append("%s is %.40r, not %s" % (where, values[name], kind))
    expect(not wrong, "; ".join(wrong))
