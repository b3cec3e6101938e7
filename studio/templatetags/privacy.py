"""What pages promise of people's photos."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from ml_backend.serving import registry

register = template.Library()


@register.simple_tag
def where_photos_go() -> str:
    """What becomes of a photo that is restyled: a model that is served elsewhere sees a part of it."""
    if registry.is_elsewhere("restyle"):
        return _("Your photo stays in this studio, but for the part around what you change: that is painted elsewhere.")
    return _("Your photo never leaves this studio.")
