"""The fabric engine of restyle: words choose a fabric, the overlay wears it on the masked region.

It changes cloth, not cut; it needs no large model and answers in seconds.  The words are read by
:mod:`ml_backend.words`; what it cannot honour, it says in the notes.  The photo is fitted once for all variations.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ...colour import name_of_region
from ...errors import BadInput
from ...networks.classifier import PatternClassifier
from ...packaging.starter import starter
from ...requests import GenerateRequest, OverlayRequest, RestyleRequest
from ...words.choices import choose_pattern, notes_of
from ...words.lexicon import PLAIN
from ...words.reading import Reading, read
from ..base import Given, ShouldStop, Watch, check, tell
from ..generate import GeneratePipeline
from ..overlay import Fit, SurfaceReader, fit, wear
from . import F32, Restyled, RestyleEngine
from .cloth import PATTERN_CM, RESTRAINTS, SIZES, Cloth, patterned_cloth, plain_cloth

READING = "Reading folds and light"

_GAIN = (0.75, 2.2)
"""How far the light on the cloth may be lifted so that the fabric keeps its own colour."""

_EVEN = 74.0
"""The percentile of the light on the cloth that counts as evenly lit."""

_LIFT = 0.65
"""How much of the way there it is lifted: all of it would make white cloth look overexposed in a shady street."""

_REGION_SHARE = (0.4, 0.9)
"""Smallest and largest side of a tile, as shares of the side of a square as large as the region."""

_LEAST_PX = 36.0
"""Pixels of a tile below which a small photo shows no pattern any more."""

_LIGHT_SAMPLES = 33
_PREVIEW_SIDE = 256


@dataclass(frozen=True)
class Dressed:
    """A photo in its new cloth, the cloth's pattern, and the model that dreamed it, if one did."""

    image: Image.Image
    pattern: str
    model: str | None


def build(given: Given) -> FabricRestyle:
    """With a CLIP it knows more words; a surface is read where a model for it serves."""
    if not given.clip:
        return FabricRestyle(surface=given.surface())
    from ...words.similarity import SimilarWords

    return FabricRestyle(understand=SimilarWords(given.clip), surface=given.surface())


class FabricRestyle(RestyleEngine):
    """Load once, call many.  It draws its fabrics, whose motifs stay crisp on small garments: no generator is needed.

    ``dream`` makes them instead, if it is given.
    ``judge`` is the pattern classifier that picks typical designs (default: the starter).  ``understand`` turns a
    prompt into a :class:`Reading`; one with a CLIP behind it (:mod:`ml_backend.words.similarity`) knows more words.
    ``surface`` reads how the cloth is lit and lies (None: it is estimated without a network).
    """

    def __init__(
        self,
        dream: GeneratePipeline | None = None,
        judge: PatternClassifier | None = None,
        understand: Callable[[str], Reading] = read,
        surface: SurfaceReader | None = None,
    ) -> None:
        self.engine = "drawn" if dream is None else "dreamed"
        self.generate = dream or GeneratePipeline(None)
        self.judge = judge or _starter_judge()
        self.understand = understand
        self.surface = surface

    def paint(
        self, photo: Image.Image, mask: F32, requests: Sequence[RestyleRequest], watch: Watch
    ) -> Generator[tuple[int, Restyled]]:
        check(watch.should_stop)
        soft = _checked(mask, photo)
        tell(watch.progress, 0.0, READING)
        found = None if self.surface is None else self.surface(photo, soft, None)
        fitted, light = evenly_lit(fit(photo, soft, surface=found))
        for number, request in enumerate(requests):
            share = 0.3 + 0.7 * number / len(requests)
            tell(watch.progress, share, f"Weaving picture {number + 1} of {len(requests)}")
            check(watch.should_stop)
            reading = self.understand(request.prompt)
            worn = self.dress(photo, fitted, light, reading, request.seed, watch.should_stop)
            used = dataclasses.replace(request, engine="fabric", model=worn.model)
            if watch.preview is not None:
                watch.preview(small(worn.image))
            yield number, Restyled(worn.image, used, notes_of(reading, worn.pattern))
        tell(watch.progress, 1.0, "Done")

    def dress(
        self,
        photo: Image.Image,
        fitted: Fit,
        light: F32,
        reading: Reading,
        seed: int,
        should_stop: ShouldStop | None = None,
    ) -> Dressed:
        """The photo (RGB) in the cloth of the words; ``fitted`` and ``light`` are what :func:`evenly_lit` gives."""
        pattern = choose_pattern(reading, seed)
        for restraint in RESTRAINTS:
            cloth, image = self._worn(photo, fitted, light, reading, pattern, seed, restraint, should_stop)
            if pattern == PLAIN or _bears_its_name(image, fitted, reading):
                break
        return Dressed(image, pattern, cloth.model)

    def _worn(
        self,
        photo: Image.Image,
        fitted: Fit,
        light: F32,
        reading: Reading,
        pattern: str,
        seed: int,
        restraint: float,
        should_stop: ShouldStop | None,
    ) -> tuple[Cloth, Image.Image]:
        """The cloth that the reading asks for, and the photo wearing it."""
        side_px = tile_side(fitted, pattern, reading.size)
        side_cm = min(max(side_px / fitted.px_per_cm, 1.0), 200.0)
        if pattern == PLAIN:
            cloth = plain_cloth(reading, seed, side_px, side_cm, light)
        else:
            cloth = patterned_cloth(
                self.generate,
                self.judge,
                reading,
                GenerateRequest(pattern, seed, engine=self.engine, subtype=_subtype(reading, pattern)),
                side_px,
                side_cm,
                light,
                restraint,
                should_stop,
            )
        placement = OverlayRequest(scale_cm=side_cm, rotate=45.0 if reading.direction == "diagonal" else 0.0)
        return cloth, wear(photo, fitted, cloth.tile, placement, should_stop=should_stop)


def _subtype(reading: Reading, pattern: str) -> str | None:
    """The design that the words name, where the cloth is of the type that they name."""
    return reading.subtype or None if pattern == reading.pattern else None


def _bears_its_name(image: Image.Image, fitted: Fit, reading: Reading) -> bool:
    """Whether the garment is called by the colour that was named; looked at on about 100,000 pixels.

    Several colours need not give way to the first.
    """
    if len(reading.colours) != 1:
        return True
    step = max(1, round(math.sqrt(image.width * image.height / 100_000)))
    pixels, mask = np.asarray(image)[::step, ::step], fitted.mask[::step, ::step]
    cloth = mask > 0.9 * float(mask.max())
    return not cloth.any() or name_of_region(pixels, cloth) == reading.colours[0].name


def _starter_judge() -> PatternClassifier:
    network = starter("classifier-starter").network()
    assert isinstance(network, PatternClassifier)
    return network


def evenly_lit(fitted: Fit) -> tuple[Fit, F32]:
    """The fit with its light scaled so that the middle of the cloth nearly shows a fabric's own colour; samples of S.

    The overlay keeps the exposure of the photo: in a shady one, white words would get a grey.
    """
    left, top, right, bottom = fitted.box
    cloth = fitted.mask[top:bottom, left:right]
    values = fitted.shading(fitted.box)[cloth > min(0.5, 0.5 * float(cloth.max()))]
    even = float(np.percentile(values, _EVEN))
    gain = float(np.clip((np.median(values) / even) ** -_LIFT, *_GAIN)) / even
    samples = np.quantile(values * gain, np.linspace(0.0, 1.0, _LIGHT_SAMPLES)).astype(np.float32)
    return dataclasses.replace(fitted, light=fitted.light * np.float32(gain)), samples


def tile_side(fitted: Fit, pattern: str, size: str) -> float:
    """Side of a tile on the photo in pixels: of natural size, yet neither lost on the region nor too large for it."""
    region = math.sqrt(float(fitted.mask.sum()))
    low, high = (share * region for share in _REGION_SHARE)
    natural = PATTERN_CM[pattern] * fitted.px_per_cm
    return max(8.0, min(max(natural, low, _LEAST_PX), high) * SIZES[size])


def _checked(mask: F32, photo: Image.Image) -> F32:
    if mask.shape != (photo.height, photo.width):
        shape = "x".join(str(side) for side in mask.shape[::-1])
        raise BadInput(f"The mask is {shape} pixels, the photo {photo.width}x{photo.height}.")
    soft = np.clip(np.nan_to_num(mask), 0.0, 1.0).astype(np.float32)
    if not float(soft.max(initial=0.0)) > 0.0:
        raise BadInput("The mask is empty: mark what to change.")
    return soft


def small(image: Image.Image) -> Image.Image:
    """For a preview."""
    reduced = image.copy()
    reduced.thumbnail((_PREVIEW_SIDE, _PREVIEW_SIDE))
    return reduced
