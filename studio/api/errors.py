"""What the API answers when it does not do what was asked: one shape, ``{"error": {"code", "message"}}``.

``code`` is for programs and does not change; ``message`` is one sentence for a person.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, RawPostDataException
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from ml_backend.errors import BadInput, BadPackage, quoted
from ml_backend.serving import faults, registry
from ml_backend.serving.jobs import TooManyJobs
from ml_backend.serving.storage import NoRoom

from ..limits import TooFast, seconds_of
from ..photos.ingest import Refused

log = logging.getLogger(__name__)

RETRY_SECONDS = "10"
"""When to ask a busy site again."""

MOST_SAID = 200
"""Characters of what pydantic says of a field."""

CODES: Mapping[int, tuple[str, str]] = {
    400: ("malformed", "This request cannot be read; please check its body and headers."),
    401: (
        "unauthenticated",
        "Send a token with the request, as the header 'Authorization: Bearer toile_...'. You can make one on your "
        "account page.",
    ),
    403: ("forbidden", "You may look at this, but it is not yours to change."),
    404: ("not_found", "There is no such thing here, or it is not yours to see."),
    405: ("wrong_method", "This address does not answer that method; see /api/docs."),
    413: ("too_large", "This request is too large. Nothing was kept; please send a photo of at most 25 MB."),
    500: ("broken", "Something went wrong in the workshop. Nothing of yours is lost; please try again."),
    503: ("unavailable", "This cannot be done here just now; please try again later."),
}
"""Code and sentence of what was refused before, or outside of, the work itself."""

UPLOADS: Mapping[str, tuple[int, str]] = {
    "bytes": (413, "too_large"),
    "large": (413, "too_many_pixels"),
    "format": (415, "not_a_photo"),
    "unknown": (415, "not_a_photo"),
    "busy": (503, "busy"),
}
"""Status and code of a refused upload, by :attr:`studio.photos.ingest.Refused.kind`; any other is 422."""


class ApiError(Exception):
    """A refusal with its own status and code."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, dict(headers or {})


def problem(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> HttpResponse:
    response = JsonResponse({"error": {"code": code, "message": message}}, status=status)
    for name, value in (headers or {}).items():
        response.headers[name] = value
    response.headers["Cache-Control"] = "no-store"
    return response


def of_status(status: int, sentence: str = "") -> HttpResponse:
    """The answer for a bare status: one of ``CODES``, or the nearest; with its own ``sentence``, if it has one."""
    code, message = CODES.get(status) or CODES[400 if status < 500 else 500]
    headers = {401: {"WWW-Authenticate": 'Bearer realm="Toile"'}, 503: {"Retry-After": RETRY_SECONDS}}.get(status, {})
    return problem(status, code, sentence or message, headers)


def of_bad_input(error: BadInput) -> HttpResponse:
    """The sentence the page would show, with the status that fits."""
    if isinstance(error, TooManyJobs | TooFast):
        code = "too_fast" if isinstance(error, TooFast) else "too_many_jobs"
        return problem(429, code, str(error), {"Retry-After": str(seconds_of(error))})
    if isinstance(error, NoRoom):
        return problem(422, "no_room", str(error))
    status, code = UPLOADS.get(error.kind if isinstance(error, Refused) else "", (422, "bad_input"))
    headers = {"Retry-After": RETRY_SECONDS} if status == 503 else {}
    return problem(status, code, str(error), headers)


def sentence_of(error: ValidationError) -> str:
    """The first of what pydantic found, as one sentence that names the field."""
    first = error.errors[0]
    where = ".".join(str(part) for part in first["loc"][1:] if part not in ("body", "query"))
    field = where or "body"
    if first["type"] == "missing":
        return f"The field {quoted(field)} is missing."
    if first["type"] == "extra_forbidden":
        return f"There is no parameter {quoted(field)}."
    said = str(first["msg"]).removeprefix("Value error, ").rstrip(".")[:MOST_SAID]
    return f"The field {quoted(field)} is not right: {said[:1].lower()}{said[1:]}."


def register(api: NinjaAPI) -> None:
    """Answer every exception in the one shape."""

    def on(kind: type[Exception], answer: Any) -> None:
        api.add_exception_handler(kind, lambda _request, error: answer(error))

    on(ApiError, lambda error: problem(error.status, error.code, error.message, error.headers))
    on(BadInput, of_bad_input)
    on(BadPackage, lambda error: problem(503, "no_model", str(error)))
    on(Http404, lambda _: of_status(404))
    on(ValidationError, lambda error: problem(422, "invalid", sentence_of(error)))
    on(AuthenticationError, lambda _: of_status(401))
    on(HttpError, _of_http_error)
    on(RawPostDataException, lambda _: of_status(400))
    on(SuspiciousOperation, lambda _: of_status(400))
    on(MultiPartParserError, lambda _: of_status(400))
    on(RequestDataTooBig, lambda _: of_status(413))
    api.add_exception_handler(Exception, _broke)


def _of_http_error(error: HttpError) -> HttpResponse:
    """ninja's own refusal; where reading the body found the reason, that one."""
    cause = error.__cause__
    if isinstance(cause, ApiError):
        return problem(cause.status, cause.code, cause.message)
    return of_status(error.status_code)


def _broke(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    log.error("%s %s broke.", request.method, request.path, exc_info=error if isinstance(error, Exception) else True)
    return of_status(503 if isinstance(error, Exception) and faults.outage(error) else 500)


def needs_model(capability: str) -> None:
    """503 when nothing serves ``capability`` here; "" needs nothing."""
    if capability and not registry.serves(capability):
        what = registry.WORK.get(capability, capability)
        raise ApiError(503, "no_model", f"No model to {what} is installed here; whoever runs this site can add one.")
