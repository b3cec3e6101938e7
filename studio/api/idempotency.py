"""The same request sent twice makes one thing.

A program that hears no answer cannot know whether its request arrived.  It may send it again with the same
``Idempotency-Key``: the row of that key, unique per person, belongs to whoever wrote it first; everybody else waits for
the answer and gets the same.  The thing made and the answer are one transaction, so a crash leaves both or neither;
only a picture that is read or written on the way is outside of it.  A refusal is not kept: nothing was made, and the
reason may pass.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from ninja import Schema, Status

from .errors import ApiError
from .models import IdempotencyKey
from .reading import read

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT = timedelta(hours=24)
GIVEN_UP = timedelta(seconds=90)
"""A request at work for longer has died with its process: reading an upload may take a minute."""
PATIENCE = 20.0
"""Seconds that a repeated request waits for the first one's answer."""

_KEY = re.compile(r"[\x21-\x7e]{1,200}")

View = Callable[..., "Status[Any]"]

PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Any text of your choice, new for every thing you want made. The same key with the same request "
    "within 24 hours gets the first answer again and makes nothing new.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[\\x21-\\x7e]+$"},
    "example": "spring-2027-dress-14",
}


def makes(*, whole: bool = True) -> Callable[[View], Callable[..., HttpResponse]]:
    """Decorates a view that makes something: honours the key, if one was sent.

    ``whole`` runs the view inside the transaction that also keeps the answer; False for views that read or write
    pictures, which would hold the database for too long.
    """

    def decorate(view: View) -> Callable[..., HttpResponse]:
        @functools.wraps(view)
        def answer(request: HttpRequest, **values: Any) -> HttpResponse:
            key = request.headers.get(HEADER)
            if key is None:
                with _transaction(whole):
                    return _json(*_made(view, request, values))
            if not _KEY.fullmatch(key):
                raise ApiError(400, "malformed", f"An {HEADER} is 1 to 200 visible ASCII characters.")
            return _once(_Claim(request, key), whole, lambda: _made(view, request, values))

        # ninja reads the annotations where this function lives; they mean something only where the view does.
        answer.__signature__ = inspect.signature(view, eval_str=True)  # type: ignore[attr-defined]
        return answer

    return decorate


def delete_old() -> int:
    """Answers that nobody may ask for any more; their number."""
    return IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]


class _Lost(Exception):
    """Another request took this one for dead and makes the thing."""


class _Claim:
    """The row of one person's key, as far as this request holds it."""

    def __init__(self, request: HttpRequest, key: str) -> None:
        self.owner_id, self.key = request.user.pk, key
        self.fingerprint = fingerprint(request)
        self.held_since = timezone.now()

    def take(self) -> IdempotencyKey | None:
        """None when the work is ours to do, else the row of who does or did it.

        Raises :class:`ApiError` when the key was used for another request.
        """
        now = timezone.now()
        mine = {"owner_id": self.owner_id, "key": self.key}
        IdempotencyKey.objects.filter(**mine, created_at__lt=now - KEPT).delete()
        fresh = {"fingerprint": self.fingerprint, "claimed_at": now, "created_at": now}
        row, created = IdempotencyKey.objects.get_or_create(**mine, defaults=fresh)
        if row.fingerprint != self.fingerprint:
            raise ApiError(
                422, "key_reused", f"This {HEADER} was used for another request. Choose a new one for a new request."
            )
        dead = row.status is None and row.claimed_at < now - GIVEN_UP
        if dead:
            held = IdempotencyKey.objects.filter(pk=row.pk, status=None, claimed_at=row.claimed_at)
            dead = held.update(claimed_at=now) == 1
        if not created and not dead:
            return row
        self.held_since = now
        return None

    def _row(self) -> Any:
        return IdempotencyKey.objects.filter(
            owner_id=self.owner_id, key=self.key, status=None, claimed_at=self.held_since
        )

    def keep(self, status: int, body: Any) -> bool:
        """Keep the answer; False when the claim was lost meanwhile."""
        return bool(self._row().update(status=status, body=body) == 1)

    def release(self) -> None:
        """Nothing was made: the key is free again."""
        self._row().delete()


def _once(claim: _Claim, whole: bool, make: Callable[[], tuple[int, Any]]) -> HttpResponse:
    until = time.monotonic() + PATIENCE
    while (row := claim.take()) is not None:
        if row.status is not None:
            return _json(row.status, row.body, replayed=True)
        if time.monotonic() > until:
            message = "The first request with this key is still at work. Ask again in a moment."
            raise ApiError(409, "in_progress", message, {"Retry-After": "2"})
        time.sleep(0.1)
    try:
        with _transaction(whole):
            status, body = make()
            if not claim.keep(status, body) and whole:
                raise _Lost
    except _Lost:
        return _once(claim, whole, make)
    except BaseException:
        claim.release()
        raise
    return _json(status, body)


def _transaction(whole: bool) -> AbstractContextManager[Any]:
    return transaction.atomic() if whole else nullcontext()


def _made(view: View, request: HttpRequest, values: dict[str, Any]) -> tuple[int, Any]:
    done = view(request, **values)
    assert isinstance(done.value, Schema)
    return done.status_code, done.value.model_dump(mode="json")


def _json(status: int, body: Any, *, replayed: bool = False) -> HttpResponse:
    response = JsonResponse(body, status=status)
    if replayed:
        response.headers[REPLAYED] = "true"
    return response


def fingerprint(request: HttpRequest) -> str:
    """SHA-256 over method, path and body; JSON by its meaning, a form by its fields and the bytes of its files."""
    total = hashlib.sha256(f"{request.method} {request.path}\n".encode())
    if (request.content_type or "").startswith("multipart/"):
        for name, values in sorted(request.POST.lists()):
            total.update(json.dumps([name, values]).encode())
        for name, files in sorted(request.FILES.lists()):
            for file in files:
                total.update(json.dumps([name, _digest(file)]).encode())
    elif request.body:
        total.update(json.dumps(read(request), sort_keys=True).encode())
    return total.hexdigest()


def _digest(file: Any) -> str:
    """Of the whole file, which is at its beginning again afterwards."""
    total = hashlib.sha256()
    file.seek(0)
    for chunk in file.chunks():
        total.update(chunk)
    file.seek(0)
    return total.hexdigest()
