"""
Builds a heap of the shape that the first argument names, and holds still on it.

The second argument is libhold.so, or "-" where the interpreter cannot load it (2.7); the third a
file for the interpreter's own statistics. Runs under every version from 2.7 on.
"""
import os
import random
import sys
import threading

HOLD = '''
import os

def hold(library, path, label):
    if library == "-":
        os.write(1, ("holding %s\\n" % label).encode())
        os.read(0, 1)
        return
    from importlib import machinery, util
    loader = machinery.ExtensionFileLoader("hold", library)
    module = util.module_from_spec(util.spec_from_loader("hold", loader))
    loader.exec_module(module)
    module.pause(path, label)
'''
exec(HOLD)


def code_for_sub_interpreter(count, library, path, label):
    return HOLD + "keep = [b'y' * (i % 300) for i in range({})]\nhold({!r}, {!r}, {!r})\n".format(
        count, library, path, label)


def blocks(count, low, high):
    chooser = random.Random(count)
    return [b"x" * chooser.randrange(low, high) for _ in range(count)]


def fresh():
    return None


def large():
    return [b"x" * (20 + i % 100) for i in range(1400000)]


def fragmented():
    keep = []
    for i in range(60000):
        keep.append(b"x" * (i % 480))
        keep.append((i, str(i)))
        keep.append({i: float(i)})
    chooser = random.Random(1)
    for i in range(len(keep)):
        if chooser.random() < 0.5:
            keep[i] = None
    return keep


def reclaimed():
    """Whole arenas go back to the system, and a few blocks keep others."""
    keep = blocks(400000, 1, 200)
    del keep[3000:]
    return keep, blocks(5000, 1, 500)


def classes():
    """Every size from nothing to what pymalloc leaves to malloc."""
    return [b"x" * size for size in range(600) for _ in range(1 + size % 97)]


def threads():
    ready = threading.Semaphore(0)

    def work(keep):
        keep.append(blocks(20000, 1, 400))
        ready.release()
        threading.Event().wait()

    keeps = [[] for _ in range(4)]
    for keep in keeps:
        thread = threading.Thread(target=work, args=(keep,))
        thread.daemon = True
        thread.start()
    for _ in keeps:
        ready.acquire()
    return keeps


SHAPES = {shape.__name__: shape
          for shape in (fresh, large, fragmented, reclaimed, classes, threads)}


def run_in_new_interpreter(kind, count, library, path):
    """Hold still within a sub-interpreter of this kind. What keeps it alive is returned."""
    try:
        import _interpreters as interpreters
        sub = interpreters.create(kind)
    except ImportError:
        try:
            import _xxsubinterpreters as interpreters
        except ImportError:
            import _testcapi
            code = code_for_sub_interpreter(count, library, path, "legacy 1")
            if _testcapi.run_in_subinterp(code) != 0:
                raise SystemError("the sub-interpreter failed")
            return None
        if sys.version_info >= (3, 12):
            sub = interpreters.create(isolated=kind == "isolated")
        else:
            sub = interpreters.create()
    label = "%s %d" % (kind, int(sub))
    code = code_for_sub_interpreter(count, library, path, label)
    failure = interpreters.run_string(sub, code)
    if failure is not None:
        raise SystemError("the sub-interpreter failed: %s" % failure)
    return sub


def main(shape, library, path):
    if shape in ("legacy", "isolated"):
        keep = [run_in_new_interpreter(shape, count, library, path) for count in (20000, 5000)]
    else:
        keep = SHAPES[shape]()
    hold(library, path, "main 0")
    os.write(1, b"done\n")
    os.read(0, 1)
    return keep


main(*sys.argv[1:])
