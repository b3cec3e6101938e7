"""Photo -> soft cloth mask and garment classes, at the photo's own size.

The network sees the photo at a working size.  Edges then come from the photo itself (:mod:`.refine`), not from the
network's coarse map.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional as F

from ..errors import BadInput, BadPackage
from ..packaging import Package
from ..requests import CLOTH_CLASSES, GARMENT_CLASSES
from .base import Progress, ShouldStop, check, tell
from .refine import refine

FIRST_CLOTH = GARMENT_CLASSES.index(CLOTH_CLASSES[0])
LAST_CLOTH = GARMENT_CLASSES.index(CLOTH_CLASSES[-1])
OTHER = GARMENT_CLASSES.index("other")

WORKING_PIXELS = 288 * 192
"""Pixels of the working size: what the starter U-Net was trained at."""

LEAST_PROBABLE = 0.05
"""A class that is nowhere more probable than this takes no part."""
TILE = 256
"""Side in pixels of the pieces in which classes are enlarged."""

PRESENT = 0.01
"""A class counts as worn when it covers this share of the cloth."""


@dataclass(frozen=True)
class Segmentation:
    """``mask``: float32 (H, W) in 0..1, how much each pixel is cloth.  ``labels``: uint8 (H, W), index into
    :data:`GARMENT_CLASSES`; wherever the mask is above zero the label is a cloth class."""

    mask: NDArray[np.float32]
    labels: NDArray[np.uint8]

    @property
    def garments(self) -> tuple[str, ...]:
        """The cloth classes that are worn, largest first."""
        counts = np.bincount(self.labels[self.mask > 0.5], minlength=len(GARMENT_CLASSES))
        order = np.argsort(-counts, kind="stable")
        return tuple(GARMENT_CLASSES[i] for i in order if counts[i] > PRESENT * max(counts.sum(), 1))


class SegmentPipeline:
    """``SegmentPipeline(package)(photo) -> Segmentation``.

    The package is a ``unet`` over our classes, or a network with one class (cloth or not), whose cloth is labelled
    ``other``.
    """

    def __init__(self, package: Package, device: str = "cpu") -> None:
        if package.manifest.capability != "segment":
            raise BadPackage(f"{package.manifest.name} does not segment; it is for {package.manifest.capability}.")
        self.model = package.manifest.reference
        self.device = torch.device(device)
        self.network = package.network().to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.multiple = int(self.network.config.multiple)

    def __call__(
        self, photo: Image.Image, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
    ) -> Segmentation:
        """Any RGB photo with sides of at least 16 px.  Raises :class:`BadInput` for smaller ones."""
        if min(photo.size) < 16:
            raise BadInput(f"The photo is {photo.width}x{photo.height} pixels; it needs at least 16 on each side.")
        photo = photo.convert("RGB")
        tell(progress, 0.0, "Finding the clothes")
        check(should_stop)
        coarse = self.probabilities(photo)
        tell(progress, 0.6, "Following the edges")
        return at_full_size(photo, coarse)

    @torch.inference_mode()
    def probabilities(self, photo: Image.Image) -> NDArray[np.float32]:
        """Class probabilities (8, h, w) at the working size, the mean over the photo and its mirror image."""
        height, width = _working_size(photo.size, self.multiple)
        small = np.asarray(photo.resize((width, height), Image.Resampling.BOX, reducing_gap=2.0))
        rgb = torch.from_numpy(small.copy()).to(self.device).permute(2, 0, 1)[None].float() / 255
        padded = F.pad(rgb, (0, -width % self.multiple, 0, -height % self.multiple), value=0.5)
        both = torch.cat((padded, padded.flip(3))).contiguous(memory_format=torch.channels_last)
        logits = self.network(both)
        probabilities = logits.softmax(1) if logits.shape[1] > 1 else _one_class(logits)
        mean = (probabilities[0] + probabilities[1].flip(2)) / 2
        result: NDArray[np.float32] = mean[:, :height, :width].float().cpu().numpy()
        return result


def _one_class(logits: torch.Tensor) -> torch.Tensor:
    """(N, 1, H, W) logits of cloth -> (N, 8, H, W): cloth as ``other``, the rest as background."""
    cloth = logits.sigmoid()
    result = torch.zeros(len(logits), len(GARMENT_CLASSES), *logits.shape[2:], device=logits.device)
    result[:, :1] = 1 - cloth
    result[:, OTHER : OTHER + 1] = cloth
    return result


def _working_size(size: tuple[int, int], multiple: int) -> tuple[int, int]:
    """(height, width) of about :data:`WORKING_PIXELS` in the photo's proportions; strips keep one ``multiple``."""
    width, height = size
    scale = math.sqrt(WORKING_PIXELS / (width * height))
    longest = WORKING_PIXELS // multiple
    return tuple(min(longest, max(multiple, round(side * scale))) for side in (height, width))  # type: ignore[return-value]


def at_full_size(photo: Image.Image, coarse: NDArray[np.float32], *, follow_edges: bool = True) -> Segmentation:
    """Probabilities (8, h, w) at the working size -> the answer at the photo's; without ``follow_edges`` the cloth is
    only enlarged, which is what refinement is measured against.
    """
    cloth = coarse[FIRST_CLOTH : LAST_CLOTH + 1].sum(axis=0)
    mask = refine(np.asarray(photo), cloth) if follow_edges else _enlarge(cloth, photo.size).clip(0, 1)
    mask[mask < 1 / 255] = 0
    return Segmentation(mask, _class_map(coarse, mask))


def _enlarge(
    plane: NDArray[np.float32], size: tuple[int, int], box: tuple[float, float, float, float] | None = None
) -> NDArray[np.float32]:
    return np.array(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR, box=box), np.float32)


def _class_map(coarse: NDArray[np.float32], mask: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Full-size classes: the best cloth class where there is cloth, the better of background and skin elsewhere.

    Tile by tile: where one class leads in all of the coarse map around, it leads in between as well, and nothing needs
    to be enlarged to know.
    """
    height, width = mask.shape
    present = [index for index in range(FIRST_CLOTH, LAST_CLOTH + 1) if coarse[index].max() >= LEAST_PROBABLE]
    cloth = _Contest(coarse, present or [FIRST_CLOTH])
    rest = _Contest(coarse, [0, LAST_CLOTH + 1])
    labels = np.empty((height, width), np.uint8)
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            place = (left, top, min(left + TILE, width), min(top + TILE, height))
            window, size = np.s_[top : place[3], left : place[2]], (width, height)
            is_cloth = mask[window] > 0
            target = labels[window]
            if is_cloth.all():
                target[:] = cloth.winner(place, size)
            elif not is_cloth.any():
                target[:] = rest.winner(place, size)
            else:
                target[:] = np.where(is_cloth, cloth.winner(place, size), rest.winner(place, size))
    return labels


class _Contest:
    """Which of some classes is the most probable, anywhere in the photo; the first of those that are equal."""

    def __init__(self, coarse: NDArray[np.float32], classes: list[int]) -> None:
        self.classes = np.array(classes, np.uint8)
        self.planes = coarse[classes]
        self.leader = self.planes.argmax(axis=0)

    def winner(self, place: tuple[int, int, int, int], size: tuple[int, int]) -> NDArray[np.uint8]:
        """uint8 class of every pixel of ``place`` (left, top, right, bottom) in a photo of ``size``, or the one of all.

        Leaders are looked for as far around as interpolation looks: a cell, or more where the photo is the smaller.
        """
        rows, columns = self.leader.shape
        left, top, right, bottom = place
        scales = (columns / size[0], rows / size[1])
        box = (left * scales[0], top * scales[1], right * scales[0], bottom * scales[1])
        reach = [math.ceil(max(scale, 1)) for scale in scales]
        around = self.leader[
            max(0, int(box[1]) - reach[1]) : math.ceil(box[3]) + reach[1],
            max(0, int(box[0]) - reach[0]) : math.ceil(box[2]) + reach[0],
        ]
        if (around == around.flat[0]).all():
            best = around[:1, :1]
        else:
            wanted = (right - left, bottom - top)
            best = np.stack([_enlarge(plane, wanted, box) for plane in self.planes]).argmax(axis=0)
        winners: NDArray[np.uint8] = self.classes[best]
        return winners
