"""Processes that the tests look at."""
import ctypes
import os
import select
import signal
import subprocess
import time

import procfs
from check import Failed

PATIENCE_SECONDS = 60


class Target:
    """A child process, killed at the end of its `with` block. It tells its state by lines."""

    def __init__(self, command, environment=None, prepare=None):
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      env=environment, preexec_fn=prepare)
        self.pid = self.child.pid
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.child.kill()
        self.child.wait()
        self.child.stdin.close()
        self.child.stdout.close()

    def line(self):
        """The next line of its output."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while b"\n" not in self.buffer:
            left = max(0, deadline - time.monotonic())
            if not select.select([self.child.stdout], [], [], left)[0]:
                raise Failed("the target says nothing for %d s" % PATIENCE_SECONDS)
            chunk = os.read(self.child.stdout.fileno(), 4096)
            if not chunk:
                raise Failed("the target ended by itself, with %d" % self.child.wait())
            self.buffer += chunk
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode()

    def expect(self, word):
        line = self.line()
        if line != word:
            raise Failed("the target says %r, not %r" % (line, word))
        return self.settle()

    def settle(self):
        """Until it waits: between its last line and that, an interpreter still allocates."""
        procfs.wait_until(lambda: procfs.status(self.pid, "State") == "S", "it does not wait")
        return self

    def go_on(self):
        os.write(self.child.stdin.fileno(), b".")

    def end_input(self):
        """What it is waiting for will not come; wait for its end."""
        self.child.stdin.close()
        self.child.wait()

    def signal(self, number):
        self.child.send_signal(number)

    def is_alive(self):
        return self.child.poll() is None


def environment(**more):
    """Nothing of ours: a chroot has other paths, and PYTHON* would change the target."""
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C",
            "PYTHONDONTWRITEBYTECODE": "1", **more}


def start(lab, interpreter, program, *arguments, **variables):
    """Run one of programs/ under an interpreter."""
    folder = interpreter.inside(lab.stage(interpreter.root))
    command = interpreter.command(os.path.join(folder, program), *arguments)
    return Target(command, environment(**variables))


def refuse_huge_pages():
    """prctl(PR_SET_THP_DISABLE): the kernel fills up what it makes a huge page of, at any time."""
    ctypes.CDLL(None).prctl(41, 1, 0, 0, 0)


def start_steady(lab, interpreter, program, *arguments, **variables):
    """The same, and what it has resident is its own doing."""
    folder = interpreter.inside(lab.stage(interpreter.root))
    command = interpreter.command(os.path.join(folder, program), *arguments)
    return Target(command, environment(**variables), refuse_huge_pages)


def start_idle(lab, interpreter, **variables):
    return start(lab, interpreter, "idle.py", **variables).expect("ready")


def stop_with_signal(target):
    """SIGSTOP, as an operator does it; every thread has stopped when this returns."""
    target.signal(signal.SIGSTOP)
    procfs.wait_until(lambda: procfs.thread_states(target.pid) == {"T"}, "it did not stop")
