"""A small hub on this machine: enough of the HTTP interface of huggingface.co for its own client to download from."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = (".safetensors", ".bin")


class Hub:
    """Models by id; ``break_after`` cuts the connection once, after so many bytes of a large file."""

    def __init__(self) -> None:
        self.models: dict[str, Path] = {}
        self.gated: set[str] = set()
        self.break_after: int | None = None
        self.is_down = False
        self.is_down_after_break = False
        self.swapped: dict[str, bytes] = {}
        self.asked: list[tuple[str, str, str]] = []
        """(method, path, range)."""
        self.endpoint = ""

    def files(self, hub_id: str) -> dict[str, Path]:
        home = self.models[hub_id]
        return {path.relative_to(home).as_posix(): path for path in sorted(home.rglob("*")) if path.is_file()}

    def info(self, hub_id: str) -> dict[str, Any]:
        siblings = []
        for name, path in self.files(hub_id).items():
            entry: dict[str, Any] = {"rfilename": name, "size": path.stat().st_size, "blobId": _sha1(path)}
            if name.endswith(LARGE):
                entry["lfs"] = {"size": path.stat().st_size, "sha256": _sha256(path), "pointerSize": 130}
            siblings.append(entry)
        return {"id": hub_id, "modelId": hub_id, "sha": COMMIT, "siblings": siblings, "tags": [], "private": False}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _sha1(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()


@contextmanager
def running_hub() -> Iterator[Hub]:
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, with_body: bool) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.asked.append((self.command, path, self.headers.get("Range", "")))
            if hub.is_down:
                self.close_connection = True
                return
            parts = path.strip("/").split("/")
            if parts[:2] == ["api", "models"]:
                self._info("/".join(parts[2:4]), parts[5] if len(parts) > 5 else COMMIT)
            elif len(parts) > 4 and parts[2] == "resolve":
                self._file("/".join(parts[:2]), parts[3], "/".join(parts[4:]), with_body)
            else:
                self._send(404, b"{}")

        def _known(self, hub_id: str, revision: str) -> bool:
            if hub_id in hub.gated:
                self._send(403, b"{}", {"X-Error-Code": "GatedRepo", "X-Error-Message": "ask first"})
            elif hub_id not in hub.models:
                self._send(404, b"{}", {"X-Error-Code": "RepoNotFound", "X-Error-Message": "no such model"})
            elif revision not in (COMMIT, "main", "v1"):
                self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound", "X-Error-Message": "no such revision"})
            else:
                return True
            return False

        def _info(self, hub_id: str, revision: str) -> None:
            if self._known(hub_id, revision):
                self._send(200, json.dumps(hub.info(hub_id)).encode(), {"Content-Type": "application/json"})

        def _file(self, hub_id: str, revision: str, name: str, with_body: bool) -> None:
            if not self._known(hub_id, revision):
                return
            path = hub.files(hub_id).get(name)
            if path is None:
                self._send(404, b"{}", {"X-Error-Code": "EntryNotFound", "X-Error-Message": "no such file"})
                return
            content = hub.swapped.get(name, path.read_bytes())
            headers = {"ETag": f'"{_sha256(path)}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
            start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
            if start:
                headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            cut = hub.break_after if with_body and name.endswith(LARGE) else None
            if cut is not None and len(content) > cut:
                hub.break_after = None
                hub.is_down = hub.is_down_after_break
            self._send(206 if start else 200, content[start:], headers, with_body, cut)

        def _send(
            self,
            status: int,
            body: bytes,
            headers: dict[str, str] | None = None,
            with_body: bool = True,
            cut: int | None = None,
        ) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if with_body and self.command != "HEAD":
                self.wfile.write(body[:cut])
                self.close_connection = cut is not None and cut < len(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
