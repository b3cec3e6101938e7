"""The JSON of a body: small, shallow, and of text that can be stored."""

from __future__ import annotations

import json
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from ninja.parser import Parser
from ninja.types import DictStrAny

from ..storable import SENTENCE, TOO_LONG, is_storable
from .errors import CODES, ApiError

MOST_DEEP = 16
"""Lists and objects within each other; no body of ours has more than three."""


class SmallJson(Parser):
    """How the routes read their bodies."""

    def parse_body(self, request: HttpRequest) -> DictStrAny:
        return cast(DictStrAny, read(request))


def read(request: HttpRequest) -> Any:
    """The JSON of the body.  Raises :class:`ApiError`: 413 when it is too long, 400 or 422 when it is not fit."""
    if len(request.body) > settings.MAX_TEXT_BYTES:
        raise ApiError(413, "too_large", TOO_LONG)
    try:
        value = json.loads(request.body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, *CODES[400]) from error
    _check(value)
    return value


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON.")


def _check(value: Any) -> None:
    """By levels rather than by calling itself: depth is what may be wrong."""
    level = [value]
    for _ in range(MOST_DEEP):
        if not all(is_storable(text) for text in level if isinstance(text, str)):
            raise ApiError(422, "invalid", SENTENCE)
        level = [inner for outer in level for inner in _within(outer)]
        if not level:
            return
    raise ApiError(400, "malformed", "This body holds lists within lists too deep to mean anything here.")


def _within(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list) else []
