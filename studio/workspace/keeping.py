"""New fabrics: which of them to keep, and which not."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import pluralize
from django.views.decorators.http import require_POST

from ml_backend.errors import BadInput
from patterns import services
from patterns.models import Pattern

from ..account.models import User
from ..answers import go_back, is_htmx, refusing

MAX_ASKED = 64
NOT_NEW = "This fabric is kept already. On its own page it can be deleted."


def _asked(request: HttpRequest) -> tuple[User, list[uuid.UUID]]:
    """Who asks, and the fabrics that are meant: those of the field ``pattern``, or with ``all`` every fresh one."""
    if not isinstance(request.user, User):
        raise BadInput(services.GONE)
    if "all" in request.POST:
        return request.user, list(Pattern.objects.of(request.user).fresh().values_list("pk", flat=True))
    try:
        return request.user, [uuid.UUID(text) for text in request.POST.getlist("pattern")[:MAX_ASKED]]
    except ValueError as error:
        raise BadInput("Choose a fabric first.") from error


@require_POST
@refusing
def keep(request: HttpRequest) -> HttpResponse:
    """They stay; answers htmx with their cells, in their places or, with ``back``, as new ones of the tray."""
    owner, asked = _asked(request)
    kept = services.keep(owner, asked)
    if not kept:
        raise BadInput(services.GONE)
    if is_htmx(request):
        cells = Pattern.objects.of(owner).select_related("job").filter(pk__in=asked)
        back = "back" in request.POST
        return render(
            request, "studio/workspace/_kept.html", {"cells": cells, "oob": not back, "fresh": back, "said": "Kept."}
        )
    messages.success(request, f"{kept} fabric{pluralize(kept, ' is,s are')} kept.")
    return go_back(request)


@require_POST
@refusing
def discard(request: HttpRequest) -> HttpResponse:
    """New ones that are not wanted: out of sight at once, to be brought back for a while."""
    owner, asked = _asked(request)
    gone = services.discard(owner, asked)
    if not gone:
        raise BadInput(NOT_NEW if Pattern.objects.of(owner).filter(pk__in=asked).exists() else services.GONE)
    if is_htmx(request):
        return render(request, "studio/workspace/_kept.html", {"gone": asked, "back": asked})
    messages.success(request, f"{gone} fabric{pluralize(gone, ' is,s are')} discarded.")
    return go_back(request, pattern=None)
