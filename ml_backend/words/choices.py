"""What the words leave open and the seed decides, and the sentences that tell the person about it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..swatches import SUBTYPES, TYPES
from .lexicon import MATERIALS, MOODS, PLAIN
from .reading import Reading

USUAL = tuple(sorted((name for name, kind in TYPES.items() if kind.usual), key=lambda name: TYPES[name].usual))
"""Patterns that may be chosen where several colours, or nothing at all, are asked for."""


def choose_pattern(reading: Reading, seed: int) -> str:
    """The pattern type asked for, or "plain", or where none is named what material, mood or colours suggest.

    One colour alone means plain cloth of it, whatever the mood; several need a pattern to appear together.
    """
    if reading.pattern is not None:
        return reading.pattern
    rng = np.random.default_rng((seed, 1))
    allowed = [pattern for pattern in _suggested(reading) if pattern not in reading.not_patterns]
    if not allowed:
        allowed = [pattern for pattern in (PLAIN, *USUAL) if pattern not in reading.not_patterns] or [PLAIN]
        return allowed[0]
    return allowed[int(rng.integers(len(allowed)))]


def _suggested(reading: Reading) -> Sequence[str]:
    if len(reading.colours) > 1:
        return USUAL[:6]
    if reading.colours:
        return (PLAIN,)
    if reading.moods:
        patterns = dict.fromkeys(pattern for mood in reading.moods for pattern in MOODS[mood].patterns)
        lively = bool(reading.colour_sets) and len(patterns) > 1
        return [pattern for pattern in patterns if not (lively and pattern == PLAIN)]
    if reading.materials or reading.not_patterns:
        return (PLAIN,)
    return USUAL


def cloth_of(reading: Reading, pattern: str) -> str:
    """What was drawn, in words: "a houndstooth cloth", "plain cloth"."""
    if pattern == PLAIN:
        return "plain cloth"
    named = SUBTYPES[reading.subtype][1].title if reading.subtype and pattern == reading.pattern else pattern
    return f"{'an' if named[0] in 'aeiou' else 'a'} {named} cloth"


def notes_of(reading: Reading, pattern: str, *, sewn: bool = False) -> tuple[str, ...]:
    """Sentences on what was not understood, what a fabric cannot do, and what was chosen where nothing was said.

    ``sewn``: the garment is one of ours, not one in a photo.
    """
    notes = []
    cut = _of_cut(reading)
    if cut and sewn:
        notes.append(f"Our garments keep the cut that they have: {_listed(cut)} could not be followed.")
    elif cut:
        notes.append(f"The fabric engine changes cloth, not cut: {_listed(cut)} {_is(cut)} left as {_they(cut)}.")
    for name in reading.materials:
        missing = MATERIALS[name].missing
        if missing:
            notes.append(f"The fabric engine weaves plain cloth: the {missing} of “{name}” cannot be shown.")
    if reading.unknown:
        notes.append(f"Toile does not know {_listed(reading.unknown)}; it drew {cloth_of(reading, pattern)}.")
    notes += _nearly(reading, pattern)
    notes += [f"“{said}” was read as “{known}”." for said, known in reading.corrected]
    notes += _chosen(reading, pattern)
    return tuple(notes)


def sketch_notes(reading: Reading, seed: int) -> tuple[str, ...]:
    """The same where a fabric was only drawn for a model to begin from, which may still follow the other words."""
    notes = []
    if cut := _of_cut(reading):
        notes.append(f"The drawn fabric keeps the cut; {_listed(cut)} {_was(cut)} left to the model.")
    for name in reading.materials:
        if missing := MATERIALS[name].missing:
            notes.append(f"The drawn fabric is plain cloth; the {missing} of “{name}” was left to the model.")
    if reading.unknown:
        notes.append(f"Not drawn, but left to the model: {_listed(reading.unknown)}.")
    notes += _nearly(reading, choose_pattern(reading, seed))
    notes += [f"“{said}” was drawn as “{known}”." for said, known in reading.corrected]
    return (*notes, *_chosen(reading, choose_pattern(reading, seed)))


def _nearly(reading: Reading, pattern: str) -> list[str]:
    """Designs that have a name which only their type answers to."""
    if not reading.near or reading.subtype:
        return []
    return [f"Toile has no {_listed(reading.near)} of its own; it drew {cloth_of(reading, pattern)}."]


def _of_cut(reading: Reading) -> list[str]:
    """What was understood, and is no matter of cloth."""
    materials = {word for name in reading.materials for word in MATERIALS[name].words}
    return [word for word in reading.not_honoured if word not in materials]


def _chosen(reading: Reading, pattern: str) -> list[str]:
    why = f" to suit {_listed(reading.moods)}" if reading.moods else ""
    notes = []
    if not reading.colours and not reading.colour_sets:
        by_material = [name for name in reading.materials if MATERIALS[name].colour]
        notes.append(
            f"No colour was named; the usual one of {by_material[0]} was taken."
            if by_material
            else f"No colour was named; the colours were chosen{why or ' by the seed'}."
        )
    if reading.pattern is None and (pattern != PLAIN or reading.moods):
        cloth = "plain cloth" if pattern == PLAIN else f"{pattern} cloth"
        notes.append(f"No pattern was named; {cloth} was chosen{why}.")
    return notes


def _listed(words: Sequence[str]) -> str:
    quoted = [f"“{word}”" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _is(words: Sequence[str]) -> str:
    return "is" if len(words) == 1 else "are"


def _was(words: Sequence[str]) -> str:
    return "was" if len(words) == 1 else "were"


def _they(words: Sequence[str]) -> str:
    return "it is" if len(words) == 1 else "they are"
