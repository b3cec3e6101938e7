"""What pattern a region of a picture shows, in the eyes of the pattern classifier."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from ...networks.classifier import PatternClassifier
from ...requests import PATTERN_TYPES

U8 = NDArray[np.uint8]

SIDE = 64
"""Pixels at which patterns are judged."""

CROP_SHARES = (0.4, 0.5, 0.6)
"""Sides of the squares that are judged, as shares of the side of a square as large as the region."""

CROPS = 5
"""Squares of each size."""


@torch.inference_mode()
def pattern_of(judge: PatternClassifier, image: Image.Image, mask: NDArray[np.bool_]) -> str:
    """The pattern type that most squares of a region show; between equals the likelier one."""
    squares = np.stack(list(region_squares(image, mask)))
    shares = judge(torch.from_numpy(squares).permute(0, 3, 1, 2).float() / 255).softmax(dim=1).numpy()
    votes = np.bincount(shares.argmax(axis=1), minlength=judge.config.classes) + 0.5 * shares.mean(axis=0)
    return PATTERN_TYPES[int(votes.argmax())]


def region_squares(image: Image.Image, mask: NDArray[np.bool_]) -> Iterator[U8]:
    """uint8 (64, 64, 3): squares of several sizes that lie in the region, spread over it; always at least one."""
    region = float(np.sqrt(mask.sum()))
    filled = _filled(image, mask)
    for share in CROP_SHARES:
        side = min(max(8, round(share * region)), *mask.shape)
        for top, left in _places(mask, side):
            square = filled.crop((left, top, left + side, top + side))
            yield np.asarray(square.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def _places(mask: NDArray[np.bool_], side: int) -> list[tuple[int, int]]:
    """Up to :data:`CROPS` corners (top, left) of squares that the mask fills best, apart from each other."""
    sums = np.pad(mask.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    inside = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    left_over = inside / (side * side)
    places: list[tuple[int, int]] = []
    best = float(left_over.max())
    for _ in range(CROPS):
        top, left = (int(value) for value in np.unravel_index(int(left_over.argmax()), left_over.shape))
        if left_over[top, left] < min(0.97, best):
            break
        places.append((top, left))
        reach = max(1, side // 2)
        left_over[max(0, top - reach) : top + reach + 1, max(0, left - reach) : left + reach + 1] = -1.0
    return places


def _filled(image: Image.Image, mask: NDArray[np.bool_]) -> Image.Image:
    """The picture with everything outside the region replaced by the region's nearest pixel."""
    nearest = ndimage.distance_transform_edt(~mask, return_distances=False, return_indices=True)
    return Image.fromarray(np.asarray(image)[nearest[0], nearest[1]])
