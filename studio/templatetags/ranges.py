"""The ranges of requests, as the inputs of pages need them."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from ml_backend.requests import (
    LORA_STRENGTH,
    GenerateRequest,
    ImagineRequest,
    OverlayRequest,
    RestyleRequest,
    Rule,
    TextMaskRequest,
)

register = template.Library()

RULES: dict[str, dict[str, Rule]] = {
    "fabric": GenerateRequest.rules(),
    "fit": OverlayRequest.rules(),
    "region": TextMaskRequest.rules(),
    "restyle": RestyleRequest.rules(),
    "imagine": ImagineRequest.rules(),
    "lora": {"strength": LORA_STRENGTH},
}


@register.simple_tag
def range_of(request: str, name: str, **others: Any) -> SafeString:
    """``min="1" max="150" step="1"`` or ``maxlength="500"`` of a field; ``others`` are attributes that differ here."""
    return format_html_join("", ' {}="{}"', {**RULES[request][name].html(), **others}.items())
