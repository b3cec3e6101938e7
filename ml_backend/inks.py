"""Inks and palettes: coverage maps times colours, curated and seeded colour stories.

A tile is printed with K inks.  ``inks`` is float32 (K, H, W), each pixel summing to 1; ink 0 is the ground.  Colours
are ``#rrggbb`` in ink order: ground, main, second, third (often the leaves), accent, extra.  Harmonies are composed in
OKLCH (Ottosson 2020, "A perceptual color space for image processing"), where equal steps look equal.  Pure NumPy and
Pillow, so a web process may import it.
"""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .colour import contrast, from_oklch, oklch, oklch_to_oklab, srgb_of, written
from .errors import BadInput, quoted
from .requests import MAX_INKS, MIN_INKS, GenerateRequest, parse_palette
from .swatches import SUBTYPES, TYPES

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
RGB = NDArray[np.uint8]

PALETTES: dict[str, tuple[str, ...]] = {
    "Madder and chalk": ("#f5ece0", "#9c2a2e", "#dca690", "#66704f", "#2c3b50", "#5b1a20"),
    "Indigo bath": ("#f1eee5", "#20305a", "#6688ae", "#a8bfce", "#c9573c", "#101a33"),
    "Provence": ("#fbf1d3", "#2f5590", "#e0a62f", "#7f8f4a", "#c2492f", "#1c2f52"),
    "Kyoto spring": ("#f8eee9", "#d9768a", "#f0b9b8", "#7d8f69", "#3e3a52", "#a64460"),
    "Night garden": ("#17202c", "#d8627a", "#eab38c", "#5d8a6d", "#f2dfa8", "#7d4f7f"),
    "Riviera": ("#fdf8ee", "#1f7a8c", "#8fc6c9", "#f0c45c", "#e2603f", "#14414f"),
    "Saffron market": ("#f9e7c0", "#cf5c1f", "#e9a93a", "#7b7a34", "#7a1f3d", "#3f2a1c"),
    "Lichen": ("#e9e8dc", "#5c6b4c", "#a9b28c", "#c6a15b", "#8c4a32", "#2f372b"),
    "Bauhaus": ("#f3efe4", "#c8322b", "#22478f", "#1d1d1f", "#efb92d", "#7f8a8c"),
    "Sahara": ("#efdcc2", "#8a4b2a", "#c98f57", "#6d7256", "#2e2a28", "#b5482d"),
    "Porcelain": ("#fafaf6", "#27509b", "#86a7d8", "#c3d4ec", "#132a5e", "#5476b5"),
    "Oxblood": ("#3a1117", "#e6c9a8", "#b04a45", "#7d6a4a", "#f0a35e", "#8a2230"),
    "Highland": ("#20362f", "#b3372f", "#284d78", "#6d8a5a", "#e5c35a", "#f0ead8"),
    "Sorbet": ("#fff3ea", "#ee8572", "#f6c177", "#9fc8ad", "#7a5c99", "#e4a7bd"),
    "Charcoal and bone": ("#ece7dc", "#25262a", "#8b8780", "#bdb5a6", "#a5382f", "#55534f"),
    "Peacock": ("#0f2b33", "#1f9a93", "#4bbf9c", "#2f5fa5", "#e9b64d", "#d8efe4"),
    "Terracotta": ("#f6e9dc", "#b9573a", "#e2a77f", "#7d8b74", "#324653", "#7c3322"),
    "Lavender hill": ("#f1edf3", "#6b5b95", "#b3a3cf", "#8ba37f", "#e2b04a", "#3d3358"),
}
"""Curated palettes of six colours in ink order, by the name that the page shows."""


def compose(inks: F32, palette: Sequence[str]) -> RGB:
    """``sum_k inks[k] * palette[k]`` in sRGB: float (K, H, W) and K colours -> uint8 (H, W, 3).

    Raises :class:`BadInput` when the numbers of inks and colours differ.
    """
    if inks.ndim != 3:
        raise BadInput(f"Ink coverage has the shape (inks, height, width), not {inks.shape}.")
    if len(palette) != inks.shape[0]:
        raise BadInput(f"There are {len(palette)} colours for {inks.shape[0]} inks.")
    colours = np.array([srgb_of(colour) for colour in palette], np.float32) * 255
    image = np.einsum("khw,kc->hwc", inks.astype(np.float32, copy=False), colours, optimize=True)
    rounded: RGB = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    return rounded


def palette_from_seed(pattern_type: str, seed: int, count: int = 5, subtype: str | None = None) -> tuple[str, ...]:
    """The palette that a seed chooses for a pattern type: ``count`` (4..6) colours, the same every time.

    Half are curated palettes that suit the type, half harmonies composed in OKLCH.  Ground and main always differ by at
    least 0.3 in OKLab lightness, ground and every other ink by a visible step.  A ``subtype`` whose name says its
    colours has those.  Raises :class:`BadInput`.
    """
    if pattern_type not in TYPES:
        raise BadInput(f"{quoted(pattern_type)} is not a pattern type; choose one of {', '.join(TYPES)}.")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise BadInput(f"The seed must be a whole number from 0, not {quoted(seed)}.")
    if not MIN_INKS <= count <= MAX_INKS:
        raise BadInput(f"The number of colours must be from {MIN_INKS} to {MAX_INKS}, not {quoted(count)}.")
    rng = np.random.default_rng((100 + TYPES[pattern_type].label, seed))
    named = SUBTYPES[subtype][1].harmony if subtype else None
    if named is not None:
        return tuple(from_oklch(colour) for colour in _legible(named(rng))[:count])
    curated = rng.random() < 0.5
    lch = _curated(pattern_type, rng) if curated else _tempered(TYPES[pattern_type].harmony(rng))
    return tuple(from_oklch(colour) for colour in _legible(lch)[:count])


def fit_palette(palette: Sequence[str], count: int) -> tuple[str, ...]:
    """A palette of any length (2..6) made to have ``count`` (4..6) colours: cut by merging, extended by tints.

    Too many colours: the two nearest that are not the ground become their mean, until it fits.  Too few: colours half
    way between the ground and each ink in turn, then deeper shades of the inks.  Raises :class:`BadInput`.
    """
    colours = list(parse_palette(tuple(palette)))
    if not MIN_INKS <= count <= MAX_INKS:
        raise BadInput(f"The number of colours must be from {MIN_INKS} to {MAX_INKS}, not {quoted(count)}.")
    while len(colours) > count:
        colours = _merged(colours)
    given = len(colours)
    for step in range(count - given):
        ink = colours[1 + step % (given - 1)]
        share = 0.5 if step < given - 1 else -0.35
        colours.append(_mix(ink, colours[0], share))
    return tuple(colours)


def mix_palettes(first: Sequence[str], second: Sequence[str], amount: float) -> tuple[str, ...]:
    """Ink by ink ``amount`` (0..1) of the way from the first palette to the second.

    Lightness, chroma and hue move in OKLCH, hue the shorter way round, so colours on the way stay as lively as the
    ends; a grey takes the hue of the other.  Both palettes have the same number of colours.
    """
    return tuple(_between(one, other, amount) for one, other in zip(first, second, strict=True))


def own_palette(request: GenerateRequest, count: int) -> tuple[str, ...]:
    """The palette that a fabric without a given one wears: that of ``colours_of``, else the one its seed chooses.

    On the way of a morph it is between those of both seeds.
    """
    if request.colours_of is not None:
        return palette_from_seed(request.pattern_type, request.colours_of, count, request.subtype)
    seed = request.seed if request.vary_of is None else request.vary_of
    own = palette_from_seed(request.pattern_type, seed, count, request.subtype)
    if request.morph_to is None:
        return own
    others = palette_from_seed(request.morph_type or request.pattern_type, request.morph_to, count)
    return mix_palettes(own, others, request.morph_amount)


def inks_to_png(inks: F32) -> bytes:
    """Coverage as one greyscale PNG of 8 bits, the K planes one below the other (K * H x W)."""
    if inks.ndim != 3 or not MIN_INKS <= inks.shape[0] <= MAX_INKS:
        raise BadInput(f"Ink coverage has the shape (inks, height, width), not {inks.shape}.")
    stacked = np.rint(np.clip(inks, 0, 1) * 255).astype(np.uint8).reshape(-1, inks.shape[2])
    buffer = io.BytesIO()
    Image.fromarray(stacked, "L").save(buffer, "PNG", optimize=False, compress_level=6)
    return buffer.getvalue()


def inks_from_png(data: bytes) -> F32:
    """The inverse of :func:`inks_to_png`, within 1/255; tiles are square, so the planes can be counted."""
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            if image.mode != "L":
                raise BadInput("The ink file is not a greyscale PNG.")
            stacked = np.asarray(image, np.float32)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadInput(f"The ink file cannot be read: {error}.") from error
    height, width = stacked.shape
    planes = height // width
    if height % width or not MIN_INKS <= planes <= MAX_INKS:
        raise BadInput(f"The ink file ({width} x {height}) is not {MIN_INKS} to {MAX_INKS} square planes.")
    inks = stacked.reshape(planes, width, width)
    total = inks.sum(axis=0)
    inks[0] += np.where(total > 0, 0, 1)
    normal: F32 = inks / np.maximum(total, 1)
    return normal


def weave(
    image: RGB, threads: float, strength: float = 0.06, twill: bool = False, first: int = 0, height: int | None = None
) -> RGB:
    """Light the cloth's own texture: uint8 (H, W, 3) -> the same, each thread a little lit and shaded.

    ``threads`` a side (rounded to fours, so the tile still wraps), ``strength`` the largest change of lightness (0
    leaves the image as it is).  Threads finer than two pixels are left out, as a camera would blur them.  A band of a
    larger image is the rows from ``first`` on of ``height``.
    """
    rows, width = image.shape[:2]
    height = height or rows
    count = max(4, round(threads / 4) * 4)
    if strength <= 0 or count > min(height, width) / 2:
        return image
    x = (np.arange(width, dtype=np.float32)[None, :] + 0.5) / width * count
    y = (np.arange(first, first + rows, dtype=np.float32)[:, None] + 0.5) / height * count
    step = np.floor(x) + np.floor(y)
    over = step % 4 < 2 if twill else step % 2 < 1
    warp, weft = np.cos(math.tau * (x - 0.5)), np.cos(math.tau * (y - 0.5))
    light = np.where(over, warp, 0.8 * weft) * strength
    lit: RGB = np.clip(np.rint(image * (1 + light[..., None])), 0, 255).astype(np.uint8)
    return lit


# --- harmonies: float (6, 3) of OKLCH lightness 0..1, chroma 0..0.3, hue in degrees ---


def _curated(pattern_type: str, rng: np.random.Generator) -> F64:
    """A curated palette, sometimes on its darkest or on its palest colour, the inks sometimes exchanged."""
    liked = TYPES[pattern_type].palettes or tuple(PALETTES)
    names = liked if rng.random() < 0.8 else tuple(PALETTES)
    lch = np.array([oklch(colour) for colour in PALETTES[names[rng.integers(len(names))]]])
    turn = rng.random()
    if turn < 0.22:  # dark ground
        darkest = int(np.argmin(lch[:, 0]))
        lch[[0, darkest]] = lch[[darkest, 0]]
    elif turn < 0.4:
        lch[[1, 2]] = lch[[2, 1]]
    elif turn < 0.52:
        lch[[1, 4]] = lch[[4, 1]]
    lch[:, 2] += rng.normal(0, 5)
    lch[:, 0] += rng.normal(0, 0.01, len(lch))
    return lch


def _tempered(lch: F64) -> F64:
    """Dye-like colours: yellows are light, or they turn to mud; greens and cyans are quiet, or they turn to neon."""
    lch = lch.copy()
    for i, (lightness, chroma, hue) in enumerate(lch):
        yellow, green = _bump(hue, 90, 28), _bump(hue, 170, 45)
        if i in (1, 2, 4) and chroma > 0.06 and 0.36 < lightness < 0.75:
            lch[i, 0] = lightness + 0.16 * yellow
        lch[i, 1] = min(chroma, 0.18 - 0.08 * green)
        if lightness > 0.8:
            lch[i, 1] = min(lch[i, 1], 0.11)
    return lch


def _bump(hue: float, centre: float, width: float) -> float:
    """1 at ``centre`` degrees, falling to 0 around it."""
    away = (hue - centre + 180) % 360 - 180
    return math.exp(-((away / width) ** 2))


def _legible(lch: F64) -> F64:
    """Push the inks off the ground: main by 0.3 of lightness, the others until they can be told from it."""
    lch = lch.copy()
    ground = lch[0, 0]
    lch[0, 0] = ground = np.clip(ground, 0.12, 0.62 if 0.5 < ground < 0.62 else 0.985)
    away = -1.0 if ground > 0.55 else 1.0
    for i, least in ((1, 0.32), (2, 0.14), (3, 0.14), (4, 0.14), (5, 0.14)):
        near = abs(lch[i, 0] - ground) < least
        if near and (i == 1 or _apart(lch[0], lch[i]) < least):
            lch[i, 0] = ground + away * least
    for i in range(2, 6):  # no two printed inks the same
        for j in range(1, i):
            if _apart(lch[i], lch[j]) < 0.07:
                moved = lch[i, 0] + 0.09 * away
                lch[i, 0] = moved if 0.1 < moved < 0.97 else lch[i, 0] - 0.09 * away
    lch[1:, 0] = np.clip(lch[1:, 0], 0.1, 0.98)
    return lch


def _apart(first: F64, second: F64) -> float:
    return float(np.linalg.norm(oklch_to_oklab(first) - oklch_to_oklab(second)))


_GREY = 0.02
"""Below this chroma a hue means nothing."""


def _mix(first: str, second: str, share: float) -> str:
    """``first`` moved by ``share`` toward ``second`` in sRGB, or for a negative share toward black."""
    a = srgb_of(first)
    b = srgb_of(second) if share > 0 else np.zeros(3)
    mixed = a + (b - a) * abs(share)
    return written(mixed)


def _between(first: str, second: str, amount: float) -> str:
    if amount in (0, 1):
        return second if amount else first
    (light, chroma, hue), (light_2, chroma_2, hue_2) = oklch(first), oklch(second)
    if min(chroma, chroma_2) < _GREY:
        hue = hue_2 = hue if chroma > chroma_2 else hue_2
    turn = (hue_2 - hue + 180) % 360 - 180
    mixed = (light + (light_2 - light) * amount, chroma + (chroma_2 - chroma) * amount, hue + turn * amount)
    return from_oklch(np.array(mixed))


def _merged(colours: list[str]) -> list[str]:
    """The two nearest inks, the ground apart, become one."""
    pairs = itertools.combinations(range(1, len(colours)), 2)
    i, j = min(pairs, key=lambda pair: contrast(colours[pair[0]], colours[pair[1]]))
    merged = _mix(colours[i], colours[j], 0.5)
    return [merged if k == i else colour for k, colour in enumerate(colours) if k != j]
