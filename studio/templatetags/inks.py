"""What the ink table needs to know of eyes and of palette files."""

from __future__ import annotations

from django import template

from ml_backend.palettes.sight import SIGHTS

register = template.Library()

_FILES = {"ase": "Adobe Swatch Exchange", "gpl": "GIMP, Inkscape, Krita", "json": "with Lab, LCh and HLC codes"}


@register.simple_tag
def sights() -> dict[str, str]:
    """Sight -> the colours' rows of an SVG colour matrix: the library's own numbers, on linear light as well."""
    return {name: " ".join(" ".join(map(str, row)) + " 0 0" for row in rows) for name, rows in SIGHTS.items()}


@register.simple_tag
def palette_files() -> dict[str, str]:
    """Ending of a palette file -> what reads it."""
    return _FILES
