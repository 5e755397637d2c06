"""A terminal that a test types into and looks at: a shell in tmux."""
import os
import shlex
import shutil
import subprocess
import time

import check
import tool

PATIENCE_SECONDS = 90
LOOK_SECONDS = 0.05

MARK = "shell-waits$"


class Terminal:
    """At the end of its `with` block all that runs in it is gone."""

    def __init__(self, lab, columns=100, rows=30, **variables):
        if shutil.which("tmux") is None:
            raise check.Skipped("there is no tmux")
        self.folder = lab.fresh("terminal")
        self.socket = os.path.join(self.folder, "tmux")
        self.environment = {**tool.environment(lab.cache), "LC_ALL": "C.UTF-8",
                            "HOME": self.folder, **variables}
        shell = os.path.join(self.folder, "shell")
        with open(shell, "w") as file:
            file.write("PS1='%s '\n" % MARK)
        self.shell = "exec bash --rcfile %s -i" % shlex.quote(shell)
        self.size = ("-x", str(columns), "-y", str(rows))

    def __enter__(self):
        self.tmux("-f", "/dev/null", "new-session", "-d", *self.size, "-s", "test",
                  "-c", self.folder, self.shell)
        try:
            self.tmux("set-option", "-g", "escape-time", "0")
            self.wait_for(MARK)
        except Exception:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        self.tmux("kill-server", fails=True)

    def tmux(self, *arguments, fails=False):
        done = subprocess.run(["tmux", "-u", "-S", self.socket, *arguments],
                              env={**self.environment, "TERM": "xterm-256color"},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=PATIENCE_SECONDS)
        if done.returncode != 0 and not fails:
            raise check.Failed("tmux %s: %s" % (arguments[0], done.stderr.decode().strip()))
        return done.stdout.decode()

    def screen(self):
        return self.tmux("capture-pane", "-p", "-t", "test")

    def wait_until(self, condition, what):
        """`condition` is asked of the screen again and again."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            screen = self.screen()
            if condition(screen):
                return screen
            if time.monotonic() > deadline:
                raise check.Failed("%s for %d s:\n%s" % (what, PATIENCE_SECONDS, screen))
            time.sleep(LOOK_SECONDS)

    def wait_for(self, *texts):
        return self.wait_until(lambda screen: all(text in screen for text in texts),
                               "not on the screen: %r" % (texts,))

    def wait_without(self, text):
        return self.wait_until(lambda screen: text not in screen, "still there: %r" % text)

    def press(self, *keys):
        """As tmux calls them: Escape, C-z, F5, Enter; or characters."""
        for key in keys:
            self.tmux("send-keys", "-t", "test", key)

    def type(self, text):
        self.tmux("send-keys", "-t", "test", "-l", text)

    def run(self, line):
        """What the shell is to do; its exit code follows on a line of its own."""
        self.type(line + "; echo \"code:\" $?")
        self.press("Enter")

    def resize(self, columns, rows):
        self.tmux("resize-window", "-t", "test", "-x", str(columns), "-y", str(rows))

    def state(self, name):
        return self.tmux("display-message", "-p", "-t", "test", "#{%s}" % name).strip()

    def wait_for_state(self, name, value):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.state(name) != value:
            if time.monotonic() > deadline:
                raise check.Failed("%s is not %s for %d s" % (name, value, PATIENCE_SECONDS))
            time.sleep(LOOK_SECONDS)

    def modes(self):
        """How the terminal treats what is typed, when the shell does not wait for it."""
        path = os.path.join(self.folder, "modes-%d" % time.monotonic_ns())
        self.run("stty -a > %s.part; mv %s.part %s" % ((shlex.quote(path),) * 3))
        # Earlier exit codes may still be on the screen; the file is there once it is whole.
        self.wait_until(lambda screen: os.path.exists(path), "stty tells nothing")
        with open(path) as file:
            return file.read()
