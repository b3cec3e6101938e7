"""A name for a browser that has done nothing yet, so that the first things it does at once belong to one guest."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import salted_hmac

COOKIE = "visitor"
KEPT_SECONDS = 86_400
_SALT = "toile.visitor"


def guest_name(request: HttpRequest) -> str:
    """The user name of the guest that this browser will be; empty for one that has read no page of ours."""
    visitor = request.get_signed_cookie(COOKIE, "", salt=_SALT, max_age=KEPT_SECONDS)
    return f"guest-{salted_hmac(_SALT, visitor, algorithm='sha256').hexdigest()[:32]}" if visitor else ""


class Visitors:
    """Middleware: gives a visitor who reads a page a cookie, and takes it back once there is a person.

    It is no row and says nothing: a number made by chance, signed, for this site's server only, for a day.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code >= 500 or not response.headers.get("Content-Type", "").startswith("text/html"):
            return response
        known = COOKIE in request.COOKIES
        if request.user.is_authenticated:
            if known:
                response.delete_cookie(COOKIE, samesite="Lax")
        elif request.method == "GET" and not guest_name(request):
            response.set_signed_cookie(
                COOKIE,
                secrets.token_urlsafe(24),
                salt=_SALT,
                max_age=KEPT_SECONDS,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response
