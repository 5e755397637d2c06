"""What a test says when it does not pass."""


class Failed(Exception):
    """The program does not do what it should."""


class Skipped(Exception):
    """The machine lacks what the test needs."""


def expect(condition, reason):
    if not condition:
        raise Failed(reason)


def equal(what, got, wanted):
    if got != wanted:
        raise Failed("%s is %r, not %r" % (what, got, wanted))


def equal_items(what, got, wanted):
    """Every item of `wanted` is in `got`; the reason names all that differ."""
    wrong = ["%s %r, not %r" % (key, got.get(key), value)
             for key, value in wanted.items() if got.get(key) != value]
    expect(not wrong, "%s: %s" % (what, "; ".join(wrong)))


def equal_everywhere(what, got, wanted):
    """Two JSON values are equal; the reason names the parts that differ, not the whole."""
    wrong = list(differences("", got, wanted))
    expect(not wrong, "%s: %s" % (what, "; ".join(wrong[:5])))


def differences(path, got, wanted):
    if isinstance(got, dict) and isinstance(wanted, dict):
        for key in sorted(got.keys() | wanted.keys()):
            yield from differences("%s.%s" % (path, key), got.get(key), wanted.get(key))
    elif isinstance(got, list) and isinstance(wanted, list) and len(got) == len(wanted):
        for index, pair in enumerate(zip(got, wanted)):
            yield from differences("%s[%d]" % (path, index), *pair)
    elif got != wanted:
        yield "%s is %.80r, not %.80r" % (path, got, wanted)
