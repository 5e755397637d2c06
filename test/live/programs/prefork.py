"""
A master that builds a large dict, which its workers only read: prefork.py MIB WORKERS [freeze].
The master says "forked PID DIRTY ..." (what each worker has of its own by then), and when told to,
"read PID DIRTY ..." after the workers have read it all.
"""
import gc
import os
import sys


def own_bytes():
    """What is mapped by nobody else, and written to: Private_Dirty."""
    with open("/proc/self/smaps_rollup") as file:
        return sum(int(line.split()[1]) * 1024 for line in file
                   if line.startswith("Private_Dirty"))


def work(orders, answers, table):
    while True:
        os.write(answers, b"%20d" % own_bytes())
        if not os.read(orders, 1):
            os._exit(0)
        total = 0
        for key, value in table.items():
            total += len(value)


def ask_all(workers, word):
    answer = [word]
    for pid, _, answers in workers:
        answer += [str(pid), str(int(os.read(answers, 20)))]
    print(" ".join(answer))
    sys.stdout.flush()


def main():
    size, count = int(sys.argv[1]) << 20, int(sys.argv[2])
    one = "%020d" % 0 + "v" * 180
    each = sys.getsizeof(one) + 2 * sys.getsizeof(1 << 40)
    table = {(1 << 40) + i: "%020d" % i + "v" * 180 for i in range(size // each)}
    if sys.argv[3:] == ["freeze"]:
        gc.collect()
        gc.freeze()
    workers = []
    for _ in range(count):
        orders, answers = os.pipe(), os.pipe()
        pid = os.fork()
        if pid == 0:
            for _, others_orders, _ in workers:
                os.close(others_orders)
            os.close(orders[1])
            os.close(answers[0])
            work(orders[0], answers[1], table)
        os.close(orders[0])
        os.close(answers[1])
        workers.append((pid, orders[1], answers[0]))
    ask_all(workers, "forked")
    while sys.stdin.read(1):
        for _, orders, _ in workers:
            os.write(orders, b".")
        ask_all(workers, "read")


main()
