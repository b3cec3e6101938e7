"""Printing a fabric: what will come out, asking for it, what was made; printers' profiles and proofs."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ml_backend.errors import BadInput
from ml_backend.printing.plan import SCALE, PrintRequest, can_press, detail, said
from ml_backend.requests import REPEATS
from ml_backend.serving import jobs
from patterns.files import NOBODY, guarded
from patterns.models import Pattern
from patterns.passport import passport

from .. import limits
from ..account.services import ensure_person
from ..answers import first_error, go_back, refusing, valid
from ..publishing import deleter, mine
from . import services
from .forms import FORMAT_WORDS, KIND_WORDS, PackForm, PrintForm, ProfileForm, first
from .models import PressProfile, Print
from .requests import PackRequest

A_PAGE = 40
PROOF_PX = 512


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The page of one fabric; POST asks for the file, or with ``plan`` only says what would come out."""
    pattern = _seen(request, pk)
    if request.method != "POST":
        return _page(request, pattern, first(request.user, _asked(request, pattern)))
    form = PrintForm(request.POST, person=request.user)
    if "plan" in request.POST or not form.is_valid():
        return _page(request, pattern, form, status=200 if form.is_valid() else 422)
    try:
        services.ask_print(ensure_person(request), pattern, form.cleaned_data["request"], form.profile_chosen)
    except (limits.TooFast, jobs.TooManyJobs) as error:
        return limits.answer(request, error)
    except BadInput as error:
        form.add_error(None, str(error))
        return _page(request, pattern, form, status=422)
    messages.success(request, "It is being made; it appears below when it is done.")
    return _after(pattern, form.cleaned_data["request"])


@require_safe
def plan(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """What would come out of the form as it stands: a fragment."""
    pattern = _seen(request, pk)
    form = PrintForm(request.GET, person=request.user)
    return render(request, "studio/printing/_plan.html", {"pattern": pattern, **_planned(pattern, form)})


@require_POST
@refusing
def pack(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask for a tech pack."""
    pattern = _seen(request, pk)
    asked = valid(PackForm(request.POST)).request()
    services.ask_pack(ensure_person(request), pattern, asked)
    messages.success(request, "The tech pack is being made; it appears below when it is done.")
    return _after(pattern, asked)


@require_safe
def status(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    row = mine(request, Print, pk)
    return render(request, "studio/printing/_print.html", {"print": row, "now": True})


@require_safe
def prints(request: HttpRequest) -> HttpResponse:
    """Everything that one has had printed."""
    rows = Print.objects.of(request.user).select_related("job", "pattern")
    shown = Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
    return render(request, "studio/printing/prints.html", {"page": shown, "room": "gallery"})


@require_POST
@refusing
def add_profile(request: HttpRequest) -> HttpResponse:
    """Take a printer's profile in."""
    form = valid(ProfileForm(request.POST, request.FILES))
    person = ensure_person(request)
    limits.new_upload(person)
    row = services.add_profile(person, form.cleaned_data["file"])
    messages.success(request, f"{row.name} is kept; nobody but you can use it.")
    return go_back(request)


@require_safe
def proof(request: HttpRequest, pk: uuid.UUID, profile: uuid.UUID, name: str) -> HttpResponse:
    """How the fabric looks in a printer's profile, as WebP; ``where`` paints over what is out of gamut."""
    pattern = _seen(request, pk)
    found = _proof(pattern, mine(request, PressProfile, profile))
    from PIL import Image

    from ml_backend.images import encoded

    picture = found.where if name == "where" else found.picture
    response = HttpResponse(encoded(Image.fromarray(picture), format="WEBP", quality=90), content_type="image/webp")
    response.headers["Cache-Control"] = NOBODY
    guarded(response)
    return response


def _proof(pattern: Pattern, profile: PressProfile) -> Any:
    from ml_backend.printing.painting import painted
    from ml_backend.printing.press import Press, proof_of

    from .designs import stored

    design = stored(pattern)
    with profile.file.open() as file:
        press = Press(file.read())
    return proof_of(press, painted(design, PROOF_PX), design.palette)


def _after(pattern: Pattern, asked: PrintRequest | PackRequest) -> HttpResponse:
    """To the page, where the cloth lies as it did."""
    lies = urlencode({"repeat": asked.repeat, "scale_cm": f"{asked.scale_cm:g}"})
    return redirect(f"{reverse('print', args=[pattern.pk])}?{lies}#made")


def _seen(request: HttpRequest, pk: uuid.UUID) -> Pattern:
    rows = Pattern.objects.visible_to(request.user).ready().select_related("job")
    found: Pattern = get_object_or_404(rows, pk=pk)
    return found


def _asked(request: HttpRequest, pattern: Pattern) -> dict[str, Any]:
    """What the address says of how the cloth lies, as the studio's own addresses do; else as it was made for."""
    values: dict[str, Any] = {"repeat": pattern.repeat}
    if request.GET.get("repeat") in REPEATS:
        values["repeat"] = request.GET["repeat"]
    with suppress(ValueError, BadInput):
        values["size"] = f"{SCALE.clean(float(request.GET.get('scale_cm', ''))):g}"
    return values


def _page(request: HttpRequest, pattern: Pattern, form: PrintForm, status: int = 200) -> HttpResponse:
    person = request.user
    context = {
        "pattern": pattern,
        "form": form,
        "pack": PackForm(initial={"garments": ["dress"], "repeat": form["repeat"].value(), "size": _cm(form)}),
        "kinds": KIND_WORDS,
        "formats": FORMAT_WORDS,
        "repeats": REPEATS,
        "made": Print.objects.of(person).filter(pattern=pattern).select_related("job")[:A_PAGE],
        "profiles": PressProfile.objects.of(person).ready(),
        "passport": passport([pattern]),
        "room": "gallery",
        **_planned(pattern, form),
    }
    return render(request, "studio/printing/print.html", context, status=status)


def _cm(form: PrintForm) -> float:
    request = form.cleaned_data.get("request") if hasattr(form, "cleaned_data") else None
    return round(request.scale_cm, 2) if request else 24.0


def _planned(pattern: Pattern, form: PrintForm) -> dict[str, Any]:
    """Words, warnings, and the proof where a profile is chosen; or why it cannot be made."""
    if not form.is_valid():
        return {"wrong": first_error(form)}
    request, profile = form.cleaned_data["request"], form.profile_chosen
    try:
        if profile is not None:
            can_press(request)
            gamut = _proof(pattern, profile)
        else:
            gamut = None
    except BadInput as error:
        return {"wrong": str(error)}
    return {
        "words": said(request, len(pattern.palette)),
        "warning": detail(request, services.held_by(pattern, request)).warning,
        "gamut": gamut,
        "profile": profile,
    }


def _words(row: Print) -> dict[str, Any]:
    back = reverse("print", args=[row.pattern_id]) if row.pattern_id else reverse("prints")
    return {
        "room": "gallery",
        "lede": f"{row.title}: {row.words}",
        "goes": "The file goes for good. The fabric is kept, and you can have it made again.",
        "keep": back,
    }


def _profile_words(row: PressProfile) -> dict[str, Any]:
    return {
        "room": "gallery",
        "lede": f"{row.name}.",
        "goes": "The profile goes for good. Files that were made in it are kept.",
        "keep": reverse("prints"),
    }


delete = deleter(
    Print,
    "print",
    _words,
    "The file is gone. The fabric is kept.",
    lambda row: reverse("print", args=[row.pattern_id]) if row.pattern_id else reverse("prints"),
)
delete_profile = deleter(
    PressProfile,
    "profile",
    _profile_words,
    "The profile is gone. Files that were made in it are kept.",
    lambda _: reverse("prints"),
)
