"""Which interpreters this machine has, and which it lacks."""
import json
import os
import re
import subprocess
from collections import namedtuple

import elf

# Those of each unpacked Debian release that are of interest.
ROOTS = {
    "bullseye": ["2.7", "3.9"],
    "trixie": ["3.13"],
    "sid": ["3.13", "3.14", "3.15"],
}

# 2 is _CS_GNU_LIBC_VERSION, which 2.7 does not know by name.
DESCRIBE = ("import json, os, platform, sys; print(json.dumps([platform.python_version(), "
            "list(sys.version_info[:2]), hasattr(sys, 'gettotalrefcount'), os.confstr(2)]))")


class Interpreter(namedtuple("Interpreter",
                             "name path root version series debug_build glibc folder")):
    """
    `path` is as its own root (None: ours) has it; `glibc` a version as (2, 36); `folder` (None: the
    usual ones) has its libpython.
    """

    def command(self, *arguments):
        # chroot and env replace themselves, so the pid is the interpreter's.
        before = ["chroot", self.root] if self.root else []
        if self.folder:
            before += ["env", "LD_LIBRARY_PATH=" + self.folder]
        return before + [self.path, *arguments]

    def inside(self, path):
        """A path of ours as the interpreter sees it."""
        return path[len(self.root):] if self.root else path


Missing = namedtuple("Missing", "name reason")


def describe(name, path, root):
    """An Interpreter, or a Missing if it does not run."""
    found = Interpreter(name, path, root, None, None, None, None, None)
    try:
        output = subprocess.run(found.command("-S", "-c", DESCRIBE), check=True, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    except (OSError, subprocess.CalledProcessError):
        return Missing(name, "it does not run")
    version, series, debug_build, libc = json.loads(output)
    return found._replace(version=version, series=tuple(series), debug_build=debug_build,
                          glibc=tuple(int(n) for n in re.findall(r"\d+", libc)))


def debug_file(root, build_id):
    return "%s/usr/lib/debug/.build-id/%s/%s.debug" % (root or "", build_id[:2], build_id[2:])


def packaged(name, path, root):
    """An interpreter of a distribution, whose symbols come in a package of their own."""
    found = describe(name, path, root)
    if isinstance(found, Missing) or found.debug_build:
        return found
    build_id = elf.build_id(os.path.realpath((root or "") + path))
    if build_id is None or not os.path.exists(debug_file(root, build_id)):
        return Missing(name, "its debug file is not installed")
    return found


def from_pyenv():
    folder = os.path.expanduser("~/.pyenv/versions")
    if not os.path.isdir(folder):
        return [Missing("pyenv", "there is no ~/.pyenv/versions")]
    names = sorted(os.listdir(folder), key=lambda name: [int(n) for n in re.findall(r"\d+", name)])
    return [describe("pyenv-" + name, os.path.join(folder, name, "bin", "python"), None)
            for name in names if os.path.exists(os.path.join(folder, name, "bin", "python"))]


def from_distribution():
    names = [name for name in os.listdir("/usr/bin") if re.fullmatch(r"python3\.\d+d?", name)]
    return [packaged("host-" + name[len("python"):], "/usr/bin/" + name, None)
            for name in sorted(names)]


def from_roots(folder):
    found = []
    for release, versions in ROOTS.items():
        root = os.path.join(folder, release)
        for version in versions:
            name, path = "%s-%s" % (release, version), "/usr/bin/python" + version
            if os.geteuid() != 0:
                found.append(Missing(name, "chroot needs root"))
            elif not os.path.exists(root + path):
                found.append(Missing(name, "it is not unpacked (test/live/roots.sh)"))
            else:
                found.append(packaged(name, path, root))
    return found


def discover(roots):
    """([Interpreter], [Missing])"""
    all_ = from_pyenv() + from_distribution() + from_roots(roots)
    return ([one for one in all_ if isinstance(one, Interpreter)],
            [one for one in all_ if isinstance(one, Missing)])
