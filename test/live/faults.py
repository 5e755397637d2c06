"""
Each thing that the program asks of the system and of its libraries is made to fail once, at each
place in turn (fault.c): then there is a complete report, or a clean error with its exit code, and
never a crash, a hang, a leak, half an output, or a target that stands still.

Asked of a build with the address sanitizer only, which sees leaks too.
"""
import concurrent.futures
import os
import re
import shutil
import subprocess

import ledger
import procfs
import stats
import target
import tool
from check import Failed, equal, expect

# So many places of each function are tried, spread over all of them; of those with more, other ones
# for each kind of report.
PLACES, PLACES_LONG = 8, 4000

# What else may go wrong: fewer bytes than were asked for, and other reasons.
VARIANTS = {
    "read": ["short"], "pread": ["short"], "process_vm_readv": ["short", "3", "14"],
    "open": ["2", "13"], "openat": ["2", "3", "13"], "ptrace": ["3"], "ioctl": ["22", "25"],
}

LEAK_CODE = 99

# The sanitizer's own threads need what fails.
OF_THE_SANITIZER = "GetThreadStackTopAndBottom"

# Where memory is short, libdw (0.188) ends the program with a line of its own, follows a null pointer
# that it did not look at, fails an assertion, or leaks; libseccomp (2.5.4) follows one too, or frees
# something twice. Nothing is stopped at that time.
OF_LIBRARIES = re.compile(r".*: libdw: Cannot allocate memory\n|"
                          r".*lib/dynamicsizehash_concurrent\.c:.* Assertion|"
                          r"AddressSanitizer:DEADLYSIGNAL.*SEGV.*\n"
                          r" +#0 0x\w+ +\(\S*/lib(dw|seccomp)\.so|"
                          r"\s*=+\n\S+ERROR: AddressSanitizer: attempting double-free[^\n]*\n[^\n]*\n"
                          r" +#1 0x\w+ +\(\S*/libseccomp\.so|"
                          r"\s+=+\n\S+ERROR: LeakSanitizer", re.DOTALL)
OF_MEMORY = {"malloc", "calloc", "realloc"}

ERROR_CODES = {1, 2, 3, 4, 5, 6}
SECONDS_MAX = 60


def tests(lab):
    if not is_sanitized(lab.program):
        return
    for kind in KINDS:
        yield "faults/" + kind, check_faults, (kind,)


def is_sanitized(program):
    with open(program, "rb") as file:
        return b"__asan_init" in file.read()


def is_of_others(err):
    """What was leaked, they have allocated, all of it."""
    allocated_by = re.findall(r"\n +#1 .*", err)
    return OF_THE_SANITIZER in err or (
        OF_LIBRARIES.match(err) is not None and
        ("LeakSanitizer" not in err or
         all(re.search(r"/lib(dw|seccomp)\.so", line) for line in allocated_by)))


def forget_cache(lab, folder):
    shutil.rmtree(os.path.join(folder, "cache"), ignore_errors=True)


def keep_cache(lab, folder):
    """Layouts are there already, as soon as a report was made."""
    os.makedirs(os.path.join(folder, "cache"), exist_ok=True)


# Options, and what is done before each run.
KINDS = {
    "json": (["--json"], keep_cache),
    "text-without-cache": ([], forget_cache),
    "json-without-dwarf": (["--json", "--no-dwarf"], forget_cache),
    "full-stop-in-threads": (["--json", "--stop=full", "--threads=3"], keep_cache),
    "types-to-a-file": (["--types", "-o", "report"], keep_cache),
    "growth": (["--json", "--diff=before.json"], keep_cache),
}


class Bench:
    """A target with a family, and a folder, for one run after the other."""

    def __init__(self, lab, kind):
        self.lab = lab
        self.options, self.prepare = KINDS[kind]
        self.folder = lab.fresh("faults")
        self.process = target.start(lab, lab.any_interpreter(since=(3, 11)), "prefork.py", "1", "1")
        self.process.line()
        self.process.settle()
        with open(os.path.join(self.folder, "before.json"), "w") as file:
            file.write(tool.run(lab, "--json", self.process.pid).out)

    def close(self):
        self.process.__exit__()

    def run(self, **variables):
        self.prepare(self.lab, self.folder)
        environment = {
            **tool.environment(os.path.join(self.folder, "cache")),
            "LD_PRELOAD": self.lab.helper("libfault.so"),
            "ASAN_OPTIONS": "verify_asan_link_order=0:allocator_may_return_null=1:exitcode=%d"
                            % LEAK_CODE,
            **variables,
        }
        command = [self.lab.program, *self.lab.always, *self.options, str(self.process.pid)]
        done = subprocess.run(command, env=environment, cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS_MAX)
        return tool.Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())

    def counts(self):
        """How often each function is called in a run without faults, which fills the cache."""
        path = os.path.join(self.folder, "counts")
        for _ in range(2):
            self.check(self.run(PHT_FAULT_COUNTS=path))
        with open(path) as file:
            return {name: int(count) for name, count in (line.split() for line in file)}

    def check(self, done):
        if done.code == 0:
            self.check_report(done)
        else:
            expect(done.code in ERROR_CODES, "exit code %d: %s" % (done.code, done.err[-3000:]))
            expect(done.err.startswith("pyheaptop: "), "stderr: %r" % done.err[:3000])
            if "--json" in self.options:
                equal("schema", tool.parse(done.out)["schema"], "pyheaptop.error")
        self.check_target()

    def check_report(self, done):
        if "-o" in self.options:
            path = os.path.join(self.folder, "report")
            with open(path) as file:
                done = tool.Outcome(0, file.read(), done.err)
            os.unlink(path)
        equal("stderr", done.err, "")
        expect(done.out.endswith("\n") and len(done.out) > 500, "half a report: %r" % done.out)
        if "--json" not in self.options:
            return
        report = tool.parse(done.out)
        if report["schema"] == "pyheaptop.diff":
            return
        if report["categories"] is not None:
            ledger.check_sums(report)
        if report["pymalloc"] is not None:
            stats.check_closes(report["pymalloc"])
        for part in ("categories", "pymalloc", "glibc", "objects", "family"):
            expect(report[part] is not None or report["warnings"], "%s is null without a word" % part)

    def check_target(self):
        expect(self.process.is_alive(), "the target ended")
        procfs.wait_until(lambda: procfs.status(self.process.pid, "TracerPid") == "0",
                          "the target is still traced")
        equal("the target's state", procfs.status(self.process.pid, "State"), "S")

    def check_fault(self, fault):
        """What is wrong, or None."""
        try:
            done = self.run(PHT_FAULT=fault)
            if fault.split(":")[0] in OF_MEMORY and is_of_others(done.err):
                self.check_target()
            else:
                self.check(done)
        except subprocess.TimeoutExpired:
            return "%s: no end within %d s" % (fault, SECONDS_MAX)
        except Failed as error:
            return "%s: %s" % (fault, error)
        return None


def plan(lab, kind, counts):
    """All faults that are tried."""
    wanted = PLACES_LONG if lab.long else PLACES
    for name, count in counts.items():
        for how in [""] + [":" + one for one in VARIANTS.get(name, [])]:
            step = max(1, count // (wanted if how == "" else wanted // 3))
            # What a fault makes the program do may ask for more.
            for at in range(1 + list(KINDS).index(kind) * 7 % step, count + 2, step):
                yield "%s:%d%s" % (name, at, how)


def check_faults(lab, kind):
    workers = os.cpu_count()
    benches = [Bench(lab, kind) for _ in range(workers)]
    try:
        faults = list(plan(lab, kind, benches[0].counts()))
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            found = pool.map(lambda i: [benches[i].check_fault(fault)
                                        for fault in faults[i::workers]], range(workers))
        wrong = [text for part in found for text in part if text is not None]
    finally:
        for bench in benches:
            bench.close()
    expect(not wrong, "%d of %d: %s" % (len(wrong), len(faults), "\n".join(wrong[:10])))
    return "%d faults" % len(faults)
