"""How well words are found in held-out street photos."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import BadInput
from ..pipelines import masks
from ..pipelines.text_mask import at_full_size
from .cloth import iou

if TYPE_CHECKING:
    from ..pipelines.text_mask import TextMaskPipeline

FEWEST = 0.001
"""A word occurs in a photo when it covers this share of it."""

Pair = tuple[Path, Path]
"""A photo and its label map."""


def street_pairs(folder: Path) -> list[Pair]:
    """The held-out labelled street photos of ``folder`` (see :mod:`ml_backend.training.data.cloth`)."""
    from ..training.data.concepts import street_photos

    return [(photo, folder / "labels" / f"{photo.stem}.png") for photo in street_photos(folder, validation=True)]


def measure(pipeline: TextMaskPipeline, pairs: Iterable[Pair]) -> dict[str, float]:
    """Ask every photo for "the WORD" of each judged word; the whole pipeline, refinement included, at photo size.

    A pixel is found where the mask is at least one half.  ``iou_WORD`` is the mean, over the photos in which the word
    occurs, of intersection over union; ``iou`` is the mean of these over the words.  A word means its own label and
    those that everybody calls so (a blouse is a shirt); pixels whose label leaves it open (is a blazer a coat?) are not
    counted.  ``exact_WORD`` and ``exact_iou`` count the one label of that very name as the word and all else as not.
    ``quiet`` is the share of the words that do not occur in a photo whose mask is empty (less than 0.1 % of it).
    """
    from ..training.data.concepts import JUDGED, STREET_LABELS

    labels = [STREET_LABELS.index(name) for name in JUDGED]
    score = _Score(JUDGED)
    for photo_path, label_path in pairs:
        photo = Image.open(photo_path).convert("RGB")
        logits = pipeline.logits(photo, [f"the {name}" for name in JUDGED])
        leaves = np.asarray(Image.open(label_path))
        for name, label, plane in zip(JUDGED, labels, logits, strict=True):
            coarse = masks.normalise(plane, "sigmoid")
            score.add(name, at_full_size(photo, coarse, smooth=True) >= 0.5, leaves, label)
    if not score.photos:
        raise BadInput("There are no held-out photos in that folder.")
    return score.figures()


class _Score:
    def __init__(self, words: Iterable[str]) -> None:
        from ..training.data.concepts import CONCEPTS, truth_table

        rows = {concept.name: row for concept, row in zip(CONCEPTS, truth_table(), strict=True)}
        self.tables = {word: rows[word] for word in words}
        self.ious: dict[str, list[float]] = {word: [] for word in self.tables}
        self.exact: dict[str, list[float]] = {word: [] for word in self.tables}
        self.quiet: list[bool] = []
        self.photos = 0

    def add(self, word: str, found: NDArray[np.bool_], labels: NDArray[np.uint8], label: int) -> None:
        self.photos += 1
        truth = self.tables[word][labels]
        known, true = truth <= 1, truth == 1
        if true.mean() > FEWEST:
            self.ious[word].append(iou(found & known, true))
        elif known.all() and not true.any():
            self.quiet.append(bool(found.mean() < FEWEST))
        if (labels == label).mean() > FEWEST:
            self.exact[word].append(iou(found, labels == label))

    def figures(self) -> dict[str, float]:
        def means(prefix: str, ious: dict[str, list[float]]) -> dict[str, float]:
            return {f"{prefix}_{word}": float(np.mean(values)) for word, values in ious.items() if values}

        by_word, by_label = means("iou", self.ious), means("exact", self.exact)
        return {
            "iou": float(np.mean(list(by_word.values()))) if by_word else 0.0,
            "exact_iou": float(np.mean(list(by_label.values()))) if by_label else 0.0,
            "quiet": float(np.mean(self.quiet)) if self.quiet else 1.0,
            "photos": self.photos // len(self.tables),
            **by_word,
            **by_label,
            **{f"count_{word}": len(values) for word, values in self.ious.items()},
        }
