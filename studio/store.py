"""When files or rows cannot be reached: a page that says so and what to do, not a broken needle."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.defaults import server_error

from ml_backend.serving import faults
from ml_backend.serving.faults import Outage

log = logging.getLogger(__name__)

SENTENCE = "The cupboard where pictures are kept does not answer just now. Nothing of yours is lost; please try again."
DATABASE_SENTENCE = (
    "The order book, where everything is written down, does not answer just now. "
    "Nothing of yours is lost; please try again in half a minute."
)
RETRY_SECONDS = "30"


class StoreUnreachable:
    """Answers 503 with a sentence, to pages and to htmx; the API has its own shape (:mod:`studio.api.errors`)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return unreachable(request, error)


def broke(request: HttpRequest) -> HttpResponseBase:
    """The site's answer to any error outside of views, such as a session that cannot be read."""
    return unreachable(request, sys.exc_info()[1]) or server_error(request)


def unreachable(request: HttpRequest, error: BaseException | None) -> HttpResponse | None:
    """503 with a sentence where ``error`` comes of a store or database that is away, else None."""
    away = faults.outage(error)
    if away not in (Outage.STORE, Outage.DATABASE):
        return None
    log.error("%s failed at %s: %s", away.value, request.path, error)
    sentence = SENTENCE if away is Outage.STORE else DATABASE_SENTENCE
    if request.headers.get("HX-Request") == "true":
        response = HttpResponse(sentence, status=503, content_type="text/plain; charset=utf-8")
    elif away is Outage.STORE:
        response = render(request, "503.html", {"why": sentence}, status=503)
    else:  # a page that asks who is there would ask the database
        page = render_to_string("503_database.html", {"why": sentence, "path": request.path})
        response = HttpResponse(page, status=503)
    response.headers["Retry-After"] = RETRY_SECONDS
    response.headers["Cache-Control"] = "no-store"
    return response
