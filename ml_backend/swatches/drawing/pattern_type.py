"""What a pattern type is: one record, in the one file that draws it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .cloth import Cloth
from .harmonies import Harmony, harmony


@dataclass(frozen=True, kw_only=True)
class Subtype:
    """One design of a pattern type that has a name of its own: a houndstooth, a toile.

    ``name`` is unique among all subtypes and at most 20 letters; pages show it with spaces for its hyphens.
    """

    name: str
    draw: Callable[[Cloth, np.random.Generator], None]
    words: tuple[str, ...]
    """What people call it, each a phrase that :mod:`ml_backend.words.lexicon` knows no other meaning of."""
    harmony: Harmony | None = None
    """How its colours are composed where the name says them (a zebra is black and white); None: as its type's are."""

    @property
    def title(self) -> str:
        return self.name.replace("-", " ")


@dataclass(frozen=True, kw_only=True)
class PatternType:
    """Everything that the house knows of one pattern type; its name is that of its file.

    ``label`` is the class that networks know it by and part of every seed: the next free number, never changed after.
    ``draw`` prints a design in roles (0 ground, 1 main, 2 second, 3 third, often the leaves, 4 accent, 5 extra).
    """

    label: int
    draw: Callable[[Cloth, np.random.Generator], None]

    side_cm: float
    """Side of a tile on the cloth, in centimetres."""
    turnable: bool
    """Whether it looks right on its side; flowers and botehs grow upwards, chevrons run across."""
    motifs: bool = False
    """Whether it is motifs on a ground, which a seam runs between: through one it would be seen, whatever it joins."""
    patches: bool = False
    """Whether it is patches of no certain shape: a seam through one spoils little."""
    coverage: tuple[float, ...]
    """Mean share of the cloth that each of five inks covers, ground first; measured over drawn and dreamed tiles."""
    sample_seed: int
    """The design that stands for it on pages."""

    words: tuple[str, ...]
    """What people call it, the commonest word first; see :mod:`ml_backend.words.lexicon`."""
    adjectives: tuple[str, ...]
    """What captions say before the garment."""
    nouns: tuple[str, ...]
    """What captions say after "with"."""
    subtypes: tuple[Subtype, ...] = ()
    """Its designs that have names, and can be asked for one by one."""
    near: tuple[str, ...] = ()
    """Those of its words that name something which it only comes near: drawn as the type, and said."""
    asked: str = ""
    """How people ask for it where its name is not what they say."""
    folders: tuple[str, ...] = ()
    """Other names of its folder in collections of cloth."""
    short: str = ""
    """The beginning of its name, where a button has no room for the whole."""

    usual: int = 0
    """Its place, from 1, among the patterns chosen where words leave it open, the first six with several colours;
    0: it is never chosen unasked."""
    palettes: tuple[str, ...] = ()
    """The curated palettes (:data:`ml_backend.inks.PALETTES`) that it mostly wears; none: all of them."""
    harmony: Harmony = harmony
    """How colours are composed for it."""
