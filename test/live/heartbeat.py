"""The heartbeat that hold.c keeps in a file: how often, and the longest pause in between."""
import mmap
import os
import struct
import time

COUNT_AT, WORST_AT = 0, 8


class Heartbeat:
    def __init__(self, folder):
        self.path = os.path.join(folder, "heartbeat")
        with open(self.path, "wb") as file:
            file.write(bytes(4096))
        with open(self.path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 4096)

    def count(self):
        return struct.unpack_from("<Q", self.map, COUNT_AT)[0]

    def worst_ms(self):
        return struct.unpack_from("<Q", self.map, WORST_AT)[0] / 1000

    def reset(self):
        struct.pack_into("<Q", self.map, WORST_AT, 0)

    def figures_path(self):
        """Where programs/churn.py leaves its interpreter's statistics when it rests."""
        return self.path + ".figures"

    def advances(self, seconds=5):
        """True as soon as it has beaten again."""
        before, deadline = self.count(), time.monotonic() + seconds
        while self.count() == before:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.001)
        return True
