"""Dress a fitted photo in fabrics.

Each garment g takes a share a_g of a pixel (the soft mask, rounded where garments meet).  With S the light of white
cloth and q the pixel's place on the garment's fabric (see ``repeats``), in linear light:

    worn_g = shoulder(tile_g(q_g) * S)
    full   = (1 - a) behind + sum a_g worn_g,     a = sum a_g
    out    = photo + strength (full - photo)

``behind`` is the photo without the old cloth's part of a border pixel (see ``edges``).  Pixels with a = 0 are copied
bit for bit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from ...colour import shoulder, to_linear, to_srgb
from ...errors import BadInput
from ...requests import OutfitRequest, OverlayRequest, parse_garment
from ..base import Progress, ShouldStop, check, tell
from ..surface import Box, Surface
from .edges import MARGIN, Colours, shares
from .fitting import Fit, fit
from .grids import Window
from .repeats import Placement
from .tiles import Fabric

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]

SurfaceReader = Callable[[Image.Image, F32, U8 | None], Surface]

_CHUNK = 1 << 18
"""Pixels of a strip; bounds the memory of the arithmetic."""

_THREADS = 2
"""Strips worked on at once."""


@dataclass(frozen=True)
class _Garment:
    """One part of an outfit made ready; ``classes`` is a table of the values in a class map (None: all cloth)."""

    classes: U8 | None
    fabric: Fabric
    place: Placement
    strength: float
    mirrored: bool


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
    return dress(photo, fitted, [tile], OutfitRequest((request,)), progress, should_stop)


def dress(
    photo: Image.Image,
    fitted: Fit,
    tiles: Sequence[Image.Image],
    outfit: OutfitRequest,
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> Image.Image:
    """The look: ``photo`` wearing an outfit, one tile for each of its parts.  Raises as :func:`wear` does,
    and :class:`BadInput` where the tiles are not as many as the parts."""
    if photo.size != (fitted.width, fitted.height):
        raise BadInput(f"The fit is of a {fitted.width}x{fitted.height} photo, not {photo.width}x{photo.height}.")
    if len(tiles) != len(outfit.parts):
        raise BadInput(f"The outfit has {len(outfit.parts)} parts but {len(tiles)} fabrics.")
    check(should_stop)
    photo = photo.convert("RGB")
    look = _Look(photo, fitted, [_garment(*pair) for pair in zip(tiles, outfit.parts, strict=True)])
    result = np.array(photo)
    top, bottom = fitted.box[1], fitted.box[3]
    with ThreadPoolExecutor(_THREADS) as pool:
        try:
            for end in _in_turn(pool, look, result, _strips(fitted.box)):
                tell(progress, (end - top) / (bottom - top), "Dressing the photo")
                check(should_stop)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return Image.fromarray(result)


def _strips(box: Box) -> Iterator[Box]:
    left, top, right, bottom = box
    step = max(1, _CHUNK // max(1, right - left))
    for start in range(top, bottom, step):
        yield left, start, right, min(bottom, start + step)


def _in_turn(pool: ThreadPoolExecutor, look: _Look, result: U8, strips: Iterator[Box]) -> Iterator[int]:
    """The last row of each strip as it is done, in order; few wait, so that a stop is heard soon."""
    waiting: deque[tuple[Future[None], int]] = deque()
    for strip in strips:
        waiting.append((pool.submit(look.dress, result, strip), strip[3]))
        if len(waiting) > _THREADS:
            done, end = waiting.popleft()
            done.result()
            yield end
    for done, end in waiting:
        done.result()
        yield end


def _garment(tile: Image.Image, request: OverlayRequest) -> _Garment:
    classes = None
    if request.garments:
        classes = np.zeros(256, np.uint8)
        classes[[parse_garment(name) for name in request.garments]] = 1
    return _Garment(classes, Fabric(tile, request.repeat), Placement.of(request), request.strength, request.mirrored)


class _Look:
    """What all strips of a look share."""

    def __init__(self, photo: Image.Image, fitted: Fit, garments: Sequence[_Garment]) -> None:
        self.fitted = fitted
        self.garments = garments
        self.mirrored = fitted.mirrored() if fitted.paired and any(one.mirrored for one in garments) else fitted
        self.footprints = [one.place.footprint(self._cut(one).jacobian) for one in garments]
        self.colours = Colours.of(photo, self._chosen(), fitted.box)

    def _cut(self, garment: _Garment) -> Fit:
        return self.mirrored if garment.mirrored else self.fitted

    def _chosen(self) -> F32:
        """Share of what is dressed over the box, about as fine as the clean colours are."""
        left, top, right, bottom = self.fitted.box
        thin = max(1, min(bottom - top, right - left) // 700)
        rows, columns = slice(top, bottom, thin), slice(left, right, thin)
        mask = self.fitted.mask[rows, columns]
        tables = [garment.classes for garment in self.garments]
        if self.fitted.labels is None or any(table is None for table in tables):
            return mask
        every = np.maximum.reduce([table for table in tables if table is not None])
        return np.asarray(mask * every[self.fitted.labels[rows, columns]], np.float32)

    def dress(self, result: U8, strip: Box) -> None:
        """Composite one strip of ``result`` (H,W,3) in place."""
        taken = self._shares(strip)
        whole = np.sum(taken, axis=0)
        rows, columns = np.nonzero(whole)
        if not rows.size:
            return
        left, top, right, bottom = strip
        pixels = result[top:bottom, left:right]
        photo = to_linear(pixels[rows, columns])
        share = whole[rows, columns]
        parts = [plane[rows, columns] for plane in taken]
        full = self._behind(photo, share, parts, rows, columns, strip)
        centres = np.arange(top, bottom, dtype=np.float32) + 0.5, np.arange(left, right, dtype=np.float32) + 0.5
        shade = self.fitted.shading_at(*centres)[rows, columns]
        places: dict[bool, tuple[F32, F32]] = {}
        window = Window.of(*centres, self.fitted.box, self.fitted.pieces.shape)
        strength = np.zeros_like(share)
        for garment, part, footprint in zip(self.garments, parts, self.footprints, strict=True):
            strength += part * np.float32(garment.strength)
            here = np.flatnonzero(part)
            if not here.size:
                continue
            at = rows[here], columns[here]
            if garment.mirrored not in places:
                places[garment.mirrored] = self._cut(garment).where_at(*centres)
            u, v = (plane[at] for plane in places[garment.mirrored])
            wide, narrow = window.at(footprint[0], *at), window.at(footprint[1], *at)
            along = footprint[2][window.down.nearest[at[0]], window.across.nearest[at[1]]]
            worn = garment.fabric(*garment.place(u, v), wide, narrow, along)
            worn *= shade[here, None]
            full[here] += shoulder(worn) * part[here, None]
        photo += (full - photo) * (strength / np.maximum(sum(parts), 1e-6))[:, None]
        pixels[rows, columns] = to_srgb(photo)

    def _shares(self, strip: Box) -> list[F32]:
        left, top, right, bottom = strip
        first, last = max(0, top - MARGIN), min(self.fitted.height, bottom + MARGIN)
        start, end = max(0, left - MARGIN), min(self.fitted.width, right + MARGIN)
        labels = None if self.fitted.labels is None else self.fitted.labels[first:last, start:end]
        tables = [garment.classes for garment in self.garments]
        found = shares(self.fitted.mask[first:last, start:end], labels, tables)
        return [plane[top - first : bottom - first, left - start : right - start] for plane in found]

    def _behind(self, photo: F32, share: F32, parts: list[F32], rows: I64, columns: I64, strip: Box) -> F32:
        """What lies behind the cloth, times the share that it has; the parts of border pixels are mended on the way."""
        result = np.zeros_like(photo)
        border = np.flatnonzero(share < 0.999)
        if not border.size:
            return result
        mended, behind = self.colours.behind(photo[border], share[border], rows[border], columns[border], strip)
        for part in parts:
            part[border] *= mended / np.maximum(share[border], 1e-6)
        result[border] = behind * (1.0 - mended)[:, None]
        return result


class OverlayPipeline:
    """Fit and wear in one call; ``surface(photo, mask, labels)`` reads the cloth's surface (None: estimated)."""

    def __init__(self, surface: SurfaceReader | None = None) -> None:
        self.surface = surface

    def __call__(
        self,
        photo: Image.Image,
        mask: F32,
        labels: U8 | None,
        tile: Image.Image | Sequence[Image.Image],
        request: OverlayRequest | OutfitRequest,
        *,
        progress: Progress | None = None,
        should_stop: ShouldStop | None = None,
    ) -> Image.Image:
        """Photo (RGB), soft mask float32 (H,W), class map uint8 (H,W) or None, tile(s) -> look of the photo's size."""
        check(should_stop)
        tell(progress, 0.0, "Reading folds and light")
        tiles = [tile] if isinstance(tile, Image.Image) else list(tile)
        outfit = request if isinstance(request, OutfitRequest) else OutfitRequest((request,))
        read = None if self.surface is None or not mask.any() else self.surface(photo, mask, labels)
        fitted = fit(photo, mask, labels, read)
        return dress(photo, fitted, tiles, outfit, _later(progress, 0.3), should_stop)


def _later(progress: Progress | None, start: float) -> Progress | None:
    if progress is None:
        return None
    return lambda fraction, stage: progress(start + (1.0 - start) * fraction, stage)
