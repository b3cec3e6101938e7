"""What a photo gives to every fabric worn on it: light, folds, mask and measure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from ...errors import BadInput
from ...requests import GARMENT_CLASSES
from .bend import REACH, bend, body, limit
from .colour import to_linear
from .maps import resize
from .measure import px_per_cm
from .shading import shading, solver_size

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]

MAP_SIDE = 1440
"""Longest side of the shading map; finer light than that is the fabric's own affair."""

_SKIN = GARMENT_CLASSES.index("skin")

SHADING_CODE = 4.0
"""Largest shading that a preview can carry: S = 4 (r/255)^2."""


@dataclass(frozen=True)
class PreviewFit:
    """A fit at screen size for the browser: three RGB pictures of one size, and numbers.

    ``maps``: R codes the shading, S = 4 (r/255)^2; G and B the displacement, d = (g-128)/127 * 0.02 * longest side,
    in preview pixels.  ``mask``: R is the soft mask, G the class index times 32.  ``data`` is JSON-ready: width,
    height, full_width, full_height, px_per_cm (preview pixels, 40 cm shoulders), classes (names present).
    """

    photo: Image.Image
    maps: Image.Image
    mask: Image.Image
    data: dict[str, int | float | list[str]]


@dataclass(frozen=True)
class Fit:
    """Everything about a photo that does not depend on the fabric.

    ``mask`` float32 (H,W) 0..1 and ``labels`` uint8 (H,W) class indices, or None, at photo size.  ``box`` (left, top,
    right, bottom) is the part of the photo that the maps cover; each map is on a grid of its own that spans the box:
    ``light`` float32 (h,w), the linear-light multiplier S > 0, 1 on evenly lit cloth; ``bend`` float32 (2,h',w'),
    displacement (du, dv) in photo pixels.  ``px_per_cm`` is for shoulders of 40 cm.
    """

    width: int
    height: int
    box: Box
    light: F32
    bend: F32
    mask: F32
    labels: U8 | None
    px_per_cm: float

    @property
    def longest(self) -> int:
        return max(self.width, self.height)

    def shading(self, box: Box | None = None) -> F32:
        """S (h,w) at photo resolution over ``box`` (the whole photo if None); 1 outside the fit's own box."""
        return self._spread(self.light, box, 1.0, Image.Resampling.BILINEAR)

    def displacement(self, box: Box | None = None) -> tuple[F32, F32]:
        """(du, dv), each (h,w) photo pixels, over ``box``; 0 outside the fit's own box."""
        du, dv = (self._spread(plane, box, 0.0, Image.Resampling.BICUBIC) for plane in self.bend)
        return du, dv

    def _spread(self, plane: F32, box: Box | None, outside: float, how: Image.Resampling) -> F32:
        left, top, right, bottom = box or (0, 0, self.width, self.height)
        result = np.full((bottom - top, right - left), outside, np.float32)
        x0, y0, x1, y1 = (
            max(left, self.box[0]),
            max(top, self.box[1]),
            min(right, self.box[2]),
            min(bottom, self.box[3]),
        )
        if x0 >= x1 or y0 >= y1:
            return result
        scale_x = plane.shape[1] / (self.box[2] - self.box[0])
        scale_y = plane.shape[0] / (self.box[3] - self.box[1])
        source = (
            (x0 - self.box[0]) * scale_x,
            (y0 - self.box[1]) * scale_y,
            min((x1 - self.box[0]) * scale_x, plane.shape[1]),
            min((y1 - self.box[1]) * scale_y, plane.shape[0]),
        )
        result[y0 - top : y1 - top, x0 - left : x1 - left] = resize(plane, x1 - x0, y1 - y0, how, source)
        return result

    def classes(self) -> list[str]:
        """Names of the cloth classes worn in the photo, largest first; empty without a class map."""
        if self.labels is None:
            return []
        counts = np.bincount(self.labels[self.mask > 0.5].ravel(), minlength=len(GARMENT_CLASSES))
        order = np.argsort(-counts, kind="stable")
        return [GARMENT_CLASSES[i] for i in order if 1 <= i <= 6 and counts[i] > 0.005 * max(1, counts.sum())]

    def preview(self, photo: Image.Image, max_side: int = 1280) -> PreviewFit:
        """The fit and its photo at screen size; never larger than the photo."""
        factor = min(1.0, max_side / self.longest)
        size = (max(1, round(self.width * factor)), max(1, round(self.height * factor)))
        light = resize(self.shading(), *size, Image.Resampling.BOX)
        planes = [np.sqrt(np.clip(light / SHADING_CODE, 0.0, 1.0)) * 255.0]
        reach = REACH * self.longest
        for plane in self.displacement():
            planes.append(np.clip(resize(plane, *size, Image.Resampling.BOX) / reach, -1.0, 1.0) * 127.0 + 128.0)
        mask = resize(self.mask, *size, Image.Resampling.BOX) * 255.0
        labels = np.zeros((self.height, self.width), np.uint8) if self.labels is None else self.labels
        classes = np.asarray(Image.fromarray(labels).resize(size, Image.Resampling.NEAREST), np.float32) * 32.0
        data: dict[str, int | float | list[str]] = {
            "width": size[0],
            "height": size[1],
            "full_width": self.width,
            "full_height": self.height,
            "px_per_cm": self.px_per_cm * factor,
            "classes": self.classes(),
        }
        return PreviewFit(
            photo.convert("RGB").resize(size, Image.Resampling.LANCZOS),
            _picture(*planes),
            _picture(mask, classes, np.zeros_like(mask)),
            data,
        )


def fit(photo: Image.Image, mask: F32, labels: U8 | None = None) -> Fit:
    """Measure a photo: RGB picture, soft cloth mask float32 (H,W) 0..1, class map uint8 (H,W) or None.

    Raises :class:`BadInput` where the sizes differ.
    """
    width, height = photo.size
    for what, plane in (("mask", mask), ("class map", labels)):
        if plane is not None and plane.shape != (height, width):
            raise BadInput(f"The {what} is {plane.shape[::-1]} pixels but the photo is {(width, height)}.")
    soft = np.clip(np.nan_to_num(mask), 0.0, 1.0).astype(np.float32)
    box = _bounds(soft)
    size = _grid(box)
    linear = to_linear(np.asarray(photo.convert("RGB").resize(size, Image.Resampling.BOX, box=box)))
    cover = resize(soft, *size, Image.Resampling.BOX, box)
    classes = None
    if labels is not None:
        classes = np.asarray(Image.fromarray(labels).resize(size, Image.Resampling.NEAREST, box=box))
    rows, columns = solver_size(*cover.shape)
    small = resize(cover, columns, rows, Image.Resampling.BOX)
    shape = body(small)
    log, relief = shading(linear, cover, classes, shape.side)
    du, dv = bend(relief, small, shape, _standing(labels))
    scale = (box[2] - box[0]) / columns
    du, dv = limit(du * np.float32(scale), dv * np.float32(scale), REACH * max(width, height))
    return Fit(width, height, box, np.exp(log), np.stack([du, dv]), soft, labels, _measure(small, classes, box))


def _measure(cover: F32, classes: U8 | None, box: Box) -> float:
    """Photo pixels a centimetre, measured on a reduced cover (h,w) and a class map of any size."""
    height, width = cover.shape
    if classes is not None:
        classes = np.asarray(Image.fromarray(classes).resize((width, height), Image.Resampling.NEAREST))
    return float(px_per_cm(cover, classes) * (box[3] - box[1]) / height)


def _standing(labels: U8 | None) -> bool:
    """Whether somebody wears the cloth: skin or hair is seen."""
    return labels is not None and float((labels[::4, ::4] == _SKIN).mean()) > 0.003


def _bounds(mask: F32) -> Box:
    """The mask's bounding box and a little air; the whole photo where the mask is empty."""
    height, width = mask.shape
    rows, columns = np.flatnonzero(mask.max(axis=1) > 0), np.flatnonzero(mask.max(axis=0) > 0)
    if not rows.size:
        return 0, 0, width, height
    air = 2 + max(width, height) // 200
    return (
        max(0, int(columns[0]) - air),
        max(0, int(rows[0]) - air),
        min(width, int(columns[-1]) + 1 + air),
        min(height, int(rows[-1]) + 1 + air),
    )


def _grid(box: Box) -> tuple[int, int]:
    width, height = box[2] - box[0], box[3] - box[1]
    factor = min(1.0, MAP_SIDE / max(width, height))
    return max(1, round(width * factor)), max(1, round(height * factor))


def _picture(*planes: F32) -> Image.Image:
    return Image.fromarray(np.clip(np.rint(np.stack(planes, -1)), 0, 255).astype(np.uint8))
