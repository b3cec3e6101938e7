"""Tokens for one's own programs: made, listed, revoked."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from ml_backend.errors import BadInput

from ..account.members import members_only
from ..account.models import User
from . import tokens as programs


@members_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """POST field ``name`` makes a token and shows it, this once: it stands on the answered page and nowhere else."""
    me = request.user
    assert isinstance(me, User)
    shown: dict[str, str] = {}
    if request.method == "POST":
        name = request.POST.get("name", "")
        try:
            _, shown["secret"] = programs.make(me, name)
        except BadInput as error:
            shown = {"error": str(error), "name": name}
    context = {**shown, "tokens": me.api_tokens.all()}
    return render(request, "studio/api/tokens.html", context, status=422 if "error" in shown else 200)


@members_only
@require_POST
def revoke(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    me = request.user
    assert isinstance(me, User)
    token = get_object_or_404(me.api_tokens, pk=pk)
    programs.revoke(token)
    messages.success(request, f"The token “{token.name}” is revoked; programs that use it are refused from now on.")
    return redirect("tokens")
