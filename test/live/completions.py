"""What shells complete: each is asked itself, by the keys that a user presses where that is the way."""
import os
import pty
import re
import select
import shutil
import subprocess

import target
import tool
from check import Failed, Skipped, equal, expect

# A line begun, what Tab makes of it.
VALUES = [
    ("pyheaptop --stop=br", "pyheaptop --stop=brief "),
    ("pyheaptop --stop bri", "pyheaptop --stop brief "),
    ("pyheaptop --section=pym", "pyheaptop --section=pymalloc "),
    ("pyheaptop --screen=ov", "pyheaptop --screen=overview "),
    ("pyheaptop -s tak", "pyheaptop -s taken "),
    ("pyheaptop --types=obj", "pyheaptop --types=objects "),
    ("pyheaptop --dump-l", "pyheaptop --dump-layout "),
    ("pyheaptop --max-s", "pyheaptop --max-stop="),
    ("pyheaptop --max-stop=20 --verb", "pyheaptop --max-stop=20 --verbose "),
    ("pyheaptop -j --diff=some_rep", "pyheaptop -j --diff=some_report.json "),
    ("pyheaptop -o some_rep", "pyheaptop -o some_report.json "),
]
DONE = "that-is-all"


def tests(lab):
    for function in (bash_keys, bash_processes, zsh_keys, zsh_processes, fish_answers,
                     fish_processes, scripts_are_shells):
        yield "completions/" + function.__name__.replace("_", "-"), function, ()


def need(shell):
    if shutil.which(shell) is None:
        raise Skipped("no %s" % shell)


def environment(lab):
    found = tool.environment(lab.cache)
    return {**found, "PATH": os.path.dirname(lab.program) + ":" + found["PATH"], "TERM": "dumb",
            "HOME": lab.fresh("home"), "LC_ALL": "C.UTF-8"}


def script(lab, shell):
    done = tool.run(lab, "--completions=" + shell)
    equal("the exit code and stderr", (done.code, done.err), (0, ""))
    path = os.path.join(lab.fresh("completions"), "pyheaptop." + shell)
    with open(path, "w") as file:
        file.write(done.out)
    return path


def folder(lab):
    path = lab.fresh("work")
    with open(os.path.join(path, "some_report.json"), "w"):
        return path


def converse(command, lines, env, cwd):
    """All that a shell on a terminal says to these keys."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        os.execvpe(command[0], command, env)
    try:
        os.write(fd, "".join(lines).encode())
        heard = b""
        while heard.count(DONE.encode() + b"]") < 1:
            if not select.select([fd], [], [], tool.PATIENCE_SECONDS)[0]:
                raise Failed("the shell says no more than %r" % heard)
            heard += os.read(fd, 4096)
    except OSError as error:
        raise Failed("the shell ended: %s, %r" % (error, heard)) from error
    finally:
        os.close(fd)
        os.waitpid(pid, 0)
    return heard.decode(errors="replace").replace("\r", "")


def check_keys(lab, command, setup, passing=""):
    """
    The completed line is quoted by keys of its own, and so printed as it is. `passing`: what a
    shell takes back when another key comes.
    """
    keys = [setup + "\n"]
    for line, _ in VALUES:
        keys.append(line + "\t" + "\x05'\x01printf '[%s]\\n' '\n")
    keys.append("printf '[%s]\\n' " + "that-is-'all'" + "\n")
    heard = converse(command, keys, environment(lab), folder(lab))
    found = re.findall(r"^\[(.*)\]$", heard, re.MULTILINE)
    equal("what is completed", found, [whole.rstrip(passing) for _, whole in VALUES] + [DONE])


def bash_keys(lab):
    need("bash")
    check_keys(lab, ["bash", "--norc", "--noprofile", "-i"],
               "PS1='> '; bind 'set bell-style none'; . " + script(lab, "bash"))


def zsh_keys(lab):
    need("zsh")
    path = script(lab, "zsh")
    check_keys(lab, ["zsh", "-f", "-i"],
               "PS1='> '; bindkey -e; autoload -Uz compinit; compinit -D -u; . " + path, " =")


def run_shell(lab, command):
    done = subprocess.run(command, env=environment(lab), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          cwd=folder(lab), timeout=tool.PATIENCE_SECONDS)
    equal("stderr", done.stderr, "")
    return done.stdout


def check_processes(out, pid, said):
    expect(re.search(said % pid, out, re.MULTILINE), "%d is not among: %s" % (pid, out))


def bash_processes(lab):
    need("bash")
    ask = ('. "$0"; COMP_WORDS=(pyheaptop "$1"); COMP_CWORD=1; _pyheaptop pyheaptop; '
           'printf "%s\\n" "${COMPREPLY[@]}"')
    with target.start_idle(lab, lab.any_interpreter()) as one, \
            target.start_idle(lab, lab.any_interpreter()) as other:
        path = script(lab, "bash")
        out = run_shell(lab, ["bash", "-c", ask, path, ""])
        for process in (one, other):
            check_processes(out, process.pid, r"^%d  +\S+ +.*python")
        # One alone stands there without what describes it.
        out = run_shell(lab, ["bash", "-c", ask, path, str(one.pid)]).splitlines()
        expect(out == [str(one.pid)] or len(out) > 1, out)
        expect(all(line.startswith(str(one.pid)) for line in out), out)


def zsh_processes(lab):
    need("zsh")
    ask = ('compdef() { : }; . "$1"; _describe() { print -l -- ${(P)argv[-1]} }; '
           'words=(pyheaptop ""); _pyheaptop_processes')
    with target.start_idle(lab, lab.any_interpreter()) as process:
        out = run_shell(lab, ["zsh", "-f", "-c", ask, "zsh", script(lab, "zsh")])
        check_processes(out, process.pid, r"^%d:\S+ +.*python")
        expect("pid:" not in out, "the title is a process: %s" % out)


def ask_fish(lab, path, line):
    return run_shell(lab, ["fish", "--no-config", "-c",
                           "source $argv[1]; complete -C $argv[2]", path, line])


def fish_answers(lab):
    need("fish")
    path = script(lab, "fish")
    for line, whole in VALUES:
        out = ask_fish(lab, path, line)
        words = [answer.split("\t")[0] for answer in out.splitlines()]
        # A word, or what follows its "=".
        wanted = whole.rstrip(" =").rsplit(" ", 1)[1]
        expect(wanted in words or wanted.rsplit("=", 1)[-1] in words,
               "%r gives %r, not %r" % (line, out, wanted))


def fish_processes(lab):
    need("fish")
    with target.start_idle(lab, lab.any_interpreter()) as process:
        out = ask_fish(lab, script(lab, "fish"), "pyheaptop ")
        check_processes(out, process.pid, r"^%d\t\S+  .*python")
        expect("pid\t" not in out, "the title is a process: %s" % out)


def scripts_are_shells(lab):
    for shell, check in (("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "-n"]),
                         ("bash", ["shellcheck", "--shell=bash"])):
        if shutil.which(check[0]) is not None:
            equal("what %s says" % check[0], run_shell(lab, check + [script(lab, shell)]), "")
