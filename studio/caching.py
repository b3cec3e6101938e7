"""Who may keep an answer: nobody, unless a view has said otherwise."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from patterns.files import NOBODY
from patterns.made import ASK_AGAIN


class KeptByNobody:
    """Middleware: a person's page or redirect is kept nowhere, so that it cannot be gone back to after signing out.

    What a visitor is shown may be kept by their browser, which asks again.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if "Cache-Control" not in response.headers:
            visitor = response.status_code == 200 and not request.user.is_authenticated
            response.headers["Cache-Control"] = ASK_AGAIN if visitor else NOBODY
        return response
