"""The views that every made thing has: its owner publishes it, takes it back, deletes it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from ml_backend.errors import BadInput
from patterns.made import Made, Published

from .answers import go_back, is_htmx, refuse

View = Callable[[HttpRequest, uuid.UUID], HttpResponse]


def mine(request: HttpRequest, model: type[models.Model], pk: uuid.UUID) -> Any:
    """One's own row; for anybody else there is no such page."""
    rows: Any = model._default_manager
    return get_object_or_404(rows.of(request.user), pk=pk)


def publisher(model: type[Published], page: str, called: str) -> View:
    """The view that publishes; ``page`` names the address of one, ``called`` is what people call it."""

    @require_POST
    def publish(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Field ``public`` set shows it to everybody; unset takes it back."""
        public = "public" in request.POST
        try:
            mine(request, model, pk).publish(public)
        except BadInput as error:
            if is_htmx(request):
                return refuse(request, error)
            messages.error(request, str(error))
        else:
            if is_htmx(request):
                return HttpResponse(status=204)
            messages.success(request, f"{'Everybody' if public else 'Only you'} can see this {called} now.")
        return go_back(request) if request.POST.get("next") else redirect(page, pk)

    return publish


def deleter(
    model: type[models.Model],
    called: str,
    words: Callable[[Any], dict[str, Any]],
    gone: str,
    after: Callable[[Any], str],
) -> View:
    """The view that asks on GET and deletes on POST.

    ``words`` says what ``studio/delete.html`` shows of a row (``lede``, ``goes``, ``keep``: the address to keep it at),
    ``gone`` what is said when it is gone, ``after`` where one is then.
    """

    @require_http_methods(["GET", "HEAD", "POST"])
    def delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        found = mine(request, model, pk)
        if request.method != "POST":
            return render(
                request, "studio/delete.html", {"title": f"Delete a {called}", "called": called, **words(found)}
            )
        target = after(found)
        found.delete()
        messages.success(request, gone)
        return redirect(target)

    return delete


def page_of(name: str, row: Made) -> str:
    """The address of one row's page."""
    return reverse(name, args=[row.pk])
