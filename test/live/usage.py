"""Options and output files that cannot be: exit code 2."""
import os
import re
import stat

import target
import tool
from catalogue import check_outcome, check_refusal
from check import equal, expect


def tests(lab):
    for function in (output_file, output_symlink, unknown_option, missing_value, bad_values,
                     two_processes, config_file, columns_of_screens):
        yield "usage/" + function.__name__.replace("_", "-"), function, ()


def output_file(lab):
    with target.start_idle(lab, lab.any_interpreter()) as process:
        for path, reason in ((lab.scratch, "Is a directory"),
                             ("/nonexistent/report", "No such file or directory")):
            check_refusal(lab, ["-o", path, process.pid], "output-file", 2,
                          "cannot write %s: %s" % (path, reason), remedy='-o "\\$HOME/heap.json"')


def output_symlink(lab):
    folder = lab.fresh("symlink")
    precious, link = os.path.join(folder, "precious"), os.path.join(folder, "link")
    with open(precious, "w") as file:
        file.write("precious")
    os.symlink(precious, link)
    with target.start_idle(lab, lab.any_interpreter()) as process:
        check_refusal(lab, ["-o", link, process.pid], "output-file", 2,
                      "cannot write %s: it is a symbolic link" % link)
        with open(precious) as file:
            equal("the file behind the link", file.read(), "precious")
        check_report_file(lab, process, os.path.join(folder, "report"))


def check_report_file(lab, process, path):
    """The report goes there, whole, and no other user may read it."""
    done = tool.run(lab, "--json", "-o", path, process.pid)
    equal("the outcome", done, tool.Outcome(0, "", ""))
    with open(path) as file:
        equal("schema", tool.parse(file.read())["schema"], "pyheaptop.report")
    equal("the mode of the file", stat.S_IMODE(os.stat(path).st_mode), 0o600)


def check_usage(lab, arguments, text):
    check_refusal(lab, arguments, "usage", 2, text, remedy="pyheaptop --help")


def unknown_option(lab):
    check_usage(lab, ["--bogus", "1"], "unknown option '--bogus'")
    check_usage(lab, ["-Z", "1"], "unknown option '-Z'")


def missing_value(lab):
    check_usage(lab, ["1", "--stop"], "option '--stop' needs a value")


def bad_values(lab):
    check_usage(lab, ["--stop=gently", "1"], "--stop is none, brief or full, not 'gently'")
    for value in ("0", "-1", "60001", "1x", ""):
        check_usage(lab, ["--max-stop=" + value, "1"],
                    "--max-stop is 1 to 60000 milliseconds, not '%s'" % value)
    check_usage(lab, ["--section=heap", "1"],
                "--section is findings, kernel, categories, pymalloc, glibc, types, maps or "
                "family, not 'heap'")


def config_file(lab):
    """It is used, is told of where it is wrong, gives way to the line, and is never written."""
    folder = lab.fresh("config")
    path = os.path.join(folder, "pyheaptop", "config")
    os.mkdir(os.path.dirname(path), 0o700)
    with open(path, "w") as file:
        file.write("stop = none\n\ncolour = never\n")
    os.chmod(path, 0o444)
    before = os.stat(path)
    said = ("pyheaptop: %s:3: 'colour' is not a setting (ignored)\n  try: color = never\n" % path)
    with target.start_idle(lab, lab.any_interpreter()) as process:
        for options, stop, err in ((["--section=pymalloc"], "none", said),
                                   (["--section=pymalloc", "--quiet"], "none", ""),
                                   (["--section=pymalloc", "--stop=brief", "--max-stop=2000"],
                                    "brief", said)):
            done = tool.run(lab, "--json", *options, process.pid, config=folder)
            equal("the exit code and stderr", (done.code, done.err), (0, err))
            equal("snapshot.stop", tool.parse(done.out)["snapshot"]["stop"], stop)
    after = os.stat(path)
    equal("the file", (after.st_mtime_ns, after.st_ino), (before.st_mtime_ns, before.st_ino))
    equal("its folder", os.listdir(os.path.dirname(path)), ["config"])


def columns_of_screens(lab):
    """A column that only the screens have is not left out in silence."""
    for option in ("--sort=rss", "--sort=change"):
        check_outcome(tool.run(lab, option, "1"), False, "usage", 2,
                      option + " needs a terminal, stdout is none",
                      remedy="leave it out: a pipe gets the text report")
    listed = tool.run(lab, "--sort=help")
    equal("the exit code and stderr", (listed.code, listed.err), (0, ""))
    for table in ("report", "pymalloc", "glibc", "types", "maps"):
        expect(re.search("^%s +[a-z]" % table, listed.out, re.MULTILINE), listed.out)


def two_processes(lab):
    check_usage(lab, ["1", "2"], "one process at a time: '2' is too much")
