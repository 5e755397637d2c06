"""Snapshot after snapshot: lines of text and of JSON, and all the ways in which that ends."""
import json
import os
import re
import signal
import stat
import subprocess

import target
import tool
from check import equal, expect

# No stop is no reason to raise the interval, and nothing to tell of.
STEADY = ["--stop=none", "--quiet"]
HEADER = re.compile(r"time +RSS +change +P +p +L +N +f .*\?$")
LINE = re.compile(r"\d\d:\d\d:\d\d +[\d.]+[KMG] +(0|[+-][\d.]+[BKMG])( +[\d.]+[BKMG])+$")


def tests(lab):
    for function in (text, json_lines, each_at_once, ends_by_signal, target_ends, target_ends_early,
                     closed_pipe, to_a_file, baseline, without_types, strict, notes):
        yield "interval/" + function.__name__.replace("_", "-"), function, ()


def idle(lab):
    return target.start_idle(lab, lab.any_interpreter())


def text(lab):
    with idle(lab) as process:
        done = tool.run(lab, *STEADY, "--once", "-d", "0.1", "-n", "3", process.pid)
        equal("the exit code and stderr", (done.code, done.err), (0, ""))
        header, *lines = done.out.splitlines()
        expect(HEADER.match(header), "the header is %r" % header)
        lines = [line for line in lines if not HEADER.match(line)]
        equal("lines", len(lines), 3)
        for line in lines:
            expect(LINE.match(line.replace("  incomplete", "")), "a line is %r" % line)
        # What is not asked for by name is a line a snapshot, too: standard output is a pipe.
        done = tool.run(lab, *STEADY, "-n", "1", process.pid)
        equal("lines with -n 1", len(done.out.splitlines()), 2)


def json_lines(lab):
    with idle(lab) as process:
        done = tool.run(lab, *STEADY, "--json", "-d", "0.1", "--count=3", process.pid)
        equal("the exit code and stderr", (done.code, done.err), (0, ""))
        reports = [json.loads(line) for line in done.out.splitlines()]
        equal("numbers", [one["snapshot"]["number"] for one in reports], [1, 2, 3])
        for one in reports:
            equal("schema", one["schema"], "pyheaptop.report")
            equal("target.pid", one["target"]["pid"], process.pid)
            equal("the sum", sum(row["bytes"] for row in one["categories"]),
                  one["kernel"]["rss_bytes"])
        times = [one["taken_at"] for one in reports]
        equal("the order of times", times, sorted(set(times)))
        kernel = tool.run(lab, *STEADY, "--json", "-n", "1", "--section=kernel", process.pid)
        equal("pymalloc", json.loads(kernel.out)["pymalloc"], None)


def each_at_once(lab):
    """A line is there as soon as it is made, though the next one is an hour away."""
    with idle(lab) as process:
        for form in ("--json", "--once"):
            running = tool.start(lab, *STEADY, form, "-d", "3600", process.pid)
            expect(running.stdout.readline().endswith(b"\n"), "no line")
            expect(running.poll() is None, "it ended")
            running.terminate()
            equal("the exit code", tool.finish(running).code, -signal.SIGTERM)
        expect(process.is_alive(), "the target ended")


def ends_by_signal(lab):
    with idle(lab) as process:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            running = tool.start(lab, *STEADY, "--json", "-d", "3600", process.pid)
            running.stdout.readline()
            running.send_signal(number)
            done = tool.finish(running)
            equal("the exit code", done.code, -number)
            equal("stderr", done.err, "")


def target_ends(lab):
    """With a count it is one that was not reached; without, it is the end that was waited for."""
    for options, code, said in ((["-n", "99"], 3, r"ended after \d+ of 99 snapshots"),
                                ([], 0, r"^pyheaptop: pid \d+ ended$")):
        for form in ("--once", "--json"):
            with idle(lab) as process:
                running = tool.start(lab, "--stop=none", form, "-d", "0.1", *options, process.pid)
                first = running.stdout.readline()
                if form == "--once":
                    running.stdout.readline()
                process.child.kill()
                process.child.wait()
                done = tool.finish(running)
            equal("the exit code", done.code, code)
            expect(re.search(said, done.err, re.MULTILINE), "stderr: %r" % done.err)
            if form == "--json":
                json.loads(first)
                schemas = [json.loads(line)["schema"] for line in done.out.splitlines()]
                wanted = ["pyheaptop.error"] if code else []
                equal("errors", [name for name in schemas if name != "pyheaptop.report"], wanted)
                equal("the last line", schemas[len(schemas) - len(wanted):], wanted)


def target_ends_early(lab):
    with idle(lab) as process:
        pid = process.pid
    done = tool.run(lab, "--once", "-d", "1", pid)
    equal("the exit code and stdout", (done.code, done.out), (3, ""))
    expect("no such process" in done.err, "stderr: %r" % done.err)


def closed_pipe(lab):
    with idle(lab) as process:
        script = '"$0" "$@" | head -1; echo "${PIPESTATUS[0]}"'
        for form in ("--once", "--json"):
            done = subprocess.run(["bash", "-c", script, *tool.command(lab, *STEADY, form, "-d",
                                                                       "0.1", process.pid)],
                                  env=tool.environment(lab.cache), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  timeout=tool.PATIENCE_SECONDS)
            equal("stderr", done.stderr, "")
            equal("the exit code", done.stdout.splitlines()[-1], str(128 + signal.SIGPIPE))


def to_a_file(lab):
    """It grows while it is written, and has whole lines only, whenever that is ended."""
    folder = lab.fresh("interval")
    path, link = os.path.join(folder, "log"), os.path.join(folder, "link")
    with idle(lab) as process:
        done = tool.run(lab, *STEADY, "--json", "-n", "2", "-d", "0.1", "-o", path, process.pid)
        equal("the outcome", done, tool.Outcome(0, "", ""))
        equal("the mode of the file", stat.S_IMODE(os.stat(path).st_mode), 0o600)
        for rounds in range(5):
            running = tool.start(lab, *STEADY, "--json", "-d", "0.1", "-o", path, process.pid)
            while sum(1 for _ in open(path)) < 1 + rounds:
                expect(running.poll() is None, "it ended")
            running.terminate()
            running.wait()
            tool.finish(running)
            with open(path) as file:
                for line in file:
                    expect(line.endswith("}\n"), "a line was cut: %.40r" % line[-40:])
                    json.loads(line)
        os.symlink(path, link)
        done = tool.run(lab, *STEADY, "-n", "1", "-o", link, process.pid)
        equal("the exit code for a link", done.code, 2)


def baseline(lab):
    path = os.path.join(lab.fresh("interval"), "before.json")
    with idle(lab) as process:
        before = tool.report(lab, process.pid)
        before["kernel"]["rss_bytes"] //= 2
        with open(path, "w") as file:
            json.dump(before, file)
        done = tool.run(lab, *STEADY, "-n", "1", "--baseline=" + path, process.pid)
        equal("the exit code", done.code, 0)
        expect(re.search(r"^\S+ +\S+ +\+[\d.]+M ", done.out, re.MULTILINE), done.out)
        done = tool.run(lab, *STEADY, "-n", "1", "--baseline=/nonexistent", process.pid)
        equal("the exit code", (done.code, done.out), (2, ""))
        expect("cannot read /nonexistent" in done.err, done.err)


def without_types(lab):
    """Nothing is Python's in malloc then."""
    with idle(lab) as process:
        done = tool.run(lab, *STEADY, "--no-types", "-n", "1", process.pid)
        header, line = done.out.splitlines()
        row = dict(zip(header.split(), line.split()))
        expect(row["N"] != "0B" and row["P"] != "0B", row)


def strict(lab):
    with idle(lab) as process:
        for options in (["--json"], ["--json", "-n", "2", "-d", "0.1"], ["-n", "1"]):
            done = tool.run(lab, "--strict", "--max-stop=2000", "--quiet", *options, process.pid)
            lines = done.out.splitlines()
            complete = "incomplete" not in done.out and \
                all(json.loads(line)["snapshot"]["complete"] for line in lines
                    if line.startswith("{\""))
            equal("the exit code (%s)" % done.err, done.code, 0 if complete else 8)


def notes(lab):
    """An interval that cannot be kept is told once, and never with --quiet."""
    with idle(lab) as process:
        arguments = ["--stop=none", "--once", "-d", "0.1", "-n", "3", process.pid]
        loud = tool.run(lab, *arguments)
        expect(loud.err.count("longer than the interval") <= 1, loud.err)
        equal("stderr", tool.run(lab, "--quiet", *arguments).err, "")
