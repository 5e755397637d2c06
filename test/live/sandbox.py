"""
The sandbox: reports are the same inside, nothing that is forbidden there is attempted, and a kernel
that has none is no reason to fail.
"""
import ctypes
import functools
import http.server
import os
import re
import shutil
import struct
import subprocess
import threading

import target
import tool
from check import Skipped, equal, equal_everywhere, expect

# Calls that are refused by design, since a C library has others to fall back to.
ABSENT = {"clone3"}

SECTIONS = ("target", "pymalloc", "glibc", "categories", "family")


def tests(lab):
    for interpreter in lab.interpreters:
        if interpreter.root is None:
            yield "sandbox/same/" + interpreter.name, check_same, (interpreter,)
    for name in COMMANDS:
        yield "sandbox/attempts/" + name, check_attempts, (name,)
    yield "sandbox/no-ptrace", check_no_ptrace, ()
    yield "sandbox/refused-by-the-kernel", check_refused, ()
    yield "sandbox/debuginfod", check_debuginfod, ()


def start(lab, interpreter=None):
    return target.start_idle(lab, interpreter or lab.any_interpreter(since=(3, 11)))


def check_same(lab, interpreter):
    with start(lab, interpreter) as process:
        inside = tool.still_report(lab, process.pid)
        outside = tool.still_report(lab, process.pid, "--no-sandbox")
    equal("warnings", inside["warnings"], outside["warnings"])
    for section in SECTIONS:
        if section != "target":
            equal_everywhere(section, inside[section], outside[section])


# ---- what is attempted -------------------------------------------------------------------------

COMMANDS = {
    "text": (),
    "json": ("--json",),
    "cold": ("--json", "COLD"),
    "file": ("--json", "-o", "REPORT"),
    "threads": ("--json", "--threads=2"),
    "full-stop": ("--json", "--stop=full"),
    "no-dwarf": ("--json", "--no-dwarf"),
    "growth": ("--diff", "BEFORE"),
    "dump-layout": ("--dump-layout",),
}


def trace(lab, calls, *arguments, cache=None):
    """The lines of strace of one run."""
    if shutil.which("strace") is None:
        raise Skipped("strace is not installed")
    log = os.path.join(lab.fresh("strace"), "log")
    done = tool.run(lab, *arguments, cache=cache,
                    before=("strace", "-f", "-qq", "-e", "signal=none", "-e", "trace=" + calls,
                            "-o", log))
    equal("the exit code and stderr", (done.code, done.err), (0, ""))
    with open(log, errors="replace") as file:
        return file.read().splitlines()


def check_attempts(lab, name):
    folder = lab.fresh("attempts")
    before = os.path.join(folder, "before")
    with start(lab) as process:
        equal("a report", tool.run(lab, "--json", "-o", before, process.pid).code, 0)
        words = {"REPORT": os.path.join(folder, "report"), "BEFORE": before}
        options = [words.get(word, word) for word in COMMANDS[name] if word != "COLD"]
        cache = lab.fresh("cold") if "COLD" in COMMANDS[name] else None
        lines = trace(lab, "all", *options, process.pid, cache=cache)
    entered = [line for line in lines if re.search(r" seccomp\(SECCOMP_SET_MODE_FILTER", line)]
    expect(len(entered) >= 1, "no filter was installed")
    refused = [line for line in lines if re.search(r"= -1 (EPERM|ENOSYS)", line)]
    surprises = [line for line in refused
                 if re.sub(r"^\d+ +(<\.\.\. )?(\w+).*", r"\2", line) not in ABSENT]
    equal("what the sandbox refused", surprises, [])
    return "%d system calls" % len(lines)


def check_no_ptrace(lab):
    with start(lab) as process:
        for mode, traced in (("none", False), ("brief", True)):
            lines = trace(lab, "ptrace", "--json", "--stop=" + mode, process.pid)
            calls = [line for line in lines if "ptrace(" in line]
            equal("ptrace is called with --stop=" + mode, bool(calls), traced)


# ---- no sandbox to be had ----------------------------------------------------------------------

SECCOMP_CALL = 317


def refuse_filters():
    """A filter that refuses filters, as a container may have it: EPERM for seccomp(2)."""
    code = b"".join(struct.pack("HBBI", *one) for one in (
        (0x20, 0, 0, 0),                     # the number of the call
        (0x15, 0, 1, SECCOMP_CALL),
        (0x06, 0, 0, 0x00050000 | 1),        # SECCOMP_RET_ERRNO, EPERM
        (0x06, 0, 0, 0x7fff0000)))           # SECCOMP_RET_ALLOW
    libc, buffer = ctypes.CDLL(None), ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(buffer))
    libc.prctl(38, 1, 0, 0, 0)
    libc.prctl(22, 2, ctypes.c_char_p(program), 0, 0)


def run_refused(lab, *arguments):
    done = subprocess.run(tool.command(lab, *arguments), env=tool.environment(lab.cache),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, preexec_fn=refuse_filters)
    return tool.Outcome(done.returncode, done.stdout, done.stderr)


def warning_ids(report):
    return {warning["id"] for warning in report["warnings"]}


def check_refused(lab):
    with start(lab) as process:
        wanted = tool.still_report(lab, process.pid)
        report = tool.parse_report(run_refused(lab, "--json", "--max-stop=2000", process.pid))
        equal("new warnings", warning_ids(report) - warning_ids(wanted), {"no-sandbox"})
        equal_everywhere("pymalloc", report["pymalloc"], wanted["pymalloc"])
        text, = [one["text"] for one in report["warnings"] if one["id"] == "no-sandbox"]
        expect("Operation not permitted" in text, "the warning does not say why: " + text)
        silent = tool.parse_report(run_refused(lab, "--json", "--max-stop=2000", "--no-sandbox",
                                               process.pid))
        equal("warnings", warning_ids(silent), warning_ids(wanted))


# ---- debug files from a server -----------------------------------------------------------------

class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *unused):
        pass


def serve(folder):
    handler = functools.partial(Handler, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def build_id(path):
    notes = subprocess.run(["readelf", "-n", path], stdout=subprocess.PIPE, text=True).stdout
    return re.search(r"Build ID: ([0-9a-f]+)", notes).group(1)


def split(lab, program, folder):
    """A stripped copy of a program's libpython, and its debug file where a server has it."""
    loaded = subprocess.run(["ldd", program], stdout=subprocess.PIPE, text=True).stdout
    library = re.search(r"=> (\S*/libpython\S+)", loaded)
    if library is None:
        raise Skipped("no interpreter with a library of its own")
    place = os.path.join(folder, "buildid", build_id(library.group(1)))
    os.makedirs(place)
    subprocess.run(["objcopy", "--only-keep-debug", library.group(1), place + "/debuginfo"],
                   check=True)
    copy = os.path.join(lab.fresh("split"), os.path.basename(library.group(1)))
    subprocess.run(["strip", "-o", copy, library.group(1)], check=True)
    return copy


def check_debuginfod(lab):
    """The network is the steward's, which is asked for the file."""
    if lab.options or not any(os.path.exists(place + "/libdebuginfod.so.1") for place in
                              ("/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib")):
        raise Skipped("libdebuginfod is not installed, or not to be asked")
    interpreter = lab.any_interpreter(since=(3, 11))
    folder, cache = lab.fresh("server"), lab.fresh("cache")
    copy = split(lab, interpreter.path, folder)
    server = serve(folder)
    variables = {**tool.environment(cache), "DEBUGINFOD_CACHE_PATH": lab.fresh("debuginfod"),
                 "DEBUGINFOD_URLS": "http://127.0.0.1:%d" % server.server_port}
    script = os.path.join(lab.stage(None), "idle.py")
    command, environment = interpreter.command(script), target.environment(LD_PRELOAD=copy)
    with target.Target(command, environment) as process:
        process.expect("ready")
        done = subprocess.run(tool.command(lab, "--json", process.pid), env=variables,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    server.shutdown()
    report = tool.parse_report(tool.Outcome(done.returncode, done.stdout, done.stderr))
    equal("layout_source", report["runtime"]["layout_source"], "dwarf")
    expect(os.listdir(variables["DEBUGINFOD_CACHE_PATH"]), "nothing came from the server")
