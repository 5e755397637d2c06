"""An ordinary user reads a process of their own, and sees what root sees."""
import os

import target
import tool
from check import equal, equal_everywhere


def tests(lab):
    for mode in ("brief", "none", "full"):
        yield "unprivileged/--stop=" + mode, check_own_process, (mode,)


def check_own_process(lab, mode):
    lab.needs_root()
    interpreter = lab.public_interpreter()
    script = os.path.join(lab.stage(None), "idle.py")
    command = ["setpriv", "--reuid=nobody", "--clear-groups", "--",
               *interpreter.command(script)]
    with target.Target(command, target.environment()) as process:
        pid = process.expect("ready").pid
        wanted = tool.still_report(lab, pid, "--stop=" + mode)
        done = tool.run(lab, "--json", "--max-stop=2000", "--stop=" + mode, pid, user="nobody")
        equal("the exit code and stderr", (done.code, done.err), (0, ""))
        found = tool.parse(done.out)
    for report in (found, wanted):
        del report["target"]["uptime_seconds"]
    for section in ("target", "pymalloc"):
        equal_everywhere(section, found[section], wanted[section])
    equal("snapshot.stop", found["snapshot"]["stop"], mode)
    # Nobody may write root's cache, nor believe what is in it.
    equal("layout_cached", found["runtime"]["layout_cached"], False)
