"""Swatches: endless fabric drawn by rule, one file per pattern type.

Every module of this folder is a pattern type: its name is the type's, ``TYPE`` its record
(:class:`.drawing.pattern_type.PatternType`).  Nothing else lists them, so a new file is a new type everywhere: on
pages, in words, captions and measures.  :func:`.drawing.tile.draw_inks` draws them.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules

from .drawing.pattern_type import PatternType, Subtype

MIN_INKS, MAX_INKS = 4, 6
MAX_SEED = 2**31 - 1
MAX_SIZE = 4096
"""Largest side, in pixels, of a tile."""


def in_order(found: Iterable[tuple[str, PatternType]]) -> dict[str, PatternType]:
    """Name -> record in the order of labels.  Raises ``ValueError`` unless the labels are 0, 1, 2 ... each once."""
    types = dict(sorted(found, key=lambda one: one[1].label))
    labels = {name: kind.label for name, kind in types.items()}
    if list(labels.values()) != list(range(len(types))):
        raise ValueError(f"Each pattern type has its own label, counted from 0 without a gap, not {labels}.")
    return types


def _found() -> Iterable[tuple[str, PatternType]]:
    for module in iter_modules(__path__):
        if not module.ispkg:
            yield module.name, import_module(f"{__name__}.{module.name}").TYPE


TYPES = in_order(_found())
"""Name -> record of each pattern type; its place is the class label of the conditional networks."""


def by_name(types: dict[str, PatternType]) -> dict[str, tuple[str, Subtype]]:
    """Subtype -> its pattern type and its record.  Raises ``ValueError`` where two have the same name."""
    found: dict[str, tuple[str, Subtype]] = {}
    for name, kind in types.items():
        for subtype in kind.subtypes:
            if subtype.name in found:
                raise ValueError(f"{subtype.name!r} names a subtype of {found[subtype.name][0]} and one of {name}.")
            found[subtype.name] = name, subtype
    return found


SUBTYPES = by_name(TYPES)
"""Every design that has a name, with the pattern type that it is one of."""
