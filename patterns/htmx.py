"""Which requests come from htmx: a page that is there already, and wants a fragment."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class HtmxRequest(HttpRequest):
    """A request as the middleware of django-htmx hands it on; it is the first, so that every answer can ask."""

    htmx: HtmxDetails


def is_htmx(request: HttpRequest) -> bool:
    """Whether a script on the page asks, and wants a fragment."""
    return bool(cast(HtmxRequest, request).htmx)
