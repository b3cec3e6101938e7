"""What a browser needs to install Toile and to say that the network is away, and the living style page.

The service worker keeps nothing of a person's: a page that says "offline", and the style sheets, scripts and drawings
that it is made of.  Every other answer comes from the network or not at all.
"""

from __future__ import annotations

import hashlib
import json

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language, gettext, override
from django.utils.translation import gettext_noop as _
from django.views.decorators.http import require_safe

from ml_backend.models import Job
from patterns.made import ASK_AGAIN

from .tokens import groups, icons

ASSETS = ("css/tokens.css", "css/base.css", "js/early.js", "img/icon.svg", "img/icons.svg")
"""What the page that says "offline" is made of."""
PAPER, CHARCOAL = "#faf8f4", "#171615"
"""The grounds of light and dark as ``tokens.css`` has them; a manifest cannot read a style sheet."""
SPECIMEN = ("#f5ece0", "#b8322e", "#dca690", "#66704f")
SHORTCUTS = (
    (_("Studio"), _("Design a fabric and see it worn"), "studio"),
    (_("Restyle"), _("Say what to change in a photo"), "restyle"),
    (_("Imagine"), _("A garment from words alone"), "imagine"),
    (_("Gallery"), _("What others made"), "gallery"),
)


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The Web App Manifest (W3C)."""
    icons = [
        {"src": static(f"img/icon-{side}.png"), "sizes": f"{side}x{side}", "type": "image/png", "purpose": purpose}
        for side in (192, 512)
        for purpose in ("any", "maskable")
    ]
    shortcuts = [
        {"name": gettext(name), "description": gettext(says), "url": reverse(room)} for name, says, room in SHORTCUTS
    ]
    return JsonResponse(
        {
            "name": "Toile",
            "short_name": "Toile",
            "description": gettext("Design a fabric, see it worn."),
            "lang": get_language(),
            "id": reverse("studio"),
            "start_url": reverse("studio"),
            "scope": reverse("studio"),
            "display": "standalone",
            "background_color": PAPER,
            "theme_color": PAPER,
            "categories": ["design", "fashion", "photo"],
            "icons": [*icons, {"src": static("img/icon.svg"), "sizes": "any", "type": "image/svg+xml"}],
            "shortcuts": shortcuts,
        },
        content_type="application/manifest+json",
        headers={"Cache-Control": ASK_AGAIN},
    )


@require_safe
def worker(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The service worker; another one whenever what it keeps is another."""
    page = reverse("offline")
    kept = [page, *(static(asset) for asset in ASSETS)]
    version = hashlib.sha256("\n".join([*kept, _offline_page()]).encode()).hexdigest()[:12]
    script = render_to_string(
        "studio/shell/worker.js", {"kept": json.dumps(kept), "page": json.dumps(page), "version": json.dumps(version)}
    )
    return HttpResponse(script, content_type="text/javascript", headers={"Cache-Control": ASK_AGAIN})


@require_safe
def offline(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Nobody's page: made without a person, for it is kept in the browser."""
    return HttpResponse(_offline_page(), headers={"Cache-Control": ASK_AGAIN})


def _offline_page() -> str:
    with override("en"):  # the same for everybody
        return render_to_string("studio/shell/offline.html")


@require_safe
def style(request: HttpRequest) -> HttpResponse:
    """The house's colours, type, spaces and pieces, as they are."""
    jobs = [
        Job(state=Job.State.RUNNING, stage="Drawing two of four", progress=0.4),
        Job(state=Job.State.FAILED, message="This picture is damaged. Nothing is lost; choose another and try again."),
        Job(state=Job.State.CANCELLED),
    ]
    shown = {"groups": groups(), "icons": icons(), "jobs": jobs, "palette": SPECIMEN}
    return render(request, "studio/shell/style.html", shown)
