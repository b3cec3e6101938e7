"""Plaids: tartan, gingham, buffalo, windowpane, tattersall, madras and houndstooth, woven of warp and weft."""

from __future__ import annotations

from functools import partial

import numpy as np

from .drawing.cloth import Bands, Cloth, Floats, Labels
from .drawing.harmonies import on_white, steady
from .drawing.pattern_type import PatternType, Subtype

_TWILL = Bands.of((1.0, 0), (1.0, 1))


def draw(cloth: Cloth, rng: np.random.Generator) -> None:
    families = (_tartan, _tartan, _gingham, _buffalo, _windowpane, _tattersall, _madras, _houndstooth, _argyle)
    families[rng.integers(len(families))](cloth, rng)


def _weave(
    cloth: Cloth, warp: Bands, weft: Bands, repeats: int, threads: int, bias: bool = False, twill: bool = True
) -> None:
    """Warp stripes across, weft stripes down, and where they cross a 2/2 twill shows each by half.

    ``threads`` a tile; too fine to see on a small tile, where it filters to an even mix.
    """
    for patch in cloth.strips():
        x, y = (patch.x + patch.y, patch.x - patch.y) if bias else (patch.x, patch.y)
        slope = repeats * (2**0.5 if bias else 1.0)
        if twill:
            over = _TWILL.shares((patch.x + patch.y) * (threads / 4), threads / 4 * 2**0.5 * cloth.px)[1]
        else:
            over = np.full((1, 1), 0.5, np.float32)
        patch.bands(weft, y * repeats, slope)
        patch.bands(warp, x * repeats, slope, over)


def _threads(rng: np.random.Generator) -> int:
    return int(rng.choice([128, 160, 192, 256]))


def _tartan(cloth: Cloth, rng: np.random.Generator, straight: bool = False) -> None:
    """A sett: wide grounds, a guard pair and an overcheck line, mirrored about its pivots."""
    parts = [(rng.uniform(2.0, 5.0), 0), (rng.uniform(0.3, 0.6), 2), (rng.uniform(0.4, 1.2), 0)]
    parts += [(rng.uniform(2.0, 4.0), 1)]
    if rng.random() < 0.6:
        parts += [(rng.uniform(0.2, 0.5), 3), (rng.uniform(0.6, 1.6), 1)]
    if rng.random() < 0.6:
        parts += [(rng.uniform(1.0, 2.5), 3), (rng.uniform(0.3, 0.6), 0)]
    parts += [(rng.uniform(0.25, 0.6), 4)]
    sett = Bands.of(*parts).mirrored()
    weft = sett if rng.random() < 0.8 else Bands(sett.widths, tuple({1: 3, 3: 1}.get(r, r) for r in sett.roles))
    bias = bool(rng.random() < 0.15) and not straight
    weft = sett if straight else weft
    _weave(cloth, sett, weft, 1 if bias else int(rng.choice([1, 1, 2, 2, 3])), _threads(rng), bias)


def _gingham(cloth: Cloth, rng: np.random.Generator) -> None:
    """Of one or two colours, sometimes on the bias."""
    count = int(rng.integers(3, 9))
    warp = Bands.even([0, 1])
    weft = Bands.even([0, 1 if rng.random() < 0.75 else 2])
    bias = bool(rng.random() < 0.2)
    _weave(cloth, warp, weft, max(2, count // 2) if bias else count, _threads(rng), bias)


def _checks(cloth: Cloth, rng: np.random.Generator, least: int, most: int) -> None:
    """Even checks of one colour, ``least`` to ``most`` of them a side: small ones are gingham, large ones buffalo."""
    bands = Bands.even([0, 1])
    _weave(cloth, bands, bands, int(rng.integers(least, most + 1)), _threads(rng))


def _checkerboard(cloth: Cloth, rng: np.random.Generator) -> None:
    """Squares of two colours by turns."""
    squares = 2 * int(rng.integers(2, 5))

    def roles(x: Floats, y: Floats) -> Labels:
        return (np.floor(x * squares) + np.floor(y * squares)).astype(np.intp) % 2

    for patch in cloth.strips():
        patch.sampled(roles)


def _buffalo(cloth: Cloth, rng: np.random.Generator) -> None:
    share = rng.uniform(0.9, 1.2)
    if rng.random() < 0.5:
        sett = Bands.of((1.0, 0), (share, 1))
        repeats = int(rng.integers(2, 4))
    else:
        sett = Bands.of((1.0, 0), (share, 1), (1.0, 0), (share, 2))
        repeats = int(rng.integers(1, 3))
    if rng.random() < 0.35:  # an overcheck line through the middle of the ground
        bands = list(zip(sett.widths, sett.roles, strict=True))
        half = (bands[0][0] / 2, 0)
        sett = Bands.of(half, (0.05, 4), half, *bands[1:])
    _weave(cloth, sett, sett, repeats, _threads(rng))


def _windowpane(cloth: Cloth, rng: np.random.Generator, plain: bool = False) -> None:
    """Fine lines in a wide grid; ``plain``: of one colour, and straight."""
    line = rng.uniform(0.06, 0.14)
    parts = [(1.0, 0), (line, 1)]
    if rng.random() < 0.6 and not plain:
        parts = [(1.0, 0), (line, 1), (line * 0.9, 0), (line * rng.uniform(0.6, 1.2), 4)]
    if rng.random() < 0.4 and not plain:
        parts += [(1.0, 0), (line, 2)]
    sett = Bands.of(*parts)
    bias = bool(rng.random() < 0.25) and not plain
    repeats = int(rng.integers(3, 6)) if len(parts) < 5 else int(rng.integers(2, 4))
    for patch in cloth.strips():
        x, y = (patch.x + patch.y, patch.x - patch.y) if bias else (patch.x, patch.y)
        n = max(2, repeats // 2) if bias else repeats
        slope = n * (2**0.5 if bias else 1.0)
        patch.bands(sett, y * n, slope)
        shares = sett.shares(x * n, slope * cloth.px)
        ground = shares.pop(0)
        patch.planes *= ground
        for role, share in shares.items():
            patch.planes[cloth.ink(role)] += share


def _tattersall(cloth: Cloth, rng: np.random.Generator) -> None:
    roles = [1, 2] if rng.random() < 0.5 else [1, 2, 4]
    line = rng.uniform(0.12, 0.24)
    sett = Bands.of(*(piece for role in roles for piece in ((1.0, 0), (line, role))))
    weft = sett if rng.random() < 0.6 else Bands(sett.widths, (0, 2, 0, 1, 0, 4)[: len(sett.roles)])
    repeats = int(rng.integers(2, 5)) if len(roles) == 2 else int(rng.integers(1, 4))
    _weave(cloth, sett, weft, repeats, _threads(rng), twill=False)
    for patch in cloth.strips():  # the lines print stronger than half
        for bands, t in ((sett, patch.x), (weft, patch.y)):
            for role, share in bands.shares(t * repeats, repeats * cloth.px).items():
                if role:
                    patch.cover(role, share * np.float32(0.55))


def _madras(cloth: Cloth, rng: np.random.Generator, lively: bool = False) -> None:
    """Uneven bands of every colour; ``lively``: many of them, and one sett a tile."""

    def sett() -> Bands:
        count = int(rng.integers(9, 13)) if lively else int(rng.integers(6, 11))
        roles = [0, *rng.choice([0, 1, 2, 3, 4, 1, 2], count - 1)]
        return Bands.of(*((float(rng.choice([0.5, 1.0, 1.6, 2.6])), int(role)) for role in roles))

    _weave(cloth, sett(), sett(), 1 if lively else int(rng.choice([1, 1, 2])), _threads(rng))


def _houndstooth(cloth: Cloth, rng: np.random.Generator, checked: bool | None = None) -> None:
    """Four dark, four light in both warp and weft, woven in 2/2 twill: the tooth is the weave itself.

    ``checked`` makes it a glen check, whose blocks of four beside blocks of two build large checks; None leaves it and
    a second colour to the seed.
    """
    repeats = int(rng.integers(2, 6))
    second = 2 if rng.random() < 0.25 else 1
    glen = bool(rng.random() < 0.3)
    if checked is not None:
        second, glen = 1, checked
        repeats = repeats + 2 if checked else repeats
    threads = repeats * (24 if glen else 8)
    if glen:
        repeats = max(1, repeats // 2)
        threads = repeats * 24

    def roles(x: Floats, y: Floats) -> Labels:
        i, j = np.floor(x * threads).astype(np.intp), np.floor(y * threads).astype(np.intp)
        over = (i + j) % 4 < 2
        if glen:  # blocks of four-and-four beside blocks of two-and-two
            warp = np.where(i % 24 < 16, i % 8 < 4, i % 4 < 2)
            weft = np.where(j % 24 < 16, j % 8 < 4, j % 4 < 2)
        else:
            warp, weft = i % 8 < 4, j % 8 < 4
        return np.where(over, np.where(warp, 1, 0), np.where(weft, second, 0))

    for patch in cloth.strips():
        patch.sampled(roles)
    if glen and rng.random() < 0.6:
        line = Bands.of((1.0, 0), (0.04, 4))
        for patch in cloth.strips():
            for t in (patch.x, patch.y):
                patch.cover(4, line.shares(t * repeats, repeats * cloth.px)[4] * np.float32(0.8))


def _alternation(ia: Labels, ib: Labels, nx: int, ny: int) -> Labels:
    """Numbers whose parity alternates the lozenges' colours and still wraps around: odd counts cannot alternate."""
    if nx % 2 == 0 and ny % 2 == 0:
        return ia
    if nx % 2 == 0:
        return (ia + ib) // 2
    if ny % 2 == 0:
        return (ia - ib) // 2
    return np.zeros_like(ia)


def _argyle(cloth: Cloth, rng: np.random.Generator) -> None:
    """Lozenges in two colours with a fine saltire over them."""
    nx = int(rng.integers(2, 4))
    ny = max(1, nx - int(rng.integers(0, 2)))
    second = 2 if rng.random() < 0.6 else 1
    line = rng.uniform(0.05, 0.09)

    def roles(x: Floats, y: Floats) -> Labels:
        a, b = x * nx + y * ny, x * nx - y * ny
        ia, ib = np.floor(a).astype(np.intp), np.floor(b).astype(np.intp)
        dark = (ia + ib) % 2 == 0
        return np.where(dark, np.where(_alternation(ia, ib, nx, ny) % 2 == 0, 1, second), 0)

    saltire = Bands.of((0.5 - line / 2, 0), (line, 4), (0.5 - line / 2, 0))
    slope = float(np.hypot(nx, ny))
    for patch in cloth.strips():
        patch.sampled(roles)
        for t in (patch.x * nx + patch.y * ny, patch.x * nx - patch.y * ny):
            patch.cover(4, saltire.shares(t, slope * cloth.px)[4])


TYPE = PatternType(
    label=2,
    draw=draw,
    side_cm=26.0,
    turnable=True,
    coverage=(0.50, 0.34, 0.10, 0.02, 0.04),
    sample_seed=5,
    words=(
        *("plaid", "checked", "tartan", "gingham", "checks", "check", "checkered", "chequered"),
        *("checkerboard", "madras", "windowpane", "houndstooth", "glen check", "buffalo check", "lumberjack"),
        *("vichy", "argyle", "tattersall", "chequerboard", "prince of wales check", "squared"),
        *("burberry check", "dogtooth"),
    ),
    adjectives=("plaid", "checked", "checkered", "tartan", "gingham"),
    nouns=("a plaid pattern", "checks"),
    folders=("checkered", "checked"),
    subtypes=(
        Subtype(name="tartan", draw=partial(_tartan, straight=True), words=("tartan", "tartans", "clan tartan")),
        Subtype(
            name="gingham",
            draw=partial(_checks, least=5, most=9),
            words=("gingham", "vichy", "gingham check"),
            harmony=on_white,
        ),
        Subtype(
            name="buffalo-check",
            draw=partial(_checks, least=2, most=3),
            words=("buffalo check", "buffalo plaid", "lumberjack", "lumberjack check", "buffalo checks"),
            harmony=steady(
                *((0.53, 0.19, 27), (0.13, 0.01, 30), (0.36, 0.1, 27), (0.3, 0.02, 30), (0.9, 0.02, 80), (0.2, 0, 0))
            ),
        ),
        Subtype(
            name="windowpane",
            draw=partial(_windowpane, plain=True),
            words=("windowpane", "windowpane check", "windowpane checks"),
        ),
        Subtype(name="tattersall", draw=_tattersall, words=("tattersall", "tattersall check"), harmony=on_white),
        Subtype(name="madras", draw=partial(_madras, lively=True), words=("madras", "madras check", "madras plaid")),
        Subtype(
            name="houndstooth",
            draw=partial(_houndstooth, checked=False),
            words=("houndstooth", "dogtooth", "hounds tooth", "dogstooth", "puppytooth", "pied de poule"),
        ),
        Subtype(
            name="glen-check",
            draw=partial(_houndstooth, checked=True),
            words=("glen check", "prince of wales check", "glen plaid", "prince of wales", "glen checks"),
        ),
        Subtype(name="argyle", draw=_argyle, words=("argyle", "argyll", "argyles")),
        Subtype(
            name="checkerboard",
            draw=_checkerboard,
            words=("checkerboard", "chequerboard", "chessboard", "checkerboards"),
        ),
    ),
    near=("burberry check",),
    usual=5,
    palettes=("Highland", "Oxblood", "Madder and chalk", "Charcoal and bone", "Indigo bath", "Lichen"),
)
