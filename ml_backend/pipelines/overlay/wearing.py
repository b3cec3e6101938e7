"""Dress a fitted photo in a fabric.

For each pixel of the soft mask m, with S the shading and q its place on the fabric (see ``repeats``):

    worn = shoulder(linear(tile(q)) * S)
    out  = (1 - a) linear(photo) + a worn,     a = m * selected * strength

and back to sRGB.  Pixels with a = 0 are copied bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from ...errors import BadInput
from ...requests import OutfitRequest, OverlayRequest, parse_garment
from ..base import Progress, ShouldStop, check, tell
from .colour import shoulder, to_linear, to_srgb
from .fitting import Fit, fit
from .measure import SHOULDER_CM
from .repeats import Placement
from .tiles import Fabric

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]

_CHUNK = 1 << 19
"""Pixels of a strip; bounds the memory of the arithmetic."""

_FEATHER = 0.9
"""Gaussian sigma, in photo pixels, that rounds hard mask edges inward."""


def wear(
    photo: Image.Image,
    fitted: Fit,
    tile: Image.Image,
    request: OverlayRequest,
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> Image.Image:
    """The look: ``photo`` (RGB, the fit's own size) wearing ``tile``, at full resolution.

    Raises :class:`BadInput` where photo and fit differ in size, :class:`Stopped` if asked.
    """
    if photo.size != (fitted.width, fitted.height):
        raise BadInput(f"The fit is of a {fitted.width}x{fitted.height} photo, not {photo.width}x{photo.height}.")
    scale = fitted.px_per_cm * SHOULDER_CM / request.shoulder_cm
    place = Placement.of(request, scale, fitted.width, fitted.height)
    fabric = Fabric(tile, scale * request.scale_cm, request.repeat)
    result = np.array(photo.convert("RGB"))
    left, top, right, bottom = fitted.box
    share = _share(fitted, request)
    step = max(16, _CHUNK // max(1, right - left))
    for start in range(top, bottom, step):
        check(should_stop)
        end = min(bottom, start + step)
        strip = (left, start, right, end)
        _dress(result[start:end, left:right], share[start - top : end - top], fitted, strip, place, fabric)
        tell(progress, (end - top) / (bottom - top), "Dressing the photo")
    return Image.fromarray(result)


def dress(
    photo: Image.Image,
    fitted: Fit,
    tiles: Sequence[Image.Image],
    outfit: OutfitRequest,
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> Image.Image:
    """The look of an outfit: each part's garments wear its tile; ``tiles`` are one a part, in order.

    Raises :class:`BadInput` where there are more or fewer tiles than parts, and what :func:`wear` raises.
    """
    if len(tiles) != len(outfit.parts):
        raise BadInput(f"The outfit has {len(outfit.parts)} parts but {len(tiles)} fabrics were given.")
    look = photo
    for number, (tile, part) in enumerate(zip(tiles, outfit.parts, strict=True)):
        look = wear(look, fitted, tile, part, _share_of(progress, number, len(tiles)), should_stop)
    return look


def _share(fitted: Fit, request: OverlayRequest) -> F32:
    """How much of each pixel in the box becomes fabric: mask, chosen classes, strength; hard edges rounded inward."""
    left, top, right, bottom = fitted.box
    mask = fitted.mask[top:bottom, left:right]
    if request.garments and fitted.labels is not None:
        chosen = np.zeros(256, np.float32)
        chosen[[parse_garment(name) for name in request.garments]] = 1.0
        mask = mask * chosen[fitted.labels[top:bottom, left:right]]
    soft = ndimage.gaussian_filter(mask, _FEATHER, truncate=2.0, mode="nearest")
    return np.asarray(np.minimum(mask, soft) * np.float32(request.strength), np.float32)


def _dress(
    pixels: U8, share: F32, fitted: Fit, strip: tuple[int, int, int, int], place: Placement, fabric: Fabric
) -> None:
    """Composite one strip in place; ``pixels`` (h,w,3) and ``share`` (h,w) cover ``strip`` of the photo."""
    rows, columns = np.nonzero(share)
    if not rows.size:
        return
    du, dv = fitted.displacement(strip)
    x = columns.astype(np.float32) + np.float32(strip[0] + 0.5) + du[rows, columns]
    y = rows.astype(np.float32) + np.float32(strip[1] + 0.5) + dv[rows, columns]
    worn = fabric(*place(x, y))
    worn *= fitted.shading(strip)[rows, columns][:, None]
    worn = shoulder(worn)
    before = to_linear(pixels[rows, columns])
    before += (worn - before) * share[rows, columns][:, None]
    pixels[rows, columns] = to_srgb(before)


class OverlayPipeline:
    """Fit and wear in one call; holds no model."""

    def __call__(
        self,
        photo: Image.Image,
        mask: F32,
        labels: U8 | None,
        tile: Image.Image,
        request: OverlayRequest,
        progress: Progress | None = None,
        should_stop: ShouldStop | None = None,
    ) -> Image.Image:
        """Photo (RGB), soft mask float32 (H,W), class map uint8 (H,W) or None, tile -> look of the photo's size."""
        check(should_stop)
        tell(progress, 0.0, "Reading folds and light")
        fitted = fit(photo, mask, labels)
        return wear(photo, fitted, tile, request, _later(progress, 0.3), should_stop)


def _share_of(progress: Progress | None, number: int, count: int) -> Progress | None:
    if progress is None:
        return None
    return lambda fraction, stage: progress((number + fraction) / count, stage)


def _later(progress: Progress | None, start: float) -> Progress | None:
    if progress is None:
        return None
    return lambda fraction, stage: progress(start + (1.0 - start) * fraction, stage)
