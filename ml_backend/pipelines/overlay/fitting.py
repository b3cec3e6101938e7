"""What a photo gives to every fabric worn on it: light, coordinates on the cloth, mask and measure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from ... import garments
from ...colour import to_linear, to_srgb
from ...errors import BadInput
from ...requests import GARMENT_CLASSES, garment_name
from ..surface import Box, Surface
from .coordinates import SOLVE_SIDE, broken, coordinates
from .edges import Colours
from .estimate import estimate
from .grids import Window
from .light import exposure, light
from .maps import resize
from .measure import px_per_cm

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]

MAP_SIDE = 1440
"""Longest side of the light map; finer light than that is the fabric's own affair."""

MOST_OFF = 1.4
"""How far the surface's own scale may be from what people's proportions say, as a factor."""

_HIDDEN = 6.0
"""Centimetres of cloth for a centimetre of the picture from which a fold hides some of it."""

_HEARD = 0.5
"""Share of the say that the surface has in the scale, proportions having the rest: each errs in its own way."""

SHADING_CODE = 4.0
"""Largest shading that a preview can carry: S = 4 (r/255)^2."""

GARMENT_STEP = 2
"""Steps of the preview's mask between the values of a class map."""

PLACE_CODE = 50.0
"""Steps of a preview's coordinates in a centimetre; 0 is step 32768."""

_READ = 7
"""Pixels of the preview around the cloth, or around its border, within which a browser may read the maps."""


@dataclass(frozen=True)
class PreviewFit:
    """A fit at screen size for the browser: three RGB pictures, and numbers.

    ``maps``, three pictures of the photo's size one below the other.  In the first two R and G are the higher and the
    lower byte of u and of v, (256 r + g - 32768) / 50 cm; B of the first codes the shading, S = 4 (b/255)^2, B of the
    second is 255 where mirrored pairs turn u over.  The third is what lies behind the borders of the cloth (sRGB).
    Away from the cloth, and from its borders, they are empty.  ``mask``: R is the soft
    mask, G the value in the class map times ``garment_step``.  ``data`` is JSON-ready: width, height,
    full_width, full_height, px_per_cm (preview pixels), garment_step, classes (garments present), and pairs, 1 where
    there are pieces that can be cut as mirrored pairs.
    """

    photo: Image.Image
    maps: Image.Image
    mask: Image.Image
    data: dict[str, int | float | list[str]]


@dataclass(frozen=True)
class Fit:
    """Everything about a photo that does not depend on the fabric.

    ``mask`` float32 (H,W) 0..1 and ``labels`` uint8 (H,W), a class map, or None, at photo size.  ``box`` (left, top,
    right, bottom) is the part of the photo that the maps cover; each map is on a grid that spans the box: ``light``
    float32 (h,w), the linear-light multiplier S > 0 of white cloth; ``place`` float32 (2,h',w'), coordinates on the
    cloth in centimetres; ``jacobian`` float32 (2,2,h',w'), their steps for a photo pixel to the right and down;
    ``pieces`` uint8 (h',w'), the garment each node belongs to (0 without a class map).  ``px_per_cm``: photo
    pixels a centimetre of cloth that faces the camera.  Where it is known how the garment was cut, ``cuts`` uint8 (H,W)
    is the piece of cloth that each pixel shows, ``pieces`` that of each node, and ``paired`` the numbers of those that
    mirrored pairs turn over.
    """

    width: int
    height: int
    box: Box
    light: F32
    place: F32
    jacobian: F32
    pieces: U8
    mask: F32
    labels: U8 | None
    px_per_cm: float
    cuts: U8 | None = None
    paired: tuple[int, ...] = ()

    def mirrored(self) -> Fit:
        """The same with the second piece of each pair turned over: cut from the cloth as the mirror of the first."""
        side = np.where(np.isin(self.pieces, self.paired), np.float32(-1), np.float32(1))
        place, jacobian = self.place.copy(), self.jacobian.copy()
        place[0] *= side
        jacobian[0] *= side
        return replace(self, place=place, jacobian=jacobian)

    def scaled(self, px_per_cm: float) -> Fit:
        """The same with another, known, scale."""
        share = np.float32(self.px_per_cm / px_per_cm)
        return replace(self, place=self.place * share, jacobian=self.jacobian * share, px_per_cm=px_per_cm)

    @property
    def longest(self) -> int:
        return max(self.width, self.height)

    @property
    def step(self) -> tuple[float, float]:
        """Photo pixels from node to node of ``place``, (x, y)."""
        left, top, right, bottom = self.box
        return (right - left) / self.place.shape[2], (bottom - top) / self.place.shape[1]

    def shading(self, box: Box | None = None) -> F32:
        """S (h,w) at photo resolution over ``box`` (the whole photo if None)."""
        return self.shading_at(*_centres(box or (0, 0, self.width, self.height)))

    def shading_at(self, rows: F32, columns: F32) -> F32:
        """S at these pixel centres, (rows, columns)."""
        return Window.of(rows, columns, self.box, self.light.shape).read(self.light)

    def where(self, box: Box | None = None) -> tuple[F32, F32]:
        """(u, v), each (h,w) centimetres, at photo resolution over ``box``."""
        return self.where_at(*_centres(box or (0, 0, self.width, self.height)))

    def where_at(self, rows: F32, columns: F32) -> tuple[F32, F32]:
        """(u, v) at these pixel centres.  Where neighbouring nodes are not one cloth, the nearest of the pixel's own
        garment tells alone how it goes on."""
        window = Window.of(rows, columns, self.box, (self.place.shape[1], self.place.shape[2]))
        u, v = window.read(self.place[0]), window.read(self.place[1])
        torn_rows, torn_columns = window.cells(self._torn())
        if torn_rows.size:
            u[torn_rows, torn_columns], v[torn_rows, torn_columns] = self._alone(
                window, rows[torn_rows], columns[torn_columns], torn_rows, torn_columns
            )
        return u, v

    def _torn(self) -> npt.NDArray[np.bool_]:
        """Cells, by their upper left node, whose corners are not one cloth."""
        across, down = broken(self.place, self.jacobian, self.step)
        across = across | (self.pieces[:, 1:] != self.pieces[:, :-1])
        down = down | (self.pieces[1:] != self.pieces[:-1])
        torn = np.zeros(self.pieces.shape, np.bool_)
        torn[:, :-1] |= across
        torn[:-1, :-1] |= across[1:]
        torn[:-1] |= down
        torn[:-1, :-1] |= down[:, 1:]
        return torn

    def _alone(
        self, window: Window, y: F32, x: F32, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]
    ) -> tuple[F32, F32]:
        """(u, v) of single pixels at centres (x, y), from one node each."""
        down, across = window.down, window.across
        own, numbers = None, self.labels if self.cuts is None else self.cuts
        if numbers is not None:
            inside_y = np.clip(y.astype(np.int64), 0, self.height - 1)
            own = numbers[inside_y, np.clip(x.astype(np.int64), 0, self.width - 1)]
        best = np.full(y.shape, np.inf, np.float32)
        node_y, node_x = np.zeros(y.shape, np.int64), np.zeros(y.shape, np.int64)
        for low_y in (True, False):
            for low_x in (True, False):
                i = (down.low if low_y else down.high)[rows]
                j = (across.low if low_x else across.high)[columns]
                far_y = down.share[rows] if low_y else 1.0 - down.share[rows]
                far_x = across.share[columns] if low_x else 1.0 - across.share[columns]
                cost = np.square(far_y) + np.square(far_x)
                if own is not None:
                    cost = cost + 4.0 * (self.pieces[i, j] != own)
                better = cost < best
                best = np.where(better, cost, best)
                node_y, node_x = np.where(better, i, node_y), np.where(better, j, node_x)
        dx = x - (self.box[0] + (node_x + 0.5) * self.step[0])
        dy = y - (self.box[1] + (node_y + 0.5) * self.step[1])
        slopes = self.jacobian[:, :, node_y, node_x]
        found = self.place[:, node_y, node_x] + slopes[:, 0] * dx + slopes[:, 1] * dy
        return np.asarray(found[0], np.float32), np.asarray(found[1], np.float32)

    def classes(self) -> list[str]:
        """Names of the garments worn in the photo (top, top-2 ...), largest first; empty without a class map."""
        if self.labels is None:
            return []
        counts = np.bincount(self.labels[self.mask > 0.5].ravel(), minlength=len(GARMENT_CLASSES))
        order = (int(value) for value in np.argsort(-counts, kind="stable"))
        least = 0.005 * max(1, int(counts.sum()))
        return [garment_name(value) for value in order if 1 <= value % 8 <= 6 and counts[value] > least]

    def preview(self, photo: Image.Image, max_side: int = 1152) -> PreviewFit:
        """The fit and its photo at screen size; never larger than the photo."""
        factor = min(1.0, max_side / self.longest)
        size = (max(1, round(self.width * factor)), max(1, round(self.height * factor)))
        rows = ((np.arange(size[1]) + 0.5) * (self.height / size[1])).astype(np.float32)
        columns = ((np.arange(size[0]) + 0.5) * (self.width / size[0])).astype(np.float32)
        small = photo.convert("RGB").resize(size, Image.Resampling.LANCZOS)
        mask = resize(self.mask, *size, Image.Resampling.BOX)
        labels = np.zeros((self.height, self.width), np.uint8) if self.labels is None else self.labels
        classes = np.asarray(Image.fromarray(labels).resize(size, Image.Resampling.NEAREST), np.float32) * GARMENT_STEP
        u, v = (np.clip(np.rint(plane * PLACE_CODE) + 32768, 0, 65535) for plane in self.where_at(rows, columns))
        shade = np.sqrt(np.clip(self.shading_at(rows, columns) / SHADING_CODE, 0.0, 1.0)) * 255.0
        ground, mask = _ground(small, mask)
        # What nobody reads is left empty: these pictures travel to the browser without loss.
        near, inside = ndimage.maximum_filter(mask, size=_READ) > 0.0, ndimage.minimum_filter(mask, size=_READ) >= 1.0
        u, v, shade = np.where(near, u, 32768), np.where(near, v, 32768), np.where(near, shade, 0.0)
        ground = ground * (near & ~inside)[..., None]
        planes = [
            _rgb(np.floor(u / 256), u % 256, shade),
            _rgb(np.floor(v / 256), v % 256, self._turned(size) * (near * np.float32(255.0))),
            ground,
        ]
        data: dict[str, int | float | list[str]] = {
            "width": size[0],
            "height": size[1],
            "full_width": self.width,
            "full_height": self.height,
            "px_per_cm": self.px_per_cm * factor,
            "garment_step": GARMENT_STEP,
            "classes": self.classes(),
            "pairs": int(bool(self.paired)),
        }
        maps = Image.fromarray(np.concatenate(planes))
        return PreviewFit(small, maps, Image.fromarray(_rgb(mask * 255.0, classes, np.zeros_like(mask))), data)

    def _turned(self, size: tuple[int, int]) -> F32:
        """1 on the pixels of a preview that mirrored pairs turn over."""
        if self.cuts is None or not self.paired:
            return np.zeros((size[1], size[0]), np.float32)
        cuts = np.asarray(Image.fromarray(self.cuts).resize(size, Image.Resampling.NEAREST))
        return np.isin(cuts, self.paired).astype(np.float32)


def _centres(box: Box) -> tuple[F32, F32]:
    left, top, right, bottom = box
    return np.arange(top, bottom, dtype=np.float32) + 0.5, np.arange(left, right, dtype=np.float32) + 0.5


def _ground(photo: Image.Image, mask: F32) -> tuple[U8, F32]:
    """The photo with what is behind the cloth on its borders (h,w,3), and the mask mended there."""
    pixels = np.array(photo)
    rows, columns = np.nonzero((mask > 0.0) & (mask < 1.0))
    if not rows.size:
        return pixels, mask
    whole = (0, 0, photo.width, photo.height)
    seen = to_linear(pixels[rows, columns])
    mended, behind = Colours.of(photo, mask, whole).behind(seen, mask[rows, columns], rows, columns, whole)
    pixels[rows, columns] = to_srgb(behind)
    share = mask.copy()
    share[rows, columns] = mended
    return pixels, share


def fit(photo: Image.Image, mask: F32, labels: U8 | None = None, surface: Surface | None = None) -> Fit:
    """Measure a photo: RGB picture, soft cloth mask float32 (H,W) 0..1, class map uint8 (H,W) or None, its surface.

    Without a surface one is estimated from the outline alone.  Raises :class:`BadInput` where the sizes
    differ or the surface holds anything but finite numbers.
    """
    width, height = photo.size
    for what, plane in (("mask", mask), ("class map", labels)):
        if plane is not None and plane.shape != (height, width):
            raise BadInput(f"The {what} is {plane.shape[::-1]} pixels but the photo is {(width, height)}.")
    photo = photo.convert("RGB")
    soft = np.clip(np.nan_to_num(mask), 0.0, 1.0).astype(np.float32)
    box = _bounds(soft)
    if surface is None:
        surface = estimate(soft, labels, box)
    _check(surface, photo)
    size = _grid(box, MAP_SIDE)
    cover, classes = _reduced(soft, labels, box, size)
    linear = to_linear(np.asarray(photo.resize(size, Image.Resampling.BOX, box=box)))
    log = _carried(surface.shading, surface.box, box, size)
    worn = light(linear, cover, classes, log, exposure(*_whole(photo, soft, labels)))
    size = _grid(box, SOLVE_SIDE)
    cover, classes = _reduced(soft, labels, box, size)
    jacobian, normal = (
        np.stack([_carried(plane, surface.box, box, size) for plane in maps.reshape(-1, *maps.shape[-2:])])
        for maps in (surface.jacobian, surface.normal)
    )
    step = ((box[2] - box[0]) / size[0], (box[3] - box[1]) / size[1])
    pieces = np.zeros(cover.shape, np.uint8) if classes is None else classes
    found = coordinates(jacobian.reshape(2, 2, *cover.shape), normal, cover, pieces, step)
    usual = float(px_per_cm(cover, _kinds(classes))) * step[1]
    ratio = heard(found.px_per_cm, usual) / found.px_per_cm
    return Fit(
        width,
        height,
        box,
        worn,
        found.place / np.float32(ratio),
        found.jacobian / np.float32(ratio),
        found.pieces,
        soft,
        labels,
        found.px_per_cm * ratio,
    )


def heard(told: float, usual: float) -> float:
    """Pixels a centimetre, from what the surface says and what people's proportions say."""
    return usual * math.pow(min(max(told / usual, 1 / MOST_OFF), MOST_OFF), _HEARD)


def garment(folder: Path) -> tuple[Image.Image, Fit]:
    """The photo of the default garment in ``folder``, and how a fabric lies on it.

    Raises :class:`BadInput` where the garment's files do not belong together.
    """
    asset = garments.read(folder)
    photo = Image.open(asset.photo).convert("RGB")
    return photo, measured(folder, photo, asset.px_per_cm)


def measured(folder: Path, photo: Image.Image, px_per_cm: float | None = None) -> Fit:
    """How a fabric lies on the garment of ``photo`` whose ``mask.png`` and ``labels.png`` are in ``folder``: known or
    estimated, its scale told by ``px_per_cm`` where that is.

    Raises :class:`BadInput` where the garment's files do not belong together.
    """
    mask = np.asarray(Image.open(folder / "mask.png").convert("L"), np.float32) / np.float32(255)
    labels = np.asarray(Image.open(folder / "labels.png").convert("L"))
    found = known(folder, mask, labels) or fit(photo, mask, labels)
    return found if px_per_cm is None else found.scaled(px_per_cm)


def known(folder: Path, mask: F32, labels: U8 | None) -> Fit | None:
    """What the renderer knows of the default garment in ``folder``, of which ``mask`` and ``labels`` are those of the
    photo; None where it knows nothing, or of a photo of another size.

    Raises :class:`BadInput` where the garment's files do not belong together.
    """
    own = garments.known(folder)
    return None if own is None or own.light.shape != mask.shape else laid(own, mask, labels)


def laid(own: garments.Known, mask: F32, labels: U8 | None) -> Fit:
    """Known light, coordinates and pieces of cloth as a fit."""
    height, width = mask.shape
    rows, columns = own.place.shape[1:]
    down = (np.arange(rows) * height // rows)[:, None]
    # each node belongs to the piece of the pixel above and to the left of its middle, as it was written
    pieces = own.pieces[down, np.arange(columns) * width // columns]
    return Fit(
        width,
        height,
        (0, 0, width, height),
        own.light,
        own.place,
        _sloped(own.place, pieces, (width / columns, height / rows), 1.0 / own.px_per_cm),
        pieces,
        np.clip(mask, 0.0, 1.0),
        labels,
        own.px_per_cm,
        cuts=own.pieces,
        paired=own.paired,
    )


def _sloped(place: F32, pieces: U8, step: tuple[float, float], scale: float) -> F32:
    """How coordinates (2, h, w) change for a photo pixel to the right and down (2, 2, h, w), each piece by itself; the
    smaller of the steps to either side where a fold hides what lies between."""
    result = np.zeros((2, 2, *pieces.shape), np.float32)
    for way in (0, 1):
        axis = 2 - way
        slope = np.diff(place, axis=axis) / np.float32(step[way])
        same = np.diff(pieces.astype(np.int16), axis=axis - 1) == 0
        same &= (np.take(pieces, range(same.shape[axis - 1]), axis - 1) > 0) & (np.hypot(*slope) < _HIDDEN * scale)
        ends = [(0, 0)] * 3
        before, after = list(ends), list(ends)
        before[axis], after[axis] = (1, 0), (0, 1)
        size = np.where(same, np.hypot(*slope), np.inf)[None]
        sides = [(np.pad(slope, pad), np.pad(size, pad, constant_values=np.inf)) for pad in (before, after)]
        (first, long), (second, short) = sides
        both = np.isfinite(long) & np.isfinite(short)
        near = np.maximum(long, short) < 1.6 * np.minimum(long, short)
        best = np.where(short < long, second, first)
        found = np.where(both & near, 0.5 * (first + second), best)
        upright = np.zeros((2, 1, 1), np.float32)
        upright[way] = scale
        result[:, way] = np.where(np.isfinite(long) | np.isfinite(short), found, upright)
    return result


def _kinds(labels: U8 | None) -> U8 | None:
    """The classes of a class map that tells garments of one class apart."""
    return None if labels is None else np.asarray(labels % len(GARMENT_CLASSES), np.uint8)


def _check(surface: Surface, photo: Image.Image) -> None:
    left, top, right, bottom = surface.box
    if not (0 <= left < right <= photo.width and 0 <= top < bottom <= photo.height):
        raise BadInput(f"The surface is of {surface.box}, which is not a part of a {photo.width}x{photo.height} photo.")
    if not all(np.isfinite(maps).all() for maps in (surface.shading, surface.normal, surface.jacobian)):
        raise BadInput("The surface holds something that is not a number.")


def _whole(photo: Image.Image, mask: F32, labels: U8 | None, side: int = 256) -> tuple[F32, F32, U8 | None]:
    """The whole photo small: linear light, mask, classes."""
    factor = min(1.0, side / max(photo.size))
    size = (max(1, round(photo.width * factor)), max(1, round(photo.height * factor)))
    everything = (0, 0, photo.width, photo.height)
    return (to_linear(np.asarray(photo.resize(size, Image.Resampling.BOX))), *_reduced(mask, labels, everything, size))


def _reduced(mask: F32, labels: U8 | None, box: Box, size: tuple[int, int]) -> tuple[F32, U8 | None]:
    cover = resize(mask, *size, Image.Resampling.BOX, box)
    if labels is None:
        return cover, None
    return cover, np.asarray(Image.fromarray(labels).resize(size, Image.Resampling.NEAREST, box=box))


def _carried(plane: F32, own: Box, box: Box, size: tuple[int, int]) -> F32:
    """A map (h,w) on ``own`` box's grid -> on a grid of ``size`` (columns, rows) over ``box``; bilinear."""
    columns = (box[0] + (np.arange(size[0]) + 0.5) * ((box[2] - box[0]) / size[0])).astype(np.float32)
    rows = (box[1] + (np.arange(size[1]) + 0.5) * ((box[3] - box[1]) / size[1])).astype(np.float32)
    return Window.of(rows, columns, own, (plane.shape[0], plane.shape[1])).read(plane)


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


def _grid(box: Box, side: int) -> tuple[int, int]:
    """(columns, rows) of a map over the box, at most ``side`` and one node a pixel."""
    width, height = box[2] - box[0], box[3] - box[1]
    factor = min(1.0, side / max(width, height))
    return max(1, round(width * factor)), max(1, round(height * factor))


def _rgb(*planes: F32) -> U8:
    return np.clip(np.rint(np.stack(planes, -1)), 0, 255).astype(np.uint8)
