"""Does a restyle obey its words?  Named colours measured in CIELAB, pattern words judged by the pattern classifier.

Photos are in the street layout of :mod:`ml_backend.training.data.cloth`; only held-out ones are used.  In each the
largest garment is repainted from "a WORD GARMENT".  Both engines go through the same call.  Where the diffusion engine
begins from a drawn fabric, a pattern that is recognised is the fabric engine's, and the figure says whether the model
has kept it; what a model paints by itself is asked with the sketch "none".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from ..colour import BASIC_COLOURS, name_of_region
from ..errors import BadInput
from ..networks.classifier import PatternClassifier
from ..pipelines.restyle import Restyled
from ..requests import CLOTH_CLASSES, GARMENT_CLASSES, MAX_SEED, PATTERN_TYPES, RestyleRequest
from ..swatches import TYPES
from ..training.data.seen import pattern_of
from .cloth import street_pairs

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

GARMENT_WORDS = {
    "top": "shirt",
    "outerwear": "jacket",
    "dress": "dress",
    "skirt": "skirt",
    "trousers": "trousers",
}
SMALLEST = 0.03
"""Share of the photo from which a garment is large enough to be judged."""


class Engine(Protocol):
    """The call that both restyle engines share."""

    def __call__(self, photo: Image.Image, mask: F32, requests: Sequence[RestyleRequest], /) -> Sequence[Restyled]: ...


@dataclass(frozen=True)
class Case:
    """A garment to repaint: ``photo`` RGB, ``mask`` bool (H, W), the garment's word."""

    photo: Image.Image
    mask: NDArray[np.bool_]
    garment: str


Keep = Callable[[str, int, Image.Image], None]
"""Given each picture: the colour or pattern asked for, the number of its photo, the picture."""


def street_cases(folder: Path, count: int) -> list[Case]:
    """The largest garment of each of ``count`` held-out photos, spread over the folder."""
    pairs = street_pairs(folder)
    cases: list[Case] = []
    spread = sorted(range(len(pairs)), key=lambda number: (number * 0.6180339887) % 1.0)
    for number in spread:
        if len(cases) == count:
            break
        photo, truth = pairs[number]
        case = _largest(Image.open(photo).convert("RGB"), truth())
        if case is not None:
            cases.append(case)
    if not cases:
        raise BadInput(f"{folder} holds no held-out photo with a garment that is large enough.")
    return cases


def obedience(
    engine: Engine,
    judge: PatternClassifier,
    cases: Sequence[Case],
    template: RestyleRequest,
    keep: Keep | None = None,
) -> dict[str, float]:
    """``colours`` and ``patterns``: shares of words obeyed, with one figure a word and ``n`` photos.

    A colour word is obeyed when the region's median colour bears it, a pattern word when the classifier sees that
    pattern in most of the squares cut from the region; patterns that it never learned are left out.  ``template`` names
    the engine, its sampling and the first photo's seed; each further photo has the next one.  The fabric engine looks
    at its bare tiles with the same classifier, so its pattern figures say whether a typical tile stays recognisable
    when it is worn.
    """
    figures: dict[str, float] = {}
    types = PATTERN_TYPES[: judge.config.classes]
    words = [("colour", name, name) for name in BASIC_COLOURS]
    words += [("pattern", name, TYPES[name].asked or name) for name in types]
    for kind, name, said in words:
        hits = []
        for number, case in enumerate(cases):
            image = _repaint(engine, case, said, template, number)
            if image is None:
                hits.append(False)
                continue
            if keep is not None:
                keep(name, number, image)
            seen = colour_of(image, case.mask) if kind == "colour" else pattern_of(judge, image, case.mask)
            hits.append(seen == name)
        figures[f"{kind}_{name}"] = float(np.mean(hits))
    means = {
        f"{kind}s": float(np.mean([value for key, value in figures.items() if key.startswith(kind)]))
        for kind in ("colour", "pattern")
    }
    return {**means, **figures, "n": len(cases)}


def colour_of(image: Image.Image, mask: NDArray[np.bool_]) -> str:
    """The basic colour name of a region, its soft edge of two pixels left out where it can be."""
    inner = ndimage.binary_erosion(mask, iterations=2)
    return name_of_region(np.asarray(image), inner if inner.any() else mask)


def _largest(photo: Image.Image, labels: U8) -> Case | None:
    areas = {
        name: int((labels == GARMENT_CLASSES.index(name)).sum()) for name in CLOTH_CLASSES if name in GARMENT_WORDS
    }
    name = max(areas, key=lambda garment: areas[garment])
    if areas[name] < SMALLEST * labels.size:
        return None
    return Case(photo, labels == GARMENT_CLASSES.index(name), GARMENT_WORDS[name])


def _repaint(engine: Engine, case: Case, word: str, template: RestyleRequest, number: int) -> Image.Image | None:
    article = "an" if word[0] in "aeiou" else "a"
    seed = (template.seed + number) % (MAX_SEED + 1)
    request = replace(template, prompt=f"{article} {word} {case.garment}", seed=seed)
    (restyled,) = engine(case.photo, case.mask.astype(np.float32), [request])
    return restyled.image
