"""Tiles for restyling: a pattern of which the colour asked for leads, or plain cloth with a visible weave."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ...colour import lab, name_of_lab, rgb_of, to_linear, to_srgb
from ...inks import compose, weave
from ...networks.classifier import PatternClassifier
from ...requests import MAX_SEED, GenerateRequest
from ...swatches import TYPES
from ...words.lexicon import MATERIALS, PLAIN, Material
from ...words.palettes import lit, palette_of
from ...words.reading import Reading
from ..base import ShouldStop, check
from ..generate import GeneratePipeline
from ..overlay.maps import resize

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

PATTERN_CM = {
    **{name: kind.side_cm for name, kind in TYPES.items()},
    PLAIN: 16.0,
}
"""Side of a tile on the cloth, in centimetres."""

SIZES = {"small": 0.6, "": 1.0, "large": 1.6}

_DESIGNS = 10
"""Neighbouring designs that are looked at for one in which colour and pattern both read."""

_SKETCH = 64
"""Pixels at which they are looked at: what the pattern classifier knows."""

_TYPICAL = 0.7
"""Probability of its own class from which a design counts as a typical one."""

_LEGIBLE = 16.0
"""Mean CIELAB distance of two points of a cloth from which its pattern counts as visible."""

_UPRIGHT = ("vertical", "horizontal")

_STRAIGHT = 3.0
"""How much more stripes differ across than along from which they count as straight."""

_SHARP = 0.6
"""Pixels of a box-filtered tile that look like one pixel of the worn one, whose bending softens it once more."""

RESTRAINTS = (0.0, 0.5, 1.0, 1.75)
"""How far the neutrals of a single colour are drawn towards it until the cloth bears its name."""

_PLAIN_MATERIAL = MATERIALS["cotton"]


@dataclass(frozen=True)
class Cloth:
    """A tile (RGB, square), its palette and the model that dreamed it, if one did."""

    tile: Image.Image
    palette: tuple[str, ...]
    model: str | None


def plain_cloth(reading: Reading, seed: int, side_px: float, side_cm: float, light: F32 | None = None) -> Cloth:
    """Evenly dyed cloth with the weave and the slight unevenness of its material.

    ``side_px`` is how large the tile will be on the photo, ``light`` samples of the shading there.
    """
    palette = palette_of(replace(reading, pattern=PLAIN), seed, light=light)
    material = material_of(reading)
    size = _size(side_px)
    colour = np.array(rgb_of(palette[0]), np.float32)
    uneven = 1.0 + 0.35 * material.weave * _mottle(size, seed)
    dyed = np.clip(np.rint(colour * uneven[..., None]), 0, 255).astype(np.uint8)
    return Cloth(Image.fromarray(_woven(dyed, material, side_cm)), palette, None)


def patterned_cloth(
    generate: GeneratePipeline,
    judge: PatternClassifier | None,
    reading: Reading,
    request: GenerateRequest,
    side_px: float,
    side_cm: float,
    light: F32 | None = None,
    restraint: float = 0.0,
    should_stop: ShouldStop | None = None,
) -> Cloth:
    """A generated tile of ``request``'s pattern; of a few neighbouring designs, the first that reads well.

    ``restraint`` is the least of :data:`RESTRAINTS` to be used.  A ``judge`` also looks whether the design is typical:
    a giraffe in greens would be taken for camouflage.
    """
    reading = replace(reading, pattern=request.pattern_type)
    judge = None if request.subtype else judge  # a design that is named is as it should be
    chosen, palette = _readable(generate, judge, reading, request, side_px, light, restraint, should_stop)
    size = max(128, _size(side_px))
    fabric = generate(replace(chosen, size=size, palette=palette), should_stop=should_stop)
    material = material_of(reading)
    image = np.asarray(fabric.image)
    if reading.materials and material.weave:
        image = _woven(image, material, side_cm)
    return Cloth(Image.fromarray(_turned(image, reading.direction)), palette, fabric.model)


def material_of(reading: Reading) -> Material:
    """The first material named, else cotton."""
    return MATERIALS[reading.materials[0]] if reading.materials else _PLAIN_MATERIAL


def _readable(
    generate: GeneratePipeline,
    judge: PatternClassifier | None,
    reading: Reading,
    request: GenerateRequest,
    side_px: float,
    light: F32 | None,
    least: float,
    should_stop: ShouldStop | None,
) -> tuple[GenerateRequest, tuple[str, ...]]:
    """The design and palette in which the pattern can be seen and a single colour has its name; else the best."""
    best: tuple[float, GenerateRequest, tuple[str, ...]] | None = None
    for number in range(_DESIGNS):
        check(should_stop)
        tried = replace(request, seed=(request.seed + number * 7919) % (MAX_SEED + 1), size=_SKETCH)
        inks = generate(tried).inks
        coverage = [float(share) for share in inks.mean(axis=(1, 2))]
        for restraint in [value for value in RESTRAINTS if value >= least] if len(reading.colours) == 1 else [0.0]:
            palette = palette_of(reading, request.seed, len(coverage), coverage, light, restraint)
            image = compose(inks, palette)
            seen = _seen(image, side_px)
            named = len(reading.colours) != 1 or _name(seen, light) == reading.colours[0].name
            typical = _likelihood(judge, image, request.pattern_type) / _TYPICAL
            score = min(1.0, _variety(seen) / _LEGIBLE) * min(1.0, typical) * (1.0 if named else 0.2)
            if reading.pattern == "striped" and reading.direction in _UPRIGHT:
                score *= _straightness(image)
            if best is None or score > best[0]:
                best = (score, tried, palette)
            if named:
                break
        if best is not None and best[0] >= 1.0:
            break
    assert best is not None
    return best[1], best[2]


def _seen(image: U8, side_px: float) -> F32:
    """The sketch as the photo will show it, sRGB float32 (s, s, 3) in 0..255: fine motifs blend into their ground."""
    side = min(len(image), max(6, round(_SHARP * side_px)))
    linear = to_linear(image)
    planes = [resize(linear[..., axis], side, side, Image.Resampling.BOX) for axis in range(3)]
    return to_srgb(np.stack(planes, -1)).astype(np.float32)


def _name(seen: F32, light: F32 | None) -> str:
    """What the cloth will be called: the name of its median under the garment's light."""
    shading = np.ones(1, np.float32) if light is None else light[::4]
    values = lab(lit(seen.reshape(-1, 1, 3), shading[None, :, None]).reshape(-1, 3))
    return name_of_lab(np.median(values, axis=0))


def _variety(seen: F32) -> float:
    """Mean CIELAB distance of two points of the cloth taken at random."""
    values = lab(seen).reshape(-1, 3)
    other = np.random.default_rng(0).permutation(len(values))
    return float(np.linalg.norm(values - values[other], axis=1).mean())


@torch.inference_mode()
def _likelihood(judge: PatternClassifier | None, image: U8, pattern: str) -> float:
    """The probability that the judge gives the pattern; 1 without a judge, or with one that never learned it."""
    label = TYPES[pattern].label
    if judge is None or label >= judge.config.classes:
        return 1.0
    batch = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    return float(judge(batch).softmax(dim=1)[0, label])


def _straightness(image: U8) -> float:
    """1 for stripes along an edge of the tile, which a quarter turn can bring upright; less for slanting ones."""
    steps = _steps(image)
    return min(1.0, max(steps) / (_STRAIGHT * max(min(steps), 1e-6)))


def _steps(image: U8) -> tuple[float, float]:
    """Mean squared difference of neighbours across and down the tile."""
    grey = image.astype(np.float32).mean(axis=2)
    across, down = (float(np.square(grey - np.roll(grey, 1, axis=axis)).mean()) for axis in (1, 0))
    return across, down


def _size(side_px: float) -> int:
    """A power of two that holds a tile of that side, 128 to 512."""
    size = 128
    while size < min(side_px, 512):
        size *= 2
    return size


def _woven(image: U8, material: Material, side_cm: float) -> U8:
    return weave(image, material.threads * side_cm, material.weave, material.twill)


def _mottle(size: int, seed: int) -> F32:
    """Periodic noise of several widths, float32 (size, size), within about -1..1: the unevenness of yarn and dye."""
    noise = np.fft.rfft2(np.random.default_rng((seed, 5)).standard_normal((size, size)))
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]) * size
    band = np.where(frequency > 0, 1.0 / np.maximum(frequency, 1.0), 0.0)
    plane = np.fft.irfft2(noise * band, (size, size))
    spread = float(np.abs(plane).max())
    return np.asarray(plane / max(spread, 1e-6), np.float32)


def _turned(image: U8, direction: str) -> U8:
    """The tile turned by a quarter where its stripes run the other way than asked."""
    if direction not in _UPRIGHT:
        return image
    across, down = _steps(image)
    upright = across >= down
    return image if upright == (direction == "vertical") else np.ascontiguousarray(np.rot90(image))
