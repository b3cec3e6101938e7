"""What scripts say, as a script: Django's catalogue, and the names that the server tells scripts by codes."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext
from django.views.i18n import JavaScriptCatalog

from ml_backend.lattices import LATTICES
from ml_backend.requests import CLOTH_CLASSES, ENGINES, PHOTOGRAPHED
from ml_backend.swatches import TYPES

from ..outfits import ORDINALS, WORDS

CODES = (*TYPES, *LATTICES, *ENGINES, PHOTOGRAPHED, *CLOTH_CLASSES, *WORDS.values(), *ORDINALS)
KEPT = "public, max-age=31536000, immutable"
"""Its address changes with what it says."""


class Catalogue(JavaScriptCatalog):
    """``/words/fr-0123456789ab.js``; the language stands in the address, so that nothing but that decides."""

    packages = ["studio"]

    def get(self, request: HttpRequest, *args: Any, language: str, **kwargs: Any) -> HttpResponse:
        if language not in dict(settings.LANGUAGES):
            raise Http404
        with translation.override(language):
            response: HttpResponse = super().get(request, *args, **kwargs)
        response.headers["Cache-Control"] = KEPT if kwargs.get("version") == version(language) else "no-cache"
        return response

    def get_catalog(self) -> dict[str, Any]:
        return {**super().get_catalog(), **names()}


def names() -> dict[str, str]:
    """Code or name -> what it is called in the active language."""
    return {name: gettext(name) for name in CODES}


@lru_cache(maxsize=64)
def version(language: str) -> str:
    """Another one whenever the catalogue says something else."""
    with translation.override(language):
        said = translation.trans_real.catalog()._catalog  # type: ignore[attr-defined]
        scripts = translation.trans_real.DjangoTranslation(language, domain="djangojs")._catalog  # type: ignore[attr-defined]
        told = repr([(key, said.get(key)) for key in CODES]) + repr(sorted(map(str, scripts.items())))
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def address(language: str) -> str:
    """Where the catalogue of ``language`` is; empty for English, which scripts speak by themselves."""
    return "" if language.startswith("en") else reverse("words", args=[language, version(language)])
