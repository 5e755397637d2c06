"""A small service that leaks on purpose: the target of cmd/demo.sh.

Every "request" leaves one session in a cache that is never emptied, and throws most of what it
made away, as services do. What stays is spread over the arenas, so that pymalloc can give few of
them back.
"""
import sys
import time

REQUESTS = 4000
OBJECTS_PER_REQUEST = 100
KEPT_ONE_OF = 5


class Session:
    def __init__(self, number):
        self.number = number
        self.token = "session-%d" % number
        self.history = [number] * 8


def handle_request(number, cache):
    made = [Session(number * OBJECTS_PER_REQUEST + i) for i in range(OBJECTS_PER_REQUEST)]
    cache.extend(made[::KEPT_ONE_OF])


def main():
    cache = []
    burst = [Session(i) for i in range(100000)]
    for number in range(REQUESTS):
        handle_request(number, cache)
    del burst
    print("leaking", len(cache), "sessions", flush=True)
    while True:
        time.sleep(0.1)
        handle_request(REQUESTS, cache)


if __name__ == "__main__":
    sys.exit(main())
