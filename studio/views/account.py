"""My account: who I am here and what is kept of mine."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ml_backend.serving.storage import used_by

from ..models import Imagining, Look, Photo, Restyle
from ..people import person


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    me = person(request)
    photos = Photo.objects.visible_to(request.user)
    counts = {
        "photos": photos.count(),
        "looks": Look.objects.of(request.user).count(),
        "restyles": Restyle.objects.of(request.user).ready().count(),
        "imaginings": Imagining.objects.of(request.user).ready().count(),
        "patterns": me.patterns.count() if me else 0,
        "tokens": me.api_tokens.count() if me else 0,
        "used": used_by(me) if me else 0,
    }
    return render(request, "account/account.html", {**counts, "me": me, "newest_photos": photos[:24]})
