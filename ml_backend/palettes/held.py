"""A palette as people keep it: a name and 2 to 12 named colours."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from ..colour import rgb_of
from ..errors import BadInput, quoted
from ..inks import fit_palette

MIN_HELD, MAX_HELD = 2, 12
"""Colours of a palette that is held."""

MAX_NAME = 60
"""Characters of the name of a palette, and of one of its colours."""


@dataclass(frozen=True)
class Held:
    """``colours`` are ``#rrggbb`` in ink order, ``names`` what each is called, empty where it is called nothing.

    Raises :class:`BadInput` for other numbers of colours, and for what is no colour.
    """

    name: str
    colours: tuple[str, ...]
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", _plain(self.name) or "Palette")
        object.__setattr__(self, "colours", held_colours(self.colours))
        names = [_plain(name) for name in self.names[: len(self.colours)]]
        object.__setattr__(self, "names", (*names, *[""] * (len(self.colours) - len(names))))


def held_colours(value: str | Sequence[str]) -> tuple[str, ...]:
    """``'#7a1f2b,#F3E9DC'`` or a sequence of such -> lower-case colours, 2 to 12.  Raises :class:`BadInput`."""
    parts = value.split(",") if isinstance(value, str) else list(value)
    if not MIN_HELD <= len(parts) <= MAX_HELD:
        raise BadInput(f"A palette holds {MIN_HELD} to {MAX_HELD} colours, not {len(parts)}.")
    return tuple(hex_colour(str(part)) for part in parts)


def hex_colour(text: str) -> str:
    """``' #7A1F2B'`` or ``'7a1f2b'`` -> ``'#7a1f2b'``.  Raises :class:`BadInput`."""
    bare = text.strip().lower().removeprefix("#")
    if len(bare) != 6 or any(letter not in "0123456789abcdef" for letter in bare):
        raise BadInput(f"{quoted(text)} is not a colour; write it like #7a1f2b.")
    rgb_of(f"#{bare}")
    return f"#{bare}"


def worn_by(colours: Sequence[str], inks: int) -> tuple[str, ...]:
    """What a fabric of ``inks`` (4..6) inks wears of a palette: the first as many; too few are extended by tints."""
    return fit_palette(tuple(colours[:inks]), inks)


def _plain(text: str) -> str:
    """Without what cannot be seen, on one line, of a name's length."""
    seen = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in text)
    return " ".join(seen.split())[:MAX_NAME].strip()
