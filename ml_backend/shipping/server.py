"""The contract of :mod:`.inference` over HTTP, as SageMaker asks it of a container: ``/ping`` and ``/invocations``.

Each error is ``{"error": "one sentence"}``.  One request is painted at a time; a few more wait, others are told to come
back.  ``/ping`` answers meanwhile.
"""

from __future__ import annotations

import hmac
import json
import logging
import select
import socket
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .inference import Unanswerable

log = logging.getLogger(__name__)

MAX_BODY = 25 * 1024 * 1024
"""Bytes, as many as SageMaker lets through to a container."""
MOST_WAITING = 8
"""Requests that are painted or wait for it; more are refused."""
MOST_CONNECTIONS = 64
SILENT_SECONDS = 30.0
"""How long a client may say nothing in the middle of a request."""
BODY_SECONDS = 60.0
"""How long a body may take to arrive."""
COME_BACK_SECONDS = 5
END_SECONDS = 60.0
"""How long the end waits for what is being painted."""

Answer = Callable[[Any], dict[str, Any]]


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Server(ThreadingHTTPServer):
    """Serves ``answer``, a function from a decoded body to an answer, which raises :class:`Unanswerable`.

    ``token``, unless empty, must come with each invocation as ``Authorization: Bearer``.
    """

    daemon_threads = True

    def __init__(self, address: tuple[str, int], answer: Answer, *, model: str = "", token: str = "") -> None:
        self.answer, self.model, self.token = answer, model, token
        self.painting = threading.Lock()
        self.slots = threading.BoundedSemaphore(MOST_WAITING)
        self._connections = threading.BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread for each connection, up to a number of them; then the next waits to be taken."""
        self._connections.acquire()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        del request, client_address
        log.info("A connection broke off.", exc_info=True)

    def end(self) -> None:
        """Take no more requests, and wait for those that are painted; to be called from another thread."""
        self.shutdown()
        until = time.monotonic() + END_SECONDS
        for _ in range(MOST_WAITING):
            self.slots.acquire(timeout=max(until - time.monotonic(), 0.0))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = SILENT_SECONDS
    server: Server

    def do_GET(self) -> None:
        if self.path == "/ping":
            self._send(HTTPStatus.OK, {"status": "ready", "model": self.server.model})
        elif self.path == "/invocations":
            self.send_error(HTTPStatus.METHOD_NOT_ALLOWED, "Ask with POST.")
        else:
            self.send_error(HTTPStatus.NOT_FOUND, "There are /ping and /invocations here.")

    def do_POST(self) -> None:
        if self.path != "/invocations":
            self.send_error(HTTPStatus.NOT_FOUND, "There are /ping and /invocations here.")
            return
        if not self.server.slots.acquire(blocking=False):
            self.send_error(HTTPStatus.SERVICE_UNAVAILABLE, "Too many wait already; come back in a few seconds.")
            return
        try:
            answer = self._answer()
        except Refused as refused:
            self.send_error(refused.status, str(refused))
        except Unanswerable as error:
            self._send(HTTPStatus.BAD_REQUEST, {"error": str(error)})
        except ConnectionError:
            self.close_connection = True
        except Exception:
            log.exception("A request could not be answered.")
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR, "The picture could not be painted; the log says why.")
        else:
            self._send(HTTPStatus.OK, answer)
        finally:
            self.server.slots.release()

    def _answer(self) -> dict[str, Any]:
        self._check_token()
        asked = self._asked()
        with self.server.painting:
            if self._is_gone():
                raise ConnectionError("the client has left")
            return self.server.answer(asked)

    def _check_token(self) -> None:
        given = self.headers.get("Authorization", "")
        expected = f"Bearer {self.server.token}"
        if self.server.token and not hmac.compare_digest(given.encode(), expected.encode()):
            raise Refused(HTTPStatus.UNAUTHORIZED, "Send the token of this endpoint: Authorization: Bearer ...")

    def _asked(self) -> Any:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or "Transfer-Encoding" in self.headers:
            raise Refused(HTTPStatus.LENGTH_REQUIRED, "Say with Content-Length how long the body is.")
        if len(length) > len(str(MAX_BODY)) or int(length) > MAX_BODY:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A body has at most {MAX_BODY} bytes.")
        if self.headers.get_content_type() != "application/json":
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send application/json.")
        try:
            return json.loads(self._body(int(length)))
        except (ValueError, RecursionError) as error:
            raise Unanswerable("The body is not JSON.") from error

    def _body(self, length: int) -> bytes:
        until = time.monotonic() + BODY_SECONDS
        body = bytearray()
        try:
            while len(body) < length:
                if time.monotonic() > until:
                    raise TimeoutError
                part = self.rfile.read1(length - len(body))
                if not part:
                    raise ConnectionError("the body broke off")
                body += part
        except TimeoutError as error:
            raise Refused(HTTPStatus.REQUEST_TIMEOUT, "The body did not arrive.") from error
        return bytes(body)

    def _is_gone(self) -> bool:
        """Whether the client hung up while it waited for its turn: nobody would see the pictures."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and self.connection.recv(1, socket.MSG_PEEK) == b""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Of what was sent with it not everything may have been read, so the connection ends."""
        self.close_connection = True
        self._send(HTTPStatus(code), {"error": message or explain or HTTPStatus(code).phrase})

    def _send(self, status: HTTPStatus, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            self.send_header("Retry-After", str(COME_BACK_SECONDS))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        return "toile"

    def log_message(self, format: str, *args: Any) -> None:
        log.info("%s %s", self.address_string(), format % args)
