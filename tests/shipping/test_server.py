"""Our own endpoint: /ping and /invocations, bounded bodies, one picture at a time, errors in JSON."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from contextlib import closing, contextmanager

import pytest

from ml_backend.shipping import server as module
from ml_backend.shipping.inference import Unanswerable
from ml_backend.shipping.server import Server


class Model:
    """Answers with what it was asked; waits until it may for "slow", and breaks at "broken"."""

    def __init__(self):
        self.may = threading.Event()
        self.at_work = 0
        self.most_at_work = 0
        self.painted = []

    def __call__(self, data):
        self.at_work += 1
        self.most_at_work = max(self.at_work, self.most_at_work)
        try:
            if not isinstance(data, dict):
                raise Unanswerable("Send an object.")
            if data.get("inputs") == "slow":
                assert self.may.wait(20)
            if data.get("inputs") == "broken":
                raise RuntimeError("secret of the inside")
            self.painted.append(data.get("inputs"))
            return {"generated_images": [data.get("inputs")]}
        finally:
            self.at_work -= 1


@contextmanager
def serving(answer, **options):
    server = Server(("127.0.0.1", 0), answer, **options)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def model():
    model = Model()
    yield model
    model.may.set()


@pytest.fixture
def server(model):
    with serving(model, model="tiny@0123") as server:
        yield server


def ask(server, method="POST", path="/invocations", body=b'{"inputs": "a dress"}', **headers):
    """Status, headers and decoded JSON."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)) as connection:
        given = {"Content-Type": "application/json", **{key.replace("_", "-"): value for key, value in headers.items()}}
        connection.request(method, path, body if method == "POST" else None, given)
        response = connection.getresponse()
        return response.status, response.headers, json.loads(response.read())


def test_it_answers(server):
    assert ask(server)[::2] == (200, {"generated_images": ["a dress"]})
    assert ask(server, "GET", "/ping")[::2] == (200, {"status": "ready", "model": "tiny@0123"})


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "says"),
    [
        ("GET", "/", b"", {}, 404, "/ping and /invocations"),
        ("GET", "/invocations", b"", {}, 405, "POST"),
        ("POST", "/ping", b"{}", {}, 404, "/invocations"),
        ("DELETE", "/invocations", b"", {}, 501, "DELETE"),
        ("POST", "/invocations", b"{", {}, 400, "not JSON"),
        ("POST", "/invocations", b"[" * 100_000, {}, 400, "not JSON"),
        ("POST", "/invocations", b"\xff\xfe", {}, 400, "not JSON"),
        ("POST", "/invocations", b"[]", {}, 400, "Send an object."),
        ("POST", "/invocations", b"{}", {"Content_Type": "text/csv"}, 415, "application/json"),
        ("POST", "/invocations", b"{}", {"Content_Length": "99999999999"}, 413, "bytes"),
        ("POST", "/invocations", b"{}", {"Content_Length": "-1"}, 411, "Content-Length"),
        ("POST", "/invocations", b"{}", {"Transfer_Encoding": "chunked"}, 411, "Content-Length"),
        ("POST", "/invocations", b'{"inputs": "broken"}', {}, 500, "could not be painted"),
    ],
)
def test_what_is_wrong_is_said_in_json(server, caplog, method, path, body, headers, status, says):
    was, _, answer = ask(server, method, path, body, **headers)
    assert was == status
    assert says in answer["error"]
    assert "secret of the inside" not in answer["error"]
    assert ask(server)[0] == 200, "it goes on"


def test_one_picture_is_painted_at_a_time_and_ping_answers_meanwhile(server, model):
    threads = [threading.Thread(target=ask, args=[server], kwargs={"body": b'{"inputs": "slow"}'}) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert ask(server, "GET", "/ping")[0] == 200
    model.may.set()
    for thread in threads:
        thread.join(20)
    assert (len(model.painted), model.most_at_work) == (3, 1)


def test_more_than_can_wait_are_told_to_come_back(server, model):
    threads = [
        threading.Thread(target=ask, args=[server], kwargs={"body": b'{"inputs": "slow"}'})
        for _ in range(module.MOST_WAITING)
    ]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 20
    while server.slots._value and time.monotonic() < until:
        time.sleep(0.01)
    status, headers, answer = ask(server)
    assert (status, headers["Retry-After"]) == (503, "5")
    assert "come back" in answer["error"]
    model.may.set()
    for thread in threads:
        thread.join(20)
    assert ask(server)[0] == 200


def test_who_has_left_is_not_painted_for(server, model):
    first = threading.Thread(target=ask, args=[server], kwargs={"body": b'{"inputs": "slow"}'})
    first.start()
    while not model.at_work:
        time.sleep(0.01)
    body = b'{"inputs": "gone"}'
    with socket.create_connection(("127.0.0.1", server.server_port)) as left:
        left.sendall(
            b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            + f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
    model.may.set()
    first.join(20)
    assert ask(server)[0] == 200
    assert model.painted == ["slow", "a dress"]


def test_a_body_that_stops_arriving_holds_nobody_up(model, monkeypatch):
    monkeypatch.setattr(module._Handler, "timeout", 0.2)
    with serving(model) as server, socket.create_connection(("127.0.0.1", server.server_port)) as half:
        half.sendall(
            b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
        )
        assert b" 408 " in half.recv(1000)
        assert ask(server)[0] == 200
    assert model.painted == ["a dress"]


def test_a_token_is_asked_for_where_one_is_set(model):
    with serving(model, token="s3wing-kit") as server:
        assert ask(server)[0] == ask(server, Authorization="Bearer other")[0] == 401
        assert ask(server, Authorization="Bearer s3wing-kit")[0] == 200
        assert ask(server, "GET", "/ping")[0] == 200, "who looks after the container has none"
