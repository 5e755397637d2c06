"""Objects by type of real programs: their own are counted as they count them themselves."""
import http.client
import json
import os
import socket

import ledger_programs
import objects
import procfs
import target
import tool
from check import Failed, equal, equal_items, expect

WORKERS = 2
REQUESTS, REQUESTS_MAX = 200, 5000
# What waits for requests looks at the clock now and then, but not while it is stopped.
STOPPED = ("--stop=full", "--max-stop=2000")


def tests(lab):
    yield "objects/flask", check_flask, ()
    yield "objects/gunicorn", check_gunicorn, ()


def check_names(lab, pid, report, module):
    odd = [row["name"] for row in report["types"]
           if not row["name"].isprintable() or not row["module"].isprintable() or not row["name"]]
    equal("names that cannot be printed", odd, [])
    text = tool.run(lab, "--section=types", *STOPPED, pid)
    equal("the exit code", text.code, 0)
    expect(" %s.Item\n" % module in text.out, "the text does not have the program's own class")


def check_census(lab, pid, wanted, module):
    """`wanted`: {class: (objects, size)}"""
    report = tool.still_report(lab, pid, *STOPPED)
    objects.check_sums(report)
    equal("torn pools", report["objects"]["torn_pools"], 0)
    found = {row["name"]: (row["objects"], row["size_bytes"]) for row in report["types"]
             if row["module"] == module or row["module"].startswith(("flask.", "werkzeug."))}
    equal_items("objects", found, wanted)
    check_names(lab, pid, report, module)
    return "%d objects of %d types" % (report["objects"]["objects"], len(report["types"]))


def check_flask(lab):
    wanted = {}
    with target.start(lab, ledger_programs.with_module(lab, "flask"), "service.py") as process:
        process.expect("ready").go_on()
        for line in iter(process.line, "held"):
            name, count, size = line.split()
            wanted[name] = (int(count), int(size))
        equal("classes that it counts", sorted(wanted), ["Flask", "Item", "Label", "Rule"])
        return check_census(lab, process.settle().pid, wanted, "__main__")


class Connection(http.client.HTTPConnection):
    """To a socket that has a path."""

    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def get(path, page):
    connection = Connection(path)
    connection.request("GET", page)
    answer = json.load(connection.getresponse())
    connection.close()
    return answer


def serve(path):
    """Until each worker has served some; the number of requests."""
    answered = set()
    for number in range(REQUESTS_MAX):
        answered.add(get(path, "/%d" % number)["pid"])
        if number >= REQUESTS and len(answered) == WORKERS:
            return number + 1
    raise Failed("one worker serves all requests")


def ask_each(path):
    """{pid: what the worker says that it holds}"""
    found = {}

    def ask():
        answer = get(path, "/held")
        found[answer["pid"]] = {name: tuple(row) for name, row in answer["held"].items()}
        return len(found) == WORKERS
    procfs.wait_until(ask, "one worker answers all requests")
    return found


def check_gunicorn(lab):
    interpreter = ledger_programs.with_module(lab, "gunicorn")
    ledger_programs.with_module(lab, "flask")
    path = os.path.join(lab.fresh("gunicorn"), "socket")
    command = interpreter.command("-m", "gunicorn", "--workers=%d" % WORKERS, "--bind=unix:" + path,
                                  "--chdir=" + lab.stage(None), "service:app")
    with target.Target(command, target.environment()) as master:
        procfs.wait_until(lambda: len(procfs.children(master.pid)) == WORKERS,
                          "gunicorn has not started its workers")
        served = serve(path)
        held = ask_each(path)
        equal("who answers", set(held), set(procfs.children(master.pid)))
        equal("items of all", sum(one["Item"][0] for one in held.values()),
              sum(number % 100 + 1 for number in range(served)))
        return "; ".join(check_census(lab, pid, wanted, "service")
                         for pid, wanted in sorted(held.items()))
