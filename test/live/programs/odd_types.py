"""Types that are many, or named oddly: odd_types.py SHAPE. Says "ready" and waits."""
import sys


def classes():
    """100,000, with an object each; two of them have one name."""
    kinds = [type("Class%d" % (i // 2), (object,), {"__slots__": ()}) for i in range(100000)]
    return kinds, [kind() for kind in kinds]


def names():
    """What no terminal may see, what takes many bytes a character, and next to nothing."""
    texts = [u"\x1b[31mred\x1b[0m", u"two\nlines\tand\rmore", u"\u4e2d" * 1365,
             u"\U0001f40d" * 1000, u"\ud800", u"a\u0300\u202e", u" ", u"%s%n", u"\x7f\x9b"]
    kinds = [type("Odd", (object,), {}) for _ in texts]
    for kind, text, module in zip(kinds, texts, reversed(texts)):
        kind.__qualname__ = text
        kind.__module__ = module
    return [[kind() for _ in range(1000)] for kind in kinds]


def interpreters():
    """Another one, with objects of its own."""
    try:
        import _interpreters
    except ImportError:
        import _xxsubinterpreters as _interpreters
    code = "kept = [str(i) * 3 for i in range(20000)], {i: [i] for i in range(5000)}"
    other = _interpreters.create()
    _interpreters.run_string(other, code)
    space = {}
    exec(code, space)
    return other, space


held = {"classes": classes, "names": names, "interpreters": interpreters}[sys.argv[1]]()
print("ready")
sys.stdout.flush()
sys.stdin.read(1)
