"""What the machine has once, and tests that run at the same time have in turn."""
import contextlib
import fcntl


@contextlib.contextmanager
def take(path):
    """Until this ends nobody else has a turn with the file."""
    with open(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
