#!/usr/bin/env python3
"""Every error and warning that the program can tell is in the man page, and in some test.

The ids are those of the sources: what pht_error_id() returns, and what pht_report_warn() is called
with. Exit 1, and a line for each that is missing, or that the man page has beyond them.
With --self-test it checks that it would see what it is there for.
"""
import re
import sys
from pathlib import Path

# Tests that go through all errors, whatever tells them.
ALL_OF_THEM = {"ids.py", "failure_test.c"}

ID = r"[a-z]+(?:-[a-z]+)*"


def error_ids(text):
    body = text[text.index("const char *pht_error_id("):]
    return set(re.findall(r'return "(%s)";' % ID, body))


def warning_ids(text):
    """The second argument of a call, or both of a choice: `swapped ? "a" : "b"`."""
    found = set()
    for call in re.findall(r"pht_report_warn\(\s*[\w>-]+,\s*([^;]*?),\s*(?:NULL|\"|[a-z])", text):
        found |= set(re.findall(r'"(%s)"' % ID, call))
    return found


def manual_ids(text, section):
    """The words of `.It` lines of a section."""
    part = re.search(r"^\.Sh %s$(.*?)^\.Sh " % section, text, re.MULTILINE | re.DOTALL).group(1)
    return {word for line in re.findall(r"^\.It (.*)$", part, re.MULTILINE)
            for word in line.split(" , ")}


def compare(kind, told, described, tests):
    for name in sorted(told - described):
        yield "%s '%s' is not in the man page" % (kind, name)
    for name in sorted(described - told):
        yield "the man page has %s '%s', which nothing tells" % (kind, name)
    for name in sorted(told):
        constant = "PHT_ERROR_" + name.upper().replace("-", "_")
        if not re.search(r"[\"'/ ]%s[\"'/ ]|\b%s\b" % (name, constant), tests):
            yield "%s '%s' is in no test" % (kind, name)


def complaints(root):
    manual = (root / "man/pyheaptop.1").read_text()
    tests = "".join(path.read_text() for ending in ("c", "h", "py", "sh")
                    for path in sorted((root / "test").rglob("*." + ending))
                    if path.name not in ALL_OF_THEM)
    yield from compare("error", error_ids((root / "lib/base/error.c").read_text()),
                       manual_ids(manual, "DIAGNOSTICS"), tests)
    warnings = set()
    for path in sorted((root / "lib").rglob("*.c")):
        warnings |= warning_ids(path.read_text())
    yield from compare("warning", warnings, manual_ids(manual, "WARNINGS"), tests)


def self_test():
    assert error_ids('const char *pht_error_id(x)\n    return "no-memory";\n') == {"no-memory"}
    assert warning_ids('pht_report_warn(report, "a-b", NULL, "c-d");') == {"a-b"}
    assert warning_ids('pht_report_warn(report, x ? "a-b" : "c", remedy, "d");') == {"a-b", "c"}
    manual = ".Sh WARNINGS\n.It a-b , c\ntext\n.Sh NEXT\n.It d\n.Sh END\n"
    assert manual_ids(manual, "WARNINGS") == {"a-b", "c"}
    assert list(compare("error", {"a", "b"}, {"b", "c"}, '"b"')) == [
        "error 'a' is not in the man page", "the man page has error 'c', which nothing tells",
        "error 'a' is in no test"]
    assert not list(compare("error", {"a-b"}, {"a-b"}, "== PHT_ERROR_A_B)"))


def main():
    if "--self-test" in sys.argv[1:]:
        self_test()
        return 0
    found = list(complaints(Path(__file__).resolve().parent.parent))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
