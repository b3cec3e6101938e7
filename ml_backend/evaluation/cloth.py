"""How well clothes are found: intersection over union (Jaccard index) of cloth and of garment classes, and how well
the outline is met: the boundary F-score.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from ..errors import BadInput
from ..requests import GARMENT_CLASSES
from .table import spread

if TYPE_CHECKING:
    from ..pipelines.segment import Segmentation, SegmentPipeline

Pixels = NDArray[np.uint8]
Bits = NDArray[np.bool_]
Pair = tuple[Path, Callable[[], Pixels]]
"""A photo and a way to read its true class map (uint8, photo size)."""

TOLERANCE = 0.0075
"""How far an outline may be off, as a part of the picture's diagonal (Csurka et al. 2013)."""
FINE = TOLERANCE / 3
"""A stricter one, about what a designer sees: the usual tolerance forgives most of what refinement mends."""


def iou(predicted: Bits, truth: Bits) -> float:
    """|A and B| / |A or B|; 1 where both are empty."""
    union = np.logical_or(predicted, truth).sum()
    return float(np.logical_and(predicted, truth).sum() / union) if union else 1.0


def boundary_f(predicted: Bits, truth: Bits, tolerance: float = TOLERANCE) -> float:
    """F-score of outlines, 0..1, of two (H, W) masks (Csurka et al. 2013, "What is a good evaluation measure for
    semantic segmentation?"; Perazzi et al. 2016, "A benchmark dataset and evaluation methodology for video object
    segmentation", contour accuracy F).

    Precision is the share of the predicted outline that lies within ``tolerance`` (times the image's diagonal, but at
    least a pixel) of the true one, recall the share of the true outline near the predicted one; their harmonic mean.
    The frame of the picture is no outline.  1 where neither mask has an outline, 0 where only one has.
    """
    reach = max(1.0, tolerance * float(np.hypot(*truth.shape)))
    found, true = outline(predicted), outline(truth)
    if not found.any() or not true.any():
        return float(found.any() == true.any())
    precision = (ndimage.distance_transform_edt(~true)[found] <= reach).mean()
    recall = (ndimage.distance_transform_edt(~found)[true] <= reach).mean()
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def outline(mask: Bits) -> Bits:
    """The pixels of the mask that have a neighbour above, below, left or right outside of it."""
    return np.asarray(mask & ~ndimage.binary_erosion(mask, border_value=1), np.bool_)


def folder_iou(predicted: Path, truth: Path) -> dict[str, float]:
    """Mean IoU of the grey masks in ``predicted`` against those of the same names in ``truth``, both cut at half."""
    names = sorted(path.name for path in truth.glob("*.png"))
    if not names:
        raise BadInput(f"{truth} holds no PNG masks.")
    missing = [name for name in names if not (predicted / name).is_file()]
    if missing:
        raise BadInput(f"{predicted} lacks {len(missing)} of the masks, first {missing[0]}.")
    scores = [iou(_mask(predicted / name), _mask(truth / name)) for name in names]
    return {"iou": float(np.mean(scores)), **_spreads(iou=scores), "count": len(scores)}


@dataclass
class ClothScore:
    """Gathers photos one by one; ``figures`` sums up."""

    ious: list[float] = field(default_factory=list)
    boundaries: list[float] = field(default_factory=list)
    fine_boundaries: list[float] = field(default_factory=list)
    confusion: NDArray[np.int64] = field(
        default_factory=lambda: np.zeros((len(GARMENT_CLASSES), len(GARMENT_CLASSES)), np.int64)
    )

    def add(self, found: Segmentation, truth: Pixels) -> None:
        cloth, skin = GARMENT_CLASSES.index("top"), GARMENT_CLASSES.index("skin")
        mask, true = found.mask > 0.5, (truth >= cloth) & (truth < skin)
        self.ious.append(iou(mask, true))
        self.boundaries.append(boundary_f(mask, true))
        self.fine_boundaries.append(boundary_f(mask, true, FINE))
        # Labels stay cloth under the faint edge of the mask; below one half the pixel is not cloth.
        classes = found.labels % len(GARMENT_CLASSES)
        classes = np.where((found.mask <= 0.5) & (classes >= cloth) & (classes < skin), 0, classes)
        pairs = truth.astype(np.int64) * len(GARMENT_CLASSES) + classes
        self.confusion += np.bincount(pairs.ravel(), minlength=self.confusion.size).reshape(self.confusion.shape)

    def figures(self) -> dict[str, float]:
        """Mean cloth ``iou`` per photo, its tenth percentile, the mean ``boundary_f`` of the cloth's outline (and
        ``boundary_f_fine`` at a third of the tolerance), and ``iou_CLASS`` with their mean ``miou``.  Means over photos
        have their ``_deviation`` beside them.
        """
        hit = np.diag(self.confusion)
        union = self.confusion.sum(axis=0) + self.confusion.sum(axis=1) - hit
        per_class = {
            f"iou_{name}": float(hit[index] / union[index])
            for index, name in enumerate(GARMENT_CLASSES)
            if self.confusion[index].sum()
        }
        return {
            "iou": float(np.mean(self.ious)),
            "iou_p10": float(np.percentile(self.ious, 10)),
            "boundary_f": float(np.mean(self.boundaries)),
            "boundary_f_fine": float(np.mean(self.fine_boundaries)),
            "miou": float(np.mean(list(per_class.values()))),
            **_spreads(iou=self.ious, boundary_f=self.boundaries, boundary_f_fine=self.fine_boundaries),
            "count": len(self.ious),
            **per_class,
        }


def _spreads(**values: list[float]) -> dict[str, float]:
    """How far means over photos would move with others, by name, where that can be told."""
    found = {f"{name}_deviation": spread(each) for name, each in values.items()}
    return {name: value for name, value in found.items() if value is not None}


def street_pairs(folder: Path) -> list[Pair]:
    """The held-out labelled street photos of ``folder`` (see :mod:`ml_backend.training.data.cloth`)."""
    from ..training.data.cloth import held_out, street_table

    table = street_table(folder / "labels.txt")

    def reader(path: Path) -> Callable[[], Pixels]:
        return lambda: table[np.asarray(Image.open(path))]

    photos = sorted((folder / "photos").glob("*.jpg"))
    return [(photo, reader(folder / "labels" / f"{photo.stem}.png")) for photo in photos if held_out(photo.stem)]


def garment_pairs(photos: Path, mattes: Path, without: frozenset[str] = frozenset()) -> list[Pair]:
    """The held-out single garments that have a matte, but for those ``without`` names, as ``FOLDER/NAME``."""
    from ..training.data.cloth import GARMENT_FOLDERS, held_out

    def reader(path: Path, size: tuple[int, int], garment: str) -> Callable[[], Pixels]:
        index = GARMENT_CLASSES.index(garment)
        return lambda: np.where(_mask(path, size), index, 0).astype(np.uint8)

    pairs: list[Pair] = []
    for folder, garment in GARMENT_FOLDERS.items():
        for matte in sorted((mattes / folder).glob("*.png")):
            if held_out(matte.stem) and f"{folder}/{matte.stem}" not in without:
                photo = photos / folder / f"{matte.stem}.jpg"
                with Image.open(photo) as image:
                    pairs.append((photo, reader(matte, image.size, garment)))
    return pairs


def read_names(path: Path) -> frozenset[str]:
    """The lines of a text file; those that begin with # are remarks."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read as a list of names.") from error
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


UNREFINED = ("iou", "boundary_f", "boundary_f_fine")
"""Figures that are also told without edge refinement."""


def measure(pipeline: SegmentPipeline, pairs: Iterable[Pair]) -> dict[str, float]:
    """The whole pipeline on (photo, truth) pairs; ``FIGURE_unrefined`` is without following the photo's edges."""
    from ..pipelines.segment import at_full_size

    refined, unrefined = ClothScore(), ClothScore()
    for path, read in pairs:
        photo, truth = Image.open(path).convert("RGB"), read()
        looked = pipeline.look(photo)
        refined.add(at_full_size(photo, looked.coarse, looked.middles), truth)
        unrefined.add(at_full_size(photo, looked.coarse, looked.middles, follow_edges=False), truth)
    if not refined.ious:
        raise BadInput("There are no held-out photos in that folder.")
    plain = unrefined.figures()
    return refined.figures() | {f"{name}_unrefined": plain[name] for name in UNREFINED}


def _mask(path: Path, size: tuple[int, int] | None = None) -> Bits:
    image = Image.open(path).convert("L")
    if size is not None and image.size != size:
        image = image.resize(size, Image.Resampling.NEAREST)
    return np.asarray(image) > 127
