"""When the place where files lie cannot be reached: a page that says so, not a broken needle."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

log = logging.getLogger(__name__)

SENTENCE = "The cupboard where pictures are kept does not answer just now. Nothing of yours is lost; please try again."
RETRY_SECONDS = "30"

FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
STORE_LIBRARIES = ("botocore.", "boto3.", "s3transfer.")


class StoreUnreachable:
    """Answers 503 with a sentence, to pages and to htmx; the API has its own shape (:mod:`studio.api.errors`)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not is_of_store(error):
            return None
        log.error("The file store failed at %s: %s", request.path, error)
        if request.headers.get("HX-Request") == "true":
            response = HttpResponse(SENTENCE, status=503, content_type="text/plain; charset=utf-8")
        else:
            response = render(request, "503.html", {"why": SENTENCE}, status=503)
        response.headers["Retry-After"] = RETRY_SECONDS
        return response


def is_of_store(error: BaseException | None) -> bool:
    """Whether it, or what caused it, comes of S3's client or of a disk that takes no more.

    Told by the module's name, so that a site without S3 does not load its client.
    """
    while error is not None:
        if type(error).__module__.startswith(STORE_LIBRARIES):
            return True
        if isinstance(error, OSError) and error.errno in FULL_DISK:
            return True
        error = error.__cause__ or error.__context__
    return False
