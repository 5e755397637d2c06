#!/usr/bin/env python3
"""
Runs the program on real interpreters.

    run.py --program build/gcc/pyheaptop --hold build/gcc/test/libhold.so [--long]
           [--only PATTERN] [--jobs N] [--no-dwarf [--stripped]] [--tap FILE] [--list] [--times]
           [--write-tables] [--no-sandbox]

One line a test, and a closing one that counts. What the machine lacks is skipped by name.
PATTERN is a shell pattern, or a part of the name; several are separated by commas. With --jobs so
many tests run at once, but for those that need the machine to themselves. With --no-dwarf the
program gets that option, so that layouts come from its tables, and with --stripped it looks at
copies of interpreters without symbols; --write-tables makes the tables anew.
"""
import argparse
import fnmatch
import os
import signal
import subprocess
import sys
import time
import traceback

sys.dont_write_bytecode = True

import chaos
import check
import churn
import collector
import completions
import counted
import discover
import embedded
import exactness
import faults
import findings
import freelists
import growth
import interval
import glibc_churn
import glibc_debugger
import glibc_exact
import glibc_steps
import glibc_trim
import kills
import layout_cache
import layout_carried
import layout_mismatched
import layout_mutated
import layout_sections
import ledger_family
import ledger_known
import ledger_programs
import libc_scan
import mimalloc
import musl
import namespaces
import newer
import objects
import objects_busy
import objects_codecs
import objects_forked
import objects_odd
import objects_owners
import objects_programs
import objects_reach
import output
import refusals
import sandbox
import scans
import screens
import screens_data
import signals
import stops
import stripped
import tables
import threads
import unprivileged
import untouched
import usage
import workers
from lab import Lab

MODULES = [exactness, counted, glibc_exact, glibc_steps, glibc_trim, glibc_debugger, glibc_churn,
           sandbox, unprivileged, untouched, churn, kills, signals, stops, refusals, usage,
           embedded, mimalloc, musl, namespaces, layout_cache, layout_carried, layout_sections,
           layout_mismatched, layout_mutated, tables, scans, libc_scan, newer, ledger_programs, ledger_known,
           ledger_family, objects, objects_busy, objects_codecs, objects_forked,
           objects_odd, objects_owners, objects_programs, objects_reach, collector, freelists,
           growth, findings, interval, output, faults, chaos, threads, completions, screens,
           screens_data]

# What they are about is not had without.
OF_DWARF = [layout_cache, layout_carried, layout_mismatched, tables]

# They measure time, or keep every processor busy.
ALONE = [churn, kills, signals, stops, refusals, glibc_churn, objects_busy, chaos]

# They start interpreters in ways of their own, or change the files of those that were not stripped.
AS_BUILT = [refusals, mimalloc, layout_mutated]


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--hold", required=True)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--no-dwarf", action="store_true")
    parser.add_argument("--stripped", action="store_true")
    parser.add_argument("--no-sandbox", action="store_true")
    parser.add_argument("--write-tables", action="store_true")
    parser.add_argument("--tap")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--times", action="store_true")
    return parser.parse_args()


def is_wanted(name, patterns):
    return any(pattern in name or fnmatch.fnmatchcase(name, pattern)
               for pattern in patterns.split(","))


def unpack_roots():
    """Where the unpacked releases are; what could not be had is missing there."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "roots.sh")
    done = subprocess.run([script], stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def skip(reason):
    def run(*unused):
        raise check.Skipped(reason)
    return run


def collect(lab, arguments):
    """Those that may share the machine first: (name, function, parameters, is alone)"""
    left_out = OF_DWARF * arguments.no_dwarf + AS_BUILT * arguments.stripped
    found = [("interpreter/" + missing.name, skip(missing.reason), (), False)
             for missing in lab.missing]
    for module in MODULES:
        if module not in left_out:
            found += [(*test, module in ALONE) for test in module.tests(lab)]
    return sorted((test for test in found if is_wanted(test[0], arguments.only)),
                  key=lambda test: test[-1])


def run_one(lab, test):
    """(verdict, reason or note, seconds)"""
    _, function, parameters, _ = test
    started = time.monotonic()
    try:
        verdict, text = "ok", function(lab, *parameters)
    except check.Skipped as error:
        verdict, text = "skip", str(error)
    except check.Failed as error:
        verdict, text = "not ok", str(error)
    except Exception:
        verdict, text = "not ok", traceback.format_exc()
    return verdict, text, time.monotonic() - started


def run_all(lab, tests, jobs):
    """Yields what run_one() says of each, in their order."""
    together = [test for test in tests if not test[-1]] if jobs > 1 else []
    yield from workers.run(lab, together, jobs, run_one)
    for test in tests[len(together):]:
        yield run_one(lab, test)


class Results:
    """Tells each verdict as it comes, and keeps them for TAP."""

    def __init__(self):
        self.counts = {"ok": 0, "not ok": 0, "skip": 0}
        self.tap = []

    def add(self, name, verdict, text):
        self.counts[verdict] += 1
        number = len(self.tap) + 1
        line = " ".join((text or "").split()) if verdict == "not ok" else text or ""
        if verdict == "skip":
            self.tap.append("ok %d - %s # SKIP %s" % (number, name, line))
        else:
            self.tap.append("%s %d - %s%s" % (verdict, number, name, ": " + line if line else ""))
        print("%s %s%s" % (verdict, name, ": " + (text or "").rstrip() if text else ""),
              flush=True)

    def write_tap(self, path):
        with open(path, "w") as file:
            file.write("\n".join(["1..%d" % len(self.tap)] + self.tap) + "\n")


def main():
    arguments = parse_arguments()
    # A shell lets what it runs in the background ignore it, and our children would inherit that.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    # nohup(1) ignores it, for all that is started.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    lab = Lab(arguments.program, arguments.hold, arguments.long)
    lab.always = ["--no-sandbox"] * arguments.no_sandbox
    results = Results()
    try:
        lab.interpreters, lab.missing = discover.discover(unpack_roots())
        if arguments.write_tables:
            tables.write(lab)
            return 0
        if arguments.stripped:
            lab.interpreters, lab.missing = stripped.copies(lab), []
        if arguments.no_dwarf:
            lab = lab.without_dwarf()
        tests = collect(lab, arguments)
        if arguments.list:
            print("\n".join(test[0] for test in tests))
            return 0
        # The outcomes first: only then are they asked for an end, too.
        for outcome, test in zip(run_all(lab, tests, arguments.jobs), tests):
            verdict, text, seconds = outcome
            results.add(test[0], verdict, text)
            if arguments.times:
                print("    %.1f s" % seconds)
    finally:
        lab.close()
    if arguments.tap:
        results.write_tap(arguments.tap)
    counts = results.counts
    print("live: %d passed, %d failed, %d skipped"
          % (counts["ok"], counts["not ok"], counts["skip"]))
    return 1 if counts["not ok"] else 0


if __name__ == "__main__":
    sys.exit(main())
