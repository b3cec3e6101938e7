"""How much of the light stays and how much of the old print: a photo against the same photo in even light-grey cloth.

On plain cloth the look should show the photo's own light and shade: the band-passed log luminance of both correlates,
and is as strong.  On printed cloth the look should show none of the print: what is left of it is the share of the
photo's own contrast that is found again in the look.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from ..colour import luminance, to_linear
from ..pipelines.overlay import SurfaceReader, fit, wear
from ..requests import OverlayRequest

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

GREY = (205, 205, 205)
"""The even cloth that is worn."""

BAND = (0.012, 0.12)
"""Radii, as shares of the square root of the garment's area, between which contrast is compared: folds and prints."""

_BLACK = 0.003
"""Added to the luminance before its logarithm."""

_LEAST, _PRINTED = 400, 0.1
"""Pixels of a garment, and deviation of its log colour in the band, from which it counts as printed."""

_RIM = 0.02
"""Share of that size which is left out along the border."""


@dataclass(frozen=True)
class Kept:
    """Of one garment: ``correlation`` of look and photo, and ``strength``, the look's contrast over the photo's."""

    correlation: float
    strength: float


def kept(photo: U8, look: U8, garment: Bools) -> Kept | None:
    """Light kept on a plain garment; sRGB bytes (H,W,3), its pixels (H,W).  None where it is too small to tell."""
    inner = _inner(garment)
    if int(inner.sum()) < 100:
        return None
    before, after = (_band(_log(picture), garment)[inner] for picture in (photo, look))
    spread = max(float(before.std()), 1e-6)
    return Kept(float(np.corrcoef(before, after)[0, 1]), float(after.std()) / spread)


def left(contrast: F32, look: U8, garment: Bools) -> float:
    """Share of a print's own log contrast (H,W) that is found again in the look: 1 all of it, 0 none."""
    inner = _inner(garment)
    old, new = (_band(plane, garment)[inner] for plane in (contrast, _log(look)))
    return float(np.abs((old * new).mean()) / max(float(np.square(old).mean()), 1e-9))


def in_grey(photo: Image.Image, mask: F32, labels: U8 | None, surface: SurfaceReader | None) -> Image.Image:
    """The photo with all its cloth in even light grey."""
    read = None if surface is None else surface(photo, mask, labels)
    return wear(photo, fit(photo, mask, labels, read), Image.new("RGB", (32, 32), GREY), OverlayRequest())


def summary(measured: Iterable[Kept | None]) -> dict[str, float]:
    """Figures over many plain garments: mean, worst tenth, median strength, share with a strength of 0.85 to 1.15."""
    found = [one for one in measured if one is not None]
    if not found:
        return {"garments": 0}
    correlations = np.array([one.correlation for one in found])
    strengths = np.array([one.strength for one in found])
    return {
        "garments": len(found),
        "correlation": round(float(correlations.mean()), 4),
        "correlation_worst_tenth": round(float(np.quantile(correlations, 0.1)), 4),
        "strength": round(float(np.median(strengths)), 3),
        "strength_in_bounds": round(float(((strengths >= 0.85) & (strengths <= 1.15)).mean()), 3),
    }


def plain_kept(cases: Sequence[tuple[Image.Image, F32]], surface: SurfaceReader | None) -> dict[str, float]:
    """:func:`summary` of plain garments, each a photo and its soft mask."""
    return summary(
        kept(np.asarray(photo.convert("RGB")), np.asarray(in_grey(photo, mask, None, surface)), mask > 0.5)
        for photo, mask in cases
    )


def prints_left(root: Path | str, surface: SurfaceReader | None) -> dict[str, float]:
    """:func:`left` over the printed garments of held-out rendered people, whose prints are known: mean and median."""
    from ..training.data.rendered_people import PICTURES, folders, picture, read

    found = []
    for folder in folders(root, validation=True):
        truth = read(folder)
        cloth = truth.cloth.numpy()
        garment = np.where(cloth, truth.garment.numpy(), 0).astype(np.uint8)
        for which in range(PICTURES):
            photo = Image.fromarray(picture(folder, which))
            look = np.asarray(in_grey(photo, cloth.astype(np.float32), garment, surface))
            contrast = _log(np.asarray(Image.open(folder / f"albedo-{which}.jpg").convert("RGB")))
            for number in np.unique(garment[cloth]):
                here = garment == number
                if here.sum() > _LEAST and float(_band(contrast, here)[_inner(here)].std()) > _PRINTED:
                    found.append(left(contrast, look, here))
    return {
        "prints": len(found),
        "print_left": round(float(np.mean(found)), 4),
        "print_left_median": round(float(np.median(found)), 4),
    }


def _log(picture: U8) -> F32:
    return np.asarray(np.log(luminance(to_linear(picture)) + _BLACK), np.float32)


def _inner(garment: Bools) -> Bools:
    return np.asarray(ndimage.binary_erosion(garment, iterations=max(2, round(_RIM * float(garment.sum()) ** 0.5))))


def _band(plane: F32, garment: Bools) -> F32:
    """What lies between the two radii, measured inside the garment alone."""
    weight = garment.astype(np.float32)
    size = float(garment.sum()) ** 0.5

    def smooth(share: float) -> F32:
        sigma = max(0.5, share * size)
        total = np.maximum(ndimage.gaussian_filter(weight, sigma), 1e-4)
        return np.asarray(ndimage.gaussian_filter(plane * weight, sigma) / total, np.float32)

    return smooth(BAND[0]) - smooth(BAND[1])
