"""What is printed where, and what a closed or full output does."""
import os
import re
import shutil
import signal
import subprocess

import target
import tool
from catalogue import check_refusal
from check import equal, expect

# sh's words for a command that SIGPIPE ended.
QUIET_CODES = {0, 128 + signal.SIGPIPE}


def tests(lab):
    for function in (text_report, sections, head, full_device, full_disk, closed_stdout, all_closed, by_name,
                     list_, help_and_version):
        yield "output/" + function.__name__.strip("_").replace("_", "-"), function, ()


def start(lab):
    return target.start_idle(lab, lab.any_interpreter())


def shell(lab, script, *arguments, **variables):
    """A line of bash; $0 is the program."""
    done = subprocess.run(["bash", "-c", script, lab.program, *[str(one) for one in arguments]],
                          env={**tool.environment(lab.cache), **variables},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=tool.PATIENCE_SECONDS)
    return tool.Outcome(done.returncode, done.stdout, done.stderr)


def first_words(text):
    return [re.split(r"[\s\d]", line, 1)[0] for line in text.splitlines()]


def text_report(lab):
    with start(lab) as process:
        done = tool.run(lab, process.pid)
        equal("the exit code and stderr", (done.code, done.err), (0, ""))
        once = tool.run(lab, "--once", process.pid)
        equal("the lines with --once", first_words(once.out), first_words(done.out))
        for word in ("pid %d" % process.pid, "CPython", "Pymalloc", "RSS", "attributed",
                     "Mappings"):
            expect(word in done.out, "the report has no %r" % word)
        expect("\033" not in done.out, "the report has escape codes")
        widest = max(done.out.splitlines(), key=len)
        expect(len(widest) <= 80, "a line has %d columns: %s" % (len(widest), widest))


def sections(lab):
    """What was not asked for is null, and costs nothing."""
    with start(lab) as process:
        kernel = tool.report(lab, process.pid, "--section=kernel")
        for name in ("pymalloc", "categories", "mappings", "family"):
            equal(name, kernel[name], None)
        expect(kernel["kernel"]["rss_bytes"] > 0, "no RSS")
        pymalloc = tool.report(lab, process.pid, "--section=pymalloc")["pymalloc"]
        expect(pymalloc["arenas"] > 0, "no arenas")


def head(lab):
    with start(lab) as process:
        for options in ("", "--json", "--section=pymalloc"):
            line = '"$0" %s "$1" | head -1; echo "${PIPESTATUS[0]}"' % options
            done = shell(lab, line, process.pid)
            equal("stderr", done.err, "")
            code = int(done.out.splitlines()[-1])
            expect(code in QUIET_CODES, "the exit code is %d" % code)


def full_device(lab):
    with start(lab) as process:
        for options in ("", "--json"):
            done = shell(lab, '"$0" %s "$1" >/dev/full' % options, process.pid)
            equal("the exit code", done.code, 2)
            expect("No space left on device" in done.err, "stderr: %r" % done.err)


def full_disk(lab):
    """What does not fit leaves the file as it was, and nothing beside it."""
    lab.needs_root()
    script = """
        mount -t tmpfs -o size=16k none "$2" && cd "$2" && echo before >report || exit 99
        "$0" --json -o report "$1" >/dev/null
        echo "$?" "$(cat report)" *
    """
    with start(lab) as process:
        done = shell(lab, 'exec unshare --mount bash -c "$3" "$0" "$1" "$2"', process.pid,
                     lab.fresh("disk"), script)
        equal("the exit code, the file and the folder", done.out, "2 before report\n")
        expect("No space left on device" in done.err, "stderr: %r" % done.err)


def closed_stdout(lab):
    with start(lab) as process:
        done = shell(lab, '"$0" "$1" >&-', process.pid)
        equal("the exit code", done.code, 2)
        expect(done.err.startswith("pyheaptop: cannot write"), "stderr: %r" % done.err)


def all_closed(lab):
    """Files that the program opens then get the numbers 0 to 2: none may be written by mistake."""
    with start(lab) as process:
        wanted, folder = tool.still_report(lab, process.pid), lab.fresh("closed")
        report = os.path.join(folder, "report")
        shell(lab, '"$0" -v --json -o "$2" "$1" <&- >&- 2>&-', process.pid, report,
              XDG_CACHE_HOME=folder)
        with open(report) as file:
            equal("pymalloc", tool.parse(file.read())["pymalloc"], wanted["pymalloc"])
        cached = tool.still_report(lab, process.pid, cache=folder)
        # Layouts that are built in are not kept.
        equal("layout_cached", cached["runtime"]["layout_cached"], lab.layout_source == "dwarf")
        equal("pymalloc", cached["pymalloc"], wanted["pymalloc"])


def by_name(lab):
    """The name of a script will do for a pid, as long as only one process runs it."""
    interpreter = lab.any_interpreter()
    script = os.path.join(lab.fresh("name"), "some_unusual_name.py")
    shutil.copy(os.path.join(lab.stage(None), "idle.py"), script)
    command = interpreter.command(script)
    with target.Target(command, target.environment()) as first:
        first.expect("ready")
        for name in ("some_unusual_name.py", "some_unusual_name"):
            equal("target.pid", tool.report(lab, name)["target"]["pid"], first.pid)
        with target.Target(command, target.environment()) as second:
            second.expect("ready")
            check_refusal(lab, ["some_unusual_name"], "usage", 2,
                          "'some_unusual_name' is the name of 2 Python processes",
                          remedy=r"pyheaptop (%d|%d) +\(the largest of them\)"
                          % (first.pid, second.pid))


def list_(lab):
    with start(lab) as process:
        done = tool.run(lab)
        equal("the exit code and stderr", (done.code, done.err), (0, ""))
        expect(re.search(r"^ *%d +\S+  .*python" % process.pid, done.out, re.MULTILINE),
               "the target is not listed")


def help_and_version(lab):
    done = tool.run(lab, "--help")
    equal("the exit code and stderr", (done.code, done.err), (0, ""))
    expect(done.out.startswith("usage: pyheaptop "), "the help begins otherwise")
    done = tool.run(lab, "--version")
    equal("the exit code and stderr", (done.code, done.err), (0, ""))
    expect(re.match(r"pyheaptop \d+\.\d+\.\d+( \([0-9a-f]{7,}\))?\n"
                    r"elfutils [\d.]+, jansson [\d.]+, ncurses [\d.]+\n"
                    r"understands CPython 2\.7, 3\.6-3\.15, glibc 2\.17-2\.44, x86-64\n$", done.out),
           "the version is %r" % done.out)
