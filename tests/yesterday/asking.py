"""Opens the day of yesterday and asks Toile about it, as browsers, programs and shells do."""

from __future__ import annotations

import contextlib
import io
import json
import runpy
import sqlite3
import sys
import tarfile
from pathlib import Path
from typing import Any
from unittest import mock

from .reading import picture, told

DAY = Path(__file__).resolve().parent / "day"


def kept(name: str) -> Any:
    """One of the day's JSON files."""
    return json.loads((DAY / name).read_text(encoding="utf-8"))


def unpack(data: Path, rows: str = "rows.sql") -> Path:
    """Lay the day out in the folder ``data``, as the application keeps its own; the path of its database."""
    with tarfile.open(DAY / "files.tar.xz") as archive:
        archive.extractall(data, filter="data")
    path = data / "toile.sqlite3"
    path.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.executescript((DAY / rows).read_text(encoding="utf-8"))
    return path


def browser(name: str) -> Any:
    """The browser of somebody of the day, as it was left; "nobody" has none."""
    from django.test import Client

    client = Client()
    if name != "nobody":
        client.cookies["sessionid"] = kept("people.json")[name]["session"]
    return client


def program(name: str) -> Any:
    """A program with the token that somebody had made."""
    from django.test import Client

    return Client(headers={"Authorization": f"Bearer {kept('people.json')[name]['token']}"})


def look_at(client: Any, address: str) -> dict[str, Any]:
    """What is told at an address, wherever it leads to today."""
    return told(client.get(address, follow=True))


def call(client: Any, method: str, address: str, body: Any, *, form: bool = False) -> dict[str, Any]:
    """What an API call, or a form that is sent, comes to.  Of a refusal its code is kept, not its sentence."""
    send = getattr(client, method)
    response = send(address, body) if form else send(address, data=body, content_type="application/json")
    answer = told(response)
    if "error" in answer.get("json", {}):
        answer["json"]["error"].pop("message")
    if response.headers.get("Location"):
        answer["to"] = response.headers["Location"]
    return answer


def shell(line: list[str], out: Path) -> dict[str, Any]:
    """What ``python -m ml_backend LINE --out OUT --json`` prints, and the pictures that it writes."""
    printed = io.StringIO()
    arguments = ["ml_backend", *line, "--out", str(out), "--json"]
    with mock.patch.object(sys, "argv", arguments), contextlib.redirect_stdout(printed):
        try:
            runpy.run_module("ml_backend", run_name="__main__", alter_sys=False)
        except SystemExit as end:
            status = end.code or 0
    said = json.loads(printed.getvalue().replace(str(out), "OUT"))
    files = {path.name: picture(path.read_bytes()) for path in sorted(out.glob("*.png"))}
    return {"status": status, "json": said, "pictures": files}
