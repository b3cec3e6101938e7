"""What is liked over time: one's own fabrics for everybody, the whole site for staff and designers."""

from __future__ import annotations

import csv
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST, require_safe

from patterns.files import NOBODY

from ..account.models import User
from ..account.services import person
from ..answers import staff_only
from . import charts, services
from .models import Period
from .services import BY, WHAT, Trend

SITE, MINE = "site", "mine"


@require_safe
def trends(request: HttpRequest) -> HttpResponse:
    """Fields ``what``, ``by``, ``period`` and ``whose`` in the address; unknown values are the usual ones."""
    asked, found = _asked(request)
    sees_all = services.sees_the_site(request.user)
    context = {
        **asked,
        "trend": found,
        "chart": charts.chart(found),
        "kinds": WHAT,
        "bys": BY,
        "periods": Period.choices,
        "sees_all": sees_all,
        "least": services.K,
        "designers": services.designers() if request.user.is_authenticated and request.user.is_staff else [],
        "room": "gallery",
    }
    return render(request, "studio/trends/trends.html", context)


@require_safe
def table(request: HttpRequest) -> HttpResponse:
    """The same as CSV: a line a cell that may be told."""
    asked, found = _asked(request)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    title = f"toile-trends-{asked['whose']}-{asked['what']}-{asked['by']}-{asked['period']}.csv"
    response.headers["Content-Disposition"] = content_disposition_header(True, title) or "attachment"
    response.headers["Cache-Control"] = NOBODY
    writer = csv.writer(response)
    writer.writerow([f"{found.period}_from", "what", found.by, "times", "people"])
    for row in found.rows:
        for start, cell in zip(found.starts, row.cells, strict=True):
            if cell is not None:
                writer.writerow([start.isoformat(), found.what, cell.value, cell.count, cell.people])
    return response


def _asked(request: HttpRequest) -> tuple[dict[str, str], Trend]:
    """What the address asks for, and the answer.  The whole site is nobody's page but staff's and designers'."""
    sees_all = services.sees_the_site(request.user)
    asked = {
        "what": _one_of(request, "what", tuple(WHAT)),
        "by": _one_of(request, "by", tuple(BY)),
        "period": _one_of(request, "period", tuple(reversed(Period.values))),
        "whose": _one_of(request, "whose", (SITE, MINE) if sees_all else (MINE, SITE)),
    }
    me = person(request)
    if asked["whose"] == SITE:
        if not sees_all:
            raise Http404
        return asked, services.trend(asked["what"], asked["by"], asked["period"], None)
    if me is None:
        return asked, Trend(asked["what"], asked["by"], asked["period"], (), ())
    return asked, services.trend(asked["what"], asked["by"], asked["period"], me)


def _one_of(request: HttpRequest, name: str, allowed: tuple[str, ...]) -> str:
    value: Any = request.GET.get(name, "")
    return value if value in allowed else allowed[0]


@require_POST
@staff_only
def designer(request: HttpRequest) -> HttpResponse:
    """Make the member ``name`` a designer; with ``off`` no longer."""
    name = request.POST.get("name", "").strip()
    member = User.objects.filter(username=name, is_guest=False).first()
    if member is None:
        messages.error(request, "There is no member of this name. Nothing was changed.")
    else:
        services.set_designer(member, "off" not in request.POST)
        what = "no longer sees" if "off" in request.POST else "sees"
        messages.success(request, f"{member.called} {what} the whole site’s trends.")
    return redirect("trends")
