"""An ASGI wrapper that stops a request that is larger than any may be, before it is stored or read anywhere.

A body that carries files may have the size of a photo; any other body, and any address, is text and stays small.  Text
is UTF-8: a request that names another encoding ends here too, for Django tries to decode with it while the request is
put together, where no middleware can catch what comes of that.
"""

import asyncio
import codecs
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.utils.http import parse_header_parameters

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

SENTENCE = "This upload is too large. Nothing was kept; please send a photo of at most 25 MB."
TOO_MUCH_TEXT = "This is more text than can be taken at once. Nothing was changed; please send less."
TOO_LONG_AN_ADDRESS = "This address is too long to mean anything here."

NOT_UTF8 = "Text for this site is UTF-8. Nothing was changed; say so in the Content-Type, or leave the encoding away."

MOST_ADDRESS = 16 * 1024
"""Bytes of path and query: two prompts, every letter of them escaped, and what goes with them."""

DISCARDED = 64 * 1024 * 1024
DISCARD_SECONDS = 10.0
"""How much of a refused body is read and dropped, and for how long, so that who still sends it hears the answer."""


class TooLarge(Exception):
    """The body has passed the limit."""


class _Body:
    """What comes in: how much so far, and whether that is all."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.seen = 0
        self.ended = False

    async def receive(self) -> Message:
        message = await self._receive()
        self.seen += len(message.get("body", b""))
        self.ended = message["type"] != "http.request" or not message.get("more_body")
        return message

    async def discard(self) -> None:
        """Let the rest run out: a connection closed upon somebody who still sends takes the answer with it."""
        most = self.seen + DISCARDED
        try:
            async with asyncio.timeout(DISCARD_SECONDS):
                while not self.ended and self.seen < most:
                    await self.receive()
        except TimeoutError:
            return


def limit_body(app: App, most: int, most_text: int) -> App:
    """``app`` behind limits of ``most`` bytes a body with files and ``most_text`` of any other, declared or streamed.

    Beyond them the answer is 413, and 414 where the address itself is too long.
    """

    async def limited(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        body = _Body(receive)
        if len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"") > MOST_ADDRESS:
            await _refuse(scope, body, send, 414, TOO_LONG_AN_ADDRESS)
            return
        kind = _kind(scope)
        if kind is None:
            await _refuse(scope, body, send, 415, NOT_UTF8)
            return
        carries_files = kind == "multipart/form-data"
        limit, why = (most, SENTENCE) if carries_files else (most_text, TOO_MUCH_TEXT)
        if _declared(scope) > limit:
            await _refuse(scope, body, send, 413, why)
            return

        async def counted() -> Message:
            message = await body.receive()
            if body.seen > limit:
                raise TooLarge
            return message

        try:
            await app(scope, counted, send)
        except TooLarge:
            await _refuse(scope, body, send, 413, why)

    return limited


def _header(scope: dict[str, Any], wanted: bytes) -> bytes:
    return next((bytes(value) for name, value in scope["headers"] if name == wanted), b"")


def _kind(scope: dict[str, Any]) -> str | None:
    """The content type; None where its header cannot be read or names an encoding other than UTF-8."""
    try:
        kind, parameters = parse_header_parameters(_header(scope, b"content-type").decode("latin-1"))
        charset = codecs.lookup(parameters["charset"]).name if "charset" in parameters else "utf-8"
    except (LookupError, ValueError):
        return None
    return kind if charset in ("utf-8", "ascii") else None


def _declared(scope: dict[str, Any]) -> int:
    value = _header(scope, b"content-length")
    return int(value) if value.isdigit() else 0


async def _refuse(scope: dict[str, Any], body: _Body, send: Send, status: int, why: str) -> None:
    """In the shape that who asks expects: a sentence for pages, JSON for the API."""
    kind, said = "text/plain; charset=utf-8", why
    if str(scope.get("path", "")).startswith("/api/"):
        kind, said = (
            "application/json",
            json.dumps({"error": {"code": "malformed" if status == 415 else "too_large", "message": why}}),
        )
    if not _header(scope, b"expect"):  # who asks before sending has sent nothing yet
        await body.discard()
    headers = [(b"content-type", kind.encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": said.encode()})
