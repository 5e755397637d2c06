"""Running pyheaptop."""
import json
import os
import subprocess
from collections import namedtuple

from check import Failed, equal

PATIENCE_SECONDS = 120

Outcome = namedtuple("Outcome", "code out err")


def environment(cache, config=None):
    """Without a folder of settings there are none: HOME is not set."""
    more = {"XDG_CONFIG_HOME": config} if config else {}
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C",
            "XDG_CACHE_HOME": cache, **more}


def command(lab, *arguments, user=None, before=()):
    """`before` is a command that runs it, with other rights say."""
    before = list(before)
    if user is not None:
        before = ["setpriv", "--reuid=" + user, "--clear-groups", "--"]
    return before + [lab.program, *lab.always, *lab.options, *[str(argument) for argument in arguments]]


def run(lab, *arguments, cache=None, user=None, before=(), config=None):
    done = subprocess.run(command(lab, *arguments, user=user, before=before),
                          env=environment(cache or lab.cache, config), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE_SECONDS)
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def start(lab, *arguments, cache=None):
    """Run it without waiting for its end."""
    return subprocess.Popen(command(lab, *arguments), env=environment(cache or lab.cache),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


def finish(process):
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    return Outcome(process.returncode, out.decode(), err.decode())


def parse(text):
    try:
        return json.loads(text)
    except ValueError as error:
        raise Failed("stdout is not JSON (%s): %.200r" % (error, text)) from error


def report(lab, pid, *options, cache=None):
    """The JSON report; anything but success fails the test."""
    return parse_report(run(lab, "--json", *options, pid, cache=cache))


def parse_report(done):
    if done.code != 0:
        raise Failed("exit code %d: %s" % (done.code, done.err.strip()))
    equal("stderr", done.err, "")
    return parse(done.out)


def still_report(lab, pid, *options, cache=None):
    """
    A report on a target that holds still. A busy machine may be slow to stop it, which is no
    matter here.
    """
    found = report(lab, pid, "--max-stop=2000", *options, cache=cache)
    said = "; ".join(warning["text"] for warning in found["warnings"])
    equal("snapshot.complete (%s)" % said, found["snapshot"]["complete"], True)
    return found
