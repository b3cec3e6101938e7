"""The site's own check of finished pictures, where one is set up.

``settings.SAFETY_CHECKER`` is the dotted path of a callable ``(PIL image, prompt) -> str`` that answers "" or the
sentence why the picture must not be shown.  It is loaded in the worker, and no picture from words is stored without its
answer: one that breaks lets nothing through.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.module_loading import import_string

from ..errors import BadPackage

if TYPE_CHECKING:
    from PIL.Image import Image

log = logging.getLogger(__name__)

UNCHECKED = (
    "Pictures cannot be checked just now, so none is shown. Nothing of yours is lost; please try again later. "
    "Whoever runs this site finds the reason in its log."
)


def checks() -> bool:
    """Whether this site checks pictures."""
    return bool(settings.SAFETY_CHECKER)


def refusal(image: Image, prompt: str) -> str:
    """ "" or why the picture must not be shown.  Raises :class:`BadPackage` when the checker cannot tell."""
    if not settings.SAFETY_CHECKER:
        return ""
    try:
        answer = _load(settings.SAFETY_CHECKER)(image, prompt)
    except Exception as error:  # whatever it raises, the picture is unchecked
        log.exception("The safety checker %s broke.", settings.SAFETY_CHECKER)
        raise BadPackage(UNCHECKED) from error
    if not isinstance(answer, str):
        log.error("The safety checker %s answered %r, not a sentence.", settings.SAFETY_CHECKER, type(answer))
        raise BadPackage(UNCHECKED)
    return answer


@lru_cache(maxsize=2)
def _load(path: str) -> Any:
    return import_string(path)
