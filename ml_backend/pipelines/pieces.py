"""Class maps told apart into garments: which person wears them, where one ends, which lies in front.

A garment is a class on a person: two trouser legs are one, two people's shirts are two.  People are found by where
their pixels say that their middle is (the network's head, after Cheng et al., "Panoptic-DeepLab", 2020); a network
without that head has its people told apart by the gaps between them.  All of this happens at the working size; what is
handed on are planes whose contest gives the garments at any size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..requests import CLOTH_CLASSES, GARMENT_CLASSES, MAX_GARMENTS

F32 = NDArray[np.float32]
Ints = NDArray[np.intp]

FIRST_CLOTH = GARMENT_CLASSES.index(CLOTH_CLASSES[0])
LAST_CLOTH = GARMENT_CLASSES.index(CLOTH_CLASSES[-1])
SKIN = GARMENT_CLASSES.index("skin")

LEAST_PERSON = 0.06
"""Share of all people's pixels that one person has at least."""

LEAST_ISLAND = 0.04
"""Share of a person's cloth below which a patch of a class belongs to the garment around it."""

LEAST_PIECE = 0.01
"""Share of all cloth that a garment has at least."""

LEAST_SKIN = 0.02
"""Skin and hair over cloth, below which nobody is in the picture."""

_BIN = 4
"""Pixels of the working size that vote together for a middle."""

_APART = 0.18
"""Two people's middles are at least this part of a person's height from one another, sideways."""

_UPRIGHT = 0.35
"""A way up or down counts only so much of one sideways: people are tall, and stand beside each other."""

_RANKS = {"outerwear": 1, "dress": 2, "top": 3, "skirt": 4, "trousers": 5}
"""Front to back on one person; other cloth lies in front of all above the waist (a scarf) and behind below (tights)."""


@dataclass(frozen=True)
class Pieces:
    """``planes`` (K, h, w): the garment with the highest value has the pixel; ``values`` (K,): its value in a label
    map, see :func:`ml_backend.requests.garment_name`; ``people`` (K,): who wears it, 0 being the leftmost; ``ranks``
    (K,): 0 in front."""

    planes: F32
    values: tuple[int, ...]
    people: tuple[int, ...]
    ranks: tuple[int, ...]


def tell_apart(coarse: F32, middles: F32 | None = None) -> Pieces:
    """Class probabilities (8, h, w), and where each pixel's person has his middle, (2, h, w) right and down in px."""
    cloth = coarse[FIRST_CLOTH : LAST_CLOTH + 1]
    inside = cloth.sum(axis=0) > 0.5
    if not inside.any():
        return Pieces(np.zeros((0, *inside.shape), np.float32), (), (), ())
    skin = coarse[SKIN] > 0.5
    if skin.sum() < LEAST_SKIN * inside.sum():
        middles = None  # a garment that nobody wears: what the network says of people means nothing
    whose = people(inside | skin, middles)
    classes = np.where(inside, cloth.argmax(axis=0) + FIRST_CLOTH, 0)
    found = []
    for person in range(int(whose.max()) + 1):
        own = np.where(whose == person, classes, 0)
        own = without_islands(own)
        counts = np.bincount(own.ravel(), minlength=LAST_CLOTH + 1)
        found += [
            (int(counts[index]), index, person, own) for index in range(FIRST_CLOTH, LAST_CLOTH + 1) if counts[index]
        ]
    least = LEAST_PIECE * float(inside.sum())
    found = sorted((each for each in found if each[0] >= least), key=lambda each: -each[0])[:MAX_GARMENTS]
    values, planes, who, before = [], [], [], dict.fromkeys(range(LAST_CLOTH + 1), 0)
    for _, index, person, own in found:
        values.append(index + len(GARMENT_CLASSES) * before[index])
        before[index] += 1
        planes.append(_plane(coarse, index, own, whose == person))
        who.append(person)
    return Pieces(np.stack(planes), tuple(values), tuple(who), _front_to_back(values, who, planes))


def people(body: NDArray[np.bool_], middles: F32 | None) -> Ints:
    """Whose each pixel of the picture is, (h, w), 0 being the leftmost person; beyond the people, the nearest one's."""
    groups = _by_gaps(body) if middles is None else _by_middles(body, middles)
    counts = np.bincount(groups[body])
    kept = np.flatnonzero(counts >= max(LEAST_PERSON * counts.sum(), 1))
    if len(kept) < 2:
        return np.zeros(body.shape, np.intp)
    columns = np.broadcast_to(np.arange(body.shape[1]), body.shape)
    order = sorted(kept, key=lambda each: float(columns[body & (groups == each)].mean()))
    known = np.full(body.shape, -1, np.intp)
    for place, each in enumerate(order):
        known[body & (groups == each)] = place
    nearest = ndimage.distance_transform_edt(known < 0, return_distances=False, return_indices=True)
    return np.asarray(known[tuple(nearest)], np.intp)


def without_islands(classes: Ints) -> Ints:
    """A person's classes (h, w), 0 where no cloth is, small patches given to the class that they touch most."""
    cloth = classes > 0
    least = LEAST_ISLAND * float(cloth.sum())
    result = classes.copy()
    for index in np.unique(classes[cloth]):
        patches, count = ndimage.label(classes == index, np.ones((3, 3)))
        sizes = np.bincount(patches.ravel(), minlength=count + 1)
        if count == 0 or (sizes[1:].max() < least and sizes[1:].sum() >= least):
            continue
        for patch, box in enumerate(ndimage.find_objects(patches), start=1):
            if sizes[patch] >= least:
                continue
            window = tuple(slice(max(0, side.start - 1), side.stop + 1) for side in box)
            here = patches[window] == patch
            around = result[window][ndimage.binary_dilation(here, np.ones((3, 3))) & ~here]
            around = around[(around > 0) & (around != index)]
            # a patch that stands free, a sleeve beyond the lapel, stays what it is
            if len(around) * 3 > here.sum() ** 0.5 * 2:
                result[window][here] = np.bincount(around).argmax()
    return result


def _plane(coarse: F32, index: int, own: Ints, mine: NDArray[np.bool_]) -> F32:
    """How much each pixel is this garment: its class's probability, or that of the class an island was taken from."""
    leader = coarse[FIRST_CLOTH : LAST_CLOTH + 1].max(axis=0)
    elsewhere = mine & (own > 0) & (own != index)
    plane = np.where(own == index, leader, coarse[index])
    return np.asarray(np.where(elsewhere, np.minimum(plane, leader * 0.98), plane) * mine, np.float32)


def _by_middles(body: NDArray[np.bool_], middles: F32) -> Ints:
    """Votes for middles, their peaks, and the nearest peak of each pixel's vote."""
    height, width = body.shape
    right, down = middles[0][body] / _BIN, middles[1][body] / _BIN
    shape = (height // _BIN + 1, width // _BIN + 1)
    rows = np.clip(down, 0, shape[0] - 1).astype(np.intp)
    columns = np.clip(right, 0, shape[1] - 1).astype(np.intp)
    votes = np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float32)
    apart = max(2.0, _APART * _tallest(body) / _BIN)
    smooth = ndimage.gaussian_filter(votes, (0.4 * apart / _UPRIGHT, 0.25 * apart), mode="constant")
    high = np.argwhere((smooth == ndimage.maximum_filter(smooth, 3)) & (smooth > 0.15 * smooth.max()))
    peaks: list[tuple[float, float]] = []
    for row, column in sorted(high.tolist(), key=lambda place: -float(smooth[tuple(place)])):
        if all(np.hypot(_UPRIGHT * (row - other[0]), column - other[1]) >= apart for other in peaks):
            peaks.append((row, column))
    ways = [(_UPRIGHT * (down - row - 0.5)) ** 2 + (right - column - 0.5) ** 2 for row, column in peaks]
    groups = np.zeros(body.shape, np.intp)
    groups[body] = np.argmin(ways, axis=0)
    return groups


def _by_gaps(body: NDArray[np.bool_]) -> Ints:
    """Pieces that stand apart, those above one another taken together."""
    patches, count = ndimage.label(ndimage.binary_closing(body, np.ones((3, 3)), iterations=2), np.ones((3, 3)))
    spans = [(box[1].start, box[1].stop) for box in ndimage.find_objects(patches)]
    owner = list(range(count))
    for one in range(count):
        for other in range(one):
            shared = min(spans[one][1], spans[other][1]) - max(spans[one][0], spans[other][0])
            if shared > 0.4 * min(spans[one][1] - spans[one][0], spans[other][1] - spans[other][0]):
                owner = [owner[other] if each == owner[one] else each for each in owner]
    return np.asarray(np.array([0, *owner], np.intp)[patches])


def _tallest(body: NDArray[np.bool_]) -> float:
    patches, _ = ndimage.label(body, np.ones((3, 3)))
    return float(max(box[0].stop - box[0].start for box in ndimage.find_objects(patches)))


def _front_to_back(values: list[int], who: list[int], planes: list[F32]) -> tuple[int, ...]:
    """0 for what lies in front.  Of two people the one whose cloth reaches further down stands nearer."""
    lowest: dict[int, int] = {}
    centres = []
    for person, plane in zip(who, planes, strict=True):
        rows = np.flatnonzero((plane > 0.3).any(axis=1))
        centres.append(float(rows.mean()) if len(rows) else 0.0)
        lowest[person] = max(lowest.get(person, 0), int(rows[-1]) if len(rows) else 0)

    def key(index: int) -> tuple[float, ...]:
        name = GARMENT_CLASSES[values[index] % len(GARMENT_CLASSES)]
        own = [centres[other] for other, person in enumerate(who) if person == who[index]]
        rank = _RANKS.get(name, 0 if centres[index] <= float(np.mean(own)) else 6)
        return (-lowest[who[index]], who[index], rank, values[index])

    order = sorted(range(len(values)), key=key)
    return tuple(order.index(index) for index in range(len(values)))
