"""The surface of the cloth in a photo: how it is lit, where it faces, and how fabric lies on it.

The network sees the cloth at a working size.  Finer light than that is the photo's own: where the network let the
photo's luminance through (its gate), plain cloth is what it sees, and threads, stitches and small folds may be
added back; where it did not, there is a print, and nothing is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..errors import BadInput, BadPackage
from .base import Progress, ShouldStop, check, tell

if TYPE_CHECKING:
    import torch

    from ..networks.surface import SurfaceMaps
    from ..packaging import Package

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]

WORKING_SIDE = 384
"""Longest side, in pixels, at which the network sees the cloth."""

LEAST_SIDE = 192
"""Smaller cloth is enlarged to this: the network has seen none that is much smaller."""

FINE_SIDE = 1024
"""Longest side, in pixels, of the maps: light that is finer is the fabric's own affair."""

_AIR = 0.03
"""Air about the cloth, as a share of its size: the network looks at what the cloth borders on."""

_EVEN = 70
"""Percentile of a garment's log shading that counts as evenly lit."""

_MOST_DETAIL = 0.35
"""Bound of the log light that is added back beyond the working size."""

_STANDING_CM = 170.0
"""Height that a photo without cloth is taken to show."""


@dataclass(frozen=True)
class Surface:
    """Maps on one grid (h, w) that spans ``box`` (left, top, right, bottom, in photo pixels).

    ``shading`` (h, w): natural log of the linear-light multiplier that white cloth would show, 0 on evenly lit cloth.
    ``normal`` (3, h, w): unit vectors in camera space, x right, y up, z to the camera.
    ``jacobian`` (2, 2, h, w): derivatives of the fabric coordinates (u along the weft, to the wearer's left as seen
    from the front; v along the warp, downwards) in centimetres of cloth for a *photo* pixel:
    ``[[du/dx, du/dy], [dv/dx, dv/dy]]``.  Off the cloth the maps hold no meaning, but finite numbers.
    """

    box: Box
    shading: F32
    normal: F32
    jacobian: F32


class SurfacePipeline:
    """``SurfacePipeline(package)(photo, mask, labels) -> Surface``."""

    def __init__(self, package: Package, device: str = "cpu") -> None:
        import torch

        from ..networks.surface import folded

        if package.manifest.capability != "surface":
            raise BadPackage(f"{package.manifest.name} reads no surfaces; it is for {package.manifest.capability}.")
        self.model = package.manifest.reference
        self.device = torch.device(device)
        self.network = package.network()
        self.multiple = int(self.network.config.multiple)  # type: ignore[union-attr, arg-type]
        self.network = folded(self.network).to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def __call__(
        self,
        photo: Image.Image,
        mask: F32,
        labels: U8 | None,
        *,
        progress: Progress | None = None,
        should_stop: ShouldStop | None = None,
    ) -> Surface:
        """An RGB photo of any size, its soft cloth mask float32 (H, W) in 0..1 and any numbers of its garments uint8
        (H, W), or None where they are not told apart.

        Raises :class:`BadInput` where the sizes differ, :class:`Stopped` if asked.  A photo without cloth is flat.
        """
        for what, plane in (("mask", mask), ("map of garments", labels)):
            if plane is not None and plane.shape != (photo.height, photo.width):
                raise BadInput(f"The {what} is {plane.shape[::-1]} pixels but the photo is {photo.size}.")
        check(should_stop)
        tell(progress, 0.0, "Reading folds and light")
        box = _bounds(mask)
        if box is None:
            return _flat(photo.size)
        photo = photo.convert("RGB")
        seen = _Seen.of(photo, mask, labels, box, _within(box, LEAST_SIDE, WORKING_SIDE))
        maps = self._read(seen)
        check(should_stop)
        tell(progress, 0.7, "Following the folds")
        fine = _Seen.of(photo, mask, labels, box, _within(box, 1, FINE_SIDE))
        return _surface(maps, seen, fine)

    def _read(self, seen: _Seen) -> SurfaceMaps:
        """The network's maps (1, ., h, w) of the cloth as seen, the mean over the picture and its mirror image."""
        import torch
        from torch.nn import functional as F

        from ..networks.surface import SurfaceMaps, borders

        height, width = seen.mask.shape
        air = (0, -width % self.multiple, 0, -height % self.multiple)
        rgb = torch.from_numpy(seen.rgb).to(self.device).permute(2, 0, 1)[None]
        mask = torch.from_numpy(seen.mask).to(self.device)[None, None]
        border = borders(torch.from_numpy(seen.labels).to(self.device)[None], mask)
        rgb, mask, border = F.pad(rgb, air, mode="replicate"), F.pad(mask, air), F.pad(border, air)
        both = [torch.cat((plane, plane.flip(3))) for plane in (rgb, mask, border)]
        with torch.inference_mode():
            found = self.network(both[0].contiguous(memory_format=torch.channels_last), *both[1:])
            planes = [plane.float().cpu() for plane in found]
        return _mirror_mean(SurfaceMaps(*planes), height, width)


@dataclass(frozen=True)
class _Seen:
    """The cloth's box at one size: ``rgb`` float32 (h, w, 3) sRGB 0..1, ``mask`` (h, w), ``labels`` uint8 (h, w);
    ``box`` and ``photo`` (width, height) say of what."""

    rgb: F32
    mask: F32
    labels: U8
    box: Box

    @classmethod
    def of(cls, photo: Image.Image, mask: F32, labels: U8 | None, box: Box, size: tuple[int, int]) -> _Seen:
        """``size`` is (width, height)."""
        larger = size[0] > box[2] - box[0]
        how = Image.Resampling.BICUBIC if larger else Image.Resampling.BOX
        rgb = np.asarray(photo.resize(size, how, box=box), np.float32) / np.float32(255)
        left, top, right, bottom = box
        soft = np.clip(np.nan_to_num(mask[top:bottom, left:right]), 0.0, 1.0).astype(np.float32)
        cover = Image.fromarray(np.ascontiguousarray(soft))
        covered = np.asarray(cover.resize(size, Image.Resampling.BILINEAR if larger else Image.Resampling.BOX))
        numbers = np.zeros(covered.shape, np.uint8)
        if labels is not None:
            cut = Image.fromarray(np.ascontiguousarray(labels[top:bottom, left:right]))
            numbers = np.asarray(cut.resize(size, Image.Resampling.NEAREST)).copy()
        return cls(rgb, covered.astype(np.float32), numbers, box)


def _bounds(mask: F32) -> Box | None:
    """Where the cloth is, with a little air; None without any."""
    height, width = mask.shape
    cloth = mask > 0.1
    rows, columns = (np.flatnonzero(cloth.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return None
    air = 2 + round(_AIR * max(rows[-1] - rows[0], columns[-1] - columns[0]))
    return (
        max(0, int(columns[0]) - air),
        max(0, int(rows[0]) - air),
        min(width, int(columns[-1]) + 1 + air),
        min(height, int(rows[-1]) + 1 + air),
    )


def _within(box: Box, least: int, most: int) -> tuple[int, int]:
    """(width, height) of the box with its longest side between ``least`` and ``most``."""
    width, height = box[2] - box[0], box[3] - box[1]
    longest = max(width, height)
    factor = min(max(1.0, least / longest), most / longest)
    return max(1, round(width * factor)), max(1, round(height * factor))


def _flat(size: tuple[int, int]) -> Surface:
    """Evenly lit cloth that faces the camera, over a whole photo of ``size`` (width, height)."""
    width, height = size
    columns, rows = _within((0, 0, width, height), 1, 64)
    normal, jacobian = np.zeros((3, rows, columns), np.float32), np.zeros((2, 2, rows, columns), np.float32)
    normal[2] = 1.0
    jacobian[0, 0] = jacobian[1, 1] = _STANDING_CM / max(width, height)
    return Surface((0, 0, width, height), np.zeros((rows, columns), np.float32), normal, jacobian)


def _mirror_mean(maps: SurfaceMaps, height: int, width: int) -> SurfaceMaps:
    """Maps of a picture and of its mirror image (2, ., h', w') -> their mean (1, ., height, width).

    In the mirror x runs the other way, and the weft with it: a garment's front shows it to the right in both.
    """
    from torch.nn import functional as F

    from ..networks.surface import SurfaceMaps

    def mean(plane: torch.Tensor, signs: tuple[float, ...]) -> torch.Tensor:
        turned = plane[1:].flip(3) * plane.new_tensor(signs).view(1, -1, 1, 1)
        return ((plane[:1] + turned) / 2)[:, :, :height, :width]

    return SurfaceMaps(
        shading=mean(maps.shading, (1,)),
        gate=mean(maps.gate, (1,)),
        normal=F.normalize(mean(maps.normal, (-1, 1, 1)), dim=1),
        warp=F.normalize(mean(maps.warp, (-1, 1)), dim=1),
        weft=F.normalize(mean(maps.weft, (1, -1)), dim=1),
        log_cm=mean(maps.log_cm, (1, 1)),
    )


def _surface(maps: SurfaceMaps, seen: _Seen, fine: _Seen) -> Surface:
    """The maps at the working size, brought to the finer grid with the photo's own detail."""
    from torch.nn import functional as F

    from ..networks.surface import jacobian

    size = fine.mask.shape
    larger = size[0] > seen.mask.shape[0]

    def spread(plane: torch.Tensor) -> torch.Tensor:
        return F.interpolate(plane, size, mode="bicubic" if larger else "bilinear", align_corners=False)

    shading = spread(maps.shading)[0, 0].numpy()
    if larger:
        shading = shading + _detail(maps.gate[0, 0].numpy(), seen, fine)
    steps = spread(jacobian(maps.warp, maps.weft, maps.log_cm).flatten(1, 2))[0].numpy().reshape(2, 2, *size)
    wide, high = fine.box[2] - fine.box[0], fine.box[3] - fine.box[1]
    scale = np.array([seen.mask.shape[1] / wide, seen.mask.shape[0] / high], np.float32)
    return Surface(
        box=fine.box,
        shading=_levelled(shading, fine),
        normal=F.normalize(spread(maps.normal), dim=1)[0].numpy(),
        jacobian=steps * scale[None, :, None, None],
    )


def _detail(gate: F32, seen: _Seen, fine: _Seen) -> F32:
    """Log light on the fine grid that the working size could not show, as far as the gate is open around."""
    from scipy import ndimage

    size = fine.mask.shape[::-1]

    def spread(plane: F32) -> F32:
        return np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BICUBIC), np.float32)

    open_around = np.clip(spread(ndimage.minimum_filter(gate, 3)), 0.0, 1.0)
    inner = spread(ndimage.minimum_filter(seen.mask, 3))
    finer = _log(fine.rgb) - spread(_log(seen.rgb))
    # A thread of another colour is no fold, however open the gate.
    bounded = _MOST_DETAIL * np.tanh(finer / _MOST_DETAIL)
    return np.asarray(bounded * open_around * np.clip(inner, 0.0, 1.0), np.float32)


def _log(rgb: F32) -> F32:
    """Log luminance (h, w) of sRGB 0..1 (h, w, 3), as the network takes it."""
    from ..networks.surface import DARK

    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4).astype(np.float32)
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    return np.asarray(np.log(luminance + DARK), np.float32)


def _levelled(shading: F32, seen: _Seen) -> F32:
    """Each garment brought to 0 where it is evenly lit; what lies off the cloth goes with the largest garment."""
    cloth = seen.mask > 0.5
    if not cloth.any():
        return shading - np.float32(np.median(shading))
    counts = np.bincount(seen.labels[cloth])
    result = np.empty_like(shading)
    for number in np.argsort(-counts)[: int((counts > 0).sum())]:
        here = cloth & (seen.labels == number)
        level = np.percentile(shading[here], _EVEN)
        if number == counts.argmax():
            result[:] = shading - level
        else:
            result[seen.labels == number] = shading[seen.labels == number] - level
    return result
