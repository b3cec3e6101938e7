"""Only the masked region is worked on: cut windows around it at the model's resolution, put the painted ones back.

A window is the bounding box of a region with context around it, so that the model sees what the new cloth must fit
to.  Regions far apart get windows of their own, else each would have few of the model's pixels.  Putting back keeps
every pixel where the mask is 0; inside, the edge is feathered and the painting's colours follow the photo's along the
ring outside the region, because an autoencoder shifts colours a little (compare IOPaint and krita-ai-diffusion, which
crop alike, and Poisson blending, Perez et al. 2003, which is the limit of a correction that knows only the border).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import distance_transform_cdt, find_objects, gaussian_filter, label, maximum_filter

from ...errors import BadInput

F32 = NDArray[np.float32]
Box = tuple[int, int, int, int]
"""left, top, right, bottom in pixels; right and bottom are outside."""

CONTEXT = 0.3
"""Room around a region's bounding box on each side, in units of its longer side."""
LARGEST_ASPECT = 2.0
"""Windows are at most this many times longer than wide: models are trained on squares."""
LARGEST_ENLARGEMENT = 2.0
"""A window shows at least the model's size divided by this, in the photo's pixels, however small the region."""
SOLID = 0.5
"""Mask value from which a pixel is repainted wholly: half-sure masks must not let the old cloth shine through."""
TOUCHED = 0.02
"""Mask value from which the model paints; what lies below is not visible in the result."""
SPLIT_GAIN = 0.25
"""Two regions share a window unless two windows, which take twice the time, have less than this part of its area."""
MOST_WINDOWS = 4
MAP_SIDE = 256
"""Longest side of the small map on which regions are found."""
FEATHER = 0.004
"""Width of the feathered edge, in units of the window's longer side; at least one of the model's pixels."""
LARGEST_FEATHER = 12
"""The same in the photo's pixels."""
RING = 0.06
"""Width of the ring on which colours are compared, in units of the window's longer side."""
SMOOTHNESS = 0.12
"""Deviation of the Gaussian that spreads the ring's correction, in units of the window's longer side."""
LARGEST_SHIFT = 20.0
"""Most that a colour is corrected, of 255: drift of the model, not what the words asked for."""
TYPICAL_ERROR = 12.0
"""Differences on the ring much larger than this, of 255, come from new content and hardly count."""


@dataclass(frozen=True)
class Window:
    """A part of a photo for the model.

    ``box`` lies in the photo, ``size`` (width, height) is what the model works at, ``picture`` the RGB of that size and
    ``mask`` the L of that size, 255 where the model paints: everything masked in the box and a rim around it.
    ``alpha`` (box height, box width) is how much of the painting goes back, 0 outside the window's own region.
    """

    box: Box
    size: tuple[int, int]
    picture: Image.Image
    mask: Image.Image
    alpha: F32


def cut(photo: Image.Image, mask: F32, size: int, multiple: int, *, rim: int = 8) -> list[Window]:
    """The windows of a photo: about ``size`` x ``size`` of the model's pixels each, sides multiples of ``multiple``.

    ``mask`` is (H, W) from 0 to 1.  ``rim`` is by how many of the model's pixels it paints beyond the mask, so that
    no latent cell holds both the old and the new.  Raises :class:`BadInput` for a mask of another size than the
    photo's, with values that are no mask's, or empty.
    """
    mask = check_mask(photo, mask)
    regions, cell = _regions(mask)
    boxes = _boxes(regions, cell, photo.size)
    groups = _grouped(boxes, photo.size, size)
    windows = []
    for members in groups:
        region = _union([boxes[member] for member in members])
        box, work = _window(region, photo.size, size, multiple)
        own = np.isin(regions, [member + 1 for member in members])
        windows.append(_cut_one(photo, mask, own, cell, box, work, rim))
    return windows


def put_back(photo: Image.Image, painted: list[tuple[Window, Image.Image]]) -> Image.Image:
    """The photo with each window's painting (RGB, the window's size) blended in.

    Pixels whose mask is 0 are the photo's.
    """
    result = np.array(photo.convert("RGB"))
    for window, picture in painted:
        left, top, right, bottom = window.box
        matched = match_colours(picture, window)
        new = np.asarray(matched.resize((right - left, bottom - top), Image.Resampling.LANCZOS), np.float32)
        old = result[top:bottom, left:right]
        blended = np.rint(old + window.alpha[..., None] * (new - old)).clip(0, 255).astype(np.uint8)
        result[top:bottom, left:right] = np.where(window.alpha[..., None] > 0, blended, old)
    return Image.fromarray(result)


def match_colours(picture: Image.Image, window: Window) -> Image.Image:
    """The painting, its colours shifted smoothly so that around the painted region it agrees with the photo.

    The correction is the difference on the ring outside, spread by a normalised Gaussian; differences that are much
    larger than an autoencoder makes are taken for content and hardly count.
    """
    longest = max(window.size)
    inside = np.asarray(window.mask) > 127
    ring = _dilated(inside, max(2, round(RING * longest))) & ~inside
    if inside.all() or not ring.any():
        return picture
    painting = np.asarray(picture, np.float32)
    difference = np.asarray(window.picture, np.float32) - painting
    middle = np.median(difference[ring], axis=0)
    error = np.abs(difference - middle).max(axis=-1)
    weight = np.where(ring, 1 / (1 + (error / TYPICAL_ERROR) ** 2), 0).astype(np.float32)
    # far from the ring the weights vanish: there the ring's median holds, by a weight that is small near it
    faint = 1e-4
    sigma = SMOOTHNESS * longest
    spread = gaussian_filter(weight, sigma, mode="nearest") + faint
    shift = np.empty_like(painting)
    for channel in range(3):
        weighted = gaussian_filter(weight * difference[..., channel], sigma, mode="nearest")
        shift[..., channel] = (weighted + faint * middle[channel]) / spread
    corrected = painting + shift.clip(-LARGEST_SHIFT, LARGEST_SHIFT)
    return Image.fromarray(np.rint(corrected).clip(0, 255).astype(np.uint8))


def check_mask(photo: Image.Image, mask: F32) -> F32:
    """The mask as float32.  Raises :class:`BadInput` unless it is the photo's size, from 0 to 1 and not empty."""
    mask = np.asarray(mask, np.float32)
    if mask.shape != (photo.height, photo.width):
        shape = "x".join(str(side) for side in mask.shape[::-1])
        raise BadInput(f"The mask is {shape}, the photo {photo.width}x{photo.height}.")
    if not (np.isfinite(mask).all() and mask.min() >= 0 and mask.max() <= 1):
        raise BadInput("A mask has values from 0 to 1.")
    if mask.max() < TOUCHED:
        raise BadInput("The mask is empty; mark what to repaint.")
    return mask


def _regions(mask: F32) -> tuple[NDArray[np.int32], int]:
    """Connected regions, numbered from 1, on a map whose cells are so many pixels wide."""
    cell = max(1, ceil(max(mask.shape) / MAP_SIDE))
    height, width = (-(-side // cell) for side in mask.shape)
    padded = np.zeros((height * cell, width * cell), bool)
    padded[: mask.shape[0], : mask.shape[1]] = mask >= TOUCHED
    small = padded.reshape(height, cell, width, cell).any(axis=(1, 3))
    labels, _ = label(small, structure=np.ones((3, 3)))
    return labels.astype(np.int32), cell


def _boxes(regions: NDArray[np.int32], cell: int, photo: tuple[int, int]) -> list[Box]:
    """The bounding box of each region, in the photo's pixels."""
    return [
        (
            columns.start * cell,
            rows.start * cell,
            min(columns.stop * cell, photo[0]),
            min(rows.stop * cell, photo[1]),
        )
        for rows, columns in find_objects(regions)
    ]


def _grouped(boxes: list[Box], photo: tuple[int, int], size: int) -> list[list[int]]:
    """Which regions share a window: neighbours are merged until every pair is better off apart."""
    groups = [[index] for index in range(len(boxes))]

    def area(members: list[int]) -> int:
        left, top, right, bottom = _wanted(_union([boxes[member] for member in members]), photo, size)
        return (right - left) * (bottom - top)

    # specks would make this slow: all but the largest regions join the nearest of those
    groups.sort(key=lambda members: -_area(boxes[members[0]]))
    groups, specks = groups[: 4 * MOST_WINDOWS], groups[4 * MOST_WINDOWS :]
    for (speck,) in specks:
        distances = [_distance(boxes[members[0]], boxes[speck]) for members in groups]
        groups[distances.index(min(distances))].append(speck)
    while len(groups) > 1:
        costs = {
            (one, other): area(groups[one] + groups[other]) / (area(groups[one]) + area(groups[other]))
            for one in range(len(groups))
            for other in range(one + 1, len(groups))
        }
        one, other = min(costs, key=lambda pair: costs[pair])
        if costs[one, other] > 1 / SPLIT_GAIN and len(groups) <= MOST_WINDOWS:
            break
        groups[one] += groups.pop(other)
    return groups


def _window(region: Box, photo: tuple[int, int], size: int, multiple: int) -> tuple[Box, tuple[int, int]]:
    """The box around a region and the model's size for it, of the same shape wherever the photo has the room."""
    left, top, right, bottom = _wanted(region, photo, size)
    width, height = right - left, bottom - top
    scale = size / sqrt(width * height)
    work = (_multiple(width * scale, multiple), _multiple(height * scale, multiple))
    # rounding changed the shape: widen the side that is now too short
    width, height = (
        min(photo[0], max(width, round(height * work[0] / work[1]))),
        min(photo[1], max(height, round(width * work[1] / work[0]))),
    )
    return _centred(region, width, height, photo), work


def _wanted(region: Box, photo: tuple[int, int], size: int) -> Box:
    """The box with context, not too small, not too long, inside the photo."""
    width, height = region[2] - region[0], region[3] - region[1]
    room = 2 * CONTEXT * max(width, height)
    least = size / LARGEST_ENLARGEMENT
    width, height = ceil(max(width + room, least)), ceil(max(height + room, least))
    width, height = max(width, ceil(height / LARGEST_ASPECT)), max(height, ceil(width / LARGEST_ASPECT))
    return _centred(region, min(width, photo[0]), min(height, photo[1]), photo)


def _centred(region: Box, width: int, height: int, photo: tuple[int, int]) -> Box:
    """A box of that size around the region's middle, pushed into the photo."""
    left = min(max(0, (region[0] + region[2] - width) // 2), photo[0] - width)
    top = min(max(0, (region[1] + region[3] - height) // 2), photo[1] - height)
    return left, top, left + width, top + height


def _cut_one(
    photo: Image.Image,
    mask: F32,
    own: NDArray[np.bool_],
    cell: int,
    box: Box,
    work: tuple[int, int],
    rim: int,
) -> Window:
    left, top, right, bottom = box
    part = mask[top:bottom, left:right]
    rows, columns = np.arange(top, bottom) // cell, np.arange(left, right) // cell
    belongs = own[rows][:, columns]
    pixel = max((right - left) / work[0], (bottom - top) / work[1])
    feather = min(LARGEST_FEATHER, max(1, round(max(pixel, FEATHER * max(right - left, bottom - top)))))
    # reduced by area, so that a strap thinner than a model's pixel still counts
    reduced = np.asarray(Image.fromarray(part).resize(work, Image.Resampling.BOX))
    painted = _dilated(reduced >= TOUCHED, rim)
    return Window(
        box=box,
        size=work,
        picture=photo.convert("RGB").resize(work, Image.Resampling.LANCZOS, box=box),
        mask=Image.fromarray((painted * 255).astype(np.uint8)),
        alpha=np.where(belongs, _feathered(part, feather), 0).astype(np.float32),
    )


def _feathered(part: F32, width: int) -> F32:
    """How much of the painting goes back: rises inside the mask over ``width`` pixels, softer masks rise as they do."""
    depth = distance_transform_cdt(part > 0, metric="chessboard").astype(np.float32)
    if (part > 0).all():
        depth[:] = width + 1
    # in straps thinner than two edges the middle is whole all the same
    nearby = maximum_filter(depth, 2 * width + 1)
    rise: F32 = np.minimum(np.minimum(part / SOLID, 1), depth / np.clip(nearby, 1, width + 1)).astype(np.float32)
    smooth: F32 = rise * rise * (3 - 2 * rise)
    return smooth


def _dilated(region: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    grown: NDArray[np.bool_] = maximum_filter(region, 2 * radius + 1)
    return grown


def _union(boxes: list[Box]) -> Box:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _distance(one: Box, other: Box) -> int:
    """Between the middles of two boxes, doubled, along rows and columns."""
    return abs(one[0] + one[2] - other[0] - other[2]) + abs(one[1] + one[3] - other[1] - other[3])


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def _multiple(length: float, multiple: int) -> int:
    return max(1, round(length / multiple)) * multiple
