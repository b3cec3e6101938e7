"""What a prompt asks of a fabric: colours, pattern, garments, materials, and what of it no fabric can do.

``read`` goes through the prompt phrase by phrase (see :mod:`.vocabulary`).  The first colour is the dominant one; in
"white dots on a blue ground" that is the blue.  What stands after "not", "no", "without" is meant not to be there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..colour import BASIC_COLOURS, lab_of, name_of, rgb_of
from .lexicon import GENTLE, MADE_OF, MATERIALS
from .tints import apart, kept, leaned, modified
from .vocabulary import Item, items, vocabulary

_ONE_COLOUR = 60.0
"""Distance in CIELAB up to which a shade before a basic name ("coral pink") is a kind of it, not a second colour."""


@dataclass(frozen=True)
class NamedColour:
    """``colour`` as ``#rrggbb`` and the ``words`` it came from ("light blue")."""

    colour: str
    words: str

    @property
    def name(self) -> str:
        """The basic colour name."""
        return name_of(rgb_of(self.colour))


@dataclass(frozen=True)
class Reading:
    """A prompt understood.

    ``colours`` in order, the dominant one first; ``colour_sets`` (keys of ``SET_PALETTES``) and ``moods`` (keys of
    ``MOODS``) count where nothing more exact is said.  ``pattern`` is a pattern type, "plain", or None where none is
    named; ``subtype`` is the design of it that was named, a key of ``SUBTYPES``, or "", and ``near`` are words for one
    that is not drawn as such.  ``size`` ("small", "large", "") and ``direction`` ("vertical", ..., "") are the
    pattern's.  ``garments`` are garment classes, ``garment_words`` the table's words for them, ``materials`` keys of
    ``MATERIALS``.
    ``not_colours`` are basic names, ``not_patterns`` pattern types that must not be there.  ``unknown`` are words that
    were not understood, ``not_honoured`` words that were, and that a fabric cannot follow, ``corrected`` (typed, read)
    where a slip was mended.
    """

    prompt: str
    colours: tuple[NamedColour, ...] = ()
    colour_sets: tuple[str, ...] = ()
    pattern: str | None = None
    pattern_words: str = ""
    subtype: str = ""
    near: tuple[str, ...] = ()
    size: str = ""
    direction: str = ""
    garments: tuple[str, ...] = ()
    garment_words: tuple[str, ...] = ()
    materials: tuple[str, ...] = ()
    moods: tuple[str, ...] = ()
    not_colours: tuple[str, ...] = ()
    not_patterns: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    not_honoured: tuple[str, ...] = ()
    corrected: tuple[tuple[str, str], ...] = ()


def read(prompt: str) -> Reading:
    """The prompt as a :class:`Reading`; any text can be read, the empty one to a reading of nothing."""
    reader = _Reader(prompt, items(prompt))
    return reader.read()


@dataclass
class _Reader:
    """Walks over the phrases once; ``at`` is the phrase being read."""

    prompt: str
    items: list[Item]
    at: int = 0
    colours: list[NamedColour] = field(default_factory=list)
    found: dict[str, list[str]] = field(default_factory=dict)
    corrected: list[tuple[str, str]] = field(default_factory=list)
    pattern: tuple[str, str] | None = None
    negated: str = ""
    """While words are negated, the kind of the last of them ("any" before the first); else empty."""
    pending: list[str] = field(default_factory=list)
    """Modifiers (and leanings, as hex) read that wait for their colour, and the words they came from."""
    pending_words: list[str] = field(default_factory=list)
    ground_at: int | None = None

    def read(self) -> Reading:
        while self.at < len(self.items):
            self._phrase(self.items[self.at])
            self.at += 1
        return Reading(
            prompt=self.prompt,
            colours=self._ordered(),
            pattern=self.pattern[0] if self.pattern else None,
            pattern_words=self.pattern[1] if self.pattern else "",
            subtype=self._first("subtype"),
            size=self._first("size"),
            direction=self._first("direction"),
            corrected=tuple(dict.fromkeys(self.corrected)),
            **{
                kind: tuple(dict.fromkeys(self.found.get(kind, ())))
                for kind in (
                    *("colour_sets", "garments", "garment_words", "materials", "moods", "not_colours", "not_patterns"),
                    *("unknown", "not_honoured", "near"),
                )
            },
        )

    def _phrase(self, item: Item) -> None:
        if item.slip:
            self.corrected.append((item.said, item.read))
        if "not" in item:
            self._begin_negation()
        elif "break" in item or "join" in item:
            self._break(item)
        elif self.negated:
            self._negate(item)
        else:
            self._take(item)

    # --- what is asked for ---

    def _take(self, item: Item) -> None:
        if item.said == "on":
            self._ground()
        elif "modifier" in item and self._colour_follows():
            self._modifier(item)
        elif "lean" in item and self._colour_follows():
            self.pending.append(item["lean"])
            self.pending_words.append(item.said)
        elif ("colour" in item or "lean" in item) and self._part_follows():
            self._coloured_part(item)
        elif "colour" in item or "lean" in item:
            self._colour(item)
        elif "size" in item and self._pattern_follows():
            self._add("size", item["size"])
        elif "pattern" in item:
            self._pattern(item)
        else:
            self._take_rest(item)

    def _take_rest(self, item: Item) -> None:
        if "set" in item:
            self._add("colour_sets", item["set"])
        elif "direction" in item:
            self._add("direction", item["direction"])
        elif "material" in item:
            self._add("materials", item["material"])
            if MATERIALS[item["material"]].missing:
                self._add("not_honoured", item.said)
        elif "garment" in item:
            self._garment(item)
        elif "mood" in item:
            self._add("moods", item["mood"])
        elif "cut" in item or "other" in item:
            self._add("not_honoured", item.said)
        elif "modifier" in item or (not item.meanings and not item.said.isdigit()):
            self._add("unknown", item.said)

    def _garment(self, item: Item) -> None:
        """A "denim jacket" and jeans are of denim where no other material is named."""
        self._add("garments", item["garment"])
        self._add("garment_words", item.read)
        made_of = MADE_OF.get(item.read) or vocabulary().get(item.read.split()[0], {}).get("material")
        if made_of and "materials" not in self.found:
            self._add("materials", made_of)

    def _modifier(self, item: Item) -> None:
        """Kept for its colour; in "light and dark blue" the first one makes a colour of its own."""
        self.pending.append(item["modifier"])
        self.pending_words.append(item.said)
        joined, after = self._next(self.at), self._next(self.at + 1)
        if joined is not None and "join" in joined and after is not None and "modifier" in after:
            self._colour(next(later for later in self.items[self.at :] if "colour" in later or "lean" in later))

    def _colour(self, item: Item) -> None:
        after = self._next(self.at)
        if item is self.items[self.at] and after is not None and _is_compound(item, after):
            self.at += 1
            item = Item(f"{item.said} {after.said}", {"colour": kept(after["colour"], lab_of(item["colour"]))})
        colour = item["colour"] if "colour" in item else item["lean"]
        for change in [*reversed(self.pending), *([item["made"]] if "made" in item else [])]:
            colour = leaned(colour, change) if change.startswith("#") else modified(colour, change)
        words = " ".join([*self.pending_words, item.said])
        self.pending, self.pending_words = [], []
        if colour not in [known.colour for known in self.colours]:
            self.colours.append(NamedColour(colour, words))

    def _coloured_part(self, item: Item) -> None:
        """ "Copper buttons", "a white collar": their colour is not the cloth's."""
        self.at += 1
        self._add("not_honoured", " ".join([*self.pending_words, item.said, self.items[self.at].said]))
        self.pending, self.pending_words = [], []

    def _pattern(self, item: Item) -> None:
        for kind in ("direction", "size"):
            if kind in item:
                self._add(kind, item[kind])
        if item.read.startswith("pinstripe"):
            self._add("size", "small")
        if self.pattern is None or self.pattern[0] == item["pattern"]:
            self.pattern = (item["pattern"], self.pattern[1] if self.pattern else item.said)
            self._design(item)
        else:
            self._add("not_honoured", item.said)

    def _design(self, item: Item) -> None:
        """A cloth is of one design: a second one that is named cannot be followed too."""
        if "near" in item:
            self._add("near", item.said)
        elif "subtype" in item and self._first("subtype") in ("", item["subtype"]):
            self._add("subtype", item["subtype"])
        elif "subtype" in item:
            self._add("not_honoured", item.said)

    def _ground(self) -> None:
        """ "... on ...": colours named from here on are the ground, if a pattern was named before."""
        if self.pattern is not None and self.colours and self.ground_at is None:
            self.ground_at = len(self.colours)

    def _ordered(self) -> tuple[NamedColour, ...]:
        split = self.ground_at or 0
        return (*self.colours[split:], *self.colours[:split])

    # --- what is not ---

    def _begin_negation(self) -> None:
        after = self._next(self.at)
        if after is not None and after.said in GENTLE:
            self._skip_gentle()
        else:
            self.negated = "any"

    def _skip_gentle(self) -> None:
        """ "not too bright": leave out the intensifier and the one word that it belongs to."""
        self.at += 1
        while (after := self._next(self.at)) is not None and ("stop" in after or after.said in GENTLE):
            self.at += 1
        if after is not None and "colour" not in after and "pattern" not in after:
            self.at += 1

    def _negate(self, item: Item) -> None:
        kind = _kind(item)
        if kind in ("", "garment"):
            self.negated = "" if kind == "garment" and self.negated != "any" else self.negated
            return
        if self.negated not in ("any", kind, "modifier") and not (self.negated == "colour" and kind == "pattern"):
            self.negated = ""
            self._take(item)
            return
        self.negated = kind
        if kind == "colour":
            colour = item["colour"] if "colour" in item else item["lean"]
            self._add("not_colours", name_of(rgb_of(colour)))
        elif kind == "pattern":
            self._add("not_patterns", item["pattern"])
            if not self._joined():
                self.negated = ""
        elif kind == "cut":
            self._add("not_honoured", f"not {item.said}")

    def _break(self, item: Item) -> None:
        """A comma, a "but", an "and": negation goes on only in a list of the same kind."""
        if not self.negated or self.negated == "any":
            self.negated = "" if item.said in ("but", "with") else self.negated
            return
        after = self._next(self.at)
        same = after is not None and _kind(after) == self.negated
        listed = "join" in item or any("join" in later and later.said != "and" for later in self.items[self.at :][:4])
        if not (same and listed) or item.said in ("but", "with"):
            self.negated = ""

    # --- looking ahead ---

    def _next(self, at: int) -> Item | None:
        return self.items[at + 1] if at + 1 < len(self.items) else None

    def _joined(self) -> bool:
        after = self._next(self.at)
        return after is not None and ("join" in after or after.said == ",")

    def _colour_follows(self) -> bool:
        """Whether a colour comes next, over further modifiers; "light and dark blue" both look to the blue."""
        for later in self.items[self.at + 1 : self.at + 5]:
            if "colour" in later or ("lean" in later and "modifier" not in later):
                return True
            if not ("modifier" in later or "join" in later or later.said in GENTLE):
                return False
        return False

    def _part_follows(self) -> bool:
        after = self._next(self.at)
        return after is not None and "part" in after

    def _pattern_follows(self) -> bool:
        """Whether the pattern's own word comes next, over sizes, directions and colours."""
        for later in self.items[self.at + 1 : self.at + 5]:
            if "pattern" in later or "print" in later:
                return True
            if not {"size", "direction", "colour", "modifier", "join", "lean"} & later.meanings.keys():
                return False
        return False

    def _add(self, kind: str, value: str) -> None:
        self.found.setdefault(kind, []).append(value)

    def _first(self, kind: str) -> str:
        return next(iter(self.found.get(kind, ())), "")


def _is_compound(shade: Item, basic: Item) -> bool:
    """Whether two colour words make one colour: "charcoal grey", "coral pink", "olive green"."""
    if not ("colour" in shade and basic.said in BASIC_COLOURS) or shade.said in BASIC_COLOURS:
        return False
    return basic.said not in ("black", "white") and apart(shade["colour"], basic["colour"]) < _ONE_COLOUR


def _kind(item: Item) -> str:
    """What a phrase is in a negation; empty for what carries nothing."""
    for kind in ("colour", "pattern", "modifier", "garment", "material", "mood", "set"):
        if kind in item:
            return kind
    if "lean" in item:
        return "colour"
    return "cut" if "cut" in item or "other" in item else ""
