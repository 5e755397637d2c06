"""
A web service under Flask, which serves itself some hundred requests: service.py; as `service:app`
it is what gunicorn runs. Says "ready" and waits.
"""
import json
import sys
import threading
import urllib.request

import flask

app = flask.Flask(__name__)
served = {}


@app.route("/<int:number>")
def page(number):
    served[number] = [str(i) for i in range(number % 100)]
    return flask.jsonify(number=number, items=served[number], name="item %d" % number)


def main():
    import logging

    from werkzeug.serving import make_server
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for number in range(400):
        with urllib.request.urlopen("http://127.0.0.1:%d/%d" % (server.port, number)) as answer:
            assert json.load(answer)["number"] == number
    print("ready")
    sys.stdout.flush()
    sys.stdin.read(1)


if __name__ == "__main__":
    main()
