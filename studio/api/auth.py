"""``Authorization: Bearer toile_...``: the only way in; a session's cookie is not looked at."""

from __future__ import annotations

from django.http import HttpRequest
from ninja.security import HttpBearer

from .. import limits
from ..account.models import User
from . import tokens
from .models import ApiToken


class Token(HttpBearer):
    """Makes the token's owner the request's user, so that everything behind it works as for the pages."""

    openapi_description = "A token from your account page."

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        """Raises :class:`limits.TooFast` for one of very many unknown tokens from an address; a known one passes."""
        known = tokens.find(token)
        if known is not None:
            request.user = known.owner
        elif where := limits.origin():
            limits.spend("tokens", where)
        return known


def owner(request: HttpRequest) -> User:
    """Whose token this is; the routes are not reached without one."""
    assert isinstance(request.user, User)
    return request.user
