"""The ink table: the colours of a fabric one by one, and in what others it could be dyed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.http import HttpRequest, QueryDict

from ml_backend.errors import BadInput
from ml_backend.inks import own_palette
from ml_backend.palettes import harmony
from ml_backend.palettes.extraction import Extracted, arranged
from ml_backend.palettes.facts import Facts, facts
from ml_backend.palettes.held import hex_colour, worn_by
from ml_backend.palettes.sight import Clash, clashes, ratio
from patterns.models import Pattern
from patterns.phrasebook import listed

from .models import SavedPalette

SHOWN = 12
"""Saved palettes that are offered, the newest."""

EYES = {
    "protan": "eyes without red cones",
    "deutan": "eyes without green cones",
    "tritan": "eyes without blue cones",
}

ROLES = ("ground", "main", "second", "third", "accent", "extra")


@dataclass(frozen=True)
class Ink:
    """One row of the table; ``place`` counts from 0, ``share`` is how much of the cloth it covers."""

    place: int
    role: str
    facts: Facts
    share: float
    ratio: float
    locked: bool

    @property
    def nearest(self) -> str:
        """``H030_L035_C055, ΔE 1.5``."""
        found = self.facts.nearest[0]
        return f"{found.code}, ΔE {found.away:.1f}"

    @property
    def also(self) -> str:
        """The next ones."""
        return listed([f"{found.code}, ΔE {found.away:.1f}" for found in self.facts.nearest[1:]])


@dataclass(frozen=True)
class Way:
    """A palette that the fabric could wear; ``told`` says where it comes from."""

    name: str
    told: str
    colours: tuple[str, ...]

    @property
    def value(self) -> str:
        return ",".join(self.colours)


@dataclass(frozen=True)
class Table:
    fabric: Pattern
    inks: list[Ink]
    ways: list[Way]
    warnings: list[str]
    saved: list[SavedPalette] = field(default_factory=list)
    said: str = ""
    """What became of a palette that was laid into the table."""

    @property
    def colours(self) -> list[str]:
        return [ink.facts.colour for ink in self.inks]


def table(request: HttpRequest, fabric: Pattern, data: QueryDict, mood: Extracted | None = None) -> Table:
    """The table that ``data`` tells of: colours ``ink``, places ``locked``, and one thing to do with them.

    ``move`` is ``3-up`` or ``3-down``, ``use`` the id of a saved palette, ``back`` lays the fabric's own colours again.
    What is malformed counts for nothing: the table of the fabric itself is always there to fall back to.
    """
    own = tuple(fabric.palette)
    colours, locked = _told(data, own), _locked(data, len(own))
    said = ""
    saved = list(SavedPalette.objects.of(request.user)[:SHOWN])
    if "back" in data:
        colours, locked = own, frozenset()
    elif "move" in data:
        colours, locked = _moved(str(data["move"]), colours, locked)
    elif chosen := next((one for one in saved if str(one.pk) == data.get("use")), None):
        colours, said = _kept(chosen.colours, colours, locked), _worn_of(chosen, len(own))
    ways = [*_of_mood(mood, colours, locked), *_of_rules(colours, locked), *_of_saved(saved, colours, locked)]
    own_colours = own_palette(fabric.request, len(own))
    if own_colours not in (colours, own):
        ways.append(Way("the seed's own", "its first colours", own_colours))
    return Table(fabric, _rows(fabric, colours, locked), _apart(ways, colours), _warnings(colours), saved, said)


def _told(data: QueryDict, own: tuple[str, ...]) -> tuple[str, ...]:
    try:
        told = tuple(hex_colour(text) for text in data.getlist("ink"))
    except BadInput:
        return own
    return told if len(told) == len(own) else own


def _locked(data: QueryDict, count: int) -> frozenset[int]:
    return frozenset(place for place in range(count) if str(place) in data.getlist("locked"))


def _moved(move: str, colours: tuple[str, ...], locked: frozenset[int]) -> tuple[tuple[str, ...], frozenset[int]]:
    """Two inks that change places take their locks along."""
    text, _, way = move.partition("-")
    place = int(text) if text in map(str, range(len(colours))) else -1
    other = place + {"up": -1, "down": 1}.get(way, 0)
    if place < 0 or other == place or not 0 <= other < len(colours):
        return colours, locked
    turned = {place: other, other: place}
    moved = [colours[turned.get(at, at)] for at in range(len(colours))]
    return tuple(moved), frozenset(turned.get(at, at) for at in locked)


def _kept(new: Sequence[str], colours: tuple[str, ...], locked: Iterable[int]) -> tuple[str, ...]:
    """``new`` on the inks, what is locked staying; a colour that is locked already is not worn twice."""
    keep = set(locked)
    there = {colours[place] for place in keep}
    free = iter(worn_by([one for one in new if one not in there] or list(new), max(4, len(colours))))
    return tuple(colours[place] if place in keep else next(free, colours[place]) for place in range(len(colours)))


def _worn_of(palette: SavedPalette, inks: int) -> str:
    held = len(palette.colours)
    if held <= inks:
        return ""
    return f"{palette.name} holds {held} colours; this fabric has {inks} inks and wears the first {inks}."


def _of_rules(colours: tuple[str, ...], locked: frozenset[int]) -> list[Way]:
    return [Way(rule, "by rule", made) for rule, made in harmony.colourways(colours, locked).items()]


def _of_mood(mood: Extracted | None, colours: tuple[str, ...], locked: frozenset[int]) -> list[Way]:
    """The picture's colours three times: its largest field as the ground, its lightest, its darkest."""
    if mood is None:
        return []
    found = arranged(mood)
    light = sorted(found, key=lambda colour: facts(colour).lab[0])
    grounds = {"largest": found[0], "lightest": light[-1], "darkest": light[0]}
    ways = []
    for name, ground in grounds.items():
        ordered = [ground, *(colour for colour in found if colour != ground)]
        worn = _kept(ordered if len(ordered) > 1 else [*ordered, *colours], colours, locked)
        ways.append(Way(f"{name} as ground", "your picture", worn))
    return ways


def _of_saved(saved: Sequence[SavedPalette], colours: tuple[str, ...], locked: frozenset[int]) -> list[Way]:
    return [Way(one.name, "your palette", _kept(one.colours, colours, locked)) for one in saved]


def _apart(ways: Iterable[Way], colours: tuple[str, ...]) -> list[Way]:
    """Each palette once, and not the one on the table."""
    found: dict[tuple[str, ...], Way] = {}
    for way in ways:
        if way.colours != colours:
            found.setdefault(way.colours, way)
    return list(found.values())


def _rows(fabric: Pattern, colours: tuple[str, ...], locked: frozenset[int]) -> list[Ink]:
    covered = [*fabric.coverage, *[0.0] * len(colours)]
    return [
        Ink(place, ROLES[place], facts(colour), covered[place], ratio(colour, colours[0]), place in locked)
        for place, colour in enumerate(colours)
    ]


def _warnings(colours: Sequence[str]) -> list[str]:
    """What runs into what, one sentence a pair."""
    told: dict[tuple[int, int], list[Clash]] = {}
    for clash in clashes(colours):
        told.setdefault((clash.first, clash.second), []).append(clash)
    return [_warning(pair, found) for pair, found in told.items()]


def _warning(pair: tuple[int, int], found: Sequence[Clash]) -> str:
    first, second = (place + 1 for place in pair)
    if not found[0].sight:
        return f"Inks {first} and {second} can hardly be told apart."
    eyes = " and to ".join(EYES[one.sight] for one in found)
    return f"Inks {first} and {second} look alike to {eyes}."
