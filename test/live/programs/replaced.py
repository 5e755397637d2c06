"""Says that it is ready; at a byte on stdin it is replaced by another program (exec)."""
import os

os.write(1, b"ready\n")
if os.read(0, 1):
    os.execv("/bin/sleep", ["sleep", "1000"])
