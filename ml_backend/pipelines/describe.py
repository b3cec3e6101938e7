"""Picture -> what it shows, in the words of a caption: the garment, its colours, its pattern, and where its cloth is.

The segmentation says which garment and where, the classifier of pattern types looks at squares of its cloth, and the
colours are those that the cloth mostly has, by their basic names.  What is not seen surely is left unsaid: a caption
that is wrong teaches a model something wrong, and a person adds a word sooner than they find a false one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from ..colour import lab, name_of_lab
from ..errors import BadPackage
from ..networks.classifier import PatternClassifier
from ..packaging import Package
from ..requests import PATTERN_TYPES
from ..swatches import TYPES
from .segment import Segmentation

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

Segment = Callable[[Image.Image], Segmentation]

SAID = {"top": "top", "outerwear": "jacket", "dress": "dress", "skirt": "skirt", "trousers": "trousers"}
"""Garment class -> its word; what is of no one class is a garment."""
ANY_GARMENT, CLOTH = "garment", "fabric"
"""What is said of cloth of no one class, and of a picture of nothing but cloth."""
PLURAL = ("trousers",)

SIDE = 64
"""Pixels at which the classifier looks."""
WINDOWS = 6
"""Squares of cloth that it looks at; their mean counts."""
SURE = 0.5
"""Mean probability of a pattern below which none is named."""
PLAIN = (22.0, 4.0)
"""Cloth whose lightness and colour stray less than so much from those around, in CIELAB, has no pattern to name."""
LEAST_CLOTH = 0.02
"""Share of a picture that must be cloth of a garment; else it is taken for a picture of cloth alone."""
SAME_COLOURS = 0.5
"""Where the colours of what is found are so much those around it, it is a part of the cloth that fills the picture."""
COLOUR_SHARE = 0.12
"""Of the cloth, that a colour must have to be named."""
MOST_COLOURS = 3
_SAMPLES = 1500


@dataclass(frozen=True)
class Described:
    """``garment`` is one word, ``pattern`` a pattern type, "plain" or "" where none is sure, ``colours`` the basic
    names of what the cloth mostly has, most first.  ``mask``: float32 (H, W) in 0..1, the cloth of the garments; None
    where the picture shows nothing but cloth."""

    garment: str
    pattern: str
    colours: tuple[str, ...]
    mask: F32 | None

    @property
    def caption(self) -> str:
        """``a floral dress in red and white``."""
        adjective = TYPES[self.pattern].adjectives[0] if self.pattern in TYPES else self.pattern
        article = "" if self.garment in (*PLURAL, CLOTH) else _article(adjective or self.garment)
        said = " ".join(filter(None, (article, adjective, self.garment)))
        return f"{said} in {_listed(self.colours)}" if self.colours else said


class DescribePipeline:
    """``package`` is the classifier of pattern types, ``segment`` finds the cloth; without it whole pictures count."""

    def __init__(self, package: Package, segment: Segment | None, device: str = "cpu") -> None:
        network = package.network()
        if not isinstance(network, PatternClassifier) or network.config.classes > len(PATTERN_TYPES):
            raise BadPackage(f"{package.manifest.name} is no classifier of the pattern types known here.")
        self._classifier = network.to(device)
        self._segment = segment
        self._device = device

    def __call__(self, picture: Image.Image) -> Described:
        """What the picture (RGB) shows."""
        rgb = np.asarray(picture.convert("RGB"))
        found = self._segment(picture) if self._segment is not None else None
        if found is None or _nothing_but_cloth(rgb, found.mask > SURE):
            whole = np.ones(rgb.shape[:2], np.float32)
            return Described(CLOTH, self._pattern(rgb, whole), colours_of(rgb, whole), None)
        main = found.garments[0]
        mask = found.mask_of(main)
        garment = SAID.get(main.partition("-")[0], ANY_GARMENT)
        return Described(garment, self._pattern(rgb, mask), colours_of(rgb, mask), found.mask)

    @torch.inference_mode()
    def _pattern(self, rgb: U8, mask: F32) -> str:
        squares = windows(rgb, mask)
        if not squares:
            return ""
        if (np.median([_spread(square) for square in squares], axis=0) < PLAIN).all():
            return "plain"
        seen = np.stack([_small(square) for square in squares])
        logits = self._classifier(torch.from_numpy(seen).to(self._device))
        shares = logits.softmax(dim=1).mean(dim=0).cpu().numpy()
        best = int(shares.argmax())
        return PATTERN_TYPES[best] if shares[best] >= SURE else ""


def _nothing_but_cloth(rgb: U8, found: NDArray[np.bool_]) -> bool:
    """Whether a picture shows no garment but a piece of cloth, in which the segmentation sees garments by chance."""
    if not LEAST_CLOTH <= found.mean() < 1:
        return True
    steps = np.floor(lab(rgb.reshape(-1, 3).astype(np.float32)) / (8, 16, 16)).astype(np.int64)
    _, colour = np.unique(steps @ (10_000, 100, 1), return_inverse=True)
    inside = found.ravel()
    shares = [np.bincount(colour[part], minlength=colour.max() + 1) / part.sum() for part in (inside, ~inside)]
    return float(np.minimum(*shares).sum()) >= SAME_COLOURS


def windows(rgb: U8, mask: F32) -> list[U8]:
    """Up to :data:`WINDOWS` squares (side, side, 3) of nearly nothing but cloth, as large as can be, spread over it."""
    cloth = (mask > 0.5).astype(np.float64)
    if not cloth.any():
        return []
    height, width = cloth.shape
    summed = np.pad(cloth.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    side = min(height, width)
    while side >= SIDE // 4:
        covered = summed[side:, side:] - summed[:-side, side:] - summed[side:, :-side] + summed[:-side, :-side]
        places = np.argwhere(covered >= 0.97 * side * side)
        if len(places):
            chosen = places[np.linspace(0, len(places) - 1, min(WINDOWS, len(places))).astype(int)]
            return [rgb[top : top + side, left : left + side] for top, left in chosen]
        side = int(side * 0.8)
    return []


def colours_of(rgb: U8, mask: F32) -> tuple[str, ...]:
    """The basic names of the colours that the masked part mostly has, most first; () without a part."""
    pixels = rgb[mask > 0.5]
    if not len(pixels):
        return ()
    taken = pixels[np.linspace(0, len(pixels) - 1, min(_SAMPLES, len(pixels))).astype(int)]
    names, counts = np.unique([name_of_lab(each) for each in lab(taken.astype(np.float32))], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_COLOURS]
    kept = [str(names[at]) for at in order if counts[at] >= COLOUR_SHARE * len(taken)]
    return tuple(kept or [str(names[order[0]])])


def _spread(square: U8) -> tuple[float, float]:
    """How far lightness and colour of a square stray from those around: 90th percentiles of distances in CIELAB.

    Folds change the lightness of plain cloth, mostly slowly, and hardly its colour.
    """
    small = np.asarray(Image.fromarray(square).resize((SIDE // 2, SIDE // 2), Image.Resampling.BOX), np.float32)
    values = lab(small.reshape(-1, 3)).reshape(small.shape)
    around = ndimage.gaussian_filter(values, (SIDE / 12, SIDE / 12, 0), mode="reflect")
    strays = np.abs(values - around)
    lightness, colour = strays[..., 0], np.linalg.norm(strays[..., 1:], axis=2)
    return float(np.percentile(lightness, 90)), float(np.percentile(colour, 90))


def _small(square: U8) -> F32:
    """(side, side, 3) -> (3, SIDE, SIDE) in 0..1."""
    resized = Image.fromarray(square).resize((SIDE, SIDE), Image.Resampling.BOX)
    made: F32 = np.asarray(resized, np.float32).transpose(2, 0, 1) / np.float32(255)
    return made


def _article(word: str) -> str:
    return "an" if word[:1] in "aeiou" else "a"


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
