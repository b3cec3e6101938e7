"""Pictures of garments with words that are known to be true of them, for training models that paint from words.

Nobody captioned the photos, so the words are made true: a garment whose region and name are known (labelled street
photos, single garments with mattes) is dressed by our own overlay in a drawn fabric of a known pattern in named
colours.  Some keep their own cloth, so that real cloth is seen too; what colour that is, is measured.  Single garments
are also shown whole on an even ground, for painting a picture from words alone, and swatches of nothing but cloth
teach what a pattern is called where nothing else is to be learnt.

Picture ``i`` is a function of (seed, i) alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from ...colour import BASIC_COLOURS, PROTOTYPES, lab_of, name_of, name_of_region, rgb_of
from ...errors import BadInput
from ...inks import compose
from ...networks.classifier import PatternClassifier
from ...packaging.starter import starter
from ...pipelines.base import Progress, ShouldStop, check, tell
from ...pipelines.overlay import fit, wear
from ...requests import PATTERN_TYPES, OverlayRequest
from ...swatches.drawing.tile import draw_inks
from .cloth import STREET_CLASSES, held_out
from .seen import pattern_of

U8 = NDArray[np.uint8]

OUTFIT = "outfit"
"""The word for all the cloth that a person wears."""

SINGLE_WORDS = {
    "dress": "dress",
    "longsleeve": "top",
    "outwear": "jacket",
    "pants": "pants",
    "shirt": "shirt",
    "shorts": "shorts",
    "skirt": "skirt",
    "t-shirt": "t-shirt",
}
"""Folder of single-garment photos -> the garment's word."""

GARMENT_LABELS = tuple(
    label for garment in ("top", "outerwear", "dress", "skirt", "trousers") for label in STREET_CLASSES[garment]
)
"""Labels of the street photos that are dressed; the label is the word."""

DESIGNS = 400
"""Drawn designs of each pattern type; the numbers that the classifier is judged on are far above."""

SMALLEST = 0.02
"""Smallest share of a street photo that a region may have."""

CLOTH = "fabric"
"""The word for a picture of nothing but cloth."""


@dataclass(frozen=True)
class Shares:
    """Of all pictures: ``swatches`` are nothing but cloth, ``own_cloth`` of the others keep what they wear.

    ``plain`` of those newly dressed have no pattern; ``whole`` of the single garments are shown whole.  A fabric's
    ``repeat`` is between these shares of the picture's side.  ``recognised``: a pattern that our classifier does not
    recognise where it is worn is drawn anew, so that no word is taught by a picture that hardly shows it.
    """

    whole: float = 0.5
    own_cloth: float = 0.2
    plain: float = 0.25
    swatches: float = 0.0
    repeat: tuple[float, float] = (0.25, 0.6)
    recognised: bool = False


@dataclass(frozen=True)
class Region:
    """Where a garment is: the pixels of ``labels`` (PNG) whose value is in ``values``."""

    photo: Path
    labels: Path
    values: tuple[int, ...]
    garment: str
    single: bool


@dataclass(frozen=True)
class Words:
    """What is known of a picture: ``colours`` (dominant first), ``pattern`` (a type, "plain", or "" unknown)."""

    garment: str
    colours: tuple[str, ...]
    pattern: str


@dataclass(frozen=True)
class CaptionedPicture:
    """``image`` uint8 (S, S, 3), ``mask`` bool (S, S) where the words apply, or all True for a picture from words."""

    image: U8
    mask: NDArray[np.bool_]
    words: Words


@dataclass(frozen=True)
class CaptionedPictures:
    """``images`` uint8 (N, S, S, 3), ``masks`` bool (N, S, S) and what is known of each."""

    images: U8
    masks: NDArray[np.bool_]
    words: tuple[Words, ...]

    def __len__(self) -> int:
        return len(self.images)

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "images.npy", self.images)
        np.save(folder / "masks.npy", np.packbits(self.masks, axis=-1))
        rows = [(words.garment, " ".join(words.colours), words.pattern) for words in self.words]
        np.save(folder / "words.npy", np.array(rows, dtype=np.str_))

    @classmethod
    def load(cls, folder: Path) -> CaptionedPictures:
        """Raises :class:`BadInput` where no pictures were saved."""
        try:
            images = np.load(folder / "images.npy", mmap_mode="r")
            masks = np.unpackbits(np.load(folder / "masks.npy"), axis=-1, count=images.shape[2]).astype(bool)
            rows = np.load(folder / "words.npy")
        except (OSError, ValueError) as error:
            raise BadInput(f"{folder} holds no captioned pictures.") from error
        words = tuple(Words(str(row[0]), tuple(str(row[1]).split()), str(row[2])) for row in rows)
        return cls(images, masks, words)


def find_regions(
    street: Path | None, garment_photos: Path | None, garment_mattes: Path | None, *, validation: bool
) -> list[Region]:
    """Every garment that is large enough, of the held-out photos or of the rest.  Raises :class:`BadInput` for none."""
    regions = list(_street_regions(street, validation)) if street else []
    if garment_photos and garment_mattes:
        regions += _single_regions(garment_photos, garment_mattes, validation)
    if not regions:
        raise BadInput("No labelled garments were found to dress.")
    return regions


def draw_pictures(
    regions: Sequence[Region],
    count: int,
    *,
    size: int,
    seed: int,
    shares: Shares,
    workers: int = 1,
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> CaptionedPictures:
    """``count`` captioned pictures of ``size`` pixels."""
    draw = partial(draw_picture, regions, size=size, seed=seed, shares=shares)
    with ExitStack() as stack:
        drawn: Iterator[CaptionedPicture] = map(draw, range(count))
        if workers > 1:
            drawn = stack.enter_context(ProcessPoolExecutor(workers)).map(draw, range(count), chunksize=32)
        pictures = []
        for picture in drawn:
            check(should_stop)
            pictures.append(picture)
            tell(progress, len(pictures) / count, f"{len(pictures)} of {count} pictures drawn")
    return CaptionedPictures(
        np.stack([picture.image for picture in pictures]),
        np.stack([picture.mask for picture in pictures]),
        tuple(picture.words for picture in pictures),
    )


def draw_picture(
    regions: Sequence[Region], index: int, *, size: int, seed: int, shares: Shares = Shares()
) -> CaptionedPicture:
    """Picture ``index``.  A fabric that did not come out as named (deep shade, glare) is drawn anew."""
    rng = np.random.default_rng((seed, index))
    swatch = shares.swatches > 0 and rng.random() < shares.swatches
    while True:
        picture = _swatch(rng, size, shares) if swatch else _picture(regions, rng, size, shares)
        if picture is not None:
            return picture


def _swatch(rng: np.random.Generator, size: int, shares: Shares) -> CaptionedPicture | None:
    """Nothing but cloth, turned a little and in an uneven light."""
    words = _choose_words(CLOTH, rng, shares.plain)
    repeat = max(8, round(rng.uniform(*shares.repeat) * size))
    tile = np.asarray(_tile(words, rng).resize((repeat, repeat), Image.Resampling.LANCZOS))
    times = -(-3 * size // (2 * repeat)) + 1
    turned = Image.fromarray(np.tile(tile, (times, times, 1))).rotate(rng.normal(0, 8), Image.Resampling.BICUBIC)
    left, top = (int(each) for each in rng.integers(size // 5, turned.width - size - size // 5 + 1, 2))
    cloth = np.asarray(turned.crop((left, top, left + size, top + size)), np.float32)
    light = ndimage.zoom(
        1 + rng.normal(0, 0.08, (3, 3, 1)), (size / 3, size / 3, 1), order=1, grid_mode=True, mode="nearest"
    )
    image = np.clip(cloth * light + rng.normal(0, 3, cloth.shape), 0, 255).astype(np.uint8)
    everywhere = np.ones((size, size), bool)
    part = np.zeros_like(everywhere)  # as much of it as a garment shows
    part[size // 5 : size - size // 5, size // 3 : size - size // 3] = True
    if shares.recognised and not _shows(image, part, words):
        return None
    return (
        CaptionedPicture(image, everywhere, words) if name_of_region(image, everywhere) in words.colours[:2] else None
    )


def _picture(regions: Sequence[Region], rng: np.random.Generator, size: int, shares: Shares) -> CaptionedPicture | None:
    region = regions[int(rng.integers(len(regions)))]
    whole = region.single and rng.random() < shares.whole
    photo, cover = _cropped(region, rng, size * 3 // 2)
    own = rng.random() < shares.own_cloth
    words = Words(region.garment, (), "") if own else _choose_words(region.garment, rng, shares.plain)
    if not own:
        photo = _dressed(photo, cover, words, rng, shares.repeat)
    if whole:
        photo = _on_even_ground(photo, cover, rng)
    image = np.asarray(Image.fromarray(photo).resize((size, size), Image.Resampling.LANCZOS))
    mask = np.asarray(Image.fromarray(cover).resize((size, size), Image.Resampling.LANCZOS)) > 127
    if mask.mean() < SMALLEST:
        return None
    seen = name_of_region(image, mask)
    if own:
        words = dataclasses.replace(words, colours=(seen,))
    elif seen not in words.colours[:2]:
        return None
    if shares.recognised and not _shows(image, mask, words):
        return None
    return CaptionedPicture(image, np.ones_like(mask) if whole else _loosened(mask, rng), words)


def _shows(image: U8, mask: NDArray[np.bool_], words: Words) -> bool:
    """Whether the pattern is recognised, where it is one that the classifier knows."""
    judge = _judge()
    if words.pattern not in PATTERN_TYPES[: judge.config.classes]:
        return True
    return pattern_of(judge, Image.fromarray(image), mask) == words.pattern


@cache
def _judge() -> PatternClassifier:
    network = starter("classifier-starter").network()
    assert isinstance(network, PatternClassifier)
    return network


def _choose_words(garment: str, rng: np.random.Generator, plain: float) -> Words:
    if rng.random() < plain:
        return Words(garment, (str(rng.choice(BASIC_COLOURS)),), "plain")
    count = int(rng.choice((1, 2, 3), p=(0.5, 0.4, 0.1)))
    colours = tuple(str(name) for name in rng.choice(BASIC_COLOURS, count, replace=False))
    return Words(garment, colours, str(rng.choice(PATTERN_TYPES)))


def shade_of(name: str, rng: np.random.Generator) -> str:
    """A hex colour that is called ``name``: near one of its prototypes."""
    while True:
        prototype = np.array(rgb_of(str(rng.choice(PROTOTYPES[name]))), np.float32)
        colour = np.clip(prototype + rng.normal(0, 9, 3) + rng.normal(0, 9), 0, 255)
        written = "#{:02x}{:02x}{:02x}".format(*np.rint(colour).astype(int))
        if name_of(rgb_of(written)) == name:
            return written


def _palette(coverage: NDArray[np.float32], colours: Sequence[str], rng: np.random.Generator) -> list[str]:
    """A hex colour for each ink so that the first name covers most, the others the rest.

    ``coverage`` (K,) is how much of the tile each ink covers.  A single name's pattern is drawn in another shade of it
    or in a neutral that stands out.
    """
    shades = [shade_of(name, rng) for name in colours]
    if len(shades) == 1:
        shades.append(_standing_out(shades[0], colours[0], rng))
    palette = [""] * len(coverage)
    covered = 0.0
    enough = 0.6 if len(colours) == 1 else 0.5
    others = 1
    for ink in np.argsort(-coverage):
        if covered < enough:
            palette[ink] = shades[0]
            covered += float(coverage[ink])
            continue
        palette[ink] = shades[1 + (others - 1) % (len(shades) - 1)]
        others += 1
    return palette


def _standing_out(shade: str, name: str, rng: np.random.Generator) -> str:
    """Another colour to draw on ``shade``: white, black or its own name's, at least 30 apart in CIELAB."""
    while True:
        other = shade_of(str(rng.choice((name, "white", "black", "white"))), rng)
        if np.linalg.norm(lab_of(other) - lab_of(shade)) > 30:
            return other
        name = str(rng.choice(("white", "black")))


@lru_cache(maxsize=4096)
def _inks(pattern: str, design: int) -> NDArray[np.float32]:
    return draw_inks(pattern, design, 128, inks=4)


def _tile(words: Words, rng: np.random.Generator) -> Image.Image:
    if words.pattern == "plain":
        even = np.full((32, 32, 3), rgb_of(shade_of(words.colours[0], rng)), np.float32)
        return Image.fromarray(np.clip(even + rng.normal(0, 4, (32, 32, 1)), 0, 255).astype(np.uint8))
    inks = _inks(words.pattern, int(rng.integers(DESIGNS)))
    return Image.fromarray(compose(inks, _palette(inks.mean(axis=(1, 2)), words.colours, rng)))


def _dressed(photo: U8, cover: U8, words: Words, rng: np.random.Generator, repeat: tuple[float, float]) -> U8:
    """The photo, its region wearing a fabric that those words describe."""
    picture = Image.fromarray(photo)
    fitted = fit(picture, cover.astype(np.float32) / np.float32(255))
    side = rng.uniform(*repeat) * len(photo)
    request = OverlayRequest(
        scale_cm=float(np.clip(side / fitted.px_per_cm, 1, 200)),
        rotate=float(rng.normal(0, 8)),
        offset_x=float(rng.random()),
        offset_y=float(rng.random()),
    )
    return np.asarray(wear(picture, fitted, _tile(words, rng), request))


def _cropped(region: Region, rng: np.random.Generator, side: int) -> tuple[U8, U8]:
    """A square around the region with some of what is about it: picture (side, side, 3) and cover (side, side)."""
    with Image.open(region.photo) as opened:
        photo = opened.convert("RGB")
    with Image.open(region.labels) as opened:
        labels = opened.convert("L") if opened.mode == "1" else opened.copy()
    values = np.isin(np.asarray(labels), region.values)
    cover = Image.fromarray((values * 255).astype(np.uint8)).resize(photo.size, Image.Resampling.BILINEAR)
    left, top, right, bottom = cover.getbbox() or (0, 0, *photo.size)
    reach = max(right - left, bottom - top) * rng.uniform(1.1, 1.6)
    x = (left + right - reach) / 2 + rng.uniform(-0.08, 0.08) * reach
    y = (top + bottom - reach) / 2 + rng.uniform(-0.08, 0.08) * reach
    box = tuple(round(value) for value in (x, y, x + reach, y + reach))
    pad = max(0, -box[0], -box[1], box[2] - photo.width, box[3] - photo.height)
    moved = (box[0] + pad, box[1] + pad, box[2] + pad, box[3] + pad)
    around = np.pad(np.asarray(photo), ((pad, pad), (pad, pad), (0, 0)), mode="edge")
    hidden = np.pad(np.asarray(cover), pad)
    flip = rng.random() < 0.5
    planes = []
    for plane in (around, hidden):
        square = Image.fromarray(plane).crop(moved).resize((side, side), Image.Resampling.LANCZOS)
        planes.append(np.asarray(square)[:, ::-1] if flip else np.asarray(square))
    return planes[0], planes[1]


def _on_even_ground(photo: U8, cover: U8, rng: np.random.Generator) -> U8:
    """A single garment cut out and laid on an even, nearly white ground with a soft shadow."""
    alpha = ndimage.gaussian_filter(cover.astype(np.float32) / 255, 1.0)[..., None]
    shadow = ndimage.shift(ndimage.gaussian_filter(alpha[..., 0], 8), (6, 0))[..., None] * 0.12
    ground = rng.uniform(226, 252) + rng.normal(0, 2, 3)
    laid = photo * alpha + ground * (1 - shadow) * (1 - alpha)
    return np.asarray(np.clip(laid, 0, 255), np.uint8)


def _loosened(mask: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Half the masks a few pixels too large: people's and models' masks are."""
    if rng.random() < 0.5:
        return mask
    return np.asarray(ndimage.binary_dilation(mask, iterations=int(rng.integers(1, 7))))


def _street_regions(folder: Path, validation: bool) -> Iterator[Region]:
    named = {}
    for line in filter(None, (folder / "labels.txt").read_text(encoding="utf-8").split("\n")):
        index, _, name = line.partition(" ")
        named[int(index)] = name.strip()
    for photo in sorted((folder / "photos").glob("*.jpg")):
        if held_out(photo.stem) != validation:
            continue
        labels = folder / "labels" / f"{photo.stem}.png"
        share = np.bincount(np.asarray(Image.open(labels)).ravel(), minlength=256) / _area(labels)
        worn = [value for value, name in named.items() if name in GARMENT_LABELS and share[value] > 0]
        for value in worn:
            if share[value] >= SMALLEST:
                yield Region(photo, labels, (value,), named[value], single=False)
        if len(worn) > 1 and share[worn].sum() >= SMALLEST:
            yield Region(photo, labels, tuple(worn), OUTFIT, single=False)


def _area(labels: Path) -> int:
    with Image.open(labels) as opened:
        return opened.width * opened.height


def _single_regions(photos: Path, mattes: Path, validation: bool) -> Iterator[Region]:
    for folder, word in SINGLE_WORDS.items():
        for matte in sorted((mattes / folder).glob("*.png")):
            if held_out(matte.stem) == validation:
                yield Region(photos / folder / f"{matte.stem}.jpg", matte, (255,), word, single=True)
