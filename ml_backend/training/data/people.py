"""Photos of people whose every garment is a piece of its own, for masks, taps and the middles of people.

Four sources, each photo kept at its own size (at most ``side`` pixels high):

* street photos with label maps, as :mod:`.cloth` reads them;
* street photos with tags alone (``photos/NAME.jpg``, ``tags.csv`` with lines ``NAME,label label ...``): a teacher says
  where cloth is, and only garments that the tags name may be seen in it (self-training);
* rendered people (``FFFF-V/rgb-K.jpg`` with ``garment.png``), whose backdrop is replaced;
* single garments with mattes.

A pixel's *code* says what it shows and whose it is: ``CODES_EACH * person + kind``, kinds being :data:`KINDS`.  Scenes
are put together from these: near and far, two people side by side, a rendered one in front of a real street, and now
and then a picture without any cloth.  A scene is a function of its random generator alone.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from ...errors import BadInput
from ...requests import CLOTH_CLASSES, GARMENT_CLASSES
from .cloth import IGNORE, STREET_CLASSES, ClothPhotos, held_out, street_labels

U8 = NDArray[np.uint8]

BELONGINGS = "belongings"
"""Shoes, bags, hats, jewels: part of the person, no cloth to wear a fabric."""

KINDS = ("background", BELONGINGS, *(label for labels in STREET_CLASSES.values() for label in labels))
"""What a pixel can show; the garments by their names in the street photos."""

CODES_EACH = 64
"""Codes of each person; three people fit below :data:`IGNORE`."""

MOST_PEOPLE = 3

Guess = Callable[[Image.Image], NDArray[np.float32]]
"""Photo -> class probabilities (8, h, w) at any size of the photo's proportions."""

RENDERED_KINDS = ("background", "top", "jacket", "dress", "skirt", "pants", BELONGINGS, "skin", "hair")
"""Values of ``garment.png`` of the rendered people."""

SINGLE_KINDS = ("background", "top", "jacket", "dress", "skirt", "pants", "scarf", "skin")
"""A kind that stands for each class."""

SURE = 0.6
"""Share of a class among the cloth classes, and of cloth or its opposite, from which a teacher is believed."""


def _class_of_code() -> NDArray[np.uint8]:
    of_kind = {label: name for name, labels in STREET_CLASSES.items() for label in labels}
    table = np.full(256, IGNORE, np.uint8)
    for person in range(MOST_PEOPLE):
        for kind, name in enumerate(KINDS):
            table[CODES_EACH * person + kind] = GARMENT_CLASSES.index(of_kind.get(name, "background"))
    return table


CLASS_OF_CODE = _class_of_code()
"""Lookup from code to class."""

CLOTH_CODES = tuple(
    int(code)
    for code in np.flatnonzero(np.isin(CLASS_OF_CODE, [GARMENT_CLASSES.index(name) for name in CLOTH_CLASSES]))
)
"""The codes that are cloth: the pieces that a tap may choose."""


@dataclass(frozen=True)
class Portrait:
    """``image`` (3, h, w) and ``codes`` (h, w), uint8; ``box``: left, top, right, bottom of the people and things."""

    image: Tensor
    codes: Tensor
    box: tuple[int, int, int, int]


@dataclass(frozen=True)
class Sources:
    """What scenes are made of.  ``tagged``, ``rendered`` and ``single`` may be empty."""

    street: Sequence[Portrait]
    tagged: Sequence[Portrait] = ()
    rendered: Sequence[Portrait] = ()
    single: Sequence[Portrait] = ()


@dataclass(frozen=True)
class Shares:
    """How often a scene is what; what is left of 1 is a labelled street photo."""

    tagged: float = 0.2
    rendered: float = 0.08
    pair: float = 0.14
    single: float = 0.14
    empty: float = 0.04


@dataclass(frozen=True)
class Scene:
    """``rgb`` (3, H, W) in 0..1 and ``codes`` (H, W) int64; ``exact``: whether the pieces are labelled one by one, so
    that taps and middles can be learnt from them."""

    rgb: Tensor
    codes: Tensor
    exact: bool


def portrait(photo: Image.Image, codes: U8, side: int) -> Portrait:
    """A photo at most ``side`` pixels high, with its codes."""
    if photo.height > side:
        size = (max(1, round(photo.width * side / photo.height)), side)
        photo = photo.resize(size, Image.Resampling.LANCZOS)
        codes = np.asarray(Image.fromarray(codes).resize(size, Image.Resampling.NEAREST))
    image = torch.from_numpy(np.array(photo.convert("RGB"))).permute(2, 0, 1).contiguous()
    shown = (codes != 0) & (codes != IGNORE)
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    box = (0, 0, photo.width, photo.height)
    if len(rows):
        box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    return Portrait(image, torch.from_numpy(codes.copy()), box)


def read_people(folder: Path, side: int, *, validation: bool) -> list[Portrait]:
    """Labelled street photos, the held-out ones or the rest."""
    table = np.zeros(256, np.uint8)
    for index, name in street_labels(folder / "labels.txt").items():
        table[index] = (
            KINDS.index(name) if name in KINDS else KINDS.index("background" if name == "null" else BELONGINGS)
        )
    found = []
    for photo in sorted((folder / "photos").glob("*.jpg")):
        if held_out(photo.stem) == validation:
            codes = table[np.asarray(Image.open(folder / "labels" / f"{photo.stem}.png"))]
            found.append(portrait(Image.open(photo), codes, side))
    if not found:
        raise BadInput(f"No photos were found in {folder}.")
    return found


def read_rendered(folder: Path, *, validation: bool) -> list[Portrait]:
    """Rendered people in each of their sets of fabrics; figures whose number ends in 8 validate."""
    table = np.array([KINDS.index(name) for name in RENDERED_KINDS], np.uint8)
    found = []
    for place in sorted(folder.glob("[0-9]*-*")):
        if place.name.split("-")[0].endswith("8") == validation:
            codes = table[np.asarray(Image.open(place / "garment.png"))]
            found += [portrait(Image.open(path), codes, 10**6) for path in sorted(place.glob("rgb-*.jpg"))]
    if not found:
        raise BadInput(f"No rendered people were found in {folder}.")
    return found


def read_tagged(folder: Path, guess: Guess, side: int, *, kept: Path | None = None) -> list[Portrait]:
    """Street photos of which only tags are known, labelled by a teacher that may see nothing but the tagged garments.

    ``kept`` is a file that remembers the teacher's word.
    """
    try:
        with (folder / "tags.csv").open(encoding="utf-8", newline="") as file:
            tags = {row["photo"]: row["tags"].split() for row in csv.DictReader(file)}
    except (OSError, KeyError, AttributeError) as error:
        raise BadInput(f"{folder / 'tags.csv'} cannot be read; it needs lines of photo,tags.") from error
    known: dict[str, U8] = {}
    if kept is not None and kept.exists():
        with np.load(kept) as archive:
            known = {name: archive[name] for name in archive.files}
    found, told = [], {}
    for path in sorted((folder / "photos").glob("*.jpg")):
        if path.stem not in tags or held_out(path.stem):
            continue
        photo = Image.open(path).convert("RGB")
        coarse = known[path.stem] if path.stem in known else heed_tags(guess(photo), tags[path.stem])
        told[path.stem] = coarse
        codes = np.asarray(Image.fromarray(coarse).resize(photo.size, Image.Resampling.NEAREST))
        found.append(portrait(photo, codes, side))
    if kept is not None and len(told) > len(known):
        np.savez_compressed(kept, allow_pickle=False, **told)
    return found


def heed_tags(probabilities: NDArray[np.float32], tags: Sequence[str]) -> U8:
    """Codes (h, w) of the classes (8, h, w), cloth being only what the tags name; IGNORE where the teacher doubts."""
    allowed = [
        index
        for index, name in enumerate(GARMENT_CLASSES)
        if name in CLOTH_CLASSES and not set(STREET_CLASSES[name]).isdisjoint(tags)
    ]
    kinds = np.array([KINDS.index(name) for name in SINGLE_KINDS], np.uint8)
    first, last = (GARMENT_CLASSES.index(CLOTH_CLASSES[i]) for i in (0, -1))
    cloth = probabilities[first : last + 1].sum(axis=0)
    rest = np.where(probabilities[last + 1] > probabilities[0], last + 1, 0)
    sure_rest = (cloth < 1 - SURE) & (np.maximum(probabilities[0], probabilities[last + 1]) > SURE)
    codes = np.where(sure_rest, kinds[rest], IGNORE).astype(np.uint8)
    if not allowed:
        return codes
    which = probabilities[allowed]
    leader = which.argmax(axis=0)
    sure = (cloth > SURE) & (which.max(axis=0) > SURE * which.sum(axis=0)) & (which.sum(axis=0) > 0.1)
    return np.where(sure, kinds[np.array(allowed)[leader]], codes).astype(np.uint8)


def from_cloth(photos: ClothPhotos) -> list[Portrait]:
    """Single garments at a working size as portraits."""
    kinds = np.full(256, IGNORE, np.uint8)
    kinds[: len(SINGLE_KINDS)] = [KINDS.index(name) for name in SINGLE_KINDS]
    made = []
    for image, labels in zip(photos.images, photos.labels, strict=True):
        shown = labels != IGNORE
        rows, columns = (torch.nonzero(shown.any(dim=axis)).flatten() for axis in (1, 0))
        window = (slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1))
        picture = Image.fromarray(image[:, *window].permute(1, 2, 0).numpy())
        made.append(portrait(picture, kinds[labels[window].numpy()], 10**6))
    return made


def scene(sources: Sources, shares: Shares, size: tuple[int, int], rng: np.random.Generator) -> Scene:
    """One picture of ``size`` (height, width), before its light is changed."""
    draw = rng.random()
    kinds: list[tuple[float, Callable[[], Scene]]] = [
        (shares.empty, lambda: _empty(sources, size, rng)),
        (shares.pair, lambda: side_by_side(sources, size, rng)),
        (shares.rendered if sources.rendered else 0, lambda: _rendered(sources, size, rng)),
        (shares.single if sources.single else 0, lambda: _single(sources, size, rng)),
        (shares.tagged if sources.tagged else 0, lambda: _alone(sources.tagged, size, rng, exact=False)),
    ]
    for share, make in kinds:
        if draw < share:
            return make()
        draw -= share
    return _alone(sources.street, size, rng, exact=True)


def near(one: Portrait, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """The people of a photo with a little room around them: (3, H, W) in 0..1 and codes (H, W)."""
    left, top, right, bottom = one.box
    zoom = 0.92 * min(size[0] / (bottom - top), size[1] / (right - left))
    target = (size[1] / 2, size[0] / 2)
    return _placed(one, size, _Place(((left + right) / 2, (top + bottom) / 2), target, zoom, 0.0, False))


def middles(codes: Tensor) -> Tensor:
    """Codes (N, H, W) -> (N, 2, H, W) float: pixels right and down to the middle of the person; NaN where nobody is."""
    height, width = codes.shape[1:]
    down = (torch.arange(height) + 0.5)[:, None].expand(height, width)
    right = (torch.arange(width) + 0.5).expand(height, width)
    result = torch.full((len(codes), 2, height, width), torch.nan)
    someone = (codes != IGNORE) & (codes % CODES_EACH != 0)
    for row, own in enumerate(codes):
        for person in range(MOST_PEOPLE):
            whose = someone[row] & (own // CODES_EACH == person)
            if whose.any():
                for axis, place in enumerate((right, down)):
                    result[row, axis][whose] = place[whose].mean() - place[whose]
    return result


def _alone(portraits: Sequence[Portrait], size: tuple[int, int], rng: np.random.Generator, *, exact: bool) -> Scene:
    one = portraits[int(rng.integers(len(portraits)))]
    rgb, codes = _placed(one, size, _near(one, size, rng) if rng.random() < 0.6 else _whole(one, size, rng))
    return Scene(rgb, codes, exact)


def _single(sources: Sources, size: tuple[int, int], rng: np.random.Generator) -> Scene:
    one = sources.single[int(rng.integers(len(sources.single)))]
    rgb, codes = _placed(one, size, _whole(one, size, rng))
    if rng.random() < 0.4:
        garment = ((codes != 0) & (codes != IGNORE)).float()
        ground, _ = _plain(size, rng, white=0.5)
        rgb = _laid(ground, rgb, garment)
        codes = torch.where(codes == IGNORE, 0, codes)
    return Scene(rgb, codes, exact=True)


def _rendered(sources: Sources, size: tuple[int, int], rng: np.random.Generator) -> Scene:
    one = sources.rendered[int(rng.integers(len(sources.rendered)))]
    rgb, codes = _placed(one, size, _near(one, size, rng, least=0.75))
    codes = torch.where(codes == IGNORE, 0, codes)
    ground, _ = _ground(sources, size, rng)
    return Scene(_laid(ground, rgb, (codes != 0).float()), codes, exact=True)


def side_by_side(sources: Sources, size: tuple[int, int], rng: np.random.Generator) -> Scene:
    """Two people side by side, the second in front; often they overlap a little."""
    height, width = size
    meeting = rng.uniform(0.42, 0.58) * width
    gap = rng.uniform(0.12, 0.3) * width
    behind_left = rng.random() < 0.5
    scene_rgb, scene_codes = None, None
    together = rng.uniform(0.55, 1.0)
    for person in (0, 1):
        rendered = bool(sources.rendered) and rng.random() < 0.35
        drawn_from = sources.rendered if rendered else sources.street
        one = drawn_from[int(rng.integers(len(drawn_from)))]
        left, top, right, bottom = one.box
        zoom = together * rng.uniform(0.85, 1.12) * height / max(bottom - top, (right - left) * 1.6)
        side = -1 if (person == 0) == behind_left else 1
        target = (meeting + side * gap, height * rng.uniform(0.42, 0.58))
        place = _Place(((left + right) / 2, (top + bottom) / 2), target, zoom, 0.0, rng.random() < 0.5)
        rgb, codes = _placed(one, size, place)
        shown = (codes != 0) & (codes != IGNORE)
        if scene_rgb is None or scene_codes is None:
            scene_rgb, scene_codes = rgb, codes
            if rendered or (codes == IGNORE).float().mean() > 0.25:
                ground, _ = _ground(sources, size, rng)
                scene_rgb, scene_codes = _laid(ground, rgb, shown.float()), torch.where(shown, codes, 0)
        else:
            scene_rgb = _laid(scene_rgb, rgb, shown.float())
            scene_codes = torch.where(shown, codes + CODES_EACH, scene_codes)
    assert scene_rgb is not None and scene_codes is not None
    return Scene(scene_rgb, scene_codes, exact=True)


def _empty(sources: Sources, size: tuple[int, int], rng: np.random.Generator) -> Scene:
    """A plain or a grained picture, or a street without people."""
    rgb, codes = _ground(sources, size, rng) if rng.random() < 0.4 else _plain(size, rng, white=0.2)
    return Scene(rgb, codes, exact=False)


def _plain(size: tuple[int, int], rng: np.random.Generator, *, white: float) -> tuple[Tensor, Tensor]:
    """An even ground, softly graded, sometimes grained; ``white`` is the share of nearly white ones."""
    tone = rng.uniform(0, 1, 3) if rng.random() < 0.6 else np.repeat(rng.uniform(0, 1), 3)
    if rng.random() < white:
        tone = np.repeat(rng.uniform(0.88, 1), 3) + rng.uniform(-0.025, 0.025, 3)
    down, right = np.linspace(-1, 1, size[0])[:, None], np.linspace(-1, 1, size[1])
    ramp = rng.uniform(-0.1, 0.1) * down + rng.uniform(-0.1, 0.1) * right
    ground = torch.from_numpy((tone[:, None, None] + ramp).astype(np.float32))
    if rng.random() < 0.4:
        cell = int(rng.choice((1, 4, 16, 48)))
        coarse = rng.standard_normal((1, 1, -(-size[0] // cell), -(-size[1] // cell)), dtype=np.float32)
        ground = ground + rng.uniform(0.01, 0.12) * F.interpolate(torch.from_numpy(coarse), size, mode="bilinear")[0]
    return ground.clamp(0, 1), torch.zeros(size, dtype=torch.int64)


def _ground(sources: Sources, size: tuple[int, int], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """A street beside its people: the wider strip to the left or right of them, stretched to ``size``."""
    one = sources.street[int(rng.integers(len(sources.street)))]
    left, _, right, _ = one.box
    width = one.image.shape[2]
    strip = (0, left) if left > width - right else (right, width)
    if strip[1] - strip[0] < 0.15 * width:
        return _plain(size, rng, white=0.2)
    cut = one.image[:, :, strip[0] : strip[1]].float()[None] / 255
    wide = F.interpolate(torch.cat((cut, cut.flip(3)), dim=3), size, mode="bilinear", align_corners=False)[0]
    return (wide.flip(2) if rng.random() < 0.5 else wide), torch.zeros(size, dtype=torch.int64)


@dataclass(frozen=True)
class _Place:
    """``source`` (x, y) of the photo comes to ``target`` (x, y) of the picture, ``zoom`` times as large."""

    source: tuple[float, float]
    target: tuple[float, float]
    zoom: float
    angle: float
    flip: bool


def _whole(one: Portrait, size: tuple[int, int], rng: np.random.Generator) -> _Place:
    """The whole photo, from half as large as fits to half as large again."""
    height, width = one.codes.shape
    fit = min(size[0] / height, size[1] / width)
    zoom = fit * math.exp(rng.uniform(math.log(0.5), math.log(1.5)))
    target = (size[1] * (0.5 + rng.uniform(-0.12, 0.12)), size[0] * (0.5 + rng.uniform(-0.12, 0.12)))
    return _Place((width / 2, height / 2), target, zoom, _angle(rng), rng.random() < 0.5)


def _near(one: Portrait, size: tuple[int, int], rng: np.random.Generator, least: float = 0.85) -> _Place:
    """The people of the photo, as large as the picture or larger: a part of them then."""
    left, top, right, bottom = one.box
    fit = min(size[0] / (bottom - top), size[1] / (right - left))
    zoom = fit * (rng.uniform(least, 1.0) if rng.random() < 0.7 else rng.uniform(1.0, 1.8))
    within = [0.5 + rng.uniform(-0.35, 0.35) * max(0.0, 1 - fit / zoom) for _ in range(2)]
    source = (left + (right - left) * within[0], top + (bottom - top) * within[1])
    target = (size[1] * (0.5 + rng.uniform(-0.06, 0.06)), size[0] * (0.5 + rng.uniform(-0.06, 0.06)))
    return _Place(source, target, zoom, _angle(rng), rng.random() < 0.5)


def _angle(rng: np.random.Generator) -> float:
    return math.radians(rng.uniform(-15, 15)) if rng.random() < 0.4 else 0.0


def _placed(one: Portrait, size: tuple[int, int], place: _Place) -> tuple[Tensor, Tensor]:
    """The photo in a picture of ``size``: (3, H, W) in 0..1 and codes (H, W) int64, IGNORE beyond the photo."""
    image, codes, zoom, source = one.image.float()[None] / 255, one.codes.float()[None, None], place.zoom, place.source
    if zoom < 0.55:  # or the grid would skip pixels
        image = F.avg_pool2d(image, 2)
        codes = codes[..., : image.shape[2] * 2 : 2, : image.shape[3] * 2 : 2]
        zoom, source = zoom * 2, (source[0] / 2, source[1] / 2)
    height, width = image.shape[2:]
    cos, sin, flip = math.cos(place.angle) / zoom, math.sin(place.angle) / zoom, -1.0 if place.flip else 1.0
    # source pixel = source + R (picture pixel - target); affine_grid wants it in -1..1 of both pictures
    turn = np.array([[cos * flip, -sin], [sin * flip, cos]])
    half, own = np.array([size[1], size[0]]) / 2, np.array([width, height]) / 2
    theta = np.zeros((1, 2, 3), np.float32)
    theta[0, :, :2] = turn * half / own[:, None]
    theta[0, :, 2] = (np.array(source) + turn @ (half - np.array(place.target)) - own) / own
    grid = F.affine_grid(torch.from_numpy(theta), [1, 3, *size], align_corners=False)
    rgb = F.grid_sample(image - 0.5, grid, mode="bilinear", align_corners=False) + 0.5
    # The shift makes zero padding mean IGNORE: beyond the photo nothing is known.
    moved = F.grid_sample(codes - IGNORE, grid, mode="nearest", align_corners=False) + IGNORE
    return rgb[0], moved[0, 0].round().long()


def _laid(ground: Tensor, rgb: Tensor, shown: Tensor) -> Tensor:
    """``rgb`` over the ground where ``shown`` (H, W) is 1, softly."""
    soft = F.avg_pool2d(shown[None, None], 3, stride=1, padding=1, count_include_pad=False)[0]
    soft = (2 * soft - 1).clamp(0, 1) * 0.5 + shown * 0.5
    return ground * (1 - soft) + rgb * soft
