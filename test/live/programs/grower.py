"""Grows by many small objects each time it is told to."""
import sys


class Kept:
    def __init__(self, number):
        self.number = number


def main():
    kept = []
    print("ready", flush=True)
    while sys.stdin.read(1):
        kept.extend(Kept(i) for i in range(200000))
        print("grown", flush=True)


main()
