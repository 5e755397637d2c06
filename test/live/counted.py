"""
The report counts what a program allocated. This is a witness that needs no statistics of the
interpreter's own, which 2.7 does not have.
"""
import stats
import target
import tool
from check import equal

# Blocks of these classes that the interpreter itself may take or free in between.
OWN_BLOCKS = 40


def tests(lab):
    for interpreter in lab.interpreters:
        # The allocator of a debug build adds to each block.
        if not interpreter.debug_build:
            yield "counted/" + interpreter.name, check_counts, (interpreter,)


def live_blocks(lab, process, word):
    process.expect(word)
    pymalloc = tool.still_report(lab, process.pid)["pymalloc"]
    stats.check_still(pymalloc)
    process.go_on()
    live = {row["block_bytes"]: row["live_blocks"] for row in pymalloc["size_classes"]}
    return live, pymalloc["alignment_bytes"]


def check_counts(lab, interpreter):
    with target.start(lab, interpreter, "counted.py") as process:
        *sizes, count = [int(number) for number in process.line().split()]
        empty, alignment = live_blocks(lab, process, "empty")
        full, _ = live_blocks(lab, process, "full")
        half, _ = live_blocks(lab, process, "half")
    for size in sizes:
        block = -(-size // alignment) * alignment
        check_close("blocks of %d bytes" % block, full[block] - empty[block], count)
        check_close("blocks of %d bytes after half were freed" % block,
                    full[block] - half[block], count // 2)


def check_close(what, got, wanted):
    if abs(got - wanted) > OWN_BLOCKS:
        equal(what, got, wanted)
