from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from studio.account.models import User
from studio.api import tokens
from tests.studio import painters
from tests.studio.painters import Painter
from tests.studio.restylers import Restyler, stand_in


class Program:
    """A program that talks to the API with somebody's token, or with none."""

    def __init__(self, token: str = "") -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, method: str, path: str, body: Any = None, *, key: str = "", **headers: str) -> Any:
        sent = {**self.headers, **headers, **({"Idempotency-Key": key} if key else {})}
        content = {} if body is None else {"data": body, "content_type": "application/json"}
        return getattr(self.client, method)(f"/api/v1{path}", headers=sent, **content)

    def get(self, path: str, **headers: str) -> Any:
        return self.ask("get", path, **headers)

    def post(self, path: str, body: Any = None, *, key: str = "") -> Any:
        return self.ask("post", path, {} if body is None else body, key=key)

    def upload(self, path: str, *, key: str = "", **fields: Any) -> Any:
        sent = {**self.headers, **({"Idempotency-Key": key} if key else {})}
        return self.client.post(f"/api/v1{path}", fields, headers=sent)

    def patch(self, path: str, body: Any) -> Any:
        return self.ask("patch", path, body)

    def delete(self, path: str) -> Any:
        return self.ask("delete", path)


@pytest.fixture
def program_of() -> Callable[[User], Program]:
    return lambda owner: Program(tokens.make(owner, "test")[1])


@pytest.fixture
def program(program_of: Callable[[User], Program], person: User) -> Program:
    """Ana's program."""
    return program_of(person)


@pytest.fixture
def outsider(program_of: Callable[[User], Program], other: User) -> Program:
    """Ben's program."""
    return program_of(other)


@pytest.fixture
def nobody() -> Program:
    """A program without a token."""
    return Program()


def error(response: Any) -> tuple[int, str]:
    """Status and code of a refusal, which has the one shape with a sentence in it."""
    said = response.json()
    assert set(said) == {"error"}
    assert set(said["error"]) == {"code", "message"}
    assert said["error"]["message"].endswith((".", ")"))
    return response.status_code, said["error"]["code"]


@pytest.fixture
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Quick stand-ins for the pipelines that find, repaint and paint; the restyler, to ask what it was given."""
    restyler = Restyler()
    stand_in(monkeypatch, restyler)
    painters.stand_in(monkeypatch, Painter())
    return restyler
