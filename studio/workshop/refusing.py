"""How the workshop says why not."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from ml_backend.errors import BadInput
from patterns.htmx import is_htmx

from ..answers import View, refusing_by
from ..limits import TooFast


def refusing_at(page: str, otherwise: Callable[[HttpRequest], HttpResponse]) -> Callable[[View], View]:
    """Of a view: to htmx it says why not in a sentence, to a plain form on the ``page`` of what the address names (its
    ``pk``), or as ``otherwise`` answers where it names nothing."""

    def refuse(request: HttpRequest, why: BadInput) -> HttpResponse:
        if isinstance(why, TooFast):
            raise why
        if is_htmx(request):
            return HttpResponse(str(why), status=422, content_type="text/plain; charset=utf-8")
        messages.error(request, str(why))
        match = request.resolver_match
        pk = match.kwargs.get("pk") if match is not None else None
        return redirect(page, pk) if pk else otherwise(request)

    return refusing_by(refuse)
