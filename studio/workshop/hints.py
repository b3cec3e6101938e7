"""Words that captions are well made of, one press each."""

from __future__ import annotations

from ml_backend.colour import BASIC_COLOURS
from ml_backend.swatches import TYPES
from ml_backend.words.lexicon import MATERIALS

STYLES = ("watercolour", "hand-drawn", "block print", "embroidered", "vintage", "minimal", "close-up", "flat lay")

HINTS: dict[str, tuple[str, ...]] = {
    "Style": STYLES,
    "Pattern": (*(kind.adjectives[0] for kind in TYPES.values()), "plain"),
    "Colour": BASIC_COLOURS,
    "Fabric": tuple(MATERIALS),
}
"""What the words are about -> the words."""
