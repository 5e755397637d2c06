"""What the kernel says of a process."""
import os
import time

from check import Failed


def read(pid, name):
    with open("/proc/%d/%s" % (pid, name)) as file:
        return file.read()


def status(pid, key):
    """A field of /proc/PID/status as its first word: "S", "1234"."""
    for line in read(pid, "status").splitlines():
        if line.startswith(key + ":"):
            return line.split(":", 1)[1].split()[0]
    raise Failed("/proc/%d/status has no %s" % (pid, key))


def status_bytes(pid, key):
    return int(status(pid, key)) * 1024


def thread_states(pid):
    """The set of states that its threads are in: {"T"}, {"R", "S"}."""
    names = os.listdir("/proc/%d/task" % pid)
    return {read(pid, "task/%s/stat" % name).rsplit(")", 1)[1].split()[0] for name in names}


def rollup_bytes(pid):
    """smaps_rollup as {"Rss": bytes, ...}."""
    sizes = {}
    for line in read(pid, "smaps_rollup").splitlines()[1:]:
        key, value = line.split(":", 1)
        sizes[key] = int(value.split()[0]) * 1024
    return sizes


def minor_faults(pid):
    return int(read(pid, "stat").rsplit(")", 1)[1].split()[7])


def major_faults(pid):
    return int(read(pid, "stat").rsplit(")", 1)[1].split()[9])


def children(pid):
    return [int(child) for child in read(pid, "task/%d/children" % pid).split()]


def running(program):
    """The pids of all processes that run this very file."""
    pids = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and os.path.samefile("/proc/%s/exe" % name, program):
                pids.append(int(name))
        except OSError:
            continue
    return pids


def threads(pid):
    return [int(name) for name in os.listdir("/proc/%d/task" % pid)]


def mapping(pid, name):
    """(start, end) of the first mapping of this name; (0, 0) if there is none."""
    for line in read(pid, "maps").splitlines():
        if line.endswith(" " + name):
            start, end = line.split()[0].split("-")
            return int(start, 16), int(end, 16)
    return 0, 0


def wait_until(condition, what, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failed("%d s passed, and %s" % (seconds, what))
        time.sleep(0.002)
