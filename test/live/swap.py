"""A swap file of the tests' own, where this machine lets them have one."""
import contextlib
import ctypes
import os
import shutil
import subprocess

import turns
from check import Skipped

BYTES = 256 << 20


@contextlib.contextmanager
def space(lab):
    """
    Room for pages to go to. What is still there comes back when it ends, and with it what another
    test has there: only one at a time.
    """
    lab.needs_root()
    with turns.take(__file__), file_of(lab):
        yield


@contextlib.contextmanager
def file_of(lab):
    libc = ctypes.CDLL(None, use_errno=True)
    folder = lab.fresh("swap")
    path = os.path.join(folder, "file")
    with open(path, "wb") as file:
        os.chmod(path, 0o600)
        for _ in range(BYTES >> 20):
            file.write(bytes(1 << 20))
    try:
        if shutil.which("mkswap", path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None:
            raise Skipped("there is no mkswap")
        subprocess.run(["mkswap", path], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
        if libc.swapon(path.encode(), 0) != 0:
            raise Skipped("no swap here: " + os.strerror(ctypes.get_errno()))
        try:
            yield
        finally:
            libc.swapoff(path.encode())
    finally:
        shutil.rmtree(folder)
