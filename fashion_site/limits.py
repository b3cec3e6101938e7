"""An ASGI wrapper that stops a request body that is larger than any upload may be, before it is stored anywhere."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

SENTENCE = "This upload is too large. Nothing was kept; please send a photo of at most 25 MB."


class TooLarge(Exception):
    """The body has passed the limit."""


def limit_body(app: App, most: int) -> App:
    """``app`` behind a limit of ``most`` bytes a body, declared or streamed; beyond it the answer is 413."""

    async def limited(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        if _declared(scope) > most:
            await _refuse(scope, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                raise TooLarge
            return message

        try:
            await app(scope, counted, send)
        except TooLarge:
            await _refuse(scope, send)

    return limited


def _declared(scope: dict[str, Any]) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


async def _refuse(scope: dict[str, Any], send: Send) -> None:
    """In the shape that who asks expects: a sentence for pages, JSON for the API."""
    kind, body = "text/plain; charset=utf-8", SENTENCE
    if str(scope.get("path", "")).startswith("/api/"):
        kind, body = "application/json", json.dumps({"error": {"code": "too_large", "message": SENTENCE}})
    headers = [(b"content-type", kind.encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})
