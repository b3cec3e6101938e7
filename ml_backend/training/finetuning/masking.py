"""What is hidden from a model that learns to inpaint: garments, or random shapes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from ...packaging import Package
from ...packaging.starter import WEIGHTS_DIR, starter
from ...pipelines.base import Progress, ShouldStop, check, tell
from ..data.captioned_folder import Captioned
from ..data.folder import read_rgb
from ..distributed import Workers

Mask = NDArray[np.bool_]

SMALLEST = 0.01
"""A garment that covers less of the picture is none."""
LOOSE = 0.01
"""Garments are masked so much larger, as a part of the side: people's masks are loose, and edges give shapes away."""
WHOLE = 0.2
"""Share of random masks that hide the whole picture."""


def random_mask(side: int, rng: np.random.Generator) -> Mask:
    """A rectangle or an ellipse of any size, anywhere; sometimes all."""
    if rng.random() < WHOLE:
        return np.ones((side, side), bool)
    width, height = (int(rng.integers(side // 8 + 1, side + 1)) for _ in range(2))
    left, top = int(rng.integers(0, side - width + 1)), int(rng.integers(0, side - height + 1))
    drawn = Image.new("1", (side, side))
    pen = ImageDraw.Draw(drawn)
    shape = pen.rectangle if rng.random() < 0.5 else pen.ellipse
    shape((left, top, left + width - 1, top + height - 1), fill=1)
    return np.array(drawn, bool)


def read_mask(path: Path, side: int) -> Mask:
    """The mask as the picture beside it is read: the middle square, bright is masked.  Raises :class:`BadInput`."""
    grey = Image.fromarray(read_rgb(path)).convert("L")
    return np.asarray(ImageOps.fit(grey, (side, side), Image.Resampling.BOX)) >= 128


def find_garments(
    pictures: Sequence[Captioned],
    segmenter: str,
    folder: Path,
    side: int,
    workers: Workers,
    *,
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> list[Mask | None]:
    """The mask (side, side) of each picture's own, else of all clothes that are found; None where there are none.

    Found masks are kept in ``folder``, of which each of the workers makes its share.
    """
    mine = [picture for picture in pictures[workers.rank :: workers.world] if picture.mask is None]
    missing = [picture for picture in mine if not _kept_at(folder, picture, side).exists()]
    if missing:
        from scipy import ndimage

        from ...pipelines.segment import SegmentPipeline

        folder.mkdir(parents=True, exist_ok=True)
        find = SegmentPipeline(_package(segmenter), str(workers.device))
        for number, picture in enumerate(missing):
            check(should_stop)
            tell(progress, number / len(missing), f"Finding garments, {number + 1} of {len(missing)}")
            cloth = find(Image.fromarray(read_rgb(picture.path, side))).mask > 0.5
            loose = ndimage.binary_dilation(cloth, iterations=max(1, round(LOOSE * side)))
            partial = folder / f"{_name(picture, side)}.{workers.rank}.partial"
            Image.fromarray(loose.astype(np.uint8) * 255).save(partial, format="PNG")
            partial.replace(_kept_at(folder, picture, side))
    workers.barrier()
    return [_large_enough(read_mask(picture.mask or _kept_at(folder, picture, side), side)) for picture in pictures]


def _large_enough(mask: Mask) -> Mask | None:
    return mask if mask.mean() >= SMALLEST else None


def _kept_at(folder: Path, picture: Captioned, side: int) -> Path:
    return folder / f"{_name(picture, side)}.png"


def _name(picture: Captioned, side: int) -> str:
    told = f"{picture.path.resolve()} {picture.path.stat().st_size} {side}"
    return f"{picture.path.stem[:40]}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def _package(segmenter: str) -> Package:
    return starter(segmenter) if (WEIGHTS_DIR / segmenter).is_dir() else Package.load(segmenter)
