"""How every view answers: to htmx with a fragment, to a plain form with a redirect."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from ml_backend.engines import ENGINES
from ml_backend.errors import MOST_QUOTED, BadInput, quoted
from ml_backend.serving import registry
from ml_backend.serving.jobs import TooManyJobs
from patterns.htmx import is_htmx as is_htmx

from . import limits
from .batches import FromWords
from .limits import TooFast
from .said import WORDS


def back(request: HttpRequest, **changes: Any) -> str:
    """The page that the form was on (its field ``next``), with ``changes`` to its query; None removes a key.

    Words that people typed are left out of it; what stands behind its ``#`` is the page's own and is left to it.
    """
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        target = reverse("studio")
    parts = urlsplit(target)
    query = [(key, value) for key, value in parse_qsl(parts.query) if key not in (*changes, *WORDS)]
    query += [(key, str(value)) for key, value in changes.items() if value is not None]
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return parts.path + (f"?{urlencode(query)}" if query else "") + fragment


def go_back(request: HttpRequest, **changes: Any) -> HttpResponseRedirect:
    return HttpResponseRedirect(back(request, **changes))


def say_if_retired(request: HttpRequest, capability: str, made: FromWords) -> str:
    """A note on the page of a remix whose model no longer serves: what comes of it will look different.

    Answers with the model's reference where it is still kept and can be asked to make this again, else "".
    """
    model = made.recipe.get(capability, {}).get("model") or ""
    kept = retired_but_kept(capability, made.engine, model)
    if kept:
        messages.info(
            request, f"The model that made this picture, {model}, has retired. The settings can let it make this again."
        )
    elif registry.is_retired(ENGINES[capability][made.engine].may_name, model):
        messages.info(
            request, f"The model that made this picture, {model}, no longer serves; another one makes it now."
        )
    return kept


def retired_but_kept(capability: str, engine: str, model: str) -> str:
    """``model`` where it serves no more and can still make again what it made, else ""."""
    named = ENGINES[capability][engine].may_name
    return model if registry.is_retired(named, model) and registry.can_make_again(named, model) else ""


def refuse(request: HttpRequest, why: str | BadInput) -> HttpResponse:
    """Say why not: one sentence with 422 (429 above a limit) to htmx, a note on the page to a plain form."""
    if isinstance(why, TooManyJobs | TooFast):
        return limits.answer(request, why)
    if is_htmx(request):
        return HttpResponse(str(why), status=422, content_type="text/plain; charset=utf-8")
    messages.error(request, str(why))
    return go_back(request)


View = Callable[..., HttpResponse]
V = TypeVar("V", bound=Callable[..., HttpResponseBase])
F = TypeVar("F", bound=forms.Form)


def staff_only(view: V) -> V:
    """A view of staff's: for anybody else there is no such page."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not getattr(request.user, "is_staff", False):
            raise Http404
        return view(request, *args, **kwargs)

    return cast(V, guarded)


def refusing_by(answer: Callable[[HttpRequest, BadInput], HttpResponse]) -> Callable[[View], View]:
    """Of a view: it answers so what it raises as :class:`BadInput`."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                return view(request, *args, **kwargs)
            except BadInput as error:
                return answer(request, error)

        return guarded

    return guard


refusing = refusing_by(refuse)
"""A view that says why not by :func:`refuse`."""


def valid(form: F) -> F:
    """The form, its fields read.  Raises :class:`BadInput` with its first mistake."""
    if not form.is_valid():
        raise BadInput(first_error(form))
    return form


def first_error(form: forms.Form) -> str:
    """One sentence to show where there is no room for a form; what was typed stands in it only in short."""
    for errors in form.errors.as_data().values():
        wrong = errors[0]
        said = {name: _shortly(value) for name, value in (wrong.params or {}).items()}
        return str(forms.ValidationError(wrong.message, wrong.code, said or None).messages[0])
    return "Something in this form is not right."


def _shortly(value: Any) -> Any:
    return quoted(value) if isinstance(value, str) and len(value) > MOST_QUOTED else value
