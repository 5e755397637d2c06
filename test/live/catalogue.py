"""An error has its text, its exit code, and the same in JSON: the form of the error catalogue."""
import re

import tool
from check import Failed, equal, expect

COLUMNS_MAX = 200


def check_refusal(lab, arguments, id_, code, text, **lines):
    """
    `text` is a regular expression for the first line; why= and remedy= are for the others. Text
    goes to stderr in both forms.
    """
    for json in (False, True):
        done = tool.run(lab, *(["--json"] if json else []), *arguments,
                        user=lines.get("user"))
        check_outcome(done, json, id_, code, text, **lines)


def check_outcome(done, json, id_, code, text, why=None, remedy=None, user=None):
    equal("the exit code (%s)" % done.err.strip(), done.code, code)
    check_text(done.err, "pyheaptop: ", text)
    for label, wanted in (("  why: ", why), ("  try: ", remedy)):
        if wanted is not None:
            check_text(done.err, label, wanted)
    expect(max(map(len, done.err.splitlines())) <= COLUMNS_MAX, "a line is too long: %s" % done.err)
    if not json:
        equal("stdout", done.out, "")
        return
    report = tool.parse(done.out)
    equal("schema", report["schema"], "pyheaptop.error")
    equal("error.id", report["error"]["id"], id_)
    said = "pyheaptop: " + report["error"]["text"].replace("\n", "\n  ")
    expect(done.err.startswith(said), "JSON and stderr differ: %r, %r" % (said, done.err))


def check_text(err, label, wanted):
    for line in err.splitlines():
        if line.startswith(label):
            expect(re.search("^(?:%s)$" % wanted, line[len(label):]),
                   "%r is not %r" % (line[len(label):], wanted))
            return
    raise Failed("no line begins with %r: %r" % (label, err))
