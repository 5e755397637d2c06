"""
A web service under Flask, which serves itself some hundred requests: service.py; as `service:app`
it is what gunicorn runs. Says "ready" and waits; then "CLASS COUNT SIZE" of some classes, whose
objects it all keeps, "held", and waits.
"""
import gc
import json
import os
import sys
import threading
import urllib.request

import flask

app = flask.Flask(__name__)
served = {}


class Item(object):
    def __init__(self, number, i):
        self.number = number
        self.text = "item %d of %d" % (i, number)


class Label(str):
    """Which the collector does not know."""


@app.route("/<int:number>")
def page(number):
    served[number] = [Item(number, i) for i in range(number % 100 + 1)], Label("page %d" % number)
    return flask.jsonify(number=number, items=[one.text for one in served[number][0]],
                         name=served[number][1], pid=os.getpid())


def count():
    """{class: (objects, sum of sys.getsizeof())}"""
    items = [one for one in gc.get_objects() if type(one) is Item]
    labels = [label for _, label in served.values()]
    found = items, labels, [app], list(app.url_map.iter_rules())
    return {type(one[0]).__name__: (len(one), sum(map(sys.getsizeof, one))) for one in found}


@app.route("/held")
def held():
    return flask.jsonify(pid=os.getpid(), held=count())


def main():
    import logging

    from werkzeug.serving import make_server
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    # It looks whether it is to end after so many seconds: nothing is to move once this waits.
    server_thread = threading.Thread(target=server.serve_forever, args=(3600,), daemon=True)
    server_thread.start()
    for number in range(400):
        with urllib.request.urlopen("http://127.0.0.1:%d/%d" % (server.port, number)) as answer:
            assert json.load(answer)["number"] == number
    for thread in threading.enumerate():
        if thread not in (threading.main_thread(), server_thread):
            thread.join()
    print("ready")
    sys.stdout.flush()
    sys.stdin.read(1)
    for name, (objects, size) in count().items():
        print(name, objects, size)
    print("held")
    sys.stdout.flush()
    sys.stdin.read(1)


if __name__ == "__main__":
    main()
