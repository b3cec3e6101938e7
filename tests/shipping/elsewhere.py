"""An endpoint on this machine that speaks the contract, and has every fault that one can have."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image

from tests.shipping.asked import base64_of, picture_of


class Elsewhere:
    """``faults`` are had one after the other, then it paints: the picture it was given, the marked part in a colour."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.always = ""
        self.asked: list[dict[str, Any]] = []
        self.tokens: list[str] = []
        self.begun = threading.Event()
        self.may = threading.Event()
        self.gone = threading.Event()
        self.plain = False
        self.flagged = False
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/invocations"

    def painted(self, asked: dict[str, Any]) -> dict[str, Any]:
        if "input_img" not in asked:
            image = Image.new("RGB", (asked["image_length"],) * 2, (asked.get("seed", 0) % 256, 200, 30))
        else:
            image = picture_of(asked["input_img"]).convert("RGB")
            colour = Image.new("RGB", image.size, (asked.get("seed", 0) % 256, 20, 200))
            image = Image.composite(colour, image, picture_of(asked["mask_img"]).convert("L"))
        if self.plain:
            image = image.resize((asked["image_length"],) * 2)
        answer: dict[str, Any] = {"generated_images": [base64_of(image)] * asked["num_images_per_prompt"]}
        return answer | ({"flagged": [True]} if self.flagged else {})


FAULTS: dict[str, tuple[int, bytes]] = {
    "500": (500, b'{"error": "inside"}'),
    "503": (503, b""),
    "429": (429, b""),
    "401": (401, b""),
    "404": (404, b""),
    "400": (400, b'{"error": "Too blue\\nfor us.\\u0000"}'),
    "409": (409, b"Not while the kettle boils."),
    "422": (422, b"<html>no</html>"),
    "no json": (200, b"<html>hello</html>"),
    "a list": (200, b"[]"),
    "deep": (200, b"[" * 100_000),
    "nothing": (200, b'{"generated_images": []}'),
    "no picture": (200, b'{"generated_images": ["aGVsbG8="]}'),
    "a number": (200, b'{"generated_images": [7]}'),
}


@contextmanager
def running() -> Iterator[Elsewhere]:
    elsewhere = Elsewhere()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            elsewhere.asked.append(json.loads(body))
            elsewhere.tokens.append(self.headers.get("Authorization", ""))
            elsewhere.begun.set()
            fault = elsewhere.faults.pop(0) if elsewhere.faults else elsewhere.always
            if fault == "hang":
                self._hang()
            elif fault == "drip":
                self._drip()
            elif fault == "hang up":
                self.close_connection = True
            elif fault == "garbage":
                self.wfile.write(b"\x00\xffnot http at all\r\n\r\n")
                self.close_connection = True
            elif fault == "redirect":
                self._send(302, b"", Location="http://169.254.169.254/latest/meta-data/")
            elif fault == "huge":
                self._huge()
            elif fault == "cut":
                self._send(200, b'{"generated', length=1000)
                self.close_connection = True
            elif fault:
                self._send(*FAULTS[fault])
            else:
                self._send(200, json.dumps(elsewhere.painted(elsewhere.asked[-1])).encode())

        def _hang(self) -> None:
            """Until it may go on; notes whether whoever asked hung up meanwhile."""
            self.connection.settimeout(0.02)
            end = time.monotonic() + 20
            while not elsewhere.may.is_set() and time.monotonic() < end:
                try:
                    if not self.connection.recv(1):
                        elsewhere.gone.set()
                        break
                except TimeoutError:
                    continue
                except OSError:
                    elsewhere.gone.set()
                    break
            self.close_connection = True

        def _drip(self) -> None:
            self._send(200, b"", length=10_000)
            try:
                while not elsewhere.may.wait(0.02):
                    self.wfile.write(b" ")
            except OSError:
                elsewhere.gone.set()
            self.close_connection = True

        def _huge(self) -> None:
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            try:
                while not elsewhere.may.is_set():
                    self.wfile.write(b" " * 1024 * 1024)
            except OSError:
                elsewhere.gone.set()
            self.close_connection = True

        def _send(self, status: int, body: bytes, *, length: int | None = None, **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Retry-After": "0", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    elsewhere.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield elsewhere
    finally:
        elsewhere.may.set()
        server.shutdown()
        thread.join()
        server.server_close()
