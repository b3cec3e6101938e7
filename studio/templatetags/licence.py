"""Which models a thing was made with, and what their licences say, for its page."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from patterns.models import Pattern
from patterns.passport import Passport, passport

register = template.Library()


@register.simple_tag
def passport_of(item: Any) -> Passport:
    """Of a fabric, a look or a picture from words."""
    if isinstance(item, Pattern):
        return passport([item])
    recipe = getattr(item, "recipe", None) or {}
    asked: dict[str, Any] = next(
        (recipe[name] for name in ("restyle", "imagine") if isinstance(recipe.get(name), dict)), {}
    )
    mask = recipe.get("mask") if isinstance(recipe.get("mask"), dict) else {}
    named = [item.job.version if item.job else "", asked.get("model") or "", (mask or {}).get("model") or ""]
    return passport(getattr(item, "patterns", []), named, [lora.partition(":")[0] for lora in asked.get("loras") or []])


@register.simple_tag(takes_context=True)
def licence_warning(context: Context, pattern: Pattern | None) -> str:
    """What to know before the fabric is downloaded; each model is looked up once for the whole page."""
    if not (pattern and pattern.model):
        return ""
    known: dict[str, str] = context.get("licences") or context.dicts[0].setdefault("licences", {})
    if pattern.model not in known:
        known[pattern.model] = " ".join(passport([], [pattern.model]).warnings)
    return known[pattern.model]
