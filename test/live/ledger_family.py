"""Who copied what since the fork: a master with a large dict that its workers only read."""
import ledger
import procfs
import target
import tool
from check import equal, expect

SINCE = (3, 7)
WORKERS = 4
SHORT_MIB, LONG_MIB = 64, 300
NEXT_TO_NOTHING = 2 << 20


def tests(lab):
    # A chroot has no /proc, where the workers look themselves up.
    chosen = [one for one in lab.interpreters if one.series >= SINCE and one.root is None]
    for one in chosen:
        yield "family/%s/read" % one.name, check_read, (one, SHORT_MIB)
    for one in sorted(chosen, key=lambda one: (not one.debug_build, one.series))[-1:]:
        yield "family/%s/read-more" % one.name, check_read, (one, LONG_MIB)
        yield "family/%s/frozen" % one.name, check_frozen, (one, LONG_MIB)
        yield "family/%s/frames-hidden" % one.name, check_hidden, (one, SHORT_MIB)
        yield "family/%s/spawned" % one.name, check_spawned, (one,)


def start(lab, interpreter, size, *options):
    return target.start(lab, interpreter, "prefork.py", str(size), str(WORKERS), *options)


def dirty(process, word):
    """{pid: bytes that are its own}, as each worker says."""
    words = process.line().split()
    equal("the master's word", words[0], word)
    process.settle()
    found = {int(pid): int(size) for pid, size in zip(words[1::2], words[2::2])}
    for pid in found:
        procfs.wait_until(lambda pid=pid: procfs.status(pid, "State") == "S", "a worker is at work")
    return found


def rows(lab, pid, *before):
    report = tool.parse_report(tool.run(lab, "--json", "--max-stop=2000", pid, before=before))
    ledger.check_still(report, pid)
    return report, {row["pid"]: row for row in report["family"]}


def check_tree(found, master, workers):
    equal("the family", set(found), {master, *workers})
    for pid, row in found.items():
        equal("the parent of %d" % pid, row["ppid"] == master, pid != master)


def check_read(lab, interpreter, size):
    lab.needs_root()
    with start(lab, interpreter, size) as process:
        before = dirty(process, "forked")
        report, first = rows(lab, process.pid)
        equal("family_exact", report["family_exact"], True)
        check_tree(first, process.pid, before)
        process.go_on()
        after = dirty(process, "read")
        _, second = rows(lab, process.pid)
        check_worker(lab, process.pid, after, second)
    for pid in before:
        grown = second[pid]["copied_bytes"] - first[pid]["copied_bytes"]
        expect(grown > size << 19, "worker %d copied %d bytes only" % (pid, grown))
        ledger.check_near("what worker %d copied" % pid, grown, after[pid] - before[pid], 0.02)
        check_split(second[pid])
        lost = first[pid]["shared_with_target_bytes"] - second[pid]["shared_with_target_bytes"]
        ledger.check_near("what worker %d no longer shares" % pid, lost, grown, 0.02)


def check_split(row):
    split = {part["id"]: part["bytes"] for part in row["copied_categories"]}
    equal("the split of what was copied", sum(split.values()), row["copied_bytes"])
    expect(split["python_small"] > row["copied_bytes"] * 0.9,
           "pages with live objects are %d of %d" % (split["python_small"], row["copied_bytes"]))


def check_worker(lab, master, workers, of_master):
    """The same figures, whichever of the family is looked at."""
    pid = sorted(workers)[0]
    _, found = rows(lab, pid)
    check_tree(found, master, workers)
    for other in workers:
        ledger.check_near("what worker %d copied, seen by %d" % (other, pid),
                          found[other]["copied_bytes"], of_master[other]["copied_bytes"], 0.02)
    equal("what it shares with itself", found[pid]["shared_with_target_bytes"], None)
    equal("what the master shares with it", found[master]["shared_with_target_bytes"],
          of_master[pid]["shared_with_target_bytes"])


def check_frozen(lab, interpreter, size):
    lab.needs_root()
    with start(lab, interpreter, size, "freeze") as process:
        workers = dirty(process, "forked")
        _, found = rows(lab, process.pid)
    for pid in workers:
        expect(found[pid]["copied_bytes"] < NEXT_TO_NOTHING,
               "worker %d has copied %d bytes" % (pid, found[pid]["copied_bytes"]))
        expect(found[pid]["shared_with_target_bytes"] > size << 20, "it shares too little")


def check_hidden(lab, interpreter, size):
    """Without CAP_SYS_ADMIN: what is exclusive is known, with whom the rest is shared is not."""
    lab.needs_root()
    without = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", "--"]
    with start(lab, interpreter, size) as process:
        dirty(process, "forked")
        process.go_on()
        workers = dirty(process, "read")
        _, exact = rows(lab, process.pid)
        report, found = rows(lab, process.pid, *without)
    equal("family_exact", report["family_exact"], False)
    check_tree(found, process.pid, workers)
    for pid in workers:
        ledger.check_near("what worker %d copied" % pid, found[pid]["copied_bytes"],
                          exact[pid]["copied_bytes"], 0.02)
    said = [warning["id"] for warning in report["warnings"]]
    expect("page-owners-hidden" in said, "the warnings are %s" % said)


def check_spawned(lab, interpreter):
    """A child that runs the same program, but by exec, is no relative."""
    program = ("import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', "
               "'import sys; print(\"ready\", flush=True); sys.stdin.read()'], "
               "stdin=subprocess.PIPE, stdout=subprocess.PIPE); child.stdout.readline(); "
               "print('ready', flush=True); sys.stdin.read()")
    with target.Target(interpreter.command("-c", program), target.environment()) as process:
        _, found = rows(lab, process.expect("ready").pid)
    equal("the family", found, {})
