"""Words for training runs."""

from __future__ import annotations

from django import template
from django.forms import BoundField
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ..workshop.presets import RULES

register = template.Library()


@register.filter
def spent(seconds: float) -> str:
    """``2 h 05 min``, ``3 min 20 s``, ``12 s``."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {left:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


@register.filter
def setting_name(name: str) -> str:
    """What a setting of a recipe is called."""
    said = RULES[name].what or name.replace("_", " ")
    return said[:1].upper() + said[1:]


@register.simple_tag
def setting_label(setting: BoundField) -> SafeString:
    """The label of a setting, with what it does."""
    says = RULES[setting.name].says
    help = format_html(' <span class="help">{}</span>', says) if says else ""
    return format_html('<label for="{}">{}{}</label>', setting.id_for_label, setting_name(setting.name), help)
