"""What a tech pack is asked with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ml_backend.errors import BadInput
from ml_backend.printing.plan import SCALE
from ml_backend.requests import REPEATS, OneOf, Request, Rule, ruled

MOST_NOTES = 1200
"""Characters of the designer's notes: what fits on their page."""
MOST_GARMENTS = 3


class Notes(Rule):
    """Words of the designer's, in the letters that the pages have."""

    def clean(self, value: Any) -> Any:
        if not isinstance(value, str) or len(value) > MOST_NOTES:
            raise BadInput(f"The notes can be at most {MOST_NOTES} characters.")
        try:
            value.encode("cp1252")
        except UnicodeEncodeError as error:
            raise BadInput(
                f"The tech pack's type has Latin letters only and cannot print {value[error.start]!r}; "
                "please write the notes in those."
            ) from error
        return value.replace("\r\n", "\n").strip()


class Slugs(Rule):
    """Garments of the house."""

    def clean(self, value: Any) -> Any:
        names = tuple(dict.fromkeys(value))
        if not all(isinstance(name, str) for name in names) or not 1 <= len(names) <= MOST_GARMENTS:
            raise BadInput(f"A tech pack shows 1 to {MOST_GARMENTS} garments.")
        return names


@dataclass(frozen=True)
class PackRequest(Request):
    """A tech pack: how the fabric lies, the garments (slugs) that wear it, and what the designer says."""

    garments: tuple[str, ...] = ruled(Slugs("garments", "Slugs of /api/v1/garments."), ("dress",))
    repeat: str = ruled(OneOf("repeat", names=REPEATS), "basic")
    scale_cm: float = ruled(SCALE, 24.0)
    notes: str = ruled(Notes("notes", f"At most {MOST_NOTES} characters."), "")
