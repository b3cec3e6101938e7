"""Stored files, each given only to who may see its row; for anybody else, staff too, there is no such page.

On a local disk the file is the answer.  On S3 the answer is a short-lived signed address, except for the pictures that
the page reads back pixel by pixel, which must come from this very site.
"""

from __future__ import annotations

import mimetypes
import re
import uuid

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.crypto import salted_hmac
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from ml_backend.models import Job
from patterns.cutting import THUMB_SIDE
from patterns.models import Pattern
from patterns.services import LARGE_SIZE

from .batches import FromWords
from .caching import ASK_AGAIN, NOBODY, UNCHANGING
from .imagine.models import Imagining
from .looks.models import Look
from .photos.models import Garment, Mask, Photo
from .restyle.models import Restyle

COMPOSITED = frozenset(
    {"tile", "web", "inks", "image", "mask", "preview_photo", "preview_maps", "preview_mask", "thumb"}
)
"""Files that the browser draws into a canvas (a photo itself while its cloth is sought) or shows by the dozen."""

NAMED = 3
"""Fabrics of an outfit that the name of its file tells."""
SIZED = re.compile(r"-large-(\d+)[._]")
"""A print-size tile's key with its side in pixels."""

mimetypes.add_type("image/webp", ".webp")


@require_safe
def pattern_file(request: HttpRequest, pk: uuid.UUID, name: str) -> HttpResponseBase:
    pattern = get_object_or_404(Pattern.objects.visible_to(request.user), pk=pk)
    return _answer(request, pattern, name, _pattern_title(pattern, name), UNCHANGING)


def _pattern_title(pattern: Pattern, name: str) -> str:
    """Type, seed and size in pixels, so that tile and print size do not overwrite each other where they are saved."""
    sized = SIZED.search(str(pattern.large)) if name == "large" else None
    sides = {"large": int(sized[1]) if sized else LARGE_SIZE, "thumb": THUMB_SIDE}
    kind = "-inks" if name == "inks" else ""
    return f"toile-{pattern.pattern_type}-{pattern.seed}{kind}-{sides.get(name, pattern.size)}px"


@require_safe
def photo_file(request: HttpRequest, pk: uuid.UUID, name: str) -> HttpResponseBase:
    photo = get_object_or_404(Photo.objects.visible_to(request.user), pk=pk)
    return _answer(request, photo, name, "photo", ASK_AGAIN)


@require_safe
def look_file(request: HttpRequest, pk: uuid.UUID, name: str) -> HttpResponseBase:
    look = get_object_or_404(Look.objects.visible_to(request.user).with_parts(), pk=pk)
    fabrics = "".join(f"-{pattern.pattern_type}-{pattern.seed}" for pattern in look.patterns[:NAMED])
    return _answer(request, look, name, f"toile-look{fabrics}", ASK_AGAIN)


@require_safe
def mask_file(request: HttpRequest, pk: uuid.UUID, name: str) -> HttpResponseBase:
    """One's own only, always from this site: the brush reads it pixel by pixel."""
    mask = get_object_or_404(Mask.objects.visible_to(request.user), pk=pk)
    return _answer(request, mask, name, "mask", ASK_AGAIN, here=True)


def tapped_file(mask: Mask) -> HttpResponseBase:
    """What a tap adds or takes, for the page that tapped; who may ask is the view's to say."""
    response = _bytes(str(mask.file), "image/png")
    response.headers["Cache-Control"] = NOBODY
    return _guarded(response)


@require_safe
def restyle_file(request: HttpRequest, pk: uuid.UUID, name: str) -> HttpResponseBase:
    made = get_object_or_404(Restyle.objects.visible_to(request.user), pk=pk)
    return _answer(request, made, name, f"toile-restyle-{made.seed}", ASK_AGAIN)


@require_safe
def imagining_file(request: HttpRequest, pk: uuid.UUID, name: str) -> HttpResponseBase:
    made = get_object_or_404(Imagining.objects.visible_to(request.user), pk=pk)
    return _answer(request, made, name, f"toile-imagine-{made.seed}", ASK_AGAIN)


@require_safe
def job_preview(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    """What the picture in work looks like so far, for its owner; an empty answer before the first and after the end."""
    data = Job.objects.filter(pk=pk, owner_id=request.user.pk).values_list("preview", flat=True).first()
    if data is None:
        raise Http404
    if not data:
        return HttpResponse(status=204)  # the job may end between a page and its picture: no error
    content = bytes(data)
    response = HttpResponse(content, content_type="image/webp" if content[8:12] == b"WEBP" else "image/jpeg")
    response.headers["Cache-Control"] = NOBODY
    return _guarded(response)


@require_safe
def garment_file(request: HttpRequest, slug: str, name: str) -> HttpResponseBase:
    return _answer(request, get_object_or_404(Garment, slug=slug), name, f"toile-{slug}", UNCHANGING)


def _answer(
    request: HttpRequest,
    row: Pattern | Photo | Look | Garment | Mask | FromWords,
    name: str,
    title: str,
    caching: str,
    *,
    here: bool = False,
) -> HttpResponseBase:
    """The file in field ``name`` of ``row``; ``?download`` in the address saves it under ``title``.

    ``here`` sends it from this site even where files lie on S3.
    """
    key = str(getattr(row, name)) if name in row.file_fields else ""
    if not key:
        raise Http404
    suffix = "." + key.rpartition(".")[2]
    disposition = content_disposition_header("download" in request.GET, title + suffix) or "inline"
    content_type = mimetypes.types_map.get(suffix, "application/octet-stream")
    response = None
    if settings.S3_BUCKET and not here and name not in COMPOSITED:
        response = _signed(key, disposition, content_type)
    if response is None:
        etag = f'"{salted_hmac("toile.files", key).hexdigest()[:32]}"'
        response = get_conditional_response(request, etag=etag) or _bytes(key, content_type)
        response.headers["ETag"] = etag
    response.headers["Cache-Control"] = _kept(response, caching)
    response.headers["Content-Disposition"] = disposition
    return _guarded(response)


def _kept(response: HttpResponseBase, caching: str) -> str:
    """Who may keep the answer: of a file as ``caching`` says; a signed address is worth nothing a few minutes later."""
    return NOBODY if isinstance(response, HttpResponseRedirect) else caching


def _guarded(response: HttpResponseBase) -> HttpResponseBase:
    """Only a picture, only for this site's pages, only for this person."""
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    patch_vary_headers(response, ["Cookie"])
    return response


def _signed(key: str, disposition: str, content_type: str) -> HttpResponseBase:
    parameters = {"ResponseContentDisposition": disposition, "ResponseContentType": content_type}
    return HttpResponseRedirect(default_storage.url(key, parameters=parameters))  # type: ignore[call-arg]


def _bytes(key: str, content_type: str) -> HttpResponse:
    """Whole, not streamed: under ASGI Django would gather a synchronous stream in memory anyway."""
    try:
        with default_storage.open(key) as file:
            return HttpResponse(file.read(), content_type=content_type)
    except FileNotFoundError as error:
        raise Http404 from error
