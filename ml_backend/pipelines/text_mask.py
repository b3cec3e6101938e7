"""Photo and words -> a soft mask of where the words are, by CLIPSeg (Lueddecke and Ecker, CVPR 2022).

Any folder that transformers loads as ``CLIPSegForImageSegmentation`` will do.  The network sees a small square; where
the photo is wide it looks again and again along it, and where what it was asked for is small it looks once more from
near.  Its masks are blocky, so the edges come from the photo itself (:mod:`.refine`).

A package may say in its manifest, under ``defaults``, how it was trained: ``frame`` (height, width), the proportions
that its square stands for (without it photos are squashed into the square, as CLIPSeg's own processor does),
``subject``, the words for what should fill the frame, ``mirror``, whether to average with the mirror image, and
``words``, the ones it was taught: it knows no others, and what it does not know is said to be unknown instead of
taken for what is most like it.  Without that list it reads freely, as the published CLIPSeg does.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from ..colour import BASIC_COLOURS
from ..errors import BadInput, BadPackage
from ..networks.clipseg import answer, look
from ..packaging import Package
from ..requests import GARMENT_CLASSES, TextMaskRequest
from ..words.naming import Naming, naming
from . import masks
from .base import Progress, ShouldStop, check, tell
from .refine import refine

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
Cloth = Callable[[], tuple[F32, U8]]
"""Gives a soft cloth mask (H, W) in 0..1 and a class map (H, W) of the photo; see :class:`.segment.Segmentation`."""
Box = tuple[float, float, float, float]
"""(left, top, right, bottom) in shares of the photo's width and height; outside 0..1 lies beyond the photo."""

MOST_PHRASES = 16
"""More phrases than this in one request are refused."""

WORKING_SIDE = 1536
"""Longest side, in pixels, of the copy that the looks are cut from."""

CANVAS_SIDE = 384
"""Longest side, in pixels, of the map in which the looks are put together."""

COARSE_SIDE = 64
"""Longest side, in pixels, of the map that is refined: about as fine as CLIPSeg's answers really are."""

NEAR = 0.6
"""A second look is taken when its box is at most this high and wide, in shares of the first."""

NEVER = np.float32(-30)
"""Logit of words that were never taught."""

MARGIN = 0.15
"""Room left around what was found, in shares of its size, for the second look."""

_PART = re.compile(r"\s*[,;.\n+&|]+\s*")
_AND = re.compile(r"(?<!\S)(?:and|or|plus|as well as)(?!\S)", re.IGNORECASE)
_NOT = re.compile(
    r"(?<!\S)(?:(?:but|and)\s+)?(?:not|without|except(?:\s+for)?|excluding|minus|no)(?!\S)", re.IGNORECASE
)


@dataclass(frozen=True)
class Phrase:
    """``confidence`` is the highest probability in the photo: below one half the words were hardly found.

    ``known`` is False for words that the model was never taught; they are neither marked nor taken away.
    """

    text: str
    subtract: bool
    confidence: float = 0.0
    known: bool = True


@dataclass(frozen=True)
class TextMask:
    """``mask``: float32 (H, W) in 0..1 at the photo's size, 1 is inside."""

    mask: F32
    phrases: tuple[Phrase, ...]


def parse_phrases(prompt: str) -> tuple[Phrase, ...]:
    """``"the dress and the shoes, not the belt"`` -> dress, shoes, belt taken away.

    Phrases are parted by commas, semicolons and "and"; after "not", "without", "except" ... the rest of its part is
    taken away.  Colours joined by "and" stay together ("a black and white dress").  Raises :class:`BadInput` when
    nothing or too much is named.
    """
    phrases: list[Phrase] = []
    for part in _PART.split(prompt.strip()):
        kept, *taken = _NOT.split(part)
        for text, minus in ((kept, False), *((text, True) for text in taken)):
            words = [" ".join(word.split()) for word in _split_and(text)]
            phrases += [Phrase(word, minus) for word in words if word]
    if not phrases:
        raise BadInput("The words name nothing to find.")
    if len(phrases) > MOST_PHRASES:
        raise BadInput(f"The words name {len(phrases)} things; at most {MOST_PHRASES} can be found at once.")
    return tuple(dict.fromkeys(phrases))


def _split_and(text: str) -> list[str]:
    pieces = _AND.split(text)
    joined = pieces[:1]
    for piece in pieces[1:]:
        first, last = (piece.split() or [""])[0].lower(), (joined[-1].split() or [""])[-1].lower()
        if last in _COLOUR_WORDS and first in _COLOUR_WORDS:
            joined[-1] += f" and {piece}"
        else:
            joined.append(piece)
    return joined


_COLOUR_WORDS = {*BASIC_COLOURS, "gray", "beige", "cream", "navy", "gold", "silver", "turquoise", "teal"}


class TextMaskPipeline:
    """``TextMaskPipeline(package)(photo, TextMaskRequest("the dress")) -> TextMask``."""

    def __init__(self, package: Package, device: str = "cpu") -> None:
        manifest = package.manifest
        if manifest.architecture != "clipseg":
            raise BadPackage(f"{manifest.name} does not find words in photos; it is for {manifest.capability}.")
        self.model = manifest.reference
        self.device = torch.device(device)
        self.network, self.tokenizer, self.pixels = _load(package)
        self.network.to(self.device)
        defaults = manifest.config.get("defaults", {})
        self.frame = _frame(defaults.get("frame"), manifest.name)
        self.subject = str(defaults.get("subject", ""))
        self.mirror = bool(defaults.get("mirror", False))
        self.words = _words(defaults.get("words"), manifest.name)

    def __call__(
        self,
        photo: Image.Image,
        request: TextMaskRequest,
        *,
        progress: Progress | None = None,
        should_stop: ShouldStop | None = None,
        cloth: Cloth | None = None,
    ) -> TextMask:
        """Any RGB photo with sides of at least 16 px.  Raises :class:`BadInput` for smaller ones.

        ``cloth`` gives what the segmentation sees of the photo; it is asked where the words name a garment, and all of
        that garment which either of the two sees is marked.  Words that are unknown leave the mask as it is.
        """
        if min(photo.size) < 16:
            raise BadInput(f"The photo is {photo.width}x{photo.height} pixels; it needs at least 16 on each side.")
        phrases = parse_phrases(request.prompt)
        photo = photo.convert("RGB")
        tell(progress, 0.0, "Looking for the words")
        names = [naming(phrase.text, self.words) for phrase in phrases]
        known = [name.taught or (cloth is not None and name.known) for name in names]
        if not any(known):
            nothing = np.zeros((photo.height, photo.width), np.float32)
            return TextMask(nothing, tuple(replace(phrase, known=False) for phrase in phrases))
        logits = self._logits_of_known(photo, phrases, names, should_stop)
        check(should_stop)
        sure = _worn(cloth() if cloth and any(name.classes for name in names) else None, names, logits.shape[1:])
        check(should_stop)
        tell(progress, 0.6, "Following the edges")
        coarse = combine(logits, phrases, request.normalise, sure, known)
        mask = at_full_size(photo, coarse, smooth=request.refine)
        mask = masks.adjust(
            mask, threshold=request.threshold, grow_percent=request.grow, feather_percent=request.feather
        )
        mask = np.where(mask < 1 / 255, np.float32(0), mask)
        peaks = np.maximum(masks.normalise(logits, "sigmoid"), sure).max(axis=(1, 2))
        found = (
            replace(phrase, confidence=float(peak), known=one)
            for phrase, peak, one in zip(phrases, peaks, known, strict=True)
        )
        return TextMask(mask, tuple(found))

    def _logits_of_known(
        self, photo: Image.Image, phrases: Sequence[Phrase], names: Sequence[Naming], should_stop: ShouldStop | None
    ) -> F32:
        """(P, h, w) logits, :data:`NEVER` for phrases that were not taught: the network is not even asked."""
        taught = [number for number, name in enumerate(names) if name.taught]
        logits = np.full((len(phrases), *_canvas_shape(photo.size)), NEVER, np.float32)
        if not taught:
            return logits
        answers = self.logits(photo, [phrases[number].text for number in taught], should_stop)
        if len(taught) == len(phrases):
            return answers
        logits[taught] = answers
        return logits

    @torch.inference_mode()
    def logits(self, photo: Image.Image, phrases: Sequence[str], should_stop: ShouldStop | None = None) -> F32:
        """(P, h, w) logits of the phrases over the whole photo, longest side :data:`CANVAS_SIDE`.

        Raises :class:`Stopped` between two looks.
        """
        working = photo.copy()
        working.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BOX, reducing_gap=2.0)
        asked = [*phrases, self.subject] if self.subject else list(phrases)
        conditions = self._conditions(asked)
        canvas = _Canvas(len(asked), photo.size)
        whole, *parts = self._first_boxes(photo.width / photo.height)
        for box in (whole, *parts):
            check(should_stop)
            # People are small in the whole of a wide photo; its parts know better.
            weight = 0.25 if parts and box is whole else 1.0
            canvas.add(self._look(working, box, conditions), box, weight)
        nearer = self._nearer(canvas.logits(), photo.width / photo.height, len(phrases))
        if nearer is not None:
            check(should_stop)
            canvas.add(self._look(working, nearer, conditions), nearer, weight=3.0)
        return canvas.logits()[: len(phrases)]

    def _conditions(self, phrases: Sequence[str]) -> torch.Tensor:
        most = self.network.config.text_config.max_position_embeddings
        tokens = self.tokenizer(list(phrases), padding=True, truncation=True, max_length=most, return_tensors="pt")
        tokens = tokens.to(self.device)
        features = self.network.clip.get_text_features(tokens["input_ids"], tokens["attention_mask"])
        result: torch.Tensor = features.pooler_output
        return result

    def _look(self, photo: Image.Image, box: Box, conditions: torch.Tensor) -> F32:
        """(P, s, s) logits of what is in the box, squashed into the network's square."""
        view = _cut(photo, box, self.network.config.vision_config.image_size)
        views = [view, view.transpose(Image.Transpose.FLIP_LEFT_RIGHT)] if self.mirror else [view]
        pixels = self.pixels(views, return_tensors="pt")["pixel_values"].to(self.device)
        logits = answer(self.network, look(self.network, pixels), conditions.repeat(len(views), 1))
        mean = (logits[0] + logits[1].flip(2)) / 2 if self.mirror else logits[0]
        result: F32 = mean.float().cpu().numpy()
        return result

    def _first_boxes(self, aspect: float) -> list[Box]:
        """The whole photo, and where it is much wider than the frame also parts of it from end to end."""
        if self.frame is None:
            return [(0.0, 0.0, 1.0, 1.0)]
        share = self.frame / aspect
        if share >= 1:
            beside = (share - 1) / 2
            return [(-beside, 0.0, 1 + beside, 1.0)]
        above = (1 / share - 1) / 2
        whole = (0.0, -above, 1.0, 1 + above)
        if share > 0.75:
            return [whole]
        count = min(6, math.ceil(2 * (1 - share) / share) + 1)
        lefts = np.linspace(0, 1 - share, count)
        return [whole, *((float(left), 0.0, float(left) + share, 1.0) for left in lefts)]

    def _nearer(self, logits: F32, aspect: float, phrases: int) -> Box | None:
        """The box of a second look: around the subject, or all that was found, where that is small."""
        probable = masks.normalise(logits, "sigmoid")
        for planes in (probable[phrases:], probable[:phrases]):
            found = masks.box_of(planes.max(axis=0)) if len(planes) else None
            if found is not None:
                return _around(found, probable.shape[1:], self.frame, aspect)
        return None


def combine(
    logits: F32,
    phrases: Sequence[Phrase],
    normalise: str,
    sure: F32 | None = None,
    known: Sequence[bool] | None = None,
) -> F32:
    """(P, h, w) logits -> (h, w) mask: all that is asked for, less what is taken away.

    ``sure``, (P, h, w) in 0..1, is what is known of each phrase besides.  Phrases that are not ``known`` count for
    nothing.  Known ones that are all taken away are taken from everything.
    """
    maps = [_probable(plane, normalise) for plane in logits]
    if sure is not None:
        maps = [masks.unite(plane, more) for plane, more in zip(maps, sure, strict=True)]
    knows = [True] * len(maps) if known is None else known
    counted = [(plane, phrase) for plane, phrase, one in zip(maps, phrases, knows, strict=True) if one]
    wanted = [plane for plane, phrase in counted if not phrase.subtract]
    unwanted = [plane for plane, phrase in counted if phrase.subtract]
    from_all = bool(unwanted) and all(phrase.subtract for phrase in phrases)
    start = np.ones_like(maps[0]) if from_all else np.zeros_like(maps[0])
    mask = np.max(wanted, axis=0) if wanted else start
    for plane in unwanted:
        mask = masks.subtract(mask, plane)
    return np.asarray(mask, np.float32)


def _probable(plane: F32, how: str) -> F32:
    """A phrase's map in 0..1; nowhere for one that the model was not taught, however maps are stretched."""
    return np.zeros_like(plane) if (plane == NEVER).all() else masks.normalise(plane, how)


def _worn(seen: tuple[F32, U8] | None, names: Sequence[Naming], shape: tuple[int, ...]) -> F32:
    """(P, h, w) in 0..1: how much of each place is cloth of the classes that each phrase names."""
    planes = np.zeros((len(names), *shape), np.float32)
    if seen is None:
        return planes
    mask, labels = seen
    size = (shape[1], shape[0])
    for plane, name in zip(planes, names, strict=True):
        if name.classes:
            values = [GARMENT_CLASSES.index(one) for one in name.classes]
            # Of several garments of one class each has a value of its own; the class is its remainder.
            worn = np.where(np.isin(labels % len(GARMENT_CLASSES), values), mask, np.float32(0)).astype(np.float32)
            plane[:] = np.asarray(Image.fromarray(worn).resize(size, Image.Resampling.BOX), np.float32)
    return planes


def _canvas_shape(size: tuple[int, int]) -> tuple[int, int]:
    """(height, width) of the map for a photo of ``size`` (width, height)."""
    factor = CANVAS_SIDE / max(size)
    width, height = (max(8, round(side * factor)) for side in size)
    return height, width


class _Canvas:
    """Logits over the whole photo, the weighted mean of the looks that saw each place."""

    def __init__(self, phrases: int, size: tuple[int, int]) -> None:
        self.height, self.width = _canvas_shape(size)
        self.total = np.zeros((phrases, self.height, self.width), np.float32)
        self.weights = np.zeros((self.height, self.width), np.float32)

    def add(self, logits: F32, box: Box, weight: float = 1.0) -> None:
        """A look counts less near its sides where it cut the photo: half of a coat is hard to recognise."""
        left, right = max(0, math.floor(box[0] * self.width)), min(self.width, math.ceil(box[2] * self.width))
        top, bottom = max(0, math.floor(box[1] * self.height)), min(self.height, math.ceil(box[3] * self.height))
        if left >= right or top >= bottom:
            return
        across = _positions(left, right, self.width, box[0], box[2])
        down = _positions(top, bottom, self.height, box[1], box[3])
        worth = weight * _edge(across, box[0] > 0, box[2] < 1) * _edge(down, box[1] > 0, box[3] < 1)[:, None]
        side = logits.shape[-1]
        here = (slice(top, bottom), slice(left, right))
        for plane, total in zip(logits, self.total, strict=True):
            total[here] += worth * _sampled(plane, down * side - 0.5, across * side - 0.5)
        self.weights[here] += worth

    def logits(self) -> F32:
        return np.asarray(self.total / np.maximum(self.weights, 1e-6), np.float32)


def _positions(first: int, last: int, count: int, low: float, high: float) -> F32:
    """Where the pixels first..last of ``count`` are within low..high, as shares 0..1."""
    middles = (np.arange(first, last) + 0.5) / count
    return np.asarray(np.clip((middles - low) / (high - low), 0, 1), np.float32)


def _edge(places: F32, cut_low: bool, cut_high: bool) -> F32:
    """Weights 0.05..1 that rise over the first and last third of a look where it cuts the photo."""
    weights = np.ones_like(places)
    if cut_low:
        weights = np.minimum(weights, 3 * places)
    if cut_high:
        weights = np.minimum(weights, 3 * (1 - places))
    return np.asarray(np.maximum(weights, 0.05), np.float32)


def _sampled(plane: F32, rows: F32, columns: F32) -> F32:
    """Bilinear samples of (s, s) on the grid of ``rows`` and ``columns``, the outermost values beyond the border."""
    for positions, axis in ((rows, 0), (columns, 1)):
        limited = np.clip(positions, 0, plane.shape[axis] - 1)
        low = np.minimum(limited.astype(np.intp), plane.shape[axis] - 2)
        part = (limited - low).astype(np.float32)
        part = part[:, None] if axis == 0 else part
        plane = plane.take(low, axis) * (1 - part) + plane.take(low + 1, axis) * part
    return np.asarray(plane, np.float32)


def _cut(photo: Image.Image, box: Box, side: int) -> Image.Image:
    """The box of the photo squashed into side x side; beyond the photo is mid-grey."""
    width, height = photo.size
    inner = (max(0.0, box[0]), max(0.0, box[1]), min(1.0, box[2]), min(1.0, box[3]))
    spans = (box[2] - box[0], box[3] - box[1]) * 2
    starts = (box[0], box[1]) * 2
    corners = (round((edge - start) / span * side) for edge, start, span in zip(inner, starts, spans, strict=True))
    left, top, right, bottom = corners
    source = (inner[0] * width, inner[1] * height, inner[2] * width, inner[3] * height)
    size = (max(1, right - left), max(1, bottom - top))
    part = photo.resize(size, Image.Resampling.BILINEAR, box=source)
    if part.size == (side, side):
        return part
    view = Image.new("RGB", (side, side), (128, 128, 128))
    view.paste(part, (left, top))
    return view


def _around(found: tuple[int, int, int, int], shape: tuple[int, ...], frame: float | None, aspect: float) -> Box | None:
    """A box around ``found`` (pixels of a map of that shape) in the frame's proportions; None if it shows no more."""
    height, width = shape
    left, top, right, bottom = found[0] / width, found[1] / height, found[2] / width, found[3] / height
    wide, tall = (right - left) * (1 + 2 * MARGIN), (bottom - top) * (1 + 2 * MARGIN)
    ratio = aspect / (aspect if frame is None else frame)
    tall = max(tall, wide * ratio)
    wide = tall / ratio
    first = max(1.0, ratio)
    if tall > NEAR * first:
        return None
    middle, centre = (left + right) / 2, (top + bottom) / 2
    return middle - wide / 2, centre - tall / 2, middle + wide / 2, centre + tall / 2


def at_full_size(photo: Image.Image, coarse: F32, *, smooth: bool) -> F32:
    if smooth:
        factor = COARSE_SIDE / max(coarse.shape)
        size = (max(1, round(coarse.shape[1] * factor)), max(1, round(coarse.shape[0] * factor)))
        reduced = np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BOX), np.float32)
        return refine(np.asarray(photo), reduced)
    return np.array(Image.fromarray(coarse).resize(photo.size, Image.Resampling.BILINEAR), np.float32)


def _frame(value: Any, name: str) -> float | None:
    """Width over height of the package's frame, None if it has none."""
    if value is None:
        return None
    try:
        height, width = (float(side) for side in value)
    except (TypeError, ValueError) as error:
        raise BadPackage(f"The frame of {name} must be a height and a width.") from error
    if not (0.1 <= width / max(height, 1e-9) <= 10):
        raise BadPackage(f"The frame of {name} has impossible proportions.")
    return width / height


def _words(value: Any, name: str) -> tuple[str, ...] | None:
    """What the package was taught, None if it reads freely."""
    if value is None:
        return None
    if not isinstance(value, list) or not value or not all(isinstance(word, str) and word for word in value):
        raise BadPackage(f"The words that {name} was taught must be a list of words.")
    return tuple(value)


def _load(package: Package) -> tuple[Any, Any, Any]:
    """The network, its tokenizer and its image processor.  Raises :class:`BadPackage` with what is wrong."""
    from safetensors import SafetensorError
    from transformers import CLIPSegForImageSegmentation, CLIPSegProcessor
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # a worker's log is no place for it
    name, path = package.manifest.name, package.path
    loader: Any = CLIPSegForImageSegmentation
    try:
        network, report = loader.from_pretrained(
            path, use_safetensors=True, local_files_only=True, dtype=torch.float32, output_loading_info=True
        )
        processor = CLIPSegProcessor.from_pretrained(path, local_files_only=True)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        first = str(error).strip().split("\n")[0]
        raise BadPackage(f"{name} is not a whole CLIPSeg folder: {first}") from error
    wrong = itertools.chain(report["missing_keys"], report.get("mismatched_keys", ()))
    absent = sorted(str(key) for key in wrong)
    if absent:
        raise BadPackage(f"The weights of {name} lack {len(absent)} of the network's arrays, {absent[0]} first.")
    return network.eval(), processor.tokenizer, processor.image_processor
