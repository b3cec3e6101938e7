"""The API's one shape of error, also for what Django refuses before a route is found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from .errors import of_status

PREFIX = "/api/v1/"
Answer = HttpResponseBase | Awaitable[HttpResponseBase]


class JsonErrors:
    """Under ``/api/v1/`` an error page (wrong method, unknown address, refused host ...) is JSON instead."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Answer]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Answer:
        response = self.get_response(request)
        if isinstance(response, HttpResponseBase):
            return _in_shape(request, response)
        return self._later(request, response)

    async def _later(self, request: HttpRequest, response: Awaitable[HttpResponseBase]) -> HttpResponseBase:
        return _in_shape(request, await response)


def _sentence(response: HttpResponseBase) -> str:
    """What a refusal that is a plain sentence says; empty for a page."""
    if not isinstance(response, HttpResponse) or not response.headers.get("Content-Type", "").startswith("text/plain"):
        return ""
    return response.content.decode()


def _in_shape(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    written = response.headers.get("Content-Type", "").startswith("application/json")
    if response.status_code < 400 or written or not request.path.startswith(PREFIX):
        return response
    shaped = of_status(response.status_code, _sentence(response))
    if "Allow" in response.headers:
        shaped.headers["Allow"] = response.headers["Allow"]
    return shaped
